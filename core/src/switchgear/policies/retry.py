"""Asks the same provider again, later and not too often."""

from collections.abc import Iterator

import attrs
import backoff
from attrs import field, validators

from switchgear.durations import Duration
from switchgear.rules import Wait, alike, differing
from switchgear.strategy import Random

THROTTLED_BASE = 1.0  # seconds: who asked us to slow down gets more than the usual start
_ROUNDING = 1e-9  # ten times 0.1 is a little less than 1, and has to be enough for a retry all the same


@attrs.frozen(kw_only=True)
class Retry:
    """`[services.<name>.retry]`: how often and after how long the same provider is asked again."""

    __repr__, __eq__ = differing, alike

    attempts: int = field(
        default=3, validator=validators.ge(1), metadata={"help": "attempts per provider; 1: no retry"}
    )
    call_attempts: int = field(
        default=6, validator=validators.ge(1), metadata={"help": "attempts per call, over all providers"}
    )
    base: Wait = field(
        default=Duration(0.1), metadata={"help": "the first pause is at most this, the next twice as long"}
    )
    cap: Wait = field(default=Duration(20.0), metadata={"help": "the longest pause"})
    budget: float = field(
        default=100.0,
        validator=validators.ge(0),
        metadata={"help": "retries the service may make in a burst before successes must earn more"},
    )
    earn: float = field(
        default=0.1,
        validator=validators.ge(0),
        metadata={"help": "retries that each success earns: the share in the long run"},
    )

    def pauses(self, random: Random, *, throttled: bool = False) -> Iterator[float]:
        """Seconds before the second, third ... attempt: full jitter over exponential growth.

        Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. backoff's own `full_jitter` would draw
        from the global generator.
        """
        values = backoff.expo(base=2, factor=THROTTLED_BASE if throttled else self.base, max_value=self.cap)
        next(values)  # it starts by yielding nothing
        while True:
            yield random.random() * next(values)


class RetryBudget:
    """A service's allowance of retries: successes earn them, so that an outage is not multiplied.

    As in gRPC's retry throttling (A6): in a total outage at most `capacity` retries are made, then none.
    """

    __slots__ = ("_capacity", "_earn", "tokens")

    def __init__(self, settings: Retry) -> None:
        self._capacity = settings.budget
        self._earn = settings.earn
        self.tokens = settings.budget

    def deposit(self) -> None:
        """A success."""
        if self.tokens < self._capacity:
            self.tokens = min(self._capacity, self.tokens + self._earn)

    def withdraw(self, tokens: float) -> bool:
        """Reserve a retry, when it is scheduled and not when it starts; False if there is not enough left."""
        if tokens > self.tokens + _ROUNDING:
            return False
        self.tokens = max(0.0, self.tokens - tokens)
        return True

    def give_back(self, tokens: float) -> None:
        """A retry that was reserved is not made."""
        self.tokens = min(self._capacity, self.tokens + tokens)
