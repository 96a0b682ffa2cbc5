"""When somebody should look at the money: budgets that fill up, spikes, unknown and old prices, records lost."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from switchgear.alert import Alert, AlertKind
from switchgear.cost_sink import NOTHING, CostRecord
from switchgear.costs.budgets import Account
from switchgear.costs.settings import Alerts
from switchgear.costs.tracker import CostTracker
from switchgear.money import Charge
from switchgear.periods import Period

_TRAILING = timedelta(hours=24)
_LOOK = 60.0  # seconds between two looks for spikes and old prices
_MOST = 10_000  # alerts that are remembered, so as not to be raised again


class AlertDesk:
    """Decides what is worth an alert, and raises none twice in `repeat` seconds."""

    def __init__(
        self,
        settings: Alerts,
        tracker: CostTracker,
        currency: str,
        utc: Callable[[], datetime],
        monotonic: Callable[[], float],
        tell: Callable[[Alert], None],
    ) -> None:
        self._settings = settings
        self._tracker = tracker
        self._currency = currency
        self._utc = utc
        self._monotonic = monotonic
        self._tell = tell
        self._raised: dict[tuple[str, str], float] = {}
        self._crossed: dict[str, float] = {}
        self._look_at = 0.0

    def look_at_budgets(self, accounts: Iterable[Account]) -> None:
        for account in accounts:
            share = account.share
            crossed = [each for each in account.settings.thresholds if each <= share]
            if not crossed or max(crossed) <= self._crossed.get(account.name, 0.0):
                continue
            self._remember(self._crossed, account.name, max(crossed))
            message = f"{share:.0%} spent: {account.spent:f} of {account.settings.limit:f} {self._currency}"
            self._raise("budget", f"{account.name} {max(crossed)}", account.name, message)

    def look_at_records(self, records: Iterable[CostRecord]) -> None:
        for record in records:
            if record.cost is None and record.charge is not Charge.FREE and record.kind != "saved":
                subject = f"{record.service}.{record.provider}"
                self._raise("unknown_price", subject, subject, "nobody knows what its answers cost; give it a `cost`")

    def look_around(self, expired: Callable[[], Iterable[str]]) -> None:
        """Now and then: spikes, and prices whose time is over (`expired` names their providers)."""
        now = self._monotonic()
        if now < self._look_at:
            return
        self._look_at = now + _LOOK
        for subject in expired():
            self._raise("expired_price", subject, subject, "its price was valid until a day that has passed")
        if self._settings.spike:
            self._look_for_spikes(Decimal(str(self._settings.spike)))

    def lost(self, subject: str, what: str) -> None:
        self._raise("records_lost", subject, subject, what)

    def unreachable(self, subject: str, what: str) -> None:
        self._raise("ledger_unreachable", subject, subject, what)

    def _look_for_spikes(self, factor: Decimal) -> None:
        moment = self._utc()
        hour = Period.HOUR.start(moment, self._tracker.zone)
        before = self._tracker.by("service", per=Period.HOUR, since=hour - _TRAILING, until=hour)
        costs: dict[str, list[Decimal]] = {}
        for (_, service), amount in before.items():
            costs.setdefault(service, []).append(amount.cost)
        for (service,), amount in self._tracker.by("service", since=hour).items():
            known = costs.get(service)
            if not known or amount.cost < self._settings.least:
                continue
            average = sum(known, NOTHING) / len(known)
            if amount.cost > factor * average:
                message = f"{amount.cost:f} {self._currency} this hour, {average:.4f} on average in the hours before"
                self._raise("spike", service, service, message)

    def _raise(self, kind: AlertKind, key: str, subject: str, message: str) -> None:
        now = self._monotonic()
        if now < self._raised.get((kind, key), float("-inf")) + self._settings.repeat:
            return
        self._remember(self._raised, (kind, key), now)
        self._tell(Alert(kind, subject, message, self._utc()))

    def _remember(self, where: dict, key: object, value: float) -> None:  # type: ignore[type-arg]
        where.pop(key, None)
        where[key] = value
        if len(where) > _MOST:
            del where[next(iter(where))]
