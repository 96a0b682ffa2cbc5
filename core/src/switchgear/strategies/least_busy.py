"""Whoever has the least to do."""

from collections.abc import Sequence

import attrs

from switchgear.strategy import Candidate


@attrs.frozen
class LeastBusy:
    """The fewest requests in flight first; among equals each in its turn."""

    def order(self, candidates: Sequence[Candidate], *, turn: int) -> list[Candidate]:
        first = turn % len(candidates) if candidates else 0
        return sorted([*candidates[first:], *candidates[:first]], key=lambda each: each.in_flight)
