"""What may still be spent: amounts are taken before a request is sent, and given back or corrected after it (S24)."""

from collections.abc import Callable, Collection, Iterator
from datetime import datetime, tzinfo
from decimal import Decimal

import attrs

from switchgear.cost_sink import Lease
from switchgear.costs.settings import Budget
from switchgear.periods import Period

MOST_ACCOUNTS = 10_000  # of one budget with `for_each`: names come from requests
LEASE = 30.0  # seconds that what a process has leased is its own
_TRUST = 0.8 * LEASE  # it stops counting on a lease before others may
_LOOK = 60.0  # seconds after which the calendar is looked at again, whatever the monotonic clock says
_MOST_AT_ONCE = 256
_PARTS = 64  # a process leases this part of what is left, so that the blocks shrink towards the limit
_NOTHING = Decimal(0)


@attrs.define(eq=False)
class Account:
    """One budget's money for one stretch of the calendar, as far as this process may spend it.

    `free` was leased and is not taken by anybody; `taken` is on its way, until its attempts are settled. Both belong to
    the home loop, and so does all the rest.
    """

    name: str  # budget, whose, and period: `month/2026-11`
    budget: str
    settings: Budget
    starts: datetime
    ends: datetime | None
    whose: str = ""  # the service, provider, tenant or tag, where there is one for each
    free: Decimal = _NOTHING
    taken: Decimal = _NOTHING
    left: Decimal | None = None  # as the last lease said: what nobody had leased or spent
    elsewhere: Decimal = _NOTHING  # what others had leased and may give back
    spent: Decimal = _NOTHING
    leased_until: float = 0.0
    used_at: float = 0.0
    detached_until: float = 0.0  # its ledger cannot be reached: nobody waits for it until then

    def has(self, amount: Decimal, now: float) -> bool:
        """Whether so much is there without asking anybody."""
        return amount <= self.free and now < self.leased_until

    def lacks(self, amount: Decimal) -> Decimal:
        """How much of it has to be leased."""
        return amount - min(amount, max(self.free, _NOTHING))

    def take(self, amount: Decimal, now: float) -> None:
        self.free -= amount
        self.taken += amount
        self.used_at = now

    def settle(self, taken: Decimal, actual: Decimal) -> None:
        """An attempt for which `taken` was taken has cost `actual`."""
        self.taken -= taken
        self.free += taken - actual

    def wish(self, need: Decimal) -> Decimal:
        """How much to lease when a request needs so much: a block, which shrinks towards the limit to that alone."""
        if self.left is None or need <= 0:
            return need
        return need * max(1, min(int(self.left / need / _PARTS), _MOST_AT_ONCE))

    def add(self, lease: Lease, asked: float, now: float) -> None:
        """What was leased has come; it was asked for at the moment `asked`."""
        # What was left of a lease that has run out is no longer ours; what was overdrawn, the ledger has counted.
        self.free = max(self.free, _NOTHING) if now < self.leased_until else _NOTHING
        self.free += lease.granted
        self.left, self.elsewhere, self.spent = lease.left, lease.elsewhere, lease.spent
        self.leased_until = asked + _TRUST

    def needs_renewal(self, now: float) -> bool:
        """Whether what is on its way would soon be anybody's: a request may take longer than a lease."""
        return self.taken > 0 and now >= self.leased_until - _TRUST / 2 and now >= self.detached_until

    def give_back(self) -> Decimal:
        """Let go of what is not taken; how much that is."""
        amount, self.free = max(self.free, _NOTHING), min(self.free, _NOTHING)
        return amount

    @property
    def share(self) -> float:
        """The part of the limit that is spent, as far as this process knows."""
        limit = self.settings.limit
        return float(self.spent / limit) if limit else float("inf") if self.spent else 0.0


class Accounts:
    """The accounts of one budget: one, or one for each service, provider, tenant or tag; those of today."""

    def __init__(
        self, name: str, settings: Budget, utc: Callable[[], datetime], monotonic: Callable[[], float], zone: tzinfo
    ) -> None:
        self.name = name
        self.settings = settings
        self._utc = utc
        self._monotonic = monotonic
        self._zone = zone
        self._period = Period(settings.per)
        self._label = ""
        self._starts = utc()
        self._ends: datetime | None = None
        self._look_at = float("-inf")
        self._current: dict[str, Account] = {}
        self._past: list[Account] = []

    def covers(self, service: str, provider: str) -> bool:
        """Whether attempts at this provider can be among those that it limits."""
        names = self.settings.providers
        return (not self.settings.services or service in self.settings.services) and (
            not names or provider in names or f"{service}.{provider}" in names
        )

    def of(
        self, service: str, provider: str, tenant: str | None, tags: Collection[str], now: float
    ) -> Iterator[Account]:
        """Those that an attempt has to be paid from."""
        if now >= self._look_at:
            self._look_at_the_calendar(now)
        settings = self.settings
        if settings.tenants and tenant not in settings.tenants:
            return
        if settings.tags and not any(tag in settings.tags for tag in tags):
            return
        whose = settings.for_each
        if whose is None:
            yield self._account("")
        elif whose == "tag":
            for tag in tags:
                if not settings.tags or tag in settings.tags:
                    yield self._account(tag)
        elif whose == "tenant":
            if tenant is not None:
                yield self._account(tenant)
        else:
            yield self._account(service if whose == "service" else f"{service}.{provider}")

    @property
    def all(self) -> list[Account]:
        return list(self._current.values())

    def past(self) -> list[Account]:
        """Those of earlier periods that still have something to give back or to hear; told once."""
        done = [account for account in self._past if not account.taken]
        self._past = [account for account in self._past if account.taken]
        return done

    def resets_in(self) -> float | None:
        """Seconds until the next period begins; None if there is none."""
        return None if self._ends is None else max(0.0, (self._ends - self._utc()).total_seconds())

    def _account(self, whose: str) -> Account:
        account = self._current.get(whose)
        if account is None:
            if len(self._current) >= MOST_ACCOUNTS:
                # Names come from requests. The longest unused one has nothing taken: its ledger remembers it.
                self._drop_unused()
            prefix = f"{self.name}/{whose}" if whose else self.name
            name = f"{prefix}/{self._label}"
            account = Account(name, self.name, self.settings, self._starts, self._ends, whose)
            self._current[whose] = account
        return account

    def _drop_unused(self) -> None:
        unused = [(account.used_at, whose) for whose, account in self._current.items() if not account.taken]
        for _, whose in sorted(unused)[: MOST_ACCOUNTS // 10]:
            self._past.append(self._current.pop(whose))

    def _look_at_the_calendar(self, now: float) -> None:
        moment = self._utc()
        label = self._period.label(moment, self._zone)
        if label != self._label:
            self._label = label
            self._starts, self._ends = self._period.start(moment, self._zone), self._period.end(moment, self._zone)
            self._past += self._current.values()
            self._current = {}
        rest = _LOOK if self._ends is None else min(_LOOK, (self._ends - moment).total_seconds())
        self._look_at = now + max(0.0, rest)
