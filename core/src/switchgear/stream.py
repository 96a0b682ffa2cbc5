"""Many requests at a time, but never more than so many."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TypeVar

from switchgear.errors import UsageError

ItemT = TypeVar("ItemT")
DoneT = TypeVar("DoneT")


async def stream(
    items: Iterable[ItemT], work: Callable[[ItemT], Awaitable[DoneT]], *, concurrency: int, ordered: bool = False
) -> AsyncGenerator[DoneT, None]:
    """Do the work for every item, `concurrency` at a time; results as ready, or in the items' order.

    Items are taken as places come free, so memory stays bounded. Closing it early (`contextlib.aclosing`) cancels what
    is under way; what `work` raises ends the stream.
    """
    if concurrency < 1:
        raise UsageError(f"concurrency must be at least 1, not {concurrency}")
    running: deque[asyncio.Future[DoneT]] = deque()
    waiting = iter(items)
    try:
        while True:
            while len(running) < concurrency and (item := next(waiting, _END)) is not _END:
                running.append(asyncio.ensure_future(work(item)))  # type: ignore[arg-type]
            if not running:
                return
            if ordered:
                await asyncio.wait([running[0]])
            else:
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                running = deque(sorted(running, key=lambda task: not task.done()))
            yield running.popleft().result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


_END = object()
