"""The embedded ledger: cost records and shared budgets in one file, for the processes of one machine."""

# ruff: noqa: S608 (statements are put together from names in these files alone)

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import attrs
from attrs import field

from switchgear.cost_sink import EVERYTHING, CostRecord, Lease, Selection, Total, usage_text
from switchgear.costs.amounts import check_amounts
from switchgear.costs.movements import Movements, replaces
from switchgear.costs.sqlite_queries import COLUMNS, check_groups, read_records, read_totals
from switchgear.logs import logger
from switchgear.money import Charge, from_nanos, to_nanos
from switchgear.totals import tags_text

T = TypeVar("T")

_APPLICATION = 0x53474C45  # "SGLE": what tells our files from others
_BUSY = 5.0  # seconds to wait for another process's transaction
_PAGES = 2_000  # of the write-ahead log, 4 KiB each, before it is worked into the file
_READER_CACHE = 64_000  # KiB; what is sorted and does not fit goes to a temporary file
_CHUNK = 500  # ids in one question
_MOST_LABELS = 20_000  # remembered; names come from requests

# Each entry takes a file from one format to the next. Amounts are billionths. What many records have in common is kept
# once, as their label: they are written and added up several times faster. Accounts are TEXT, for sums beyond 64 bits.
_MIGRATIONS = (
    """
CREATE TABLE label (
    label INTEGER PRIMARY KEY, service TEXT NOT NULL, capability TEXT NOT NULL, provider TEXT NOT NULL,
    kind TEXT NOT NULL, charge TEXT NOT NULL, outcome TEXT NOT NULL, currency TEXT NOT NULL, tenant TEXT,
    tag_list TEXT NOT NULL, budget_list TEXT NOT NULL, holder TEXT NOT NULL, tags TEXT NOT NULL,
    UNIQUE (service, capability, provider, kind, charge, outcome, currency, tenant, tag_list, budget_list, holder)
) STRICT;
CREATE TABLE record (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, label INTEGER NOT NULL, cost INTEGER,
    estimate INTEGER, usage TEXT NOT NULL, latency REAL NOT NULL, saved INTEGER NOT NULL, hits INTEGER NOT NULL
) STRICT;
CREATE INDEX record_at ON record (at);
CREATE TABLE account (account TEXT PRIMARY KEY, spent TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE lease (
    account TEXT NOT NULL, holder TEXT NOT NULL, amount TEXT NOT NULL, until INTEGER NOT NULL,
    PRIMARY KEY (account, holder)
) STRICT, WITHOUT ROWID;
CREATE VIEW costs AS SELECT
    id, strftime('%Y-%m-%d %H:%M:%f', at / 1000000.0, 'unixepoch') AS utc, service, capability, provider, kind, charge,
    outcome, currency, cost / 1e9 AS cost, estimate / 1e9 AS estimate, usage, latency, tenant, tags,
    saved / 1e9 AS saved, hits FROM record JOIN label USING (label);
""",
)

_VALUES = "(id, at, label, cost, estimate, usage, latency, saved, hits)", "(?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT = "INSERT INTO record {} VALUES {} ON CONFLICT (id) DO NOTHING".format(*_VALUES)
_REPLACE = "UPDATE record SET {} = {} WHERE id = ?".format(*_VALUES)
_KNOWN = """
SELECT id, cost, charge, budget_list FROM record JOIN label USING (label)
WHERE id IN (SELECT value FROM json_each(?)) AND number <= ?
"""
_LABEL = "SELECT label FROM label WHERE {}".format(" AND ".join(f"{column} IS ?" for column in COLUMNS))
_NEW_LABEL = "INSERT INTO label ({}, tags) VALUES ({})".format(", ".join(COLUMNS), ", ".join("?" * (len(COLUMNS) + 1)))
_SPEND = "INSERT INTO account VALUES (?, ?) ON CONFLICT DO UPDATE SET spent = excluded.spent"
_LEASE = "INSERT OR REPLACE INTO lease (account, holder, amount, until) VALUES (?, ?, ?, ?)"


