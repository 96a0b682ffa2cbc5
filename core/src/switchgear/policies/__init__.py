"""One resilience mechanism a file; none knows another, and the manager's floor combines them."""

from typing import TYPE_CHECKING

import attrs

from switchgear.policies.breaker import Breaker
from switchgear.policies.retry import Retry
from switchgear.rules import alike, differing

if TYPE_CHECKING:
    from switchgear.policies.rate_limit import Rate


@attrs.frozen(kw_only=True)
class Policies:
    """What protects one provider. `queue`: how many requests may wait for a place; `cool_down`: seconds to leave one
    alone that does not accept our credentials."""

    __repr__, __eq__ = differing, alike

    retry: Retry = attrs.Factory(Retry)
    breaker: Breaker = attrs.Factory(Breaker)
    rate: "Rate | None" = None
    queue: int = 1000
    cool_down: float = 300.0
