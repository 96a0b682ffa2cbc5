"""Stops asking a provider that keeps failing, and finds out when it is back."""

import threading
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Protocol

import attrs
from attrs import field, validators

from switchgear.clock import Clock
from switchgear.durations import Duration
from switchgear.rules import Wait, alike, differing
from switchgear.strategy import Random

_BUCKETS = 10
_REMEMBERED = 16  # lost trials


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

    __repr__, __eq__ = differing, alike

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
    count_invalid: bool = field(
        default=False, metadata={"help": "true: an answer that a validator turns down counts as a failure"}
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
        self._bucket_ends = float("-inf")  # the next call has to get itself a bucket
        self.calls = self.failures = self.slow = 0

    def add(self, now: float, failure: bool, slow: bool) -> None:
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
            self._ring[passed % _BUCKETS] = [0, 0, 0]
        # Counted anew, not subtracted: two threads at it in the same moment leave no mark on what follows.
        self.calls, self.failures, self.slow = map(sum, zip(*self._ring, strict=True))
        self._epoch = epoch
        self._bucket = self._ring[epoch % _BUCKETS]
        self._bucket_ends = (epoch + 1) * self._width


class CircuitBreaker:
    """CLOSED lets calls through; OPEN lets none; HALF_OPEN lets one trial at a time through.

    `acquire()` gives a permit, settled once with `record_success`, `record_failure` or `release`. A permit is the
    number of the generation it was given in, so that a straggler of an earlier one changes nothing (resilience4j and
    Polly have both shipped that bug). Turning half-open is decided from the clock when somebody asks, by no timer.

    May be used from several threads: a lock guards each change of state, and nobody holds it during a call.
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
        # Reentrant: whoever hears of a change may make the next one.
        self._changing = threading.RLock()
        self._window = Window(settings.window)
        self._slow_after = settings.slow_after if settings.slow_after is not None else float("inf")
        self._state = State.CLOSED
        self.passing = True  # closed or disabled: everything goes through, and nothing else need be asked
        self._generation = 1
        self._row = 0  # failures in a row
        self._good = 0  # good trials in a row
        self._trial = 0  # the permit of the trial under way: only while half-open
        # Trials that were not back when their lease ended: where answers take longer than it, no others would count.
        self._lost: deque[int] = deque(maxlen=_REMEMBERED)
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
        if self._trial:
            return self._trial_until
        return float("inf") if self._state is State.FORCED_OPEN else 0.0

    @property
    def ramps_until(self) -> float:
        """When the load is what it was before, on the monotonic clock; in the past where it never shrank."""
        return self._closed_at + self.settings.ramp

    def is_open(self) -> bool:
        """Would a call be turned away now? Changes nothing."""
        return not self.passing and self._monotonic() < self.retry_at

    def admits_probe(self) -> bool:
        """Would `acquire(probe=True)` give a permit now? Changes nothing."""
        return self._state is State.OPEN or not self.is_open()

    def ramp_share(self, now: float) -> float:
        """The share of calls it should get while it warms up after closing, 0-1; 1 otherwise."""
        elapsed = now - self._closed_at
        return 1.0 if elapsed >= self.settings.ramp else max(0.1, elapsed / self.settings.ramp)

    def acquire(self, *, probe: bool = False) -> int:
        """A permit, or 0 if the call is turned away. `probe`: be the trial even before the open time is over."""
        if self.passing:
            return self._generation
        with self._changing:
            return self._admit(probe)

    def record_success(self, permit: int = 0, *, latency: float = 0.0, now: float | None = None) -> None:
        """It went well; `latency` in seconds tells whether it was slow. Without a permit: as if just acquired."""
        permit = permit or self._trial or self.acquire()
        if self._state is _CLOSED:
            if permit == self._generation:
                self._row = 0
                slow = latency > self._slow_after
                self._window.add(self._monotonic() if now is None else now, False, slow)
                if slow:
                    self._trip_if_due(permit)
        elif permit and latency > self._slow_after:
            self._trip_again(permit)
        elif permit:
            self._trial_went_well(permit)

    def record_failure(self, permit: int = 0, *, slow: bool = False) -> None:
        """It failed; `slow`: by taking too long."""
        with self._changing:
            permit = permit or self._trial or self.acquire()
            if self._state is State.CLOSED and permit == self._generation:
                self._row += 1
                self._window.add(self._monotonic(), True, slow)
                self._trip_if_due(permit)
            elif permit:
                self._trip_again(permit)

    def release(self, permit: int) -> None:
        """It says nothing about the provider (cancelled, throttled, not its fault): a trial gives its place back."""
        with self._changing:
            if permit == self._trial:
                self._trial = 0

    def hasten(self) -> None:
        """A health check went well: let the next call be the trial. Never closes the circuit."""
        with self._changing:
            if self._state is State.OPEN:
                self._until = min(self._until, self._monotonic())

    def force_open(self) -> None:
        """Turn everything away until `reset()`."""
        self._enter(State.FORCED_OPEN)

    def disable(self) -> None:
        """Let everything through until `reset()`."""
        self._enter(State.DISABLED)

    def reset(self) -> None:
        """Close, and forget what was."""
        with self._changing:
            self._close(float("-inf"))  # so long ago that every trip is paid off

    def _admit(self, probe: bool) -> int:
        if self.passing:
            return self._generation
        if not (self.admits_probe() if probe else not self.is_open()):
            return 0
        old = self._state
        if old is State.OPEN:
            self._good = 0
            self._set(State.HALF_OPEN)
        elif self._trial:
            self._lost.append(self._trial)
        self._generation += 1
        permit = self._trial = self._generation
        self._trial_until = self._monotonic() + self.settings.lease
        self._tell(old)
        # Whoever heard of it may have forced the circuit open meanwhile, or closed it.
        return permit if permit == self._trial else self._admit(probe)

    def _trial_went_well(self, permit: int) -> None:
        with self._changing:
            if permit == self._trial:
                self._trial = 0
            elif permit in self._lost:
                self._lost.remove(permit)
            else:
                return
            self._good += 1
            if self._good >= self.settings.successes:
                self._close(self._monotonic())

    def _trip_again(self, permit: int) -> None:
        """A trial that failed, or whose answer was a slow one."""
        with self._changing:
            if permit == self._trial:
                self._trip()

    def _trip_if_due(self, permit: int) -> None:
        settings, window = self.settings, self._window
        enough = window.calls >= settings.min_calls
        if (
            self._row >= settings.consecutive
            or (enough and window.failures >= settings.ratio * window.calls)
            or (enough and window.slow >= settings.slow_ratio * window.calls)
        ):
            with self._changing:
                if permit == self._generation:
                    self._trip()

    def _trip(self) -> None:
        now = self._monotonic()
        # A trial let through early that failed has shown nothing new: the open time goes on.
        if self._state is State.CLOSED or now >= self._until:
            self._until = now + self._open_time(now)
        self._enter(State.OPEN)

    def _open_time(self, now: float) -> float:
        settings = self.settings
        # Time spent closed pays earlier trips off, one for each window: it flaps less often, so it is tried sooner.
        if self._state is State.CLOSED:
            self._trips = max(0.0, self._trips - (now - self._closed_at) / settings.window)
        length: float = settings.open_for * 2.0**self._trips
        # At the cap there is nothing to add: a long outage must not take as long to be forgotten.
        if length < settings.open_cap:
            self._trips += 1
        # Equal jitter: half of it certain, half random, so that several processes do not come back at once.
        return min(length, settings.open_cap) * (0.5 + 0.5 * self._random.random())

    def _close(self, moment: float) -> None:
        self._window.clear()
        self._row = 0
        self._closed_at = moment
        self._enter(State.CLOSED)

    def _enter(self, state: State) -> None:
        with self._changing:
            old = self._state
            self._set(state)
            self._tell(old)

    def _set(self, state: State) -> None:
        self._state = state
        self.passing = state is State.CLOSED or state is State.DISABLED
        self._generation += 1
        self._trial = 0
        self._lost.clear()

    def _tell(self, old: State) -> None:
        if self._on_change is not None and old is not self._state:
            self._on_change(old, self._state)
