"""Time as everything here sees it: one object that is handed in, so that tests can hold it."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where durations, timestamps and pauses come from."""

    def monotonic(self) -> float:
        """Seconds on a clock that never steps: for every duration and in-process decision."""
        ...

    def utc(self) -> datetime:
        """The calendar: for periods, validity dates, HTTP dates and timestamps, never for durations."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Pause the calling task for this many seconds of `monotonic()`."""
        ...


class SystemClock:
    """The real clock."""

    # The builtin itself: a Python frame around it would cost more than the call, and every attempt asks twice.
    monotonic = staticmethod(time.monotonic)

    def utc(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


SYSTEM_CLOCK = SystemClock()
