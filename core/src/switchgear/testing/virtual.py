"""An event loop whose time jumps: hours of timers in milliseconds, in the same order every time."""

import asyncio
import contextvars
import heapq
import itertools
import math
import random
import selectors
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar, TypeVarTuple

from switchgear.testing.clocks import EPOCH

T = TypeVar("T")
ArgsT = TypeVarTuple("ArgsT")
Main = Callable[[], Awaitable[T]] | Awaitable[T]

PATIENCE = 5.0  # real seconds that a thread may take before time moves on without it
_TURNS = 1_000_000  # that the loop may make without time moving
_SETTLING = 100  # turns of the loop that tasks get to end once the main task has


class Deadlock(RuntimeError):
    """Everybody waits, and nothing is scheduled that could wake them."""


class Livelock(RuntimeError):
    """Somebody is busy for ever at one and the same moment: a timer that sets itself again without a delay."""


class LeftBehind(AssertionError):
    """The main task ended, and others did not."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop that never waits for time: when nothing is ready, `time()` jumps to the next timer.

    Timers ring exactly at their moment, those of the same moment in the order they were set. Raises `Deadlock` out of
    `run_*` when nothing is ready and no timer is set, and `Livelock` when time has stopped though everybody is busy.
    `random` is seeded for the run.

    Threads are real, so the loop waits for them: while something handed to one (`run_in_executor`, `asyncio.to_thread`,
    `asyncio.wrap_future`) is under way, time stands still. Whoever does not come back within `patience` real seconds is
    taken to hang, and time jumps on without it. Sockets are looked at before each jump, but not waited for: use a real
    loop to talk to a server.
    """

    _scheduled: "list[_Timer]"

    def __init__(self, *, seed: int = 0, start: float = 0.0, patience: float = PATIENCE) -> None:
        self._now = start
        self._patience = patience
        self._outside: set[asyncio.Future[Any]] = set()
        self._order = itertools.count()
        self._turns = 0
        self.random = random.Random(seed)
        super().__init__(_Selector(self._idle))

    def time(self) -> float:
        """Virtual seconds."""
        return self._now

    @property
    def timers(self) -> int:
        """How many timers are set and not cancelled."""
        return sum(not timer.cancelled() for timer in self._scheduled)

    def call_at(
        self,
        when: float,
        callback: Callable[[*ArgsT], object],
        *args: *ArgsT,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        # The base class's heap leaves the order of equal moments to chance, and in virtual time most are equal.
        self._check_closed()  # type: ignore[attr-defined]
        timer = _Timer(when, callback, args, self, context)
        timer.rank = (when, next(self._order))
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True
        return timer

    def create_future(self) -> asyncio.Future[Any]:
        future = super().create_future()
        # All that asyncio hands to threads comes back through this one function, and nothing else announces it.
        if sys._getframe(1).f_code is asyncio.wrap_future.__code__:
            self._outside.add(future)
            future.add_done_callback(self._outside.discard)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        # Python 3.12 and later set a timer on joining the threads, to which time would jump at once.
        await super().shutdown_default_executor()

    def _idle(self, look: Callable[[float], list[Any]], timeout: float | None) -> list[Any]:
        """Called with nothing ready to run: wait for threads, or move time to the next timer."""
        found = look(0)
        if found or timeout == 0:
            self._count_turn()
            return found
        if self._outside or timeout is None:
            # With no thread there any more, one may still have spoken since the first look, and ended.
            found = look(self._patience if self._outside or threading.active_count() > 1 else 0)
            if found:
                return found
            self._outside.clear()
        if timeout is None:
            raise Deadlock(f"nothing is ready and no timer is set; waiting: {_names(asyncio.all_tasks(self))}")
        self._jump_to(self._scheduled[0].when())
        return []

    def _count_turn(self) -> None:
        self._turns += 1
        if self._turns > _TURNS:
            self._turns = 0
            raise Livelock(f"{_TURNS:,} turns without time moving on from {self._now} s")

    def _jump_to(self, moment: float) -> None:
        self._turns = 0
        self._now = moment
        # Less would leave a timer far from zero unrung for ever, more would ring some early.
        self._clock_resolution = math.ulp(moment)


class VirtualClock:
    """The `Clock` of a virtual loop, by default the running one. The calendar starts at `utc` and moves with it."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None, utc: datetime = EPOCH) -> None:
        self._loop = loop or asyncio.get_running_loop()
        self._utc = utc - timedelta(seconds=self._loop.time())
        self.monotonic = self._loop.time

    def utc(self) -> datetime:
        return self._utc + timedelta(seconds=self._loop.time())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def step_utc(self, seconds: float) -> None:
        """Set the calendar forward, or back if negative; `monotonic()` does not notice."""
        self._utc += timedelta(seconds=seconds)


def run(main: Main[T], *, seed: int = 0, patience: float = PATIENCE) -> T:
    """What `main` (a coroutine, or a function that makes one) returns, run on a fresh `VirtualLoop`.

    Raises `LeftBehind` if a task is still there after the main one has ended and those it cancelled had a moment to
    end too; `Deadlock` if everybody waits for ever.
    """
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(seed=seed, patience=patience)) as runner:
        return runner.run(_run_alone(main))


async def settle() -> set[asyncio.Task[Any]]:
    """Let everything happen that can without time passing; gives the tasks, other than this one, that remain."""
    this = asyncio.current_task()
    for _ in range(_SETTLING):
        await asyncio.sleep(0)
        others = {task for task in asyncio.all_tasks() if task is not this}
        if not others:
            break
    return others


def place_of(awaited: Any) -> str:
    """Where a coroutine, and with it its task, waits: `file.py:12 in function`."""
    frame = None
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None) or frame
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)
    if frame is None:
        return "nowhere"
    return f"{frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_lineno} in {frame.f_code.co_name}"


class _Timer(asyncio.TimerHandle):
    __slots__ = ("rank",)

    rank: tuple[float, int]
    _scheduled: bool

    def __lt__(self, other: "_Timer") -> bool:  # type: ignore[override]
        return self.rank < other.rank


class _Selector(selectors.DefaultSelector):
    """Where the base class would sleep."""

    def __init__(self, idle: Callable[[Callable[[float], list[Any]], float | None], list[Any]]) -> None:
        super().__init__()
        self._idle = idle

    def select(self, timeout: float | None = None) -> list[Any]:
        return self._idle(super().select, timeout)


async def _run_alone(main: Main[T]) -> T:
    result = await (main() if callable(main) else main)
    left = await settle()
    if left:
        raise LeftBehind(f"{len(left)} left behind: {_names(left)}")
    return result


def _names(tasks: "Iterable[asyncio.Task[Any]]") -> str:
    return "; ".join(sorted(f"{task.get_name()} at {place_of(task.get_coro())}" for task in tasks)) or "no task"
