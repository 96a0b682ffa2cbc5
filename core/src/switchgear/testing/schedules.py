"""When something happens: functions of the moment, in seconds on the monotonic clock."""

import math
from collections.abc import Callable

import attrs

Schedule = Callable[[float], bool]


def always(now: float) -> bool:
    """At any time."""
    return True


@attrs.frozen
class Between:
    """From `start` until before `end`."""

    start: float = 0.0
    end: float = math.inf

    def __call__(self, now: float) -> bool:
        return self.start <= now < self.end


@attrs.frozen
class Every:
    """The first `lasting` seconds of each `period`, between `start` and `end`."""

    period: float
    lasting: float
    start: float = 0.0
    end: float = math.inf

    def __call__(self, now: float) -> bool:
        return self.start <= now < self.end and (now - self.start) % self.period < self.lasting
