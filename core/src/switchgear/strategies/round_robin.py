"""Everybody in turn."""

from collections.abc import Sequence

import attrs

from switchgear.strategy import Candidate


@attrs.frozen
class RoundRobin:
    """Each call starts one candidate further on; the rest follow in the same circle."""

    def order(self, candidates: Sequence[Candidate], *, turn: int) -> list[Candidate]:
        first = turn % len(candidates) if candidates else 0
        return [*candidates[first:], *candidates[:first]]
