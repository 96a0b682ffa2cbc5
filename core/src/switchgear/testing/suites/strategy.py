"""The conformance suite of strategies."""

import inspect
import random
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from switchgear.errors import ProviderError
from switchgear.figures import Latency
from switchgear.outcome import Outcome
from switchgear.provider import ProviderStatus
from switchgear.results import Attempt, Call, ProviderResult
from switchgear.strategy import Strategy
from switchgear.testing.candidates import FakeCandidate
from switchgear.testing.suites.checks import check_plugin

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_TURNS = 5
_MANY = 50


class StrategySuite:
    """Checks a strategy against the contract of `Strategy`, with figures that Hypothesis makes up::

    class TestMine(StrategySuite):
        def make(self): return Mine()
    """

    examples: ClassVar[int] = 100  #: made-up sets of candidates that each rule is tried on

    def make(self) -> Strategy:
        """A new strategy. One with a field named `random` gets its dice from here, as it does from the manager."""
        raise NotImplementedError

    def request(self) -> Any:
        """The request that candidates are ordered for."""
        return None

    def test_it_keeps_to_the_contract_of_strategies(self) -> None:
        check_plugin("strategies", self.make())

    def test_its_order_is_a_subset_without_duplicates(self) -> None:
        def check(candidates: list[FakeCandidate], turn: int) -> None:
            self.check_order(self.order(self.fresh(), candidates, turn), candidates)

        self.for_all(check)

    def test_it_changes_neither_the_candidates_nor_their_sequence(self) -> None:
        def check(candidates: list[FakeCandidate], turn: int) -> None:
            given, before = list(candidates), [attrs.asdict(candidate) for candidate in candidates]
            self.order(self.fresh(), candidates, turn)
            assert candidates == given, "order() changed the list it was given"
            assert [attrs.asdict(candidate) for candidate in candidates] == before, "order() changed a candidate"

        self.for_all(check)

    def test_the_same_turns_give_the_same_orders(self) -> None:
        def check(candidates: list[FakeCandidate], turn: int) -> None:
            first, second = self.fresh(), self.fresh()
            for each in range(turn, turn + _TURNS):
                one, other = self.order(first, candidates, each), self.order(second, candidates, each)
                assert one == other, f"two fresh ones order differently at turn {each}: {one} and {other}"

        self.for_all(check)

    def test_it_orders_no_candidate_at_all(self) -> None:
        assert self.order(self.fresh(), [], 0) == []

    def test_it_orders_many_candidates(self) -> None:
        candidates = [FakeCandidate(name=f"p{number}", priority=number % 7) for number in range(_MANY)]
        self.check_order(self.order(self.fresh(), candidates, 0), candidates)

    def test_it_learns_from_any_finished_call(self) -> None:
        strategy = self.fresh()
        learn = getattr(strategy, "learn", None)
        if learn is None:
            return
        candidates = [FakeCandidate(name="a"), FakeCandidate(name="b")]
        for call in _finished_calls(candidates):
            learn(call)
        self.check_order(self.order(strategy, candidates, 1), candidates)

    def check_order(self, ordered: Sequence[Any], candidates: Sequence[FakeCandidate]) -> None:
        names = [getattr(candidate, "name", candidate) for candidate in ordered]
        assert all(candidate in candidates for candidate in ordered), f"not all are candidates: {names}"
        assert len(set(names)) == len(names), f"somebody is named twice: {names}"

    def fresh(self) -> Strategy:
        """A new strategy with the same dice each time."""
        strategy: Any = self.make()
        if hasattr(strategy, "random"):
            strategy.random = random.Random(0)
        return strategy  # type: ignore[no-any-return]

    def order(self, strategy: Any, candidates: Sequence[FakeCandidate], turn: int) -> list[Any]:
        """Call `order()` with what it takes, as the manager does."""
        offered = {"request": self.request(), "turn": turn}
        wanted = inspect.signature(strategy.order).parameters
        return list(strategy.order(candidates, **{name: offered[name] for name in offered if name in wanted}))

    def for_all(self, check: Callable[[list[FakeCandidate], int], None]) -> None:
        """Try a rule on candidates and turns that Hypothesis makes up."""
        from hypothesis import Phase, given, settings, strategies

        # Inside a method: a decorated one would be run by several classes, which Hypothesis refuses.
        rule = given(some_candidates(), strategies.integers(0, 1000))(check)
        phases = [
            Phase.generate,
            Phase.shrink,
        ]  # explaining takes seconds, and a short list needs none
        settings(max_examples=self.examples, phases=phases, deadline=None, database=None)(rule)()


def some_candidates() -> "SearchStrategy[list[FakeCandidate]]":
    """Up to eight candidates of different names. Each figure has few values: ties are where orders go wrong."""
    from hypothesis import strategies as st

    shares = st.sampled_from([0.0, 0.5, 1.0])
    counts = st.sampled_from([0, 1, 100])
    figures = st.fixed_dictionaries(
        {
            "priority": st.sampled_from([-1, 0, 1, 100]),
            "quality_score": shares,
            "status": st.sampled_from(ProviderStatus),
            "latency": st.sampled_from([(), (0.0,), (0.1,), (0.1, 30.0)]),
            "success_rate": st.none() | shares,
            "requests": counts,
            "in_flight": counts,
            "circuit": st.sampled_from(["closed", "half_open"]),
            "cost": st.sampled_from([None, Decimal(0), Decimal("0.0015"), Decimal(3)]),
        }
    )
    return st.lists(figures, max_size=8).map(_candidates)


def _candidates(figures: list[dict[str, Any]]) -> list[FakeCandidate]:
    return [
        FakeCandidate(**{**each, "name": f"p{number}", "latency": _latency(each["latency"])})
        for number, each in enumerate(figures)
    ]


def _latency(samples: Sequence[float]) -> Latency:
    latency = Latency()
    for sample in samples:
        latency.add(sample)
    return latency


def _finished_calls(candidates: Sequence[FakeCandidate]) -> list[Call]:
    error = ProviderError("down")
    good = Call("1", "suite", order=candidates, result=ProviderResult("answer", provider="a", latency=0.1), latency=0.1)
    good.attempts = [Attempt("1", "a", 1, latency=0.1)]
    failed = Call("2", "suite", order=candidates, error=error, latency=0.2, dropped={"b": "unavailable"})
    failed.attempts = [Attempt("2", "a", 1, Outcome.TRANSIENT, latency=0.2, message="down")]
    return [good, failed, Call("3", "suite", error=error), Call("4", "suite", result=ProviderResult("answer"))]
