"""The one loop on which plugins are called, and the way there from other threads and loops."""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakSet

from switchgear.clock import SYSTEM_CLOCK, Clock
from switchgear.errors import UsageError
from switchgear.policies.deadline import Timers

T = TypeVar("T")
Start = Callable[[], Coroutine[Any, Any, T]]

_LAST_CHANCE = 1.0  # seconds that what still runs on the background thread's loop may take to end


class Home:
    """Bound to the loop of the first call that is awaited, or else to a background thread's.

    State changes on this loop only, so nothing behind it needs a lock.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self.clock = clock
        self.loop: asyncio.AbstractEventLoop | None = None
        self._timers: Timers | None = None
        self._pid = 0
        self._thread: threading.Thread | None = None
        self._binding = threading.Lock()
        self._in_place = threading.RLock()  # what runs in place may itself call another service
        self.named: WeakSet[Named] = WeakSet()
        _homes.add(self)

    @property
    def timers(self) -> Timers:
        if self._timers is None:
            self._timers = Timers(self._bound(), self.clock)
        return self._timers

    def bind(self) -> None:
        """Make the running loop the home, unless there is one."""
        with self._in_place, self._binding:
            if self.loop is None:
                self.loop, self._pid = asyncio.get_running_loop(), os.getpid()

    async def enter(self, start: Start[T]) -> T:
        """Run `start()` at home, from whichever loop this is awaited on."""
        here = asyncio._get_running_loop()  # none in a process that was forked out of one
        if self.loop is None and here is not None:
            self.bind()
        if here is not None and here is self.loop:
            return await start()
        loop = self._running()  # first: a coroutine that nobody awaits would complain besides
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(start(), loop))

    def run(self, start: Start[T]) -> T:
        """Run `start()` at home, from a thread that has no loop; waits for it."""
        _check_no_loop()
        if self.loop is None:
            self._start_thread()
        handed = _HandedOver(start, self._running())
        try:
            return handed.answer.result()
        except BaseException:
            # Ctrl-C while waiting: the call must not go on, and cost, with nobody waiting for it.
            handed.cancel()
            raise

    def run_in_place(self, start: Start[T]) -> T:
        """Run `start()` in the calling thread, without a loop: for what never suspends. One thread at a time."""
        _check_no_loop()
        with self._in_place:
            if self.loop is None:
                return _driven(start())
        # Somebody has bound a loop while this one waited for its turn.
        return self.run(start)

    def change(self, make: Callable[[], None]) -> None:
        """Change state at home, from any thread, and wait until it is done; `make` must be quick and not wait."""
        loop = self.loop
        if loop is None or loop is asyncio._get_running_loop() or not (loop.is_running() or self._thread):
            make()
            return
        done: Future[None] = Future()

        def change() -> None:
            try:
                make()
                done.set_result(None)
            # Whatever it is, it belongs to the thread that waits.
            except BaseException as error:
                done.set_exception(error)

        self._running().call_soon_threadsafe(change)
        done.result()

    def close(self) -> None:
        """Put the timer away and stop the background thread, if there is one."""
        if self._timers is not None and self.loop is not None and not self.loop.is_closed():
            self._timers.expire_all()
        if self._thread is not None and self.loop is not None:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join()
            self._thread = None
        self.loop = None
        self._timers = None

    def _start_thread(self) -> None:
        with self._in_place, self._binding:
            if self.loop is None:
                loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_run, args=(loop,), name="switchgear-home", daemon=True)
                self._thread.start()
                self.loop, self._pid = loop, os.getpid()

    def _bound(self) -> asyncio.AbstractEventLoop:
        if self.loop is None:
            raise UsageError("nothing has been opened yet")
        return self.loop

    def _running(self) -> asyncio.AbstractEventLoop:
        loop = self._bound()
        if self._pid != os.getpid():
            raise UsageError("this was opened before the process forked; open another one in the child")
        # A background thread's loop may be about to start.
        if loop.is_closed() or not (loop.is_running() or self._thread):
            raise UsageError(
                "the event loop this was opened on has ended; keep to one asyncio.run(), or use process_sync() only"
            )
        return loop

    def leave_behind(self) -> None:
        """In a forked child: what was begun is the parent's, and using it here is an error."""
        elsewhere: Any = _Elsewhere()
        self.loop, self._pid = elsewhere, -1

    def forked(self) -> None:
        """In a forked child: whoever held a lock is a thread of the parent, and would hold it for ever."""
        self._binding = threading.Lock()
        self._in_place = threading.RLock()


class Named(Protocol):
    """Has a name that no other process may use."""

    def rename(self) -> None:
        """In a forked child: take another, or `Home.leave_behind` what must not be used here."""
        ...


class _Elsewhere:
    """A loop of the parent."""

    def is_closed(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True


_homes: "WeakSet[Home]" = WeakSet()


def _rename_all() -> None:
    for home in list(_homes):
        home.forked()
        for each in list(home.named):
            each.rename()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_rename_all)


class _HandedOver(Generic[T]):
    """Work under way on another thread's loop, and its answer.

    `asyncio.run_coroutine_threadsafe` does the same by a chain of two futures, at two more turns of the loop.
    """

    def __init__(self, start: Start[T], loop: asyncio.AbstractEventLoop) -> None:
        self.answer: Future[T] = Future()
        self._start = start
        self._loop = loop
        self._task: asyncio.Task[None] | None = None
        loop.call_soon_threadsafe(self._begin)

    def cancel(self) -> None:
        if not self.answer.done() and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._cancel)

    def _begin(self) -> None:
        self._task = self._loop.create_task(self._work())

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _work(self) -> None:
        try:
            self.answer.set_result(await self._start())
        except BaseException as error:
            # Whatever it is, it belongs to the thread that waits: also what is to end the program.
            self.answer.set_exception(error)


def _driven(work: Coroutine[Any, Any, T]) -> T:
    try:
        work.send(None)
    except StopIteration as end:
        value: T = end.value
        return value
    work.close()
    raise UsageError("a provider with `suspends = False` has suspended; that is a defect of its plugin")


def _check_no_loop() -> None:
    if asyncio._get_running_loop() is not None:
        raise UsageError("this thread runs an event loop, which a blocking call would stop; await process() instead")


def _run(loop: asyncio.AbstractEventLoop) -> None:
    from concurrent.futures import ThreadPoolExecutor  # not for who only awaits

    asyncio.set_event_loop(loop)
    threads = ThreadPoolExecutor(thread_name_prefix="switchgear-home")
    loop.set_default_executor(threads)
    try:
        while not _has_stopped(loop):
            pass
    finally:
        loop.run_until_complete(_end_tasks())
        loop.run_until_complete(loop.shutdown_asyncgens())
        # Without waiting: a validator that hangs must not keep anybody from closing.
        threads.shutdown(wait=False, cancel_futures=True)
        loop.close()


def _has_stopped(loop: asyncio.AbstractEventLoop) -> bool:
    """Run it until it is stopped; False if a plugin wanted to end the program, which its task tells the caller."""
    try:
        loop.run_forever()
    except SystemExit:
        return False
    return True


async def _end_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_LAST_CHANCE)
