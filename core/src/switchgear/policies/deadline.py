"""Ends an attempt that takes too long: a cancel of our own that comes out as a timeout."""

import asyncio
import math
from asyncio import current_task
from contextvars import Context
from heapq import heappop, heappush
from types import TracebackType
from typing import Any

from switchgear.clock import Clock

TICKS_PER_SECOND = 100
NEVER = math.inf
_SWEEP = 4096  # buckets: far deadlines would otherwise keep theirs until they are due, long after their calls


class StrayCancellation(Exception):
    """`CancelledError` came out of the work although nobody had cancelled its task."""


class Timers:
    """All the deadlines of one loop on one coarse timer: late by at most 10 ms, never early.

    A timer of asyncio's own for each attempt costs several times as much, and nearly none of them ever rings.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock) -> None:
        self.loop = loop
        self._clock = clock
        self._buckets: dict[int, set[DeadlineScope]] = {}
        self._ticks: list[int] = []
        self._handle: asyncio.TimerHandle | None = None
        self._armed_for = 0
        # The bucket asked for last, and the moments it is for: most scopes that follow are of it too.
        self.latest: set[DeadlineScope] = set()
        self.latest_from = self.latest_until = 0.0
        self._endless: set[DeadlineScope] = set()
        self._sweep_at = _SWEEP
        self._context = Context()

    @property
    def pending(self) -> int:
        """How many scopes are open; 0 when nothing is in flight."""
        return len(self._endless) + sum(len(bucket) for bucket in self._buckets.values())

    def bucket(self, when: float) -> "set[DeadlineScope]":
        if when == NEVER:
            return self._endless
        tick = int(when * TICKS_PER_SECOND) + 1
        bucket = self._buckets.get(tick)
        if bucket is None:
            if len(self._ticks) >= self._sweep_at:
                self._sweep()
            bucket = self._buckets[tick] = set()
            heappush(self._ticks, tick)
            if self._handle is None or tick < self._armed_for:
                self._arm(tick)
        self.latest = bucket
        self.latest_from, self.latest_until = (tick - 1) / TICKS_PER_SECOND, tick / TICKS_PER_SECOND
        return bucket

    def expire_all(self, owner: object = None) -> None:
        """Ring now for all scopes of an owner, or for everybody; put the timer away if nobody needs it any more."""
        for bucket in (*self._buckets.values(), self._endless):
            _expire(bucket, owner)
        self._sweep()
        if not self._ticks and self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _sweep(self) -> None:
        self._buckets = {tick: bucket for tick, bucket in self._buckets.items() if bucket}
        self._ticks = sorted(self._buckets)
        self.latest_until = 0.0
        self._sweep_at = max(_SWEEP, 2 * len(self._ticks))

    def _arm(self, tick: int) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._armed_for = tick
        delay = tick / TICKS_PER_SECOND - self._clock.monotonic()
        # Not in the context of whichever call happens to be the first: that would keep the call, and its answer.
        self._handle = self.loop.call_later(delay, self._ring, context=self._context)

    def _ring(self) -> None:
        self._handle = None
        now = self._clock.monotonic()
        while self._ticks:
            tick = self._ticks[0]
            bucket = self._buckets[tick]
            # Empty ones go as well, whenever they are due: calls that have ended must not keep the timer running.
            if tick / TICKS_PER_SECOND > now and bucket:
                self._arm(tick)
                return
            heappop(self._ticks)
            del self._buckets[tick]
            if bucket is self.latest:
                self.latest_until = 0.0
            _expire(bucket)


class DeadlineScope:
    """`with DeadlineScope(timers, when):` raises `TimeoutError` in its task once the clock passes `when`.

    Whoever cancels the task itself wins, also when both happen at once, and also over work that makes an error of its
    own out of it: the accounting is that of `asyncio.Timeout`. A `CancelledError` that nobody has asked for comes out
    as `StrayCancellation`. `NEVER` is possible: such a scope ends by `expire_all`, as every one of that `owner`. One
    scope serves one `with`.
    """

    __slots__ = ("_bucket", "_cancelling", "_fired", "_task", "_timers", "owner", "when")

    def __init__(self, timers: Timers, when: float, owner: object = None) -> None:
        self._timers = timers
        self.when = when
        self.owner = owner
        self._fired = False

    def __enter__(self) -> None:
        task: asyncio.Task[Any] | None = current_task(self._timers.loop)
        if task is None:
            raise RuntimeError("a deadline needs a task to end")
        self._task = task
        self._cancelling = task.cancelling()
        timers, when = self._timers, self.when
        self._bucket = bucket = (
            timers.latest if timers.latest_from <= when < timers.latest_until else timers.bucket(when)
        )
        bucket.add(self)

    def expire(self) -> None:
        self._fired = True
        self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._fired:
            self._task.uncancel()
        else:
            self._bucket.discard(self)
        if error is not None:
            self._replace(error)

    def _replace(self, error: BaseException) -> None:
        """Raise what has to come out in place of this error, if not the error itself."""
        cancelled = isinstance(error, asyncio.CancelledError)
        if not cancelled and not isinstance(error, Exception):
            return
        if self._task.cancelling() > self._cancelling:
            if not cancelled:
                raise asyncio.CancelledError from error
        elif self._fired:
            # A client may have turned our cancel into an error of its own: that is still our timeout.
            raise TimeoutError from error
        elif cancelled:
            raise StrayCancellation from error


def _expire(bucket: set[DeadlineScope], owner: object = None) -> None:
    due = [scope for scope in bucket if owner is None or scope.owner is owner]
    bucket.difference_update(due)
    for scope in due:
        scope.expire()
