"""Providers whose work blocks a thread: engines in C, clients without asyncio."""

import asyncio
import atexit
import os
import threading
from abc import abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from typing import Any

import attrs

from switchgear.clock import SYSTEM_CLOCK
from switchgear.errors import Rejected
from switchgear.provider import RequestT, SimpleProvider
from switchgear.results import OutputT, ProviderResult

_AT_EXIT = 10.0  # real seconds that a program's end waits for threads that nobody waits for


@attrs.define(kw_only=True, eq=False, repr=False, slots=False)
class BlockingProvider(SimpleProvider[RequestT, OutputT]):
    """Implement `process_blocking()`; it runs in `concurrency` worker threads (default: one for each usable core).

    `open_engine()` is called once in each thread that gets work; `self.engine` is the calling thread's own. A thread
    cannot be cancelled: after a timeout the caller leaves at once, the thread's place stays taken until it returns, and
    when every thread is stuck like that, requests are `Rejected`.
    """

    _pool: "Workers | None" = attrs.field(default=None, init=False, repr=False)
    _local: threading.local = attrs.field(factory=threading.local, init=False, repr=False)
    _engines: list[Any] = attrs.field(factory=list, init=False, repr=False)
    _abandoned: int = attrs.field(default=0, init=False, repr=False)
    _left: "Future[ProviderResult[Any]] | None" = attrs.field(default=None, init=False, repr=False)

    @abstractmethod
    def process_blocking(self, request: RequestT) -> ProviderResult[OutputT]:
        """Answer from a worker thread; the rest is as in `BaseProvider.process`."""

    def open_engine(self) -> Any:
        """Make what one thread needs to work; the default needs nothing."""
        return None

    def close_engine(self, engine: Any) -> None:
        """Give back what `open_engine` made. Called when no thread works any more."""

    @property
    def engine(self) -> Any:
        """The calling worker thread's engine, made on first use."""
        try:
            return self._local.engine
        except AttributeError:
            engine = self._local.engine = self.open_engine()
            self._engines.append(engine)
            return engine

    @property
    def workers(self) -> int:
        """How many threads there are at the most."""
        return self.concurrency or usable_cores()

    async def process(self, request: RequestT) -> ProviderResult[OutputT]:
        if self._abandoned >= self.workers:
            raise Rejected(
                f"all {self.workers} worker threads are stuck in requests that have timed out",
                remedy="raise the timeout, or look at why the engine hangs",
            )
        if self._pool is None:
            self._pool = Workers(self.workers, f"switchgear-{self.name}")
        context = copy_context()  # `current_call()` is there in the thread too
        work = self._pool.submit(lambda: context.run(self.process_blocking, request))
        try:
            return await asyncio.wrap_future(work)
        except BaseException:
            self._leave(work)
            raise

    def _leave(self, work: "Future[ProviderResult[OutputT]]") -> None:
        if work.cancel() or (work.done() and work.exception() is not None):
            return
        # It works on, or it has answered in the moment in which its caller left: what that cost must not get lost.
        self._left = work
        if not work.done():
            self._abandoned += 1
            loop = asyncio.get_running_loop()
            work.add_done_callback(lambda _: _tell(loop, self._came_back))

    def left_behind(self) -> "Future[ProviderResult[Any]] | None":
        """The work that the request that has just ended left in its thread, told once; None if it left none."""
        work, self._left = self._left, None
        return work

    def _came_back(self) -> None:
        self._abandoned -= 1

    async def aclose(self) -> None:
        """Wait for no thread: one that is stuck is left behind, and its engine with it."""
        if self._pool is not None:
            self._pool.close(wait=self._abandoned == 0)
            self._pool = None
        if self._abandoned == 0:
            for engine in self._engines:
                self.close_engine(engine)
            self._engines.clear()


class Workers:
    """Up to `limit` threads, started as they are needed.

    They are daemons: one that hangs must not keep the program from ending, as those of a `ThreadPoolExecutor` do. Its
    end only waits a while for those that work.
    """

    def __init__(self, limit: int, name: str) -> None:
        self._limit = limit
        self._name = name
        self._threads: list[threading.Thread] = []
        self._idle = threading.Semaphore(0)
        from queue import SimpleQueue  # whoever composes may never ask

        self._queue: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()

    def submit(self, work: Callable[[], Any]) -> "Future[Any]":
        future: Future[Any] = Future()
        self._queue.put((future, work))
        if not self._idle.acquire(blocking=False) and len(self._threads) < self._limit:
            thread = threading.Thread(target=self._run, name=f"{self._name}-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        return future

    def close(self, *, wait: bool) -> None:
        """End the threads, each once it has nothing to do; `wait`: until they have."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads if wait else ():
            thread.join()

    def _run(self) -> None:
        here = threading.get_ident()
        while (item := self._queue.get()) is not None:
            future, work = item
            _working.add(here)
            try:
                tell = _done(future, work)
            finally:
                _working.discard(here)
            # Idle before anybody hears of it: whoever asks next must not get another thread, and with it an engine.
            self._idle.release()
            tell()
            # An idle thread must not keep the last request and its answer.
            del item, future, work, tell


def _done(future: "Future[Any]", work: Callable[[], Any]) -> Callable[[], None]:
    """Do the work; what is returned says so to whoever waits, if anybody still does."""
    if not future.set_running_or_notify_cancel():
        return _nothing
    try:
        return partial(future.set_result, work())
    # Whatever it is, it belongs to whoever waits for the answer.
    except BaseException as error:
        return partial(future.set_exception, error)


def _nothing() -> None:
    pass


def _tell(loop: asyncio.AbstractEventLoop, callback: Any) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(callback)


def somebody_works() -> bool:
    """Whether a worker thread of any provider is in its plugin's code right now."""
    return bool(_working)


def _let_them_end() -> None:
    """Python ends by killing such threads, and where they are in C++ that takes the process down with SIGABRT."""
    until = SYSTEM_CLOCK.monotonic() + _AT_EXIT
    while _working and SYSTEM_CLOCK.monotonic() < until:
        threading.Event().wait(0.05)


_working: set[int] = set()  # their threads, by number; adding and discarding is atomic
atexit.register(_let_them_end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_working.clear)


def usable_cores() -> int:
    """The cores that this process may use, at least 1."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
