"""What all providers of one service share."""

from collections.abc import Callable
from typing import Any

import attrs

from switchgear.capability import Effect
from switchgear.home import Home
from switchgear.policies.breaker import State
from switchgear.policies.deadline import NEVER, DeadlineScope
from switchgear.policies.retry import RetryBudget
from switchgear.strategy import Random
from switchgear.validation import ResultCheck


@attrs.define(kw_only=True, eq=False, repr=False)
class Service:
    """A service's home, dice, retry budget and checks, and who hears of its circuits."""

    home: Home
    random: Random
    budget: RetryBudget
    effect: Effect = Effect.PURE
    output_type: type[Any] = object
    check: ResultCheck | None = None
    on_change: Callable[[str, State, State], None] | None = None

    async def pause(self, seconds: float) -> bool:
        """Let time pass; False if the service is closed meanwhile, or there is no loop to wait on."""
        if self.home.loop is None:
            return False
        try:
            with DeadlineScope(self.home.timers, NEVER, self):
                await self.home.clock.sleep(seconds)
        except TimeoutError:
            return False
        return True
