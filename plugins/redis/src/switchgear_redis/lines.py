"""Connections of redis-py, each used by one request at a time, without the client around them.

The client adds as much CPU time to a GET as the connection itself takes (retries, pool checks, callbacks, metrics), and
nothing of it is wanted here: the manager has its own deadline, circuit breaker and figures.
"""

import asyncio
from typing import Any

from redis.asyncio import ConnectionPool
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import ResponseError


class Lines:
    """At most so many at a time; further requests wait in line."""

    def __init__(self, pool: ConnectionPool, most: int) -> None:
        self._pool = pool
        self._idle: list[Any] = []
        self._places = asyncio.Semaphore(most)
        self._is_closed = False

    async def ask(self, *command: bytes) -> Any:
        """The answer to one command. Raises what the connection raises; the next request gets another one then."""
        packed = _packed(command)
        await self._places.acquire()
        try:
            if self._idle:
                try:
                    return await self._ask(self._idle.pop(), packed)
                except NotConnected:
                    # Closed while it was idle, as the others then are too: the server has been restarted.
                    await self.close_idle()
            return await self._ask(self._pool.make_connection(), packed)  # type: ignore[no-untyped-call]
        finally:
            self._places.release()

    async def close(self) -> None:
        self._is_closed = True
        await self.close_idle()

    async def close_idle(self) -> None:
        while self._idle:
            await self._idle.pop().disconnect()

    async def _ask(self, connection: Any, packed: list[bytes]) -> Any:
        try:
            if not connection.is_connected:
                await connection.connect()
            await connection.send_packed_command(packed, check_health=False)
            answer = await connection.read_response()
        except ResponseError:
            self._idle.append(connection)
            raise
        except BaseException:
            # Also when cancelled: the rest of an answer may still be on its way.
            await connection.disconnect(nowait=True)
            raise
        if self._is_closed:
            await connection.disconnect()
        else:
            self._idle.append(connection)
        return answer


def _packed(command: tuple[bytes, ...]) -> list[bytes]:
    """As the protocol has it, values as they are; https://redis.io/docs/latest/develop/reference/protocol-spec/."""
    return [b"*%d\r\n" % len(command) + b"".join([b"$%d\r\n%b\r\n" % (len(part), part) for part in command])]
