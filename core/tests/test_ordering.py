"""A strategy made ready to run: called with what it takes, and held to its contract."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loguru import logger
from switchgear import SelectionStrategy, UsageError
from switchgear.ordering import compile_order, find_strategy
from switchgear.strategies.round_robin import RoundRobin

CANDIDATES: Any = ("a", "b", "c")


def strategy(order: Callable[..., Any], **attributes: Any) -> Any:
    return type("Mine", (), {"order": order, **attributes})()


def ordered(order: Callable[..., Any], request: Any = "request", turn: int = 7) -> Any:
    return compile_order(strategy(order))(CANDIDATES, request, turn)


@pytest.fixture
def defects() -> Iterator[list[str]]:
    """What the library has reported, which is silent otherwise."""
    heard: list[str] = []
    sink = logger.add(lambda message: heard.append(message.record["message"]))
    logger.enable("switchgear")
    yield heard
    logger.disable("switchgear")
    logger.remove(sink)


@pytest.mark.parametrize(
    ("order", "told"),
    [
        (lambda self, candidates: [self.hear()] and candidates, ()),
        (lambda self, candidates, request: [self.hear(request)] and candidates, ("request",)),
        (lambda self, candidates, *, turn: [self.hear(turn)] and candidates, (7,)),
        (lambda self, candidates, request, turn: [self.hear(request, turn)] and candidates, ("request", 7)),
        (lambda self, candidates, request=None, *, turn=0: [self.hear(request, turn)] and candidates, ("request", 7)),
        (lambda self, candidates, request, **more: [self.hear(request)] and candidates, ("request",)),
    ],
)
def test_a_strategy_is_told_what_it_takes(order: Any, told: tuple[Any, ...]) -> None:
    heard: list[tuple[Any, ...]] = []
    mine = strategy(order, hear=lambda self, *values: heard.append(values))
    ranked: list[Any] = [*compile_order(mine)(CANDIDATES, "request", 7)]
    assert ranked == ["a", "b", "c"]
    assert heard == [told]


@pytest.mark.parametrize("answer", [["c", "a"], ("c", "a"), {"c": 1, "a": 2}, iter(["c", "a"])])
def test_any_iterable_of_some_candidates_is_an_order(answer: Any) -> None:
    assert ordered(lambda self, candidates: answer) == ["c", "a"]


@pytest.mark.parametrize("answer", [["a", "a"], ["a", "x"], ["x"], ["a", "b", "c", "a"], [[]], None, 3, [None]])
def test_what_is_no_order_is_reported_and_the_configured_one_is_used(answer: Any, defects: list[str]) -> None:
    assert ordered(lambda self, candidates: answer) is CANDIDATES
    (defect,) = defects
    assert defect.startswith("strategy Mine ")
    assert "using the configured order" in defect


def fails(*arguments: Any) -> Any:
    raise ValueError("the request's content")


def fails_late(*arguments: Any) -> Any:
    yield "a"
    raise ValueError("the request's content")


@pytest.mark.parametrize("order", [fails, fails_late])
def test_a_strategy_that_raises_is_reported_by_type_without_its_text(order: Any, defects: list[str]) -> None:
    assert ordered(order) is CANDIDATES
    assert defects == ["strategy Mine failed, using the configured order: ValueError"]


def test_ctrl_c_in_a_strategy_passes() -> None:
    def interrupted(self: Any, candidates: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ordered(interrupted)


@pytest.mark.parametrize("answer", [["c", "a"], []])
def test_a_static_strategy_is_asked_once_for_all_calls(answer: list[str]) -> None:
    asked: list[int] = []

    def ask(self: Any, candidates: Any) -> Any:
        asked.append(1)
        return answer

    order: Any = compile_order(strategy(ask, static=True))
    assert [order(CANDIDATES, request, turn) for turn, request in enumerate("xyz")] == [answer] * 3
    assert asked == [1]


def test_a_strategy_that_does_not_say_so_is_asked_for_each_call() -> None:
    order: Any = compile_order(strategy(lambda self, candidates, *, turn: [CANDIDATES[turn]]))
    assert [order(CANDIDATES, None, turn) for turn in range(3)] == [["a"], ["b"], ["c"]]


def test_a_static_strategy_that_lies_is_reported_once(defects: list[str]) -> None:
    order = compile_order(strategy(lambda self, candidates: ["x"], static=True))
    assert [order(CANDIDATES, None, turn) for turn in range(3)] == [CANDIDATES] * 3
    assert len(defects) == 1


@given(st.lists(st.sampled_from(["a", "b", "c", "x"]), max_size=5))
def test_s17_every_order_is_a_subset_without_duplicates(answer: list[Any]) -> None:
    found = ordered(lambda self, candidates: answer)
    assert len(set(found)) == len(found)
    assert set(found) <= set(CANDIDATES)
    if len(set(answer)) == len(answer) and set(answer) <= set(CANDIDATES):
        assert found == answer


def test_strategies_are_found_by_name_member_and_instance() -> None:
    for way in ("round-robin", SelectionStrategy.ROUND_ROBIN):
        found: Any = find_strategy(way)
        assert found == RoundRobin()
    mine = strategy(lambda self, candidates: candidates)
    assert find_strategy(mine) is mine


def test_an_unknown_name_lists_those_that_are_built_in() -> None:
    with pytest.raises(UsageError) as caught:
        find_strategy("fastest")
    assert str(caught.value) == (
        "unknown strategy 'fastest'; built in: priority, cost, quality, speed, round-robin, weighted, least-busy, p2c; "
        "or pass an instance"
    )
