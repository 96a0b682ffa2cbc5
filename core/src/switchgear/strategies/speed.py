"""The fastest first, by what was measured."""

import math
from collections.abc import Sequence

import attrs

from switchgear.strategies.exploration import explored
from switchgear.strategy import Candidate


@attrs.frozen
class Speed:
    """The lowest average latency first; now and then another one, so that a demoted provider gets measured again.

    One that was never asked comes first of all; one that was asked and has never answered comes last.
    """

    def order(self, candidates: Sequence[Candidate], *, turn: int) -> list[Candidate]:
        return explored(sorted(candidates, key=lambda each: (_expected(each), each.priority)), turn)


def _expected(candidate: Candidate) -> float:
    if candidate.latency.average is not None:
        return candidate.latency.average
    # While the first answer is awaited the rest of the traffic stays where it was.
    return 0.0 if candidate.requests == 0 else math.inf
