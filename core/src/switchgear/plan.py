"""What a call would do, said before it does it."""

from decimal import Decimal
from typing import Any

import attrs

from switchgear.guarded import GuardedProvider
from switchgear.provider import ProviderStatus


@attrs.frozen
class PlanRow:
    """One candidate: its rank from 1 (None when dropped), why it was dropped, and the figures it was ranked by.

    `predicted_cost` is in the board's currency, None where unknown; `latency` is the average in seconds.
    """

    provider: str
    rank: int | None
    reason: str
    priority: int
    quality_score: float
    status: ProviderStatus
    circuit: str
    in_flight: int
    predicted_cost: Decimal | None
    latency: float | None
    success_rate: float | None
    quality: float | None

    @property
    def kept(self) -> bool:
        return self.rank is not None


@attrs.frozen
class Plan:
    """Every candidate of a service for one request, best first, the dropped ones last."""

    service: str
    strategy: str
    rows: tuple[PlanRow, ...]

    def to_json(self) -> dict[str, Any]:
        rows = [attrs.asdict(row) for row in self.rows]
        for row in rows:
            row["status"] = row["status"].value
            row["predicted_cost"] = None if row["predicted_cost"] is None else str(row["predicted_cost"])
        return {"service": self.service, "strategy": self.strategy, "candidates": rows}


def plan_row(candidate: GuardedProvider, request: Any, rank: int | None, reason: str) -> PlanRow:
    return PlanRow(
        provider=candidate.name,
        rank=rank,
        reason=reason,
        priority=candidate.priority,
        quality_score=candidate.quality_score,
        status=candidate.status,
        circuit=candidate.circuit,
        in_flight=candidate.in_flight,
        predicted_cost=candidate.estimated_cost(request),
        latency=candidate.latency.average,
        success_rate=candidate.success_rate,
        quality=candidate.quality,
    )