@attrs.define(eq=False)
class SqliteLedger:
    """`type = "sqlite"`: every record once, however often it is handed over, and budgets that several processes share.

    What has been flushed survives the end of the process, however it ends; the last of it may be lost with the power.
    An amount beyond ±9,223,372,036.854775807 is refused by `cost_recorded`, as a `ValueError`.
    """

    path: Path = field(
        default=Path(".switchgear/ledger.db"), metadata={"help": "the file; relative to the configuration's folder"}
    )
    folder: Path = field(factory=Path, init=False, repr=False)
    _taken_in: dict[str, CostRecord] = field(factory=dict, init=False, repr=False)
    _labels: dict[tuple[Any, ...], int] = field(factory=dict, init=False, repr=False)
    _connection: sqlite3.Connection | None = field(default=None, init=False, repr=False)

    def cost_recorded(self, record: CostRecord) -> None:
        check_amounts(record)
        earlier = self._taken_in.get(record.id)
        if earlier is None or replaces(record, earlier.charge):
            self._taken_in[record.id] = record

    def flush(self) -> None:
        if self._taken_in:
            self._contained(self._write)
            self._taken_in.clear()

    def close(self) -> None:
        self._disconnect()

    def totals(self, by: Sequence[str] = (), where: Selection = EVERYTHING) -> Iterator[Total]:
        check_groups(by)
        return self._read(lambda connection: read_totals(connection, by, where))

    def records(self, where: Selection = EVERYTHING) -> Iterator[CostRecord]:
        return self._read(lambda connection: read_records(connection, where))

    def lease(
        self, account: str, holder: str, *, limit: Decimal, want: Decimal, need: Decimal, now: int, until: int
    ) -> Lease:
        amounts = to_nanos(limit), to_nanos(want), to_nanos(need)
        return self._contained(lambda: self._lease(account, holder, amounts, now, until))

    def give_back(self, account: str, holder: str, amount: Decimal) -> None:
        def work() -> None:
            with self._transaction() as connection:
                _shrink(connection, account, holder, to_nanos(amount))

        self._contained(work)

    def spent(self, account: str) -> Decimal:
        return from_nanos(self._contained(lambda: _spent(self._open(), account)))

    # Writing

    def _write(self) -> None:
        records = list(self._taken_in.values())
        with self._transaction() as connection:
            ((last,),) = connection.execute("SELECT coalesce(max(number), 0) FROM record")
            rows = [self._row(connection, record) for record in records]
            known: dict[str, tuple[int | None, str, str]] = {}
            if connection.executemany(_INSERT, rows).rowcount < len(rows):
                known = _known(connection, [record.id for record in records], last)
            movements = Movements()
            for record, row in zip(records, rows, strict=True):
                if record.id in known:
                    self._replace(connection, record, row, known[record.id], movements)
                elif record.budgets:
                    movements.add(record)
            _move(connection, movements)

    def _replace(
        self,
        connection: sqlite3.Connection,
        record: CostRecord,
        row: tuple[Any, ...],
        known: tuple[int | None, str, str],
        movements: Movements,
    ) -> None:
        cost, charge, budgets = known[0], Charge(known[1]), json.loads(known[2])
        if replaces(record, charge):
            connection.execute(_REPLACE, (*row, record.id))
            movements.add(record, 0 if charge is Charge.FREE else cost or 0, budgets)

    def _row(self, connection: sqlite3.Connection, record: CostRecord) -> tuple[Any, ...]:
        key = (
            record.service,
            record.capability,
            record.provider,
            record.kind,
            record.charge.value,
            record.outcome,
            record.currency,
            record.tenant,
            record.tags,
            record.budgets,
            record.holder,
        )
        label = self._labels.get(key)
        if label is None:
            label = self._label(connection, key)
        cost, estimate = record.cost, record.estimate
        return (
            record.id,
            record.at,
            label,
            None if cost is None else to_nanos(cost),
            None if estimate is None else to_nanos(estimate),
            _text(usage_text(record.usage)) if record.usage else "",
            record.latency,
            to_nanos(record.saved) if record.saved else 0,
            record.hits,
        )

    def _label(self, connection: sqlite3.Connection, key: tuple[Any, ...]) -> int:
        *texts, tags, budgets, holder = key
        values = [*map(_text, texts), json.dumps(tags), json.dumps(budgets), _text(holder)]
        found = connection.execute(_LABEL, values).fetchone()
        if found is None:
            connection.execute(_NEW_LABEL, [*values, _text(tags_text(tags))])
            found = connection.execute("SELECT last_insert_rowid()").fetchone()
        label: int = found[0]
        if len(self._labels) >= _MOST_LABELS:
            self._labels.clear()
        self._labels[key] = label
        return label

    def _lease(self, account: str, holder: str, amounts: tuple[int, int, int], now: int, until: int) -> Lease:
        limit, want, need = amounts
        with self._transaction() as connection:
            connection.execute("DELETE FROM lease WHERE account = ? AND until <= ?", (account, now))
            spent = _spent(connection, account)
            found = connection.execute("SELECT holder, amount, until FROM lease WHERE account = ?", (account,))
            leases = {name: (int(amount), end) for name, amount, end in found}
            own, end = leases.pop(holder, (0, until))
            elsewhere = sum(amount for amount, _ in leases.values())
            left = limit - spent - elsewhere - own
            granted = want if left >= want else need if left >= need else 0
            if own + granted:
                connection.execute(_LEASE, (account, holder, str(own + granted), max(end, until)))
        return Lease(*map(from_nanos, (granted, left - granted, elsewhere, spent)))

    # The file

    def _contained(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except sqlite3.DatabaseError as error:
            # Its subclasses are of trouble that passes, or of our making.
            if type(error) is not sqlite3.DatabaseError:
                raise
            self._set_aside(error)
            return work()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._open()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            self._labels.clear()  # those that were new are gone
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _read(self, read: Callable[[sqlite3.Connection], Iterator[T]]) -> Iterator[T]:
        """On a connection of its own: what is read is of one moment, whatever is written meanwhile."""
        path = self.folder / self.path
        if not path.exists():
            return
        # Where no side file can be made, and none is there, nobody is writing.
        is_still = not (os.access(path.parent, os.W_OK) or path.with_name(f"{path.name}-wal").exists())
        name = f"{path.absolute().as_uri()}?{'immutable=1' if is_still else 'mode=ro'}"
        with closing(sqlite3.connect(name, uri=True, timeout=_BUSY)) as connection:
            if _format(connection, path) < len(_MIGRATIONS):
                self._open()
            connection.execute(f"PRAGMA cache_size = -{_READER_CACHE}")
            connection.execute("BEGIN")
            yield from read(connection)

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        path = self.folder / self.path
        if not path.parent.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Before SQLite makes it: what it holds is nobody else's business, and its side files take over its mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection

    def _set_aside(self, error: sqlite3.DatabaseError) -> None:
        """Whole, with its side files: much of it can be read by SQLite's own tools."""
        self._disconnect()
        path = self.folder / self.path
        aside = next(
            name for number in range(1, 1000) if not (name := path.with_name(f"{path.name}.damaged-{number}")).exists()
        )
        logger.error("{}: damaged ({}); kept as {}, goes on with a new file", path, error, aside.name)
        for side in ("-wal", "-shm", ""):
            file = path.with_name(path.name + side)
            if file.exists():
                file.replace(aside.with_name(aside.name + side))

    def _disconnect(self) -> None:
        self._labels.clear()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _format(connection: sqlite3.Connection, path: Path) -> int:
    """How far the file has come; 0 if it is new. Raises `sqlite3.OperationalError` if we cannot use it."""
    # In this order: another process may be making the file, and both become true together.
    ((tables,),) = connection.execute("SELECT count(*) FROM sqlite_master")
    ((application,),) = connection.execute("PRAGMA application_id")
    if tables and application != _APPLICATION:
        raise sqlite3.OperationalError(f"{path} is somebody else's database; name another file as `path`")
    ((version,),) = connection.execute("PRAGMA user_version")
    if version > len(_MIGRATIONS):
        known = f"format {version}, this one knows {len(_MIGRATIONS)}"
        raise sqlite3.OperationalError(f"{path} was written by a newer Switchgear ({known}); upgrade, or name another")
    return int(version)


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    version = _format(connection, path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_PAGES}")
    if version == len(_MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    # Another process may have been quicker.
    for number in range(_format(connection, path), len(_MIGRATIONS)):
        for statement in _MIGRATIONS[number].split(";\n"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number + 1}")
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
    connection.execute("COMMIT")


def _known(connection: sqlite3.Connection, ids: Sequence[str], last: int) -> dict[str, tuple[int | None, str, str]]:
    """Cost, charge and budgets of those records that were there before."""
    found: dict[str, tuple[int | None, str, str]] = {}
    for start in range(0, len(ids), _CHUNK):
        for name, *known in connection.execute(_KNOWN, (json.dumps(ids[start : start + _CHUNK]), last)):
            found[name] = (known[0], known[1], known[2])
    return found


def _move(connection: sqlite3.Connection, movements: Movements) -> None:
    for account, amount in movements.spent.items():
        if amount:
            connection.execute(_SPEND, (account, str(_spent(connection, account) + amount)))
    for (account, holder), amount in movements.settled.items():
        _shrink(connection, account, holder, amount)


def _spent(connection: sqlite3.Connection, account: str) -> int:
    found = connection.execute("SELECT spent FROM account WHERE account = ?", (account,)).fetchone()
    return int(found[0]) if found else 0


def _shrink(connection: sqlite3.Connection, account: str, holder: str, amount: int) -> None:
    found = connection.execute(
        "SELECT amount FROM lease WHERE account = ? AND holder = ?", (account, holder)
    ).fetchone()
    if found:
        left = str(max(0, int(found[0]) - amount))
        connection.execute("UPDATE lease SET amount = ? WHERE account = ? AND holder = ?", (left, account, holder))


def _text(value: str | None) -> str | None:
    """What SQLite takes: half a surrogate pair, as bytes of a broken text come in, is no character."""
    return value if value is None or value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
