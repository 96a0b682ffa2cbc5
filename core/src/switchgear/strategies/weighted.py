"""Shares of the traffic, as configured."""

from collections.abc import Iterable, Mapping, Sequence

import attrs

from switchgear.strategy import Candidate, Random, system_random


@attrs.define
class Weighted:
    """Each candidate comes first in proportion to its weight; weight 0 comes last, for emergencies.

    `weights` maps providers to numbers of 0 or more; who is not named has 1. The order is a weighted random
    permutation (Efraimidis and Spirakis, Information Processing Letters 97(5), 2006).
    """

    weights: Mapping[str, float] = attrs.Factory(dict)
    random: Random = attrs.field(factory=system_random, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        wrong = [name for name, weight in self.weights.items() if weight < 0]
        if wrong:
            raise ValueError(f"weights must be 0 or more: {', '.join(wrong)}")

    def mentions(self) -> Iterable[str]:
        """The providers that its options name."""
        return self.weights

    def order(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        return sorted(candidates, key=self._draw, reverse=True)

    def _draw(self, candidate: Candidate) -> float:
        weight = self.weights.get(candidate.name, 1.0)
        return self.random.random() ** (1.0 / weight) if weight else -1.0
