"""Accounts and local shares against a model that has one number: what is left, never below 0 by our own doing (S24)."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule
from switchgear import Charge
from switchgear.cost_sink import CostRecord
from switchgear.costs.budgets import Account
from switchgear.costs.local import LocalShares
from switchgear.costs.settings import Budget

LIMIT = Decimal(20)
NAME = "month/2026-01"
NOTHING = Decimal(0)
amounts = st.integers(0, 8).map(Decimal)


class Accounting(RuleBasedStateMachine):
    """Attempts take what they are expected to cost, and end one way or another; their records come later."""

    attempts = Bundle("attempts")
    doubts = Bundle("doubts")

    def __init__(self) -> None:
        super().__init__()
        self.keeper = LocalShares(lambda account: NOTHING)
        self.account = Account(NAME, "month", Budget(limit=LIMIT), datetime(2026, 1, 1, tzinfo=UTC), None)
        self.now = 0.0
        self.count = 0
        self.records: list[CostRecord] = []
        self.spent = NOTHING  # the model: what was spent, what is on its way, and what cost more than expected
        self.on_its_way = NOTHING
        self.overrun = NOTHING

    def lease(self, need: Decimal) -> None:
        now = int(self.now * 1_000_000)
        stale = self.account.give_back() if self.now >= self.account.leased_until else NOTHING
        if stale:
            self.keeper.give_back(NAME, "one", stale)
        amounts: Any = {"want": self.account.wish(need), "need": self.account.lacks(need)}
        lease = self.keeper.lease(NAME, "one", limit=LIMIT, now=now, until=now + 30_000_000, **amounts)
        self.account.add(lease, self.now, self.now)

    def record(self, name: str, cost: Decimal, charge: Charge) -> None:
        self.records.append(CostRecord(name, 1, "scans", "ocr", "fast", charge=charge, cost=cost, budgets=(NAME,)))

    @rule(target=attempts, need=amounts)
    def take(self, need: Decimal) -> Any:
        if not self.account.has(need, self.now):
            self.lease(need)
        fits = self.account.has(need, self.now)
        if not fits:
            self.hand_on()
            self.lease(need)
            fits = self.account.has(need, self.now)
        if self.spent + self.on_its_way + need <= LIMIT:
            assert fits, "what fits is let through"
        elif need and not self.overrun:  # what cost more than expected may be known later than the next one is sent
            assert not fits, "what does not fit is not"
        if not fits:
            return None
        self.account.take(need, self.now)
        self.on_its_way += need
        self.count += 1
        return f"c{self.count}.1", need

    @rule(attempt=consumes(attempts), cost=amounts)
    def bill(self, attempt: Any, cost: Decimal) -> None:
        if attempt is not None:
            self.end(attempt, cost, Charge.BILLED)

    @rule(attempt=consumes(attempts))
    def free(self, attempt: Any) -> None:
        if attempt is not None:
            self.end(attempt, NOTHING, Charge.FREE)

    @rule(target=doubts, attempt=consumes(attempts))
    def doubt(self, attempt: Any) -> Any:
        if attempt is not None:
            self.end(attempt, attempt[1], Charge.IN_DOUBT)
        return attempt

    def end(self, attempt: tuple[str, Decimal], cost: Decimal, charge: Charge) -> None:
        name, need = attempt
        self.account.settle(need, cost)
        self.record(name, cost, charge)
        self.on_its_way -= need
        self.spent += cost
        self.overrun += max(NOTHING, cost - need)

    @rule(doubt=consumes(doubts), cost=amounts)
    def turn_out(self, doubt: Any, cost: Decimal) -> None:
        if doubt is None:
            return
        name, need = doubt
        if cost > need:
            self.account.settle(NOTHING, cost - need)
        self.record(name, cost, Charge.BILLED)
        self.spent += cost - need
        self.overrun += max(NOTHING, cost - need)

    @rule()
    def hand_on(self) -> None:
        for each in self.records:
            self.keeper.cost_recorded(each)
        self.records.clear()

    @rule()
    def give_back(self) -> None:
        self.keeper.give_back(NAME, "one", self.account.give_back())

    @rule(seconds=st.sampled_from([1.0, 25.0, 100.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def nothing_is_lost(self) -> None:
        assert self.account.taken == self.on_its_way
        assert self.spent <= LIMIT + self.overrun
        if not self.records:
            assert self.keeper.spent(NAME) == self.spent


Accounting.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestAccounting = Accounting.TestCase
