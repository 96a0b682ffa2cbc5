"""Answers in memcached."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import ClassVar, Literal, TypeVar

import attrs
from attrs import field, validators
from switchgear import NotKept, Size

from switchgear_memcached.connection import Connection, Refused
from switchgear_memcached.pool import Pool

__all__ = ["Memcached"]

T = TypeVar("T")

_MONTH = 30 * 86400  # seconds from which memcached takes a lifetime for a date


@attrs.define(eq=False)
class Memcached:
    """`type = "memcached"`: shared by all processes and machines that reach the server.

    The server decides what goes when its memory is used up, and refuses values above its item size (1 MB by default).
    """

    keeps: ClassVar[Literal["bytes", "entries"]] = "bytes"

    host: str = field(default="localhost", metadata={"help": "where the server is"})
    port: int = field(default=11211, metadata={"help": "where it listens"})
    tls: bool = field(default=False, metadata={"help": "true: encrypt the connection, and check the certificate"})
    prefix: str = field(
        default="switchgear:",
        validator=validators.matches_re(r"[!-~]{0,40}"),
        metadata={"help": "what keys begin with"},
    )
    connections: int = field(default=8, validator=validators.ge(1), metadata={"help": "at the same time, at most"})
    _pool: Pool | None = field(default=None, init=False, repr=False)

    async def get(self, key: str) -> bytes | None:
        name = self._name(key)
        return await self._with(lambda connection: connection.get(name))

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        name, seconds = self._name(key), min(_MONTH, max(1, int(ttl)))
        try:
            await self._with(lambda connection: connection.set(name, value, seconds))
        except Refused as error:
            # The server may have kept the older one, which would come back as the newest.
            await self.delete(key)
            raise NotKept(str(error)) from error

    async def delete(self, key: str) -> None:
        name = self._name(key)
        await self._with(lambda connection: connection.delete(name))

    async def clear(self, prefix: str) -> None:
        async for key in self.keys(prefix):
            await self.delete(key)

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        """All that the server lists, which it does in one go; needs version 1.6 or later."""
        start = self._name(prefix)
        for name, _ in await self._with(lambda connection: connection.listing()):
            if name.startswith(start):
                yield name.decode().removeprefix(self.prefix)

    async def size(self, prefix: str = "") -> Size:
        """Of the whole server at once. memcached keeps no count by prefix: then it lists all its keys."""
        if prefix:
            start = self._name(prefix)
            listed = await self._with(lambda connection: connection.listing())
            sizes = [size for name, size in listed if name.startswith(start)]
            return Size(len(sizes), sum(sizes))
        figures = await self._with(lambda connection: connection.stats())
        return Size(int(figures[b"curr_items"]), int(figures[b"bytes"]))

    async def aclose(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    async def _with(self, use: Callable[[Connection], Awaitable[T]]) -> T:
        if self._pool is None:
            self._pool = Pool(self.host, self.port, self.tls, self.connections)
        return await self._pool.use(use)

    def _name(self, key: str) -> bytes:
        return (self.prefix + key).encode("ascii")
