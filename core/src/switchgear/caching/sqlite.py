"""Answers in a file: they outlive the process, and several processes may use it at the same time."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

import attrs
from attrs import field, validators

from switchgear.cache import NotKept, Size
from switchgear.clock import SYSTEM_CLOCK, Clock
from switchgear.logs import logger

T = TypeVar("T")

_APPLICATION = 0x53474341  # "SGCA": what tells our files from others
_FORMAT = 1
_BUSY = 0.2  # seconds that a write waits for another process's; longer than it takes, shorter than callers wait
_SWEEP = 200  # writes after which what is too old or too much goes

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
    key TEXT PRIMARY KEY, value BLOB NOT NULL, size INTEGER NOT NULL, written REAL NOT NULL, expires REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS entry_age ON entry (written, size);
CREATE INDEX IF NOT EXISTS entry_expiry ON entry (expires);
"""
_PAGE_OF_KEYS = "SELECT key FROM entry WHERE key >= ? AND key < ? ORDER BY key LIMIT 500"
_PUT = "INSERT OR REPLACE INTO entry (key, value, size, written, expires) VALUES (?, ?, ?, ?, ?)"
_NEWEST = """
DELETE FROM entry WHERE key IN (
    SELECT key FROM (
        SELECT key, row_number() OVER newest AS number, sum(size) OVER newest AS total
        FROM entry WINDOW newest AS (ORDER BY written DESC, key)
    ) WHERE number > ? OR total > ?
)
"""


@attrs.define(eq=False)
class Sqlite:
    """`type = "sqlite"`: a write-ahead log makes a file that no crash damages; the oldest answers go first.

    What has been set survives the end of the process, however it ends; the last of it may be lost with the power.
    """

    keeps: ClassVar[Literal["bytes", "entries"]] = "bytes"

    path: Path = field(
        default=Path(".switchgear/cache.db"), metadata={"help": "the file; relative to the configuration's folder"}
    )
    max_entries: int = field(default=100_000, validator=validators.ge(1), metadata={"help": "answers at the most"})
    max_bytes: int = field(default=1_000_000_000, validator=validators.ge(1), metadata={"help": "of answers at most"})
    clock: Clock = field(default=SYSTEM_CLOCK, init=False, repr=False)
    folder: Path = field(factory=Path, init=False, repr=False)
    _thread: ThreadPoolExecutor | None = field(default=None, init=False, repr=False)
    _connection: sqlite3.Connection | None = field(default=None, init=False, repr=False)
    _writes: int = field(default=0, init=False, repr=False)

    async def get(self, key: str) -> bytes | None:
        return await self._run(lambda: self._get(key))

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        if len(value) > self.max_bytes:
            raise NotKept(f"{len(value):,} bytes, more than max_bytes")
        await self._run(lambda: self._set(key, value, ttl))

    async def delete(self, key: str) -> None:
        await self._run(lambda: self._write("DELETE FROM entry WHERE key = ?", (key,)))

    async def clear(self, prefix: str) -> None:
        await self._run(lambda: self._write("DELETE FROM entry WHERE key >= ? AND key < ?", _range(prefix)))

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        start, end = _range(prefix)
        while found := await self._run(partial(self._all, _PAGE_OF_KEYS, (start, end))):
            for (key,) in found:
                yield key
            start = f"{found[-1][0]}\0"

    async def size(self) -> Size:
        ((entries, total),) = await self._run(lambda: self._all("SELECT count(*), total(size) FROM entry", ()))
        return Size(entries, int(total))

    async def aclose(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.wrap_future(thread.submit(self._disconnect))
            thread.shutdown(wait=False)

    # In the worker thread

    async def _run(self, work: Callable[[], T]) -> T:
        """In one thread of its own: SQLite waits for the disk, and a connection is used by one at a time."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="switchgear-cache")
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._contained, work)

    def _contained(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) or self._connection is None:
                raise
            self._set_aside(error)
            return work()

    def _get(self, key: str) -> bytes | None:
        row = self._open().execute("SELECT value FROM entry WHERE key = ?", (key,)).fetchone()
        return None if row is None else row[0]

    def _set(self, key: str, value: bytes, ttl: float) -> None:
        now = self.clock.utc().timestamp()
        self._write(_PUT, (key, value, len(value), now, now + ttl))
        self._writes += 1
        if self._writes % _SWEEP == 1:
            self._sweep(now)

    def _sweep(self, now: float) -> None:
        self._write("DELETE FROM entry WHERE expires < ?", (now,))
        ((entries, total),) = self._all("SELECT count(*), total(size) FROM entry", ())
        if entries > self.max_entries or total > self.max_bytes:
            self._write(_NEWEST, (self.max_entries, self.max_bytes))

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        self._open().execute(statement, values)

    def _all(self, query: str, values: tuple[object, ...]) -> list[Any]:
        return self._open().execute(query, values).fetchall()

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        path = self.folder / self.path
        if not path.parent.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Before SQLite makes it: what it holds may be confidential, and its side files take over its mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        ((application,),) = connection.execute("PRAGMA application_id")
        ((tables,),) = connection.execute("SELECT count(*) FROM sqlite_master")
        if tables and application != _APPLICATION:
            raise sqlite3.OperationalError(f"{self.path} is somebody else's database")
        ((version,),) = connection.execute("PRAGMA user_version")
        if version not in (0, _FORMAT):
            raise sqlite3.OperationalError(f"{self.path} is of another version")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        if version == 0:
            connection.executescript(
                f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA application_id = {_APPLICATION};"
                f"PRAGMA user_version = {_FORMAT}; COMMIT;"
            )

    def _set_aside(self, error: sqlite3.DatabaseError) -> None:
        """A file of ours that can no longer be read is of no use to anybody, but deleting is not for us."""
        self._disconnect()
        path = self.folder / self.path
        logger.error("{}: damaged ({}), goes on with a new file beside it", path, error)
        path.replace(path.with_name(f"{path.name}.damaged"))
        for side in ("-wal", "-shm"):
            path.with_name(path.name + side).unlink(missing_ok=True)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _range(prefix: str) -> tuple[str, str]:
    """All keys that start so: from the prefix to what comes after its last possible character."""
    return prefix, f"{prefix}\U0010ffff"
