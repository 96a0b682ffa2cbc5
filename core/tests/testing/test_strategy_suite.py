"""The conformance suite of strategies: a good one passes, planted faults are found."""

from collections.abc import Sequence
from random import Random
from typing import Any

import attrs
import pytest
from switchgear.results import Call
from switchgear.strategy import Strategy
from switchgear.testing import FakeCandidate, StrategySuite


@attrs.define
class Shuffle:
    """A good one that rolls dice and learns."""

    random: Random = attrs.Factory(Random)
    heard: int = 0

    def order(self, candidates: Sequence[Any], request: Any, *, turn: int) -> list[Any]:
        return self.random.sample(candidates, len(candidates))

    def learn(self, call: Call) -> None:
        self.heard += len(call.attempts)


class TestShuffle(StrategySuite):
    examples = 30

    def make(self) -> Any:
        return Shuffle()


class Misspelled:
    def order(self, candidates: Sequence[Any]) -> list[Any]:
        return list(candidates)

    def learns(self, call: Call) -> None:
        """Nobody calls it."""


class Twice:
    def order(self, candidates: Sequence[Any]) -> list[Any]:
        return [*candidates, *candidates[:1]]


class Stranger:
    def order(self, candidates: Sequence[Any]) -> list[Any]:
        return [FakeCandidate(name="stranger")]


class ByName:
    def order(self, candidates: Sequence[Any]) -> list[Any]:
        return [candidate.name for candidate in candidates]


class InPlace:
    def order(self, candidates: list[Any]) -> list[Any]:
        candidates.reverse()
        return candidates


class Measuring:
    def order(self, candidates: list[Any]) -> list[Any]:
        for candidate in candidates:
            candidate.latency.add(1.0)
        return candidates


class OwnDice:
    def order(self, candidates: Sequence[Any]) -> list[Any]:
        return DICE.sample(candidates, len(candidates))


DICE = Random(0)


class Greedy:
    def order(self, candidates: Sequence[Any]) -> list[Any]:
        return [candidates[0], *candidates[1:]]


class FewAtMost:
    def order(self, candidates: Sequence[Any]) -> list[Any]:
        if len(candidates) > 20:
            raise OverflowError("too many")
        return list(candidates)


class Unteachable:
    def order(self, candidates: Sequence[Any]) -> list[Any]:
        return list(candidates)

    def learn(self, call: Any) -> None:
        call.attempts[0].latency  # noqa: B018


SUBSET = "test_its_order_is_a_subset_without_duplicates"
UNCHANGED = "test_it_changes_neither_the_candidates_nor_their_sequence"


@pytest.mark.parametrize(
    ("planted", "check", "error", "message"),
    [
        (Misspelled, "test_it_keeps_to_the_contract_of_strategies", AssertionError, "learns"),
        (Twice, SUBSET, AssertionError, "named twice"),
        (Stranger, SUBSET, AssertionError, "not all are candidates"),
        (ByName, SUBSET, AssertionError, "not all are candidates"),
        (InPlace, UNCHANGED, AssertionError, "changed the list"),
        (Measuring, UNCHANGED, AssertionError, "changed a candidate"),
        (OwnDice, "test_the_same_turns_give_the_same_orders", Exception, "order differently|[Ff]laky|differ"),
        (Greedy, "test_it_orders_no_candidate_at_all", IndexError, "out of range"),
        (FewAtMost, "test_it_orders_many_candidates", OverflowError, "too many"),
        (Unteachable, "test_it_learns_from_any_finished_call", IndexError, "out of range"),
    ],
)
def test_a_planted_fault_is_found(planted: type[Strategy], check: str, error: type[Exception], message: str) -> None:
    class Suite(StrategySuite):
        def make(self) -> Any:
            return planted()

    with pytest.raises(error, match=message):
        getattr(Suite(), check)()
