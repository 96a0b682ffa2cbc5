"""A clock that a test moves by hand."""

import asyncio
from datetime import UTC, datetime, timedelta

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class FakeClock:
    """A `Clock` that stands still until somebody sleeps on it or `advance()`s it.

    `start` is the first reading of `monotonic()` in seconds, `utc` that of the calendar.
    """

    def __init__(self, start: float = 0.0, utc: datetime = EPOCH) -> None:
        self._now = start
        self._utc = utc

    def monotonic(self) -> float:
        return self._now

    def utc(self) -> datetime:
        return self._utc

    async def sleep(self, seconds: float) -> None:
        """Move time on by as much and let other tasks run once; a negative pause is none."""
        self.advance(max(0.0, seconds))
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        """Let time pass, on both clocks. Raises `ValueError` if that would turn it back."""
        if seconds < 0:
            raise ValueError(f"a monotonic clock cannot go back by {-seconds} s; step_utc() moves the calendar alone")
        self._now += seconds
        self._utc += timedelta(seconds=seconds)

    def step_utc(self, seconds: float) -> None:
        """Set the calendar forward, or back if negative, as a time server does; `monotonic()` does not notice."""
        self._utc += timedelta(seconds=seconds)
