"""All about the money of one board, wired: who records it, who keeps it, who limits it, who hears of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from switchgear.alert import Alert
from switchgear.budget_check import LOCAL, sharing
from switchgear.caching.figures import CacheFigures
from switchgear.config.settings import Settings
from switchgear.cost_sink import NOTHING, CostRecord, Ledger, Selection, usage_from
from switchgear.costs.alerts import AlertDesk
from switchgear.costs.bookkeeper import Bookkeeper
from switchgear.costs.budgets import Account, Accounts
from switchgear.costs.journal import Journal, new_holder
from switchgear.costs.lines import Origin
from switchgear.costs.local import LocalShares
from switchgear.costs.settings import Accounting, Alerts, Budget
from switchgear.costs.sources import JournalSource, MemorySource
from switchgear.costs.tracker import DIMENSIONS, CostTracker
from switchgear.home import Home
from switchgear.lender import Keeper, Lender
from switchgear.logs import logger, report_defect
from switchgear.provider import AnyProvider
from switchgear.tariff import Tariff
from switchgear.till import Till

_TOLD_APART = timedelta(days=32)  # how far back the tracker tells costs apart by time, when it begins

Hearers = Sequence[Callable[[Any], None]]


class Books:
    """Made only for a board that records costs or limits them."""

    def __init__(
        self,
        settings: Settings,
        sinks: Mapping[str, Any],
        home: Home,
        folder: Path,
        record_hearers: Hearers = (),
        alert_hearers: Hearers = (),
    ) -> None:
        accounting = settings.accounting or Accounting()
        alerts = settings.alerts or Alerts()
        clock, currency = home.clock, settings.switchgear.currency
        self._home = home
        self._sinks = sinks
        self._zone = ZoneInfo(accounting.time_zone)
        self._holder = new_holder()
        self._currency = currency
        self._record_hearers = tuple(record_hearers)
        self._alert_hearers = tuple(alert_hearers)
        self._tills: list[Till] = []
        self._saved: dict[str, tuple[str, CacheFigures, Decimal, int]] = {}
        self.tracker = CostTracker(self._zone, currency)
        # Without a sink nobody would ever take a journal over.
        kind = accounting.journal if sinks else "off"
        self._recorder: JournalSource | MemorySource
        if kind == "off":
            self._recorder = MemorySource(self._holder, currency)
        else:
            self._recorder = JournalSource(Journal(folder / accounting.folder, kind, self._holder, currency))
        self.bookkeeper = Bookkeeper(
            self._recorder,
            sinks,
            self.tracker,
            clock.monotonic,
            interval=accounting.flush,
            journals=None if kind == "off" else folder / accounting.folder,
            hear=self._tell_records if self._record_hearers else None,
        )
        self.desk = AlertDesk(alerts, self.tracker, currency, clock.utc, clock.monotonic, self._tell_alert)
        self.bookkeeper.desk = self.desk
        self.bookkeeper.begin = self._begin
        self.bookkeeper.on_tick.append(self._look_around)
        self._lenders: dict[str, Lender] = {}
        self._local: LocalShares | None = None
        home.named.add(self)
        self._budgets = [self._budget(name, budget) for name, budget in settings.budgets.items()]

    def rename(self) -> None:
        """In a forked child: whoever has not begun has a journal and leases of its own."""
        if self.bookkeeper.has_started:
            self._home.leave_behind()
            return
        self._holder = new_holder()
        self._recorder.rename(self._holder)
        for lender in self._lenders.values():
            lender.holder = self._holder

    def till(self, service: str, capability: str, provider: AnyProvider) -> Till:
        """Where a provider's attempts are paid."""
        budgets = [(accounts, lender) for accounts, lender in self._budgets if accounts.covers(service, provider.name)]
        origin = Origin(service, capability, provider.name)
        till = Till(provider, origin, self._recorder, self.bookkeeper, self._home, budgets)
        self._tills.append(till)
        return till

    def count_savings(self, service: str, capability: str, figures: CacheFigures) -> None:
        """Record what a service's cache saves, as it grows."""
        self._saved[service] = (capability, figures, NOTHING, 0)

    # Life

    def start(self) -> None:
        """Take over what dead processes have left, and begin."""
        self.bookkeeper.start()

    def release(self) -> None:
        """On the home loop, after the last attempt: give back what is not spent."""
        for lender in self._lenders.values():
            lender.give_back_unused()

    def close(self) -> None:
        """Hand on what is left, and close the sinks; waits for them."""
        self.bookkeeper.close()

    # Budgets

    def _budget(self, name: str, budget: Budget) -> tuple[Accounts, Lender]:
        clock = self._home.clock
        accounts = Accounts(name, budget, clock.utc, clock.monotonic, self._zone)
        key = budget.shared_by or next(iter(sharing(self._sinks)), LOCAL)
        if key not in self._lenders:
            keeper: Keeper = self._local_shares() if key == LOCAL else self._sinks[key]
            self._lenders[key] = Lender(keeper, self.bookkeeper, self._home, self._holder)
        self._lenders[key].add(accounts)
        return accounts, self._lenders[key]

    def _local_shares(self) -> LocalShares:
        if self._local is None:
            self._local = LocalShares(self._spent_before)
            self.bookkeeper.hearers.append(self._local.cost_recorded)
        return self._local

    def _spent_before(self, account: str) -> Decimal:
        """What the ledger knows of this period already."""
        ledger = self._ledger
        found = next((each for each in self._accounts() if each.name == account), None)
        if ledger is None or found is None:
            return NOTHING
        accounts = next(accounts for accounts, _ in self._budgets if accounts.name == found.budget)
        totals = ledger.totals(("service", "provider"), _selection(found))
        ours = (each for each in totals if each.currency == self._currency and accounts.covers(*each.key))
        return sum((each.cost for each in ours), NOTHING)

    def _accounts(self) -> Iterator[Account]:
        for accounts, _ in self._budgets:
            yield from accounts.all

    # In the bookkeeper's thread

    @property
    def _ledger(self) -> Ledger | None:
        """The first sink that can be read."""
        return next((sink for sink in self._sinks.values() if hasattr(sink, "totals")), None)

    def _begin(self) -> None:
        ledger = self._ledger
        if ledger is None:
            return
        since = self._home.clock.utc() - _TOLD_APART
        self.tracker.begin_with(ledger.totals(("slot", *DIMENSIONS), Selection(since=since)), with_slot=True)
        self.tracker.begin_with(ledger.totals(DIMENSIONS, Selection(until=since)), with_slot=False)
        for till in self._tills:
            tariff = till.provider.price
            if isinstance(tariff, Tariff):
                self._count_usage(ledger, till.origin, tariff)

    def _count_usage(self, ledger: Ledger, origin: Origin, tariff: Tariff) -> None:
        price = tariff.current()
        if price is None or not price.tiers:
            return
        where = Selection(since=tariff.period_start(price), services=(origin.service,), providers=(origin.provider,))
        for total in ledger.totals(("usage",), where):
            usage = usage_from(total.key[0])
            tariff.count({unit: amount * total.attempts for unit, amount in usage.items()})

    def _look_around(self) -> None:
        self.desk.look_around(self._expired)
        for service, (capability, figures, saved, hits) in self._saved.items():
            now_hits = figures.hits + figures.stale + figures.stale_on_error + figures.shared
            if now_hits == hits:
                continue
            now_saved = figures.saved
            self._saved[service] = (capability, figures, now_saved, now_hits)
            self.bookkeeper.extra.append(self._saving(service, capability, now_saved - saved, now_hits, hits))

    def _saving(self, service: str, capability: str, saved: Decimal, now_hits: int, hits: int) -> CostRecord:
        return CostRecord(
            id=f"{self._holder}.{service}.{now_hits}",
            at=int(self._home.clock.utc().timestamp() * 1_000_000),
            service=service,
            capability=capability,
            provider="",
            kind="saved",
            currency=self._currency,
            cost=NOTHING,
            holder=self._holder,
            saved=saved,
            hits=now_hits - hits,
        )

    def _expired(self) -> Iterable[str]:
        for till in self._tills:
            price = till.provider.price
            if isinstance(price, Tariff) and price.has_expired:
                yield f"{till.origin.service}.{till.origin.provider}"

    # Listeners are foreign code, called on the home loop as all of it is

    def _tell_records(self, records: list[CostRecord]) -> None:
        self._at_home(lambda: _tell(self._record_hearers, records))

    def _tell_alert(self, alert: Alert) -> None:
        logger.warning("alert {} {}: {}", alert.kind, alert.subject, alert.message)
        if self._alert_hearers:
            self._at_home(lambda: _tell(self._alert_hearers, [alert]))

    def _at_home(self, work: Callable[[], None]) -> None:
        loop = self._home.loop
        if loop is None or not loop.is_running():
            work()  # nothing else runs
        else:
            loop.call_soon_threadsafe(work)


def _tell(hearers: Hearers, events: Sequence[object]) -> None:
    for event in events:
        for hear in hearers:
            # Foreign code: one listener that breaks must not keep the others from hearing.
            try:
                hear(event)
            except Exception as error:
                report_defect(f"observer {hear!r} failed", error)


def _selection(account: Account) -> Selection:
    """The records that an account stands for."""
    settings, whose = account.settings, account.whose
    services, providers = settings.services, tuple(each.rpartition(".")[2] for each in settings.providers)
    tenants, tags = settings.tenants, settings.tags
    if settings.for_each == "service":
        services = (whose,)
    elif settings.for_each == "provider":
        service, _, provider = whose.partition(".")
        services, providers = (service,), (provider,)
    elif settings.for_each == "tenant":
        tenants = (whose,)
    elif settings.for_each == "tag":
        tags = (whose,)
    return Selection(since=account.starts, services=services, providers=providers, tenants=tenants, tags=tags)
