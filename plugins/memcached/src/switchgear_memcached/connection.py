"""One connection to memcached, and the few commands of its text protocol that a cache needs.

Written for this, because a cancelled request must not leave its answer behind for the next one: of the asyncio
clients, aiomcache puts such a connection back into its pool. The protocol: `doc/protocol.txt` of memcached.
"""

import asyncio
import ssl
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

_LINE = 1 << 20  # the longest line that is read: a listing's


class Refused(Exception):
    """The server understood, and does not want the value."""


class Broken(Exception):
    """The server answered what nobody asked for, or closed the connection; it is of no more use."""


class Connection:
    """Takes one command at a time. After any exception but `Refused` it must be closed."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, host: str, port: int, tls: bool) -> "Connection":
        context = ssl.create_default_context() if tls else None
        return cls(*await asyncio.open_connection(host, port, ssl=context, limit=_LINE))

    @property
    def is_closed(self) -> bool:
        return self._reader.at_eof() or self._writer.is_closing()

    async def get(self, key: bytes) -> bytes | None:
        line = await self._ask(b"get %b\r\n" % key)
        if line == b"END":
            return None
        word, name, _, length = line.split(b" ")
        if (word, name) != (b"VALUE", key):
            raise Broken("an answer to another question")
        value = await self._reader.readexactly(int(length))
        if await self._reader.readexactly(len(b"\r\nEND\r\n")) != b"\r\nEND\r\n":
            raise Broken("an answer that does not end")
        return value

    async def set(self, key: bytes, value: bytes, seconds: int) -> None:
        line = await self._ask(b"set %b 0 %d %d\r\n%b\r\n" % (key, seconds, len(value), value))
        if line.startswith(b"SERVER_ERROR"):
            raise Refused(line.decode(errors="replace"))
        _expect(line, b"STORED")

    async def delete(self, key: bytes) -> None:
        _expect(await self._ask(b"delete %b\r\n" % key), b"DELETED", b"NOT_FOUND")

    async def listing(self) -> list[tuple[bytes, int]]:
        """All keys that the server has, each with the bytes that it takes."""
        # By the hash table: a walk through the LRU lists misses what is moved from one to another meanwhile.
        line = await self._ask(b"lru_crawler metadump hash\r\n")
        found = []
        while line != b"END":
            if not line.startswith(b"key="):
                raise Broken(line.decode(errors="replace"))
            fields = dict(field.partition(b"=")[::2] for field in line.split(b" "))
            found.append((unquote_to_bytes(fields[b"key"]), int(fields[b"size"])))
            line = await self._line()
        return found

    async def stats(self) -> Mapping[bytes, bytes]:
        line = await self._ask(b"stats\r\n")
        found = {}
        while line != b"END":
            _, name, value = line.split(b" ", 2)
            found[name] = value
            line = await self._line()
        return found

    def close(self) -> None:
        self._writer.close()

    async def _ask(self, command: bytes) -> bytes:
        self._writer.write(command)
        await self._writer.drain()
        return await self._line()

    async def _line(self) -> bytes:
        line = await self._reader.readline()
        if not line.endswith(b"\n"):
            raise Broken("the connection was closed")
        return line.rstrip(b"\r\n")  # listings end theirs with a bare \n


def _expect(line: bytes, *right: bytes) -> None:
    if line not in right:
        raise Broken(line.decode(errors="replace"))
