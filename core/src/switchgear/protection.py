"""What protects one provider: the settings of the mechanisms that the manager's floor combines."""

import attrs

from switchgear.policies.breaker import Breaker
from switchgear.policies.rate_limit import Rate
from switchgear.policies.retry import Retry
from switchgear.rules import alike, differing


@attrs.frozen(kw_only=True)
class Policies:
    """What protects one provider. `queue`: how many requests may wait for a place; `cool_down`: seconds to leave one
    alone that does not accept our credentials."""

    __repr__, __eq__ = differing, alike

    retry: Retry = attrs.Factory(Retry)
    breaker: Breaker = attrs.Factory(Breaker)
    rate: Rate | None = None
    queue: int = 1000
    cool_down: float = 300.0
