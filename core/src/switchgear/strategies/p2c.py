"""The better of two drawn at random: nearly as good as the best of all, without a herd on it."""

import math
from collections.abc import Sequence

import attrs

from switchgear.strategies.exploration import explored
from switchgear.strategy import Candidate, Random, system_random


@attrs.define
class PowerOfTwoChoices:
    """Two candidates are drawn, and the one with the lower load comes first; the rest follow by load.

    Load is peak latency x (requests in flight + 1), as in Finagle's Peak EWMA. Now and then one of the rest comes
    first: the one with the highest load wins no draw, and would never be measured again. Source: Mitzenmacher, "The
    Power of Two Choices in Randomized Load Balancing", IEEE TPDS 12(10), 2001.
    """

    random: Random = attrs.field(factory=system_random, init=False, repr=False)

    def order(self, candidates: Sequence[Candidate], *, turn: int) -> list[Candidate]:
        return explored(self._drawn(candidates), turn)

    def _drawn(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        ranked = sorted(candidates, key=_load)
        if len(ranked) < 3:
            return ranked if len(ranked) < 2 or _load(ranked[0]) < _load(ranked[1]) else self._shuffled(ranked)
        first = int(self.random.random() * len(ranked))
        # Of the others: counted from `first` on they are one further, but then `first` is the better anyway.
        second = int(self.random.random() * (len(ranked) - 1))
        best = ranked[min(first, second)]
        return [best, *(each for each in ranked if each is not best)]

    def _shuffled(self, pair: list[Candidate]) -> list[Candidate]:
        return pair if self.random.random() < 0.5 else pair[::-1]


def _load(candidate: Candidate) -> float:
    if candidate.latency.average is None:
        # Never measured: tried at once, but by one call; asked and never answered: only when it is drawn against worse.
        return 0.0 if candidate.requests == 0 else math.inf
    return candidate.latency.peak * (candidate.in_flight + 1)
