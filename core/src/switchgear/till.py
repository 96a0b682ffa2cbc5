"""The money of one provider's attempts: taken from budgets before they are sent, recorded around them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Protocol

from switchgear.cost_sink import NOTHING
from switchgear.costs.bookkeeper import Bookkeeper
from switchgear.costs.budgets import Account, Accounts
from switchgear.costs.hold import Hold
from switchgear.costs.lines import Origin
from switchgear.costs.sources import Write
from switchgear.errors import BudgetExceeded, OutcomeError
from switchgear.home import Home
from switchgear.lender import Lender
from switchgear.logs import report_defect
from switchgear.money import Charge, Price, rounded
from switchgear.provider import AnyProvider, SimpleProvider
from switchgear.results import Attempt, Call

_LOOK = 1.0  # seconds after which the calendar is compared with the monotonic clock again
_BILLED, _FREE, _IN_DOUBT = Charge.BILLED, Charge.FREE, Charge.IN_DOUBT


class Recorder(Protocol):
    """Where attempts are written down (see `switchgear.costs.sources`)."""

    intend: Write | None  # None: there is nowhere to write it

    def register(self, origin: Origin) -> int: ...
    def settle(self, number: int, attempt: Attempt, call: Call, budgets: tuple[str, ...]) -> None: ...
    def correct(self, number: int, attempt: Attempt, call: Call, budgets: tuple[str, ...]) -> None: ...


class Till:
    """One provider's; there is one only where costs are recorded or limited."""

    def __init__(
        self,
        provider: AnyProvider,
        origin: Origin,
        recorder: Recorder,
        bookkeeper: Bookkeeper,
        home: Home,
        budgets: Sequence[tuple[Accounts, Lender]] = (),
    ) -> None:
        self.provider = provider
        self.origin = origin
        self._number = recorder.register(origin)
        self._recorder = recorder
        self._intend = recorder.intend
        self._settle = recorder.settle
        self._bookkeeper = bookkeeper
        self._home = home
        self._budgets = tuple(budgets)
        self._lenders = {accounts.name: lender for accounts, lender in budgets}
        self.always = _always(provider) if not budgets else None  # the hold of all its attempts, where that is one
        self._offset = 0.0
        self._offset_until = float("-inf")

    @property
    def limits(self) -> bool:
        """Whether an attempt may have to wait for money."""
        return bool(self._budgets)

    # Before an attempt

    def hold(self, request: Any, call: Call, now: float) -> Hold:
        """What it is expected to cost, taken from every budget that it counts against; all of them, or none."""
        hold = Hold(self._estimate(request))
        if self._budgets:
            self._take(hold, call, now)
        return hold

    async def fetch(self, hold: Hold, call: Call, ends: float | None) -> None:
        """Get what is missing, and take it; afterwards nothing is missing, or there is a reason."""
        while hold.missing is not None:
            account, need = hold.missing, hold.taken
            in_time = await self._lenders[account.budget].fetch(account, need, ends)
            now = self._home.clock.monotonic()
            if not in_time:
                hold.missing, hold.reason = None, f"no time left to ask what budget {account.budget} has"
            elif account.has(need, now) or now < account.detached_until:
                self._take(hold, call, now)
            else:
                hold.missing = None
                self._refuse(hold, account)

    def drop(self, hold: Hold) -> None:
        """It is not sent after all."""
        for account in hold.accounts:
            account.settle(hold.taken, NOTHING)
        hold.accounts = ()

    def objection(self, request: Any, now: float) -> str:
        """Why a budget would pass it over right now, as far as this process knows; takes nothing."""
        estimate = self._estimate(request)
        for accounts, _ in self._budgets:
            for account in accounts.of(self.origin.service, self.origin.provider, None, (), now):
                if account.settings.on_exceeded == "warn":
                    continue
                if estimate is None and account.settings.unknown == "reject":
                    return _unknown(account)
                room = account.settings.limit - account.spent - account.taken
                if estimate is not None and estimate > room:
                    return _over(account)
        return ""

    def _take(self, hold: Hold, call: Call, now: float) -> None:
        hold.missing = None
        hold.taken = need = NOTHING if hold.estimate is None else hold.estimate
        origin = self.origin
        names: list[str] = []
        payers: list[Account] = []
        for accounts, _ in self._budgets:
            for account in accounts.of(origin.service, origin.provider, call.tenant, call.tags, now):
                names.append(account.name)
                settings = account.settings
                if settings.on_exceeded == "warn":
                    continue
                if hold.estimate is None and settings.unknown == "reject":
                    hold.reason = _unknown(account)
                    return
                if account.has(need, now):
                    payers.append(account)
                elif now >= account.detached_until:
                    hold.missing = account
                    return
                elif settings.unreachable == "reject":
                    hold.reason = f"budget {account.budget}: its ledger cannot be reached"
                    return
        for account in payers:
            account.take(need, now)
        hold.accounts, hold.budgets = tuple(payers), tuple(names)

    def _refuse(self, hold: Hold, account: Account) -> None:
        hold.reason = _over(account)
        if account.settings.on_exceeded == "reject":
            accounts = next(each for each, _ in self._budgets if each.name == account.budget)
            hold.refusal = BudgetExceeded(
                f"{self.origin.service}: {hold.reason}; limit {account.settings.limit:f} per {account.settings.per}",
                budget=account.budget,
                retry_after=accounts.resets_in(),
                remedy="Raise the limit, wait for the next period, or set on_exceeded to fall_over or warn",
            )

    def _estimate(self, request: Any) -> Decimal | None:
        # Foreign code: what cannot say its price is of unknown price, and the budgets have a rule for that.
        try:
            estimate = self.provider.estimate_cost(request)
            return None if estimate is None else rounded(estimate)
        except Exception as error:
            report_defect(f"{self.provider.name}: estimate_cost", error)
            return None

    # Around it

    def sent(self, hold: Hold, attempt: Attempt, call: Call, now: float) -> None:
        """Write down that it is about to be sent."""
        if now >= self._offset_until:
            self._bookkeeper.start()
            self._offset = self._home.clock.utc().timestamp() - now
            self._offset_until = now + _LOOK
        attempt.at = int((now + self._offset) * 1_000_000)
        attempt.estimate = hold.estimate
        if self._intend is not None:
            self._intend(self._number, attempt, call, hold.budgets)

    def answered(self, hold: Hold, attempt: Attempt, call: Call) -> None:
        """Write down that it was answered, and what it cost."""
        attempt.charge = _BILLED
        self._settle(self._number, attempt, call, hold.budgets)
        if hold.accounts:
            self._pay(hold, attempt)

    def failed(self, hold: Hold, attempt: Attempt, call: Call, error: BaseException) -> None:
        """Write down how it failed, and what that costs; one that was refused by a validator has its price."""
        charge = error.charge if isinstance(error, OutcomeError) else None
        attempt.charge = charge = charge or attempt.outcome.rule.charge
        if charge is _FREE:
            attempt.cost = NOTHING
        elif charge is _IN_DOUBT and attempt.cost is None:
            attempt.cost = hold.estimate
        self._settle(self._number, attempt, call, hold.budgets)
        if hold.accounts:
            self._pay(hold, attempt)

    def came_late(self, hold: Hold, attempt: Attempt, call: Call) -> None:
        """A thread that nobody waited for has returned: what was in doubt is known now."""
        attempt.charge = _BILLED
        self._recorder.correct(self._number, attempt, call, hold.budgets)
        # The ledger takes what it costs beyond the doubt off our lease; what it costs less is nobody's again.
        if attempt.cost is not None and attempt.cost > hold.taken:
            for account in hold.accounts:
                account.settle(NOTHING, attempt.cost - hold.taken)

    def _pay(self, hold: Hold, attempt: Attempt) -> None:
        actual = hold.taken if attempt.cost is None else attempt.cost
        for account in hold.accounts:
            account.settle(hold.taken, actual)


def _over(account: Account) -> str:
    return f"over budget {account.budget}" + (f" of {account.whose}" if account.whose else "")


def _unknown(account: Account) -> str:
    return f"budget {account.budget} takes no unknown cost; give the provider a `cost`"


def _always(provider: AnyProvider) -> Hold | None:
    """One for all its attempts, where what they cost depends on nothing."""
    price = provider.price
    own = type(provider).estimate_cost is not SimpleProvider.estimate_cost
    return Hold(price.flat) if not own and isinstance(price, Price) and price.flat is not None else None
