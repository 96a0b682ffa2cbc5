"""The built-in orders: each by its own rule, and all by that of the contract."""

import random
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from switchgear.figures import Latency
from switchgear.ordering import compile_order
from switchgear.strategies import BUILT_IN
from switchgear.strategies.cost import Cost
from switchgear.strategies.exploration import EVERY, explored
from switchgear.strategies.least_busy import LeastBusy
from switchgear.strategies.p2c import PowerOfTwoChoices
from switchgear.strategies.priority import Priority
from switchgear.strategies.quality import Quality
from switchgear.strategies.round_robin import RoundRobin
from switchgear.strategies.speed import Speed
from switchgear.strategies.weighted import Weighted
from switchgear.strategy import SelectionStrategy
from switchgear.testing import FakeCandidate, StrategySuite


def latency(*seconds: float) -> Latency:
    found = Latency()
    for each in seconds:
        found.add(each)
    return found


def one(name: str, *seconds: float, **figures: Any) -> FakeCandidate:
    return FakeCandidate(name=name, latency=latency(*seconds), **{"requests": len(seconds), **figures})


def names(order: Any) -> str:
    return "".join(each.name for each in order)


class TestPriority(StrategySuite):
    examples = 30

    def make(self) -> Any:
        return Priority()

    def check_order(self, ordered: Sequence[Any], candidates: Sequence[FakeCandidate]) -> None:
        super().check_order(ordered, candidates)
        assert len(ordered) == len(candidates), "a built-in strategy drops nobody"


class TestCost(TestPriority):
    def make(self) -> Any:
        return Cost()


class TestQuality(TestPriority):
    def make(self) -> Any:
        return Quality()


class TestSpeed(TestPriority):
    def make(self) -> Any:
        return Speed()


class TestRoundRobin(TestPriority):
    def make(self) -> Any:
        return RoundRobin()


class TestWeighted(TestPriority):
    def make(self) -> Any:
        return Weighted({"p0": 3, "p1": 0})


class TestLeastBusy(TestPriority):
    def make(self) -> Any:
        return LeastBusy()


class TestPowerOfTwoChoices(TestPriority):
    def make(self) -> Any:
        return PowerOfTwoChoices()


def test_every_built_in_strategy_has_its_suite() -> None:
    suites: list[Any] = [TestPriority, *TestPriority.__subclasses__()]
    assert {type(suite().make()) for suite in suites} == {type(BUILT_IN[member]()) for member in SelectionStrategy}


def test_priority_goes_by_the_lowest_number_and_then_by_the_file() -> None:
    assert names(Priority().order([one("a", priority=2), one("b", priority=1), one("c", priority=2)])) == "bac"


def test_cost_goes_by_this_request_with_the_unknown_last_and_free_first() -> None:
    candidates = [
        one("a", cost=None, priority=1),
        one("b", cost=Decimal("0.2")),
        one("c", cost=Decimal("0.1"), priority=3),
        one("d", cost=Decimal("0.1"), priority=2),
        one("e", cost=Decimal(0)),
    ]
    assert names(Cost().order(candidates, "x")) == "edcba"


def test_cost_leaves_those_of_unknown_cost_in_the_order_of_their_priority() -> None:
    candidates = [one("a", cost=None, priority=2), one("b", cost=None, priority=1), one("c", cost=Decimal(9))]
    assert names(Cost().order(candidates, "x")) == "cba"


def test_an_order_that_never_changes_is_asked_for_once() -> None:
    candidates = (one("a"), one("b"))
    for strategy in (Priority(), Quality()):
        order = compile_order(strategy)
        assert order(candidates, "x", 0) is order(candidates, "y", 1)  # type: ignore[arg-type]


def test_quality_goes_by_the_score_and_then_by_priority() -> None:
    candidates = [one("a", quality_score=0.5), one("b", quality_score=0.9, priority=2), one("c", quality_score=0.9)]
    assert names(Quality().order(candidates)) == "bca"


def test_round_robin_lets_everybody_start_once_in_the_same_circle() -> None:
    candidates = [one("a"), one("b"), one("c")]
    assert [names(RoundRobin().order(candidates, turn=turn)) for turn in range(4)] == ["abc", "bca", "cab", "abc"]


def test_least_busy_goes_by_what_is_under_way_and_takes_turns_among_equals() -> None:
    candidates = [one("a", in_flight=1), one("b", in_flight=0), one("c", in_flight=0)]
    assert [names(LeastBusy().order(candidates, turn=turn)) for turn in range(3)] == ["bca", "bca", "cba"]


def test_speed_asks_the_fastest_first_after_whoever_was_never_asked() -> None:
    candidates = [
        one("a", 0.3),
        one("b", 0.1),
        one("c"),
        one("d", requests=3),  # asked, and has never answered
    ]
    assert names(Speed().order(candidates, turn=0)) == "cbad"


def test_s17_speed_a_fast_failure_does_not_make_a_provider_fast() -> None:
    """Who fails at once has no latency, and comes last of all that were asked."""
    assert names(Speed().order([one("a", requests=9), one("b", 5.0)], turn=0)) == "ba"


