"""Connections that are used again, as long as nothing went wrong on them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from switchgear_memcached.connection import Connection, Refused

T = TypeVar("T")


class Pool:
    """At most so many at a time; further requests wait in line."""

    def __init__(self, host: str, port: int, tls: bool, most: int) -> None:
        self._place = host, port, tls
        self._idle: list[Connection] = []
        self._places = asyncio.Semaphore(most)
        self._is_closed = False

    async def use(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do it on a connection that nobody else uses meanwhile."""
        async with self._places:
            connection = self._take() or await Connection.open(*self._place)
            try:
                answer = await work(connection)
            except Refused:
                self._give_back(connection)
                raise
            except BaseException:
                # Also when cancelled: the rest of an answer may still be on its way.
                connection.close()
                raise
            self._give_back(connection)
            return answer

    def close(self) -> None:
        self._is_closed = True
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed:
                return connection
            connection.close()
        return None

    def _give_back(self, connection: Connection) -> None:
        if self._is_closed:
            connection.close()
        else:
            self._idle.append(connection)
