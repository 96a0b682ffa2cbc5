"""Keeps within a provider's rate, so that it need not throttle us."""

import attrs
from attrs import field, validators

from switchgear.durations import Duration
from switchgear.rules import Wait, alike, differing


@attrs.frozen(kw_only=True)
class Rate:
    """`[services.<name>.providers.<name>.rate]`: how many requests in how long."""

    __repr__, __eq__ = differing, alike

    calls: int = field(validator=validators.ge(1), metadata={"help": "requests allowed in `per`"})
    per: Wait = field(default=Duration(1.0), metadata={"help": "the length they are counted in"})
    burst: int = field(default=1, validator=validators.ge(1), metadata={"help": "requests that may come at once"})


class RateLimit:
    """The generic cell rate algorithm (ITU-T I.371): a token bucket kept as one moment, without a timer."""

    __slots__ = ("_slack", "_tat", "every")

    def __init__(self, settings: Rate) -> None:
        self.every = settings.per / settings.calls  # seconds from one slot to the next
        self._slack = self.every * (settings.burst - 1)
        self._tat = float("-inf")  # the theoretical arrival time of the next request

    def allows(self, now: float) -> bool:
        """Would a request be within the rate now? Changes nothing."""
        # A nanosecond of grace: sums of the same length drift by less, and a limit must not lose a slot to rounding.
        return now >= self._tat - self._slack - 1e-9

    def try_acquire(self, now: float) -> bool:
        """Take a slot if the rate allows one now."""
        if not self.allows(now):
            return False
        self._tat = max(now, self._tat) + self.every
        return True

    def ready_at(self) -> float:
        """When the next slot comes free, on the monotonic clock."""
        return self._tat - self._slack
