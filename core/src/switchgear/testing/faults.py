"""What goes wrong with a simulated provider, and when: seconds since the simulation began."""

from collections.abc import Callable
from typing import Any, Protocol

import attrs

from switchgear.errors import ProviderError, Throttled
from switchgear.testing.providers import ChaosRule
from switchgear.testing.schedules import Between, Every
from switchgear.testing.steps import Delay


class Fault(Protocol):
    """Something that goes wrong for a while."""

    def rule(self, draw: Callable[[], float]) -> ChaosRule:
        """What that does to the requests of a provider whose usual seconds `draw()` gives."""
        ...


@attrs.frozen
class Outage:
    """Every request, or a share of them (`rate`, 0-1), fails at once; with `HANG` as the `step`, it is swallowed."""

    start: float
    end: float
    step: Any = attrs.Factory(lambda: ProviderError("down"))
    rate: float = 1.0

    def rule(self, draw: Callable[[], float]) -> ChaosRule:
        return ChaosRule(self.step, self.rate, Between(self.start, self.end))


@attrs.frozen
class Brownout:
    """Every answer takes `factor` times as long."""

    start: float
    end: float
    factor: float

    def rule(self, draw: Callable[[], float]) -> ChaosRule:
        return ChaosRule(lambda _: Delay(draw() * (self.factor - 1)), when=Between(self.start, self.end))


@attrs.frozen
class Flapping:
    """Down for the first `down` (0-1) of each period of so many seconds, well for the rest."""

    start: float
    end: float
    period: float
    down: float = 0.5
    step: Any = attrs.Factory(lambda: ProviderError("down"))

    def rule(self, draw: Callable[[], float]) -> ChaosRule:
        return ChaosRule(self.step, when=Every(self.period, self.period * self.down, self.start, self.end))


@attrs.frozen
class Throttle:
    """A share (`rate`, 0-1) of the requests is turned away, to come back in `retry_after` seconds."""

    start: float
    end: float
    retry_after: float | None = None
    rate: float = 1.0

    def rule(self, draw: Callable[[], float]) -> ChaosRule:
        step = Throttled("too many requests", retry_after=self.retry_after)
        return ChaosRule(step, self.rate, Between(self.start, self.end))
