"""Providers whose work blocks a thread: engines in C, clients without asyncio."""

import asyncio
import os
import threading
from abc import abstractmethod
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import attrs

from switchgear.errors import Rejected
from switchgear.provider import RequestT, SimpleProvider
from switchgear.results import OutputT, ProviderResult


@attrs.define(kw_only=True, eq=False, slots=False)
class BlockingProvider(SimpleProvider[RequestT, OutputT]):
    """Implement `process_blocking()`; it runs in `concurrency` worker threads (default: one for each usable core).

    `open_engine()` is called once in each thread that gets work; `self.engine` is the calling thread's own. A thread
    cannot be cancelled: after a timeout the caller leaves at once, the thread's place stays taken until it returns, and
    when every thread is stuck like that, requests are `Rejected`.
    """

    _pool: ThreadPoolExecutor | None = attrs.field(default=None, init=False, repr=False)
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
            self._pool = ThreadPoolExecutor(self.workers, thread_name_prefix=f"switchgear-{self.name}")
        work = self._pool.submit(self.process_blocking, request)
        try:
            return await asyncio.wrap_future(work)
        finally:
            self._leave(work)

    def _leave(self, work: "Future[ProviderResult[OutputT]]") -> None:
        if not work.done() and not work.cancel():
            self._abandoned += 1
            self._left = work
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
            self._pool.shutdown(wait=self._abandoned == 0, cancel_futures=True)
            self._pool = None
        if self._abandoned == 0:
            for engine in self._engines:
                self.close_engine(engine)
            self._engines.clear()


def _tell(loop: asyncio.AbstractEventLoop, callback: Any) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(callback)


def usable_cores() -> int:
    """The cores that this process may use, at least 1."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
