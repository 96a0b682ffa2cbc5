"""Candidates without a provider, for trying strategies."""

from decimal import Decimal
from typing import Any

import attrs

from switchgear.figures import Latency
from switchgear.provider import ProviderStatus


@attrs.frozen(eq=False, kw_only=True)
class FakeCandidate:
    """A `Candidate` with the figures it is given; `cost` is its estimate for every request, None for unknown."""

    name: str = "fake"
    priority: int = 100
    quality_score: float = 0.5
    status: ProviderStatus = ProviderStatus.AVAILABLE
    latency: Latency = attrs.Factory(Latency)
    success_rate: float | None = None
    quality: float | None = None
    requests: int = 0
    in_flight: int = 0
    circuit: str = "closed"
    cost: Decimal | None = None

    def estimated_cost(self, request: Any) -> Decimal | None:
        return self.cost
