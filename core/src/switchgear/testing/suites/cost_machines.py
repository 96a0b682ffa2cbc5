"""A cost sink beside a model: any sequence of steps has to end alike. Needs Hypothesis."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from switchgear.cost_sink import GROUPS, SLOT, CostRecord
from switchgear.money import Charge, from_microseconds
from switchgear.testing.suites.cost_model import Budget, Kept

if TYPE_CHECKING:
    from switchgear.testing.suites.cost_sink import CostSinkSuite

_NOON = 1_795_521_600_000_000
_AMOUNTS = st.decimals("-9000000000", "9000000000", places=9) | st.sampled_from(["0", "0.000000001", "0.25"]).map(
    Decimal
)
_TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
_UNITS = st.sampled_from(["pages", "characters", "tokens_in"])
_VALUES = st.fixed_dictionaries(
    {
        "at": st.integers(_NOON, _NOON + 3 * SLOT),
        "provider": st.sampled_from(["fast", "good"]) | _TEXTS,
        "capability": st.sampled_from(["ocr", "translation"]),
        "kind": st.sampled_from(["first", "retry", "fallback", "hedge", "saved"]),
        "charge": st.sampled_from(list(Charge)),
        "outcome": st.sampled_from(["success", "timeout"]) | _TEXTS,
        "currency": st.sampled_from(["USD", "EUR"]),
        "cost": st.none() | _AMOUNTS,
        "estimate": st.none() | _AMOUNTS,
        "usage": st.dictionaries(_UNITS, st.decimals("0", "1e9", places=3), max_size=3),
        "latency": st.floats(0, 1e6),
        "tenant": st.none() | _TEXTS,
        "tags": st.lists(_TEXTS, max_size=3).map(tuple),
        "holder": _TEXTS,
        "saved": _AMOUNTS,
        "hits": st.integers(0, 1_000_000),
    }
)
_BY = st.lists(st.sampled_from(GROUPS), unique=True, max_size=4)
_LEASE = 5_250_000  # microseconds; no sum of waits is as long, for that moment may belong to either side
_HOLDERS = st.sampled_from(["one", "two", "three"])


def compare_records(suite: "CostSinkSuite") -> None:
    _run(suite, Records)


def compare_accounts(suite: "CostSinkSuite") -> None:
    _run(suite, Accounts)


def _run(suite: "CostSinkSuite", base: type[RuleBasedStateMachine]) -> None:
    # A class of its own for each suite: Hypothesis keeps what it learns on the class.
    machine = type("Machine", (base,), {"suite": suite})
    limits = settings(max_examples=suite.examples, stateful_step_count=suite.steps, deadline=None, database=None)
    run_state_machine_as_test(machine, settings=limits)


class Records(RuleBasedStateMachine):
    """Records with few ids, so that many take each other's places. `kept` is the model, `waiting` the next batch."""

    suite: "CostSinkSuite"

    def __init__(self) -> None:
        super().__init__()
        self.name = self.suite.name()
        self.sink: Any = self.suite.make()
        self.kept = Kept()
        self.waiting: list[CostRecord] = []

    @rule(number=st.integers(0, 9), other=st.booleans(), values=_VALUES)
    def record(self, number: int, other: bool, values: dict[str, Any]) -> None:
        service = f"{self.name}other" if other else self.name
        made = self.suite.record(self.name, number, **(values | {"service": service, "budgets": (self.name,)}))
        self.sink.cost_recorded(made)
        self.waiting.append(made)

    @rule()
    def flush(self) -> None:
        self.sink.flush()
        for record in self.waiting:
            self.kept.write(record)
        self.waiting.clear()

    @rule()
    def hand_over_again(self) -> None:
        for record in self.kept.records.values():
            self.sink.cost_recorded(record)
            self.waiting.append(record)

    @rule(by=_BY, since=st.none() | st.integers(0, 3), until=st.none() | st.integers(0, 3))
    def read(self, by: list[str], since: int | None, until: int | None) -> None:
        chosen = {
            "since": None if since is None else from_microseconds(_NOON + since * SLOT),
            "until": None if until is None else from_microseconds(_NOON + until * SLOT),
        }
        self.suite.compare(self.sink, self.name, list(self.kept.records.values()), by, **chosen)

    @precondition(lambda self: self.suite.is_lasting)
    @rule()
    def open_again(self) -> None:
        self.flush()
        self.sink.close()
        self.sink = self.suite.make()

    def teardown(self) -> None:
        try:
            self.flush()
            self.suite.compare(self.sink, self.name, list(self.kept.records.values()), GROUPS)
            if self.suite.is_shared:
                assert self.sink.spent(self.name) == self.kept.spent
        finally:
            self.sink.close()


class Accounts(RuleBasedStateMachine):
    """One account, used by three holders through one sink each; time is moved by hand.

    What a holder has leased it spends, or more where an attempt costs more than was expected.
    """

    suite: "CostSinkSuite"

    def __init__(self) -> None:
        super().__init__()
        self.name = self.suite.name()
        first: Any = self.suite.make()
        alike = self.suite.is_lasting
        self.sinks: dict[str, Any] = {name: self.suite.make() if alike else first for name in ("one", "two")}
        self.sinks["three"] = first
        self.now = _NOON

    @initialize(limit=st.sampled_from([1, 10, 100]))
    def begin(self, limit: int) -> None:
        self.budget = Budget(Decimal(limit))

    @rule(holder=_HOLDERS, want=st.integers(0, 120), part=st.integers(1, 5))
    def lease(self, holder: str, want: int, part: int) -> None:
        wanted, needed, until = Decimal(want) / 10, Decimal(want) / 10 / part, self.now + _LEASE
        needed = needed.quantize(Decimal("1e-9"))
        lease = self.suite.leased(
            self.sinks[holder], self.name, holder, self.budget.limit, wanted, needed, self.now, until
        )
        assert lease == self.budget.lease(holder, wanted, needed, self.now, until)
        leased = sum(own for own, _ in self.budget.leases.values())
        assert not lease.granted or leased + self.budget.kept.spent <= self.budget.limit

    @rule(
        holder=_HOLDERS,
        batch=st.dictionaries(
            st.integers(0, 5), st.tuples(st.sampled_from(list(Charge)), st.none() | st.integers(-5, 30)), max_size=4
        ),
    )
    def record(self, holder: str, batch: dict[int, tuple[Charge, int | None]]) -> None:
        made = [
            self.suite.record(
                self.name,
                number,
                charge=charge,
                cost=None if tenths is None else Decimal(tenths) / 10,
                holder=holder,
                budgets=(self.name,),
            )
            for number, (charge, tenths) in batch.items()
        ]
        self.suite.write(self.sinks[holder], made)
        self.budget.write(made)

    @rule(holder=_HOLDERS, tenths=st.integers(0, 200))
    def give_back(self, holder: str, tenths: int) -> None:
        self.sinks[holder].give_back(self.name, holder, Decimal(tenths) / 10)
        self.budget.give_back(holder, Decimal(tenths) / 10)

    @rule(seconds=st.sampled_from([0.5, 3.5, 30.5]))
    def wait(self, seconds: float) -> None:
        self.now += int(seconds * 1_000_000)

    @rule(holder=_HOLDERS)
    def look(self, holder: str) -> None:
        assert self.sinks[holder].spent(self.name) == self.budget.kept.spent

    def teardown(self) -> None:
        for holder, sink in self.sinks.items():
            self.look(holder)
            sink.close()