@pytest.mark.parametrize("make", [Speed, PowerOfTwoChoices])
@pytest.mark.parametrize("slow", [2.0, None])
def test_s17_a_demoted_provider_gets_measured_again(make: Any, slow: float | None) -> None:
    strategy = make()
    if hasattr(strategy, "random"):
        strategy.random = random.Random(1)
    last = one("z", requests=5) if slow is None else one("z", slow)
    candidates = [one("a", 0.1), one("b", 0.2), last]
    firsts = Counter(strategy.order(candidates, turn=turn)[0].name for turn in range(4 * EVERY))
    assert firsts["z"] == 2
    assert firsts["a"] > EVERY


def test_of_two_the_second_comes_first_in_one_call_of_a_hundred() -> None:
    assert [turn for turn in range(1000) if explored("ab", turn) == ["b", "a"]] == list(range(99, 1000, 100))


def test_exploring_puts_each_of_the_others_first_in_its_turn() -> None:
    assert explored("abc", 0) == ["a", "b", "c"]
    assert explored("abc", EVERY - 1) == ["b", "a", "c"]
    assert explored("abc", 2 * EVERY - 1) == ["c", "a", "b"]
    assert explored("abc", 3 * EVERY - 1) == ["b", "a", "c"]
    assert explored("a", EVERY - 1) == ["a"]
    assert explored("", EVERY - 1) == []


@given(st.lists(st.integers(), unique=True, max_size=6), st.integers(0, 10_000))
def test_exploring_loses_nobody_and_keeps_the_order_of_the_rest(ranked: list[int], turn: int) -> None:
    found = explored(ranked, turn)
    assert sorted(found) == sorted(ranked)
    assert found[1:] == [each for each in ranked if each != found[0]]


def firsts(strategy: Any, candidates: list[FakeCandidate], times: int = 2000) -> Counter[str]:
    return Counter(strategy.order(candidates)[0].name for _ in range(times))


def test_weights_are_shares_of_first_places() -> None:
    strategy = Weighted(
        {"a": 3.0, "b": 1.0, "z": 0.0},
    )
    strategy.random = random.Random(7)
    found = firsts(strategy, [one("a"), one("b"), one("z")])
    assert found["a"] / 2000 == pytest.approx(0.75, abs=0.04)
    assert found["z"] == 0


def test_who_has_no_weight_has_1() -> None:
    strategy = Weighted({"a": 1.0})
    strategy.random = random.Random(7)
    assert firsts(strategy, [one("a"), one("b")])["b"] / 2000 == pytest.approx(0.5, abs=0.04)


def test_who_has_weight_0_comes_last_for_emergencies() -> None:
    order = Weighted({"a": 0.0, "b": 0.0}).order([one("a"), one("b"), one("c")])
    assert names(order) == "cab"


def test_the_providers_that_have_a_weight_are_those_it_names() -> None:
    assert [*Weighted({"a": 1.0, "b": 0.0}).mentions()] == ["a", "b"]


def test_a_weight_below_0_is_refused() -> None:
    with pytest.raises(ValueError, match="weights must be 0 or more: a"):
        Weighted({"a": -0.1, "b": 2.0})


def p2c(seed: int = 3) -> PowerOfTwoChoices:
    strategy = PowerOfTwoChoices()
    strategy.random = random.Random(seed)
    return strategy


def test_of_two_the_one_with_less_load_comes_first_and_equals_take_turns_by_chance() -> None:
    for seed in range(20):
        assert names(p2c(seed).order([one("a", 2.0), one("b", 1.0)], turn=0)) == "ba"
        assert names(p2c(seed).order([one("a", 1.0, in_flight=1), one("b", 1.9)], turn=0)) == "ba"
        assert names(p2c(seed).order([one("a", 1.0, in_flight=1), one("b", 2.1)], turn=0)) == "ab"
    equal = [one("a", 1.0), one("b", 1.0)]
    strategy = p2c()
    found = Counter(names(strategy.order(equal, turn=0)) for _ in range(400))
    assert min(found["ab"], found["ba"]) > 150


def test_of_many_the_better_of_two_drawn_comes_first_and_the_rest_by_load() -> None:
    candidates = [one("c", 3.0), one("a", 1.0), one("b", 2.0), one("d", 4.0)]
    strategy = p2c()
    found = Counter(names(strategy.order(candidates, turn=0)) for _ in range(1200))
    assert {*found} == {"abcd", "bacd", "cabd"}
    # Of the six pairs, three hold a, two hold b without a, one is c and d.
    assert found["abcd"] / 1200 == pytest.approx(3 / 6, abs=0.05)
    assert found["bacd"] / 1200 == pytest.approx(2 / 6, abs=0.05)


def test_of_three_the_slowest_never_wins_and_the_second_in_one_of_three() -> None:
    candidates = [one("c", 3.0), one("a", 1.0), one("b", 2.0)]
    strategy = p2c()
    found = Counter(names(strategy.order(candidates, turn=0)) for _ in range(1200))
    assert {*found} == {"abc", "bac"}
    assert found["bac"] / 1200 == pytest.approx(1 / 3, abs=0.05)


def test_p2c_tries_the_unmeasured_and_leaves_those_that_never_answered() -> None:
    assert names(p2c().order([one("a", 1.0), one("b")], turn=0)) == "ba"
    assert names(p2c().order([one("a", requests=4), one("b", 1.0)], turn=0)) == "ba"


def test_one_or_nobody_needs_no_draw() -> None:
    assert names(p2c().order([one("a")], turn=0)) == "a"
    assert p2c().order([], turn=0) == []
