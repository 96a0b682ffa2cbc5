"""Ends an attempt that takes too long: a cancel of our own that comes out as a timeout."""

import asyncio
from asyncio import current_task
from heapq import heappop, heappush
from types import TracebackType
from typing import Any

from switchgear.clock import Clock

TICKS_PER_SECOND = 100


class Timers:
    """All the deadlines of one loop on one coarse timer: late by at most 10 ms, never early.

    A timer of asyncio's own for each attempt costs several times as much, and nearly none of them ever rings.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock) -> None:
        self._loop = loop
        self._clock = clock
        self._buckets: dict[int, set[DeadlineScope]] = {}
        self._ticks: list[int] = []
        self._handle: asyncio.TimerHandle | None = None
        self._armed_for = 0
        self._last_tick = -1
        self._last_bucket: set[DeadlineScope] = set()

    @property
    def pending(self) -> int:
        """How many scopes are open; 0 when nothing is in flight."""
        return sum(len(bucket) for bucket in self._buckets.values())

    def bucket(self, when: float) -> "set[DeadlineScope]":
        tick = int(when * TICKS_PER_SECOND) + 1
        if tick == self._last_tick:
            return self._last_bucket
        bucket = self._buckets.get(tick)
        if bucket is None:
            bucket = self._buckets[tick] = set()
            heappush(self._ticks, tick)
            if self._handle is None or tick < self._armed_for:
                self._arm(tick)
        self._last_tick, self._last_bucket = tick, bucket
        return bucket

    def expire_all(self) -> None:
        """Ring for everybody now, and put the timer away."""
        for bucket in tuple(self._buckets.values()):
            _expire(bucket)
        self._buckets.clear()
        self._ticks.clear()
        self._last_tick = -1
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _arm(self, tick: int) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._armed_for = tick
        self._handle = self._loop.call_later(tick / TICKS_PER_SECOND - self._clock.monotonic(), self._ring)

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
            if tick == self._last_tick:
                self._last_tick = -1
            _expire(bucket)


class DeadlineScope:
    """`with DeadlineScope(timers, when):` raises `TimeoutError` in its task once the clock passes `when`.

    Cancellation by anybody else passes through, also when both happen at once: the accounting is that of
    `asyncio.Timeout`. One scope serves one `with`.
    """

    __slots__ = ("_bucket", "_cancelling", "_fired", "_task", "_timers", "when")

    def __init__(self, timers: Timers, when: float) -> None:
        self._timers = timers
        self.when = when
        self._fired = False

    def __enter__(self) -> "DeadlineScope":
        task: asyncio.Task[Any] | None = current_task()
        if task is None:
            raise RuntimeError("a deadline needs a task to end")
        self._task = task
        self._cancelling = task.cancelling()
        self._bucket = self._timers.bucket(self.when)
        self._bucket.add(self)
        return self

    def expire(self) -> None:
        self._fired = True
        self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not self._fired:
            self._bucket.discard(self)
            return
        others = self._task.uncancel() > self._cancelling
        # A client may turn our cancel into an error of its own: that is still our timeout, unless it got an answer.
        if kind is not None and not others and (kind is asyncio.CancelledError or issubclass(kind, Exception)):
            raise TimeoutError from error


def _expire(bucket: set[DeadlineScope]) -> None:
    for scope in bucket:
        scope.expire()
    bucket.clear()
