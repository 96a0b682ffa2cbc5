"""Answers in a file: they outlive the process, and several processes may use it at the same time."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
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
_FORMAT = 2
_BUSY = 0.2  # seconds that a write waits for another process's; longer than it takes, shorter than callers wait
_SWEEP = 200  # writes after which what is too old or too much goes
_MOST = 1000  # entries that go at once, so that nobody waits long; the rest goes next time
_MOMENT = 60.0  # seconds for which an entry counts as just used: noting each use would cost more than the look-up
_USES = 100  # that are noted together

# Amounts are kept by triggers, so that nobody has to count: of each service, with which keys begin up to the colon.
_SCHEMA = (
    "DROP TABLE IF EXISTS entry",
    "DROP TABLE IF EXISTS amount",
    "CREATE TABLE entry (key TEXT PRIMARY KEY, value BLOB NOT NULL,"
    " size INTEGER NOT NULL, used REAL NOT NULL, expires REAL NOT NULL)",
    "CREATE INDEX entry_use ON entry (used, key, size)",
    "CREATE INDEX entry_expiry ON entry (expires)",
    "CREATE TABLE amount (service TEXT PRIMARY KEY, entries INTEGER NOT NULL, bytes INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TRIGGER entry_added AFTER INSERT ON entry BEGIN"
    " INSERT INTO amount VALUES (substr(new.key, 1, instr(new.key, ':')), 1, new.size)"
    " ON CONFLICT DO UPDATE SET entries = entries + 1, bytes = bytes + excluded.bytes; END",
    "CREATE TRIGGER entry_replaced AFTER UPDATE OF size ON entry BEGIN"
    " UPDATE amount SET bytes = bytes + new.size - old.size"
    " WHERE service = substr(new.key, 1, instr(new.key, ':')); END",
    "CREATE TRIGGER entry_removed AFTER DELETE ON entry BEGIN"
    " UPDATE amount SET entries = entries - 1, bytes = bytes - old.size"
    " WHERE service = substr(old.key, 1, instr(old.key, ':')); END",
    f"PRAGMA application_id = {_APPLICATION}",
    f"PRAGMA user_version = {_FORMAT}",
)
_PAGE_OF_KEYS = "SELECT key FROM entry WHERE key >= ? AND key < ? ORDER BY key LIMIT 500"
_PUT = (
    "INSERT INTO entry (key, value, size, used, expires) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
    " SET value = excluded.value, size = excluded.size, used = excluded.used, expires = excluded.expires"
)
_DELETE = "DELETE FROM entry WHERE key = ?"
_DELETE_EXPIRED = "DELETE FROM entry WHERE key IN (SELECT key FROM entry WHERE expires < ? LIMIT ?)"
_LEAST_USED = "SELECT key, size FROM entry ORDER BY used, key LIMIT ?"
_AMOUNT = "SELECT total(entries), total(bytes) FROM amount WHERE service >= ? AND service < ?"
_COUNT = "SELECT count(*), total(size) FROM entry WHERE key >= ? AND key < ?"


@attrs.define(eq=False)
class Sqlite:
    """`type = "sqlite"`: a write-ahead log makes a file that no crash damages; the longest unused answers go first.

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
    _used: dict[str, float] = field(factory=dict, init=False, repr=False)

    async def get(self, key: str) -> bytes | None:
        return await self._run(lambda: self._get(key))

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        if len(value) > self.max_bytes:
            raise NotKept(f"{len(value):,} bytes, more than max_bytes")
        await self._run(lambda: self._set(key, value, ttl))

    async def delete(self, key: str) -> None:
        await self._run(lambda: self._write(_DELETE, (key,)))

    async def clear(self, prefix: str) -> None:
        await self._run(lambda: self._write("DELETE FROM entry WHERE key >= ? AND key < ?", _range(prefix)))

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        start, end = _range(prefix)
        while found := await self._run(partial(self._all, _PAGE_OF_KEYS, (start, end))):
            for (key,) in found:
                yield key
            start = f"{found[-1][0]}\0"

    async def size(self, prefix: str = "") -> Size:
        """At once for all, and for the keys of a service; other beginnings are counted, without reading values."""
        return await self._run(lambda: self._size(prefix))

    async def aclose(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.wrap_future(thread.submit(self._end))
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
            if isinstance(error, sqlite3.OperationalError):
                # Locked, full, not to be opened: said by SQLite alone, so that it can be repeated in figures and logs.
                raise OSError(f"{self.path}: {error}") from error
            if self._connection is None:
                raise
            self._set_aside(error)
            return work()

    def _get(self, key: str) -> bytes | None:
        row = self._open().execute("SELECT value, used FROM entry WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        now = self.clock.utc().timestamp()
        if now - row[1] > _MOMENT:
            self._used[key] = now
            if len(self._used) >= _USES:
                self._note_uses()
        value: bytes = row[0]
        return value

    def _note_uses(self) -> None:
        used, self._used = self._used, {}
        # Another process may be writing, or the disk be full: then what was used just goes a little earlier.
        with suppress(sqlite3.OperationalError):
            self._write_all("UPDATE entry SET used = ? WHERE key = ?", [(now, key) for key, now in used.items()])

    def _set(self, key: str, value: bytes, ttl: float) -> None:
        now = self.clock.utc().timestamp()
        self._write(_PUT, (key, value, len(value), now, now + ttl))
        self._writes += 1
        if self._writes % _SWEEP == 1:
            self._sweep(now)

    def _sweep(self, now: float) -> None:
        self._note_uses()
        self._write(_DELETE_EXPIRED, (now, _MOST))
        ((entries, total),) = self._all(_AMOUNT, _range(""))
        gone = []
        for key, size in self._all(_LEAST_USED, (_MOST,)) if self._is_too_much(entries, total) else ():
            if not self._is_too_much(entries, total):
                break
            gone.append((key,))
            entries, total = entries - 1, total - size
        self._write_all(_DELETE, gone)

    def _is_too_much(self, entries: float, total: float) -> bool:
        return entries > self.max_entries or total > self.max_bytes

    def _size(self, prefix: str) -> Size:
        is_of_services = not prefix or prefix.find(":") == len(prefix) - 1
        ((entries, total),) = self._all(_AMOUNT if is_of_services else _COUNT, _range(prefix))
        return Size(int(entries), int(total))

    def _write_all(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        if rows:
            connection = self._open()
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(statement, rows)

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
        # In this order: another process may be making it, and writes both at once.
        ((tables,),) = connection.execute("SELECT count(*) FROM sqlite_master")
        ((application,),) = connection.execute("PRAGMA application_id")
        if tables and application != _APPLICATION:
            raise OSError(f"{self.path} is somebody else's database")
        if _version(connection) > _FORMAT:
            raise OSError(f"{self.path} is of a newer version of switchgear")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        if _version(connection) < _FORMAT:
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                # Again: another process may have done it meanwhile. What an older version kept is bought once more.
                for statement in _SCHEMA if _version(connection) < _FORMAT else ():
                    connection.execute(statement)

    def _set_aside(self, error: sqlite3.DatabaseError) -> None:
        """A file of ours that can no longer be read is of no use to anybody, but deleting is not for us."""
        self._disconnect()
        path = self.folder / self.path
        logger.error("{}: damaged ({}), goes on with a new file beside it", path, error)
        path.replace(path.with_name(f"{path.name}.damaged"))
        for side in ("-wal", "-shm"):
            path.with_name(path.name + side).unlink(missing_ok=True)

    def _end(self) -> None:
        if self._used:
            self._note_uses()
        self._disconnect()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _version(connection: sqlite3.Connection) -> int:
    ((version,),) = connection.execute("PRAGMA user_version")
    return int(version)


def _range(prefix: str) -> tuple[str, str]:
    """All keys that start so: from the prefix to what comes after its last possible character."""
    return prefix, f"{prefix}\U0010ffff"
