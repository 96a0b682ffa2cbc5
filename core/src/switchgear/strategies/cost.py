"""The cheapest first."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import attrs

from switchgear.strategy import Candidate


@attrs.frozen
class Cost:
    """The lowest estimated cost of this request first, those of unknown cost last; ties by priority."""

    def order(self, candidates: Sequence[Candidate], request: Any) -> list[Candidate]:
        def rank(candidate: Candidate) -> tuple[bool, Decimal | None, int]:
            cost = candidate.estimated_cost(request)
            return (cost is None, cost, candidate.priority)

        return sorted(candidates, key=rank)
