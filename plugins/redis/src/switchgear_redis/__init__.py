"""Answers in Redis, or in Valkey, which speaks the same protocol."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar, Literal

import attrs
from attrs import field, validators
from redis.asyncio import ConnectionPool
from redis.asyncio import Redis as Client
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import OutOfMemoryError, ResponseError
from switchgear import NotKept, Secret, Size
from switchgear.durations import Duration
from switchgear.rules import Wait

from switchgear_redis.lines import Lines

__all__ = ["Redis"]

_BATCH = 500


def _never_again() -> Retry:
    """The manager decides what to do without a cache; a client that tries again would only make callers wait."""
    return Retry(NoBackoff(), 0)


@attrs.define(eq=False)
class Redis:
    """`type = "redis"`: shared by all processes and machines that reach the server.

    Each request is one command on one key, so a cluster takes it as it is. What there is room for, and what has to go
    when it is used up, is the server's `maxmemory` and `maxmemory-policy` (`allkeys-lru` or `allkeys-lfu`).
    """

    keeps: ClassVar[Literal["bytes", "entries"]] = "bytes"

    url: str = field(
        default="redis://localhost:6379/0", metadata={"help": "the server; rediss:// for TLS, unix:// for a socket"}
    )
    username: str | None = field(default=None, metadata={"help": "for servers with access lists"})
    password: Secret | None = field(default=None, repr=False, metadata={"help": "beats one in the URL"})
    cluster: bool = field(default=False, metadata={"help": "true: the URL names one node of a cluster"})
    prefix: str = field(default="switchgear:", metadata={"help": "what all keys begin with"})
    connections: int = field(default=32, validator=validators.ge(1), metadata={"help": "at the same time, at most"})
    connect_timeout: Wait = field(default=Duration(1.0), metadata={"help": "the longest to wait for a connection"})
    ca_file: Path | None = field(default=None, metadata={"help": "whom to trust with rediss://; absent: the system"})
    _client: Any = field(default=None, init=False, repr=False)
    _lines: Lines | None = field(default=None, init=False, repr=False)
    _places: asyncio.Semaphore = field(init=False, repr=False)

    @_places.default
    def _all_places(self) -> asyncio.Semaphore:
        return asyncio.Semaphore(self.connections)

    async def get(self, key: str) -> bytes | None:
        value: bytes | None = await self._ask(b"GET", self._name(key))
        return value

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        try:
            await self._ask(b"SET", self._name(key), value, b"PX", b"%d" % max(1, int(ttl * 1000)))
        except OutOfMemoryError as error:
            # Refused by a full server that may not forget anything: an older value would come back as the newest.
            await self.delete(key)
            raise NotKept("the server is full") from error

    async def delete(self, key: str) -> None:
        await self._ask(b"DEL", self._name(key))

    async def clear(self, prefix: str) -> None:
        client = self._connected()
        batch = []
        async for key in self._scan(prefix):
            batch.append(key)
            if len(batch) == _BATCH:
                await self._unlink(client, batch)
                batch = []
        await self._unlink(client, batch)

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        # A scan may give a key twice while the server moves its table.
        seen = set()
        async for key in self._scan(prefix):
            if key not in seen:
                seen.add(key)
                yield key.decode().removeprefix(self.prefix)

    async def size(self, prefix: str = "") -> Size:
        """Of the whole database at once. Redis keeps no count by prefix: keys are listed then, and no bytes told."""
        if prefix:
            return Size(sum([1 async for _ in self.keys(prefix)]))
        client = self._connected()
        if self.cluster:
            return Size(await client.dbsize(target_nodes=RedisCluster.PRIMARIES))
        memory: dict[str, Any] = await client.info("memory")
        return Size(await client.dbsize(), memory.get("used_memory_dataset"))

    async def aclose(self) -> None:
        lines, self._lines = self._lines, None
        client, self._client = self._client, None
        if lines is not None:
            await lines.close()
        if client is not None:
            await client.aclose()
            if self.cluster:
                # A client that was about to look for its nodes anew has left them open.
                await client.nodes_manager.aclose()
                await client.nodes_manager.aclose("startup_nodes")

    async def _ask(self, *command: bytes) -> Any:
        if self.cluster:
            # redis-py fails a request for which a node has no connection left, instead of letting it wait.
            async with self._places:
                client = self._connected()
                await client.initialize()  # before that it asks any node, and each of them says who knows better
                return await client.execute_command(command[0].decode(), *command[1:])
        if self._lines is None:
            pool = ConnectionPool.from_url(self.url, retry=_never_again(), **self._options())
            self._lines = Lines(pool, self.connections)
        return await self._lines.ask(*command)

    def _name(self, key: str) -> bytes:
        return (self.prefix + key).encode()

    def _connected(self) -> Any:
        """The client, for all that is not a matter of microseconds."""
        if self._client is None:
            self._client = self._make_client()
        return self._client

    def _make_client(self) -> Any:
        if self.cluster:
            # 0: a slot that has moved is noted by itself; to begin anew would cut off everybody else's requests.
            options = {**self._options(), "max_connections": self.connections, "reinitialize_steps": 0}
            return RedisCluster.from_url(self.url, retry=_never_again(), **options)
        return Client.from_url(self.url, retry=_never_again(), **self._options())

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"socket_connect_timeout": self.connect_timeout}
        if self.username is not None:
            options["username"] = self.username
        if self.password is not None:
            options["password"] = self.password.reveal()
        if self.ca_file is not None:
            options["ssl_ca_certs"] = str(self.ca_file)
        return options

    def _scan(self, prefix: str) -> AsyncIterator[bytes]:
        pattern = "".join(
            f"\\{character}" if character in r"*?[]\^-" else character for character in self.prefix + prefix
        )
        keys: AsyncIterator[bytes] = self._connected().scan_iter(match=f"{pattern}*", count=_BATCH)
        return keys

    async def _unlink(self, client: Any, keys: list[bytes]) -> None:
        """In a cluster, keys of one command would have to share a slot: one command a key, sent in one go."""
        if not keys:
            return
        if self.cluster:
            async with client.pipeline() as pipeline:
                for key in keys:
                    pipeline.delete(key)
                await pipeline.execute()
            return
        try:
            await client.unlink(*keys)
        except ResponseError:  # an old server, or one that forbids it
            await client.delete(*keys)
