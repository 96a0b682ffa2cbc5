"""Stops asking a provider that keeps failing, and finds out when it is back."""

from collections.abc import Callable
from enum import Enum
from typing import Protocol

import attrs
from attrs import field, validators

from switchgear.clock import Clock
from switchgear.durations import Duration
from switchgear.rules import Wait
from switchgear.strategy import Random

_BUCKETS = 10


class State(Enum):
    """Where a circuit stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    FORCED_OPEN = "forced_open"  # by hand, until reset() or disable()
    DISABLED = "disabled"  # by hand: lets everything through and counts nothing


_CLOSED = State.CLOSED  # looked up once: an enum member costs more than the comparison


@attrs.frozen(kw_only=True)
class Breaker:
    """`[services.<name>.breaker]`: when a circuit opens and how it closes."""

    enabled: bool = field(default=True, metadata={"help": "false: no circuit breaker"})
    ratio: float = field(
        default=0.5,
        validator=[validators.gt(0), validators.le(1)],
        metadata={"help": "share of failed calls in the window that opens it"},
    )
    min_calls: int = field(
        default=10, validator=validators.ge(1), metadata={"help": "calls in the window before the shares count"}
    )
    window: Wait = field(default=Duration(30.0), metadata={"help": "how far back calls are counted"})
    consecutive: int = field(
        default=5, validator=validators.ge(1), metadata={"help": "failures in a row that open it whatever the share"}
    )
    slow_after: Wait | None = field(
        default=None,
        metadata={"help": "an answer that takes longer counts as slow; absent: only timeouts do"},
    )
    slow_ratio: float = field(
        default=0.8,
        validator=[validators.gt(0), validators.le(1)],
        metadata={"help": "share of slow calls in the window that opens it"},
    )
    open_for: Wait = field(
        default=Duration(5.0),
        metadata={"help": "how long it stays open the first time; doubles with each time soon after"},
    )
    open_cap: Wait = field(default=Duration(300.0), metadata={"help": "the longest it stays open"})
    successes: int = field(
        default=2, validator=validators.ge(1), metadata={"help": "good trial calls that close it again"}
    )
    lease: Wait = field(
        default=Duration(60.0),
        metadata={"help": "a trial call that has not come back by then loses its place"},
    )
    ramp: Duration = field(
        default=Duration(10.0),
        metadata={"help": 'how long load grows again after closing; "0s": all at once'},
    )


class Change(Protocol):
    """Who wants to hear of a change of state: called after it, in order."""

    def __call__(self, old: State, new: State) -> None: ...


class Window:
    """Calls, failures and slow ones of the last so many seconds: a ring of ten buckets with running sums."""

    __slots__ = ("_bucket", "_bucket_ends", "_epoch", "_ring", "_width", "calls", "failures", "slow")

    def __init__(self, seconds: float) -> None:
        self._width = seconds / _BUCKETS
        self._epoch = 0
        self.clear()

    def clear(self) -> None:
        self._ring = [[0, 0, 0] for _ in range(_BUCKETS)]
        self._bucket = self._ring[0]
        self._bucket_ends = float("-inf")
        self.calls = self.failures = self.slow = 0

    def add(self, now: float, failure: bool = False, slow: bool = False) -> None:
        if now >= self._bucket_ends:
            self._advance(int(now / self._width))
        bucket = self._bucket
        bucket[0] += 1
        self.calls += 1
        if failure:
            bucket[1] += 1
            self.failures += 1
        if slow:
            bucket[2] += 1
            self.slow += 1

    def _advance(self, epoch: int) -> None:
        for passed in range(max(self._epoch + 1, epoch - _BUCKETS + 1), epoch + 1):
            bucket = self._ring[passed % _BUCKETS]
            self.calls -= bucket[0]
            self.failures -= bucket[1]
            self.slow -= bucket[2]
            bucket[:] = 0, 0, 0
        self._epoch = epoch
        self._bucket = self._ring[epoch % _BUCKETS]
        self._bucket_ends = (epoch + 1) * self._width


class CircuitBreaker:
    """CLOSED lets calls through; OPEN lets none; HALF_OPEN lets one trial at a time through.

    `acquire()` gives a permit, settled once with `record_success`, `record_failure` or `release`. A permit is the
    number of the generation it was given in, so that a straggler of an earlier one changes nothing (resilience4j and
    Polly have both shipped that bug). Turning half-open is decided from the clock when somebody asks, by no timer.
    """

    def __init__(
        self,
        settings: Breaker,
        clock: Clock,
        random: Random,
        *,
        on_change: Callable[[State, State], None] | None = None,
    ) -> None:
        self.settings = settings
        self._monotonic = clock.monotonic
        self._random = random
        self._on_change = on_change
        self._window = Window(settings.window)
        self._slow_after = settings.slow_after if settings.slow_after is not None else float("inf")
        self._state = State.CLOSED
        self.passing = True  # closed or disabled: everything goes through, and nothing else need be asked
        self._generation = 1
        self._row = 0  # failures in a row
        self._good = 0  # good trials in a row
        self._trial = 0  # the permit of the trial under way
        self._trial_until = 0.0
        self._until = 0.0  # end of the open time
        self._trips = 0.0  # k of S14: trips that are not yet forgotten
        self._closed_at = float("-inf")

    @property
    def state(self) -> State:
        """Where the circuit stands now; HALF_OPEN also when the open time is over and nobody has asked since."""
        if self._state is State.OPEN and self._monotonic() >= self._until:
            return State.HALF_OPEN
        return self._state

    @property
    def retry_at(self) -> float:
        """When the next call may be let through, on the monotonic clock; infinity if forced open."""
        if self._state is State.OPEN:
            return self._until
        if self._state is State.HALF_OPEN and self._trial:
            return self._trial_until
        return float("inf") if self._state is State.FORCED_OPEN else 0.0

    def is_open(self) -> bool:
        """Would a call be turned away now? Changes nothing."""
        return not self.passing and self._monotonic() < self.retry_at

    def ramp_share(self, now: float) -> float:
        """The share of calls it should get while it warms up after closing, 0-1; 1 otherwise."""
        elapsed = now - self._closed_at
        return 1.0 if elapsed >= self.settings.ramp else max(0.1, elapsed / self.settings.ramp)

    def acquire(self, *, probe: bool = False) -> int:
        """A permit, or 0 if the call is turned away. `probe`: be the trial even before the open time is over."""
        if self.passing:
            return self._generation
        state = self._state
        if state is State.FORCED_OPEN:
            return 0
        now = self._monotonic()
        if state is State.OPEN:
            if now < self._until and not probe:
                return 0
            self._good = 0
            self._enter(State.HALF_OPEN)
        elif self._trial and now < self._trial_until:
            return 0
        return self._start_trial(now)

    def record_success(self, permit: int = 0, *, latency: float = 0.0) -> None:
        """It went well; `latency` in seconds tells whether it was slow. Without a permit: as if just acquired."""
        permit = permit or self._latest
        if self._state is _CLOSED:
            if permit == self._generation:
                self._row = 0
                slow = latency > self._slow_after
                self._window.add(self._monotonic(), False, slow)
                if slow:
                    self._trip_if_due()
        elif self._state is State.HALF_OPEN and permit == self._trial:
            self._trial = 0
            self._good += 1
            if self._good >= self.settings.successes:
                self._close()

    def record_failure(self, permit: int = 0, *, slow: bool = False) -> None:
        """It failed; `slow`: by taking too long."""
        permit = permit or self._latest
        if self._state is State.CLOSED and permit == self._generation:
            self._row += 1
            self._window.add(self._monotonic(), True, slow)
            self._trip_if_due()
        elif self._state is State.HALF_OPEN and permit == self._trial:
            self._trip()

    def release(self, permit: int) -> None:
        """It says nothing about the provider (cancelled, throttled, not its fault): a trial gives its place back."""
        if permit == self._trial:
            self._trial = 0

    def hasten(self) -> None:
        """A health check went well: let the next call be the trial. Never closes the circuit."""
        if self._state is State.OPEN:
            self._until = self._monotonic()

    def force_open(self) -> None:
        """Turn everything away until `reset()`."""
        self._enter(State.FORCED_OPEN)

    def disable(self) -> None:
        """Let everything through until `reset()`."""
        self._enter(State.DISABLED)

    def reset(self) -> None:
        """Close, and forget what was."""
        self._trips = 0.0
        self._close()
        self._closed_at = float("-inf")

    @property
    def _latest(self) -> int:
        return self._trial if self._state is State.HALF_OPEN else self._generation

    def _start_trial(self, now: float) -> int:
        self._generation += 1
        self._trial = self._generation
        self._trial_until = now + self.settings.lease
        return self._trial

    def _trip_if_due(self) -> None:
        settings, window = self.settings, self._window
        enough = window.calls >= settings.min_calls
        if (
            self._row >= settings.consecutive
            or (enough and window.failures >= settings.ratio * window.calls)
            or (enough and window.slow >= settings.slow_ratio * window.calls)
        ):
            self._trip()

    def _trip(self) -> None:
        now = self._monotonic()
        # Time spent closed pays earlier trips off, one for each window: it flaps less often, so it is tried sooner.
        if self._state is State.CLOSED:
            self._trips = max(0.0, self._trips - (now - self._closed_at) / self.settings.window)
        length = min(self.settings.open_cap, self.settings.open_for * 2.0 ** min(self._trips, 32.0))
        self._trips += 1
        # Equal jitter: half of it certain, half random, so that several processes do not come back at once.
        self._until = now + length * (0.5 + 0.5 * self._random.random())
        self._enter(State.OPEN)

    def _close(self) -> None:
        self._window.clear()
        self._row = 0
        self._closed_at = self._monotonic()
        self._enter(State.CLOSED)

    def _enter(self, state: State) -> None:
        old, self._state = self._state, state
        self.passing = state is State.CLOSED or state is State.DISABLED
        self._generation += 1
        self._trial = 0
        if self._on_change is not None and old is not state:
            self._on_change(old, state)
