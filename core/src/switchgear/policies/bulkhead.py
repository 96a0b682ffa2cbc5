"""Keeps a provider from getting more requests at a time than it can take."""

import asyncio
from collections import deque


class Bulkhead:
    """`limit` places, and a queue of `queue` more in order of arrival.

    A place belongs to whoever was granted it, also when the grantee is cancelled in the same tick: it then goes on to
    the next in line. A place can be held beyond its caller, for a worker thread that has not returned; when all are,
    the line is sent away.
    """

    def __init__(self, limit: int, queue: int) -> None:
        self.limit = limit
        self.queue = queue
        self.taken = 0
        self.held = 0
        self._line: deque[asyncio.Future[bool]] = deque()

    @property
    def waiting(self) -> int:
        return len(self._line)

    @property
    def is_full(self) -> bool:
        """Would a request be turned away at once, place and line?"""
        return self.taken >= self.limit and not self._has_line

    def try_acquire(self) -> bool:
        """Take a place if one is free; while somebody is in line, none is."""
        if self.taken < self.limit:
            self.taken += 1
            return True
        return False

    async def acquire(self) -> bool:
        """Wait in line for a place; False if the line is full, or as soon as every place is held by a stuck worker."""
        if not self._has_line:
            return False
        place: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._line.append(place)
        try:
            return await place
        except BaseException:
            # Granted in the tick in which we were cancelled: the place must not get lost.
            if place.done() and not place.cancelled():
                if place.result():
                    self.release()
            # It is gone from the line if somebody released a place between our cancel and now.
            elif place in self._line:
                self._line.remove(place)
            raise

    def release(self) -> None:
        """Give a place back: to the first in line, if there is one."""
        if not self._answer_next(True):
            self.taken -= 1

    def hold(self) -> None:
        """Keep the caller's place taken after it has left, instead of releasing it; `let_go` ends that."""
        self.held += 1
        if self.held >= self.limit:
            while self._answer_next(False):
                pass

    def let_go(self) -> None:
        """What was held is free again."""
        self.held -= 1
        self.release()

    @property
    def _has_line(self) -> bool:
        return len(self._line) < self.queue and self.held < self.limit

    def _answer_next(self, granted: bool) -> bool:
        """Tell the first who still waits; False if nobody does."""
        while self._line:
            place = self._line.popleft()
            if not place.done():
                place.set_result(granted)
                return True
        return False
