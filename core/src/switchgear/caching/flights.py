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

    The work may `land` its answer before it ends, and do the rest in the background. `call` is the record it works
    on, whose deadline is the latest of those who wait.
    """

    def __init__(self, landed: "asyncio.Future[T]", call: Call) -> None:
        self.call = call
        self.waiters = 0
        self.is_wanted = False  # also without anybody waiting
        self.has_asked = False  # a provider: from then on it keeps the record of its call
        self.fallback: Entry | None = None
        self.task: asyncio.Task[None] | None = None
        self._landed = landed

    @property
    def is_over(self) -> bool:
        return self.task is None or self.task.done() or self.task.cancelling() > 0

    def extend(self, ends: float | None) -> None:
        """Somebody joins who can wait until then; None: for ever."""
        if ends is None or (self.call.ends is not None and ends > self.call.ends):
            self.call.ends = ends

    def land(self, answer: T) -> None:
        if not self._landed.done():
            self._landed.set_result(answer)

    def fail(self, error: BaseException) -> None:
        if not self._landed.done():
            self._landed.set_exception(error)
            # Nobody may be left to hear it, which asyncio would complain about.
            self._landed.exception()

    async def answer(self) -> T:
        """Wait for it; leaving (cancelled, out of time) does not disturb the others."""
        self.waiters += 1
        try:
            await asyncio.wait((self._landed,))
        finally:
            self.waiters -= 1
            if not (self.waiters or self.is_wanted or self._landed.done()):
                self.cancel()
        return self._landed.result()

    def cancel(self) -> None:
        if self.task is not None:
            self.task.cancel()


class Flights(Generic[T]):
    """Those under way, by key."""

    def __init__(self) -> None:
        self._under_way: dict[str, Flight[T]] = {}

    def __len__(self) -> int:
        return len(self._under_way)

    def get(self, key: str) -> Flight[T] | None:
        """One that still goes on. One that is being ended is no longer of use to newcomers."""
        flight = self._under_way.get(key)
        return None if flight is None or flight.is_over else flight

    def start(
        self,
        key: str,
        work: Callable[[Flight[T]], Coroutine[Any, Any, None]],
        call: Call,
        context: Context,
    ) -> Flight[T]:
        loop = asyncio.get_running_loop()
        flight: Flight[T] = Flight(loop.create_future(), call)
        self._under_way[key] = flight
        flight.task = loop.create_task(self._fly(key, flight, work), context=context)
        # One that is cancelled before its first step never gets to clean up by itself.
        flight.task.add_done_callback(lambda _: self._end(key, flight))
        return flight

    async def end_all(self) -> None:
        """End them all, and wait until they have."""
        flights = list(self._under_way.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*(flight.task for flight in flights if flight.task), return_exceptions=True)

    def end_unwaited(self) -> None:
        """End those that nobody waits for."""
        for flight in list(self._under_way.values()):
            if not flight.waiters:
                flight.cancel()

    async def _fly(self, key: str, flight: Flight[T], work: Callable[[Flight[T]], Coroutine[Any, Any, None]]) -> None:
        try:
            await work(flight)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            flight.fail(error)
        finally:
            self._end(key, flight)

    def _end(self, key: str, flight: Flight[T]) -> None:
        if self._under_way.get(key) is flight:
            del self._under_way[key]
        flight.fail(Abandoned("the flight was ended"))
