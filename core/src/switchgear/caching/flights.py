"""Identical requests at the same time share one answer, fetched once."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, Generic, TypeVar

from switchgear.cache import Entry
from switchgear.results import Call

T = TypeVar("T")


class Abandoned(Exception):
    """Nobody fetches it any more."""


class Flight(Generic[T]):
    """One fetch under way, in a task of its own: whoever waits for it may leave, and the last one to leave ends it.

    `call` is the record it works on, whose deadline is the latest of those who wait; `fallback` a stale answer that is
    better than none.
    """

    task: "asyncio.Task[T]"

    def __init__(self, call: Call, fallback: Entry | None, is_wanted: bool) -> None:
        self.call = call
        self.fallback = fallback
        self.is_wanted = is_wanted  # also without anybody waiting: it refreshes
        self.has_begun = False  # from then on it keeps the record of its call
        self._waiters = 0

    @property
    def is_over(self) -> bool:
        return self.task.done() or self.task.cancelling() > 0

    @property
    def is_awaited(self) -> bool:
        return self._waiters > 0

    def extend(self, ends: float | None) -> None:
        """Somebody joins who can wait until then; None: for ever."""
        if ends is None or (self.call.ends is not None and ends > self.call.ends):
            self.call.ends = ends

    async def answer(self) -> T:
        """Wait for it; leaving (cancelled, out of time) does not disturb the others."""
        self._waiters += 1
        try:
            await asyncio.wait((self.task,))
        finally:
            self._waiters -= 1
            if not (self._waiters or self.is_wanted or self.task.done()):
                self.task.cancel()
        if self.task.cancelled():
            raise Abandoned
        return self.task.result()


class Flights(Generic[T]):
    """Those under way, by key."""

    def __init__(self) -> None:
        self._under_way: dict[str, Flight[T]] = {}

    def __len__(self) -> int:
        return len(self._under_way)

    def get(self, key: str) -> Flight[T] | None:
        """One that still goes on. One that is being ended is of no use to newcomers."""
        flight = self._under_way.get(key)
        return None if flight is None or flight.is_over else flight

    def start(
        self, key: str, flight: Flight[T], work: Callable[[Flight[T]], Coroutine[Any, Any, T]], context: Context
    ) -> Flight[T]:
        self._under_way[key] = flight
        flight.task = asyncio.get_running_loop().create_task(work(flight), context=context)
        flight.task.add_done_callback(lambda task: self._end(key, flight))
        return flight

    async def end_all(self) -> None:
        """End them, and wait until they have."""
        tasks = [flight.task for flight in self._under_way.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def end_unwaited(self) -> None:
        """End those that nobody waits for."""
        for flight in self._under_way.values():
            if not flight.is_awaited:
                flight.task.cancel()

    def _end(self, key: str, flight: Flight[T]) -> None:
        if self._under_way.get(key) is flight:
            del self._under_way[key]
        if not flight.task.cancelled():
            # Nobody may be left to hear of its error, which asyncio would complain about.
            flight.task.exception()
