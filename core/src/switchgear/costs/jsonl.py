"""A ledger to read with any tool: one JSON object a line, in files that follow each other."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, TypeVar

import attrs
from attrs import field, validators

from switchgear.cost_sink import EVERYTHING, SCHEMA, CostRecord, Selection, Total
from switchgear.costs.amounts import check_amounts
from switchgear.costs.sqlite import SqliteLedger
from switchgear.costs.sqlite_queries import check_groups
from switchgear.money import Charge

T = TypeVar("T")

_BATCH = 5_000  # records; when reading


@attrs.define(eq=False)
class JsonLines:
    """`type = "jsonl"`: lines are only ever added, and where several are about one attempt, the last one counts.

    Several processes may write to the same files. When the newest is full it becomes `<path>.1`, and that one `.2`.
    Reading sorts everything out in a temporary file, about as large. It keeps no budgets for several processes.
    """

    path: Path = field(
        default=Path(".switchgear/ledger.jsonl"),
        metadata={"help": "the newest; relative to the configuration's folder"},
    )
    max_bytes: int = field(
        default=100_000_000, validator=validators.ge(1), metadata={"help": "size at which the next file begins"}
    )
    max_files: int = field(
        default=10,
        validator=validators.ge(1),
        metadata={"help": "files that are kept; the oldest goes, and its records"},
    )
    folder: Path = field(factory=Path, init=False, repr=False)
    skipped: int = field(default=0, init=False)
    """Lines that were no record when it was read last: a crash can leave half of one behind."""
    _taken_in: list[CostRecord] = field(factory=list, init=False, repr=False)

    def cost_recorded(self, record: CostRecord) -> None:
        check_amounts(record)
        self._taken_in.append(record)

    def flush(self) -> None:
        if not self._taken_in:
            return
        lines = "".join([json.dumps(to_json(record), separators=(",", ":")) + "\n" for record in self._taken_in])
        with self._locked() as file:
            if _append(file, lines.encode()) >= self.max_bytes:
                self._begin_another()
        self._taken_in.clear()

    def close(self) -> None:
        pass

    def totals(self, by: Sequence[str] = (), where: Selection = EVERYTHING) -> Iterator[Total]:
        check_groups(by)
        return self._read(lambda ledger: ledger.totals(by, where))

    def records(self, where: Selection = EVERYTHING) -> Iterator[CostRecord]:
        return self._read(lambda ledger: ledger.records(where))

    # Writing

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """The newest file, for this process alone."""
        path = self.folder / self.path
        if not path.parent.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                if _is_same(file, path):
                    yield file
                    return
            finally:
                os.close(file)

    def _begin_another(self) -> None:
        for number in range(self.max_files - 1, 0, -1):
            older = self._numbered(number - 1)
            if older.exists():
                older.replace(self._numbered(number))

    def _numbered(self, number: int) -> Path:
        path = self.folder / self.path
        return path.with_name(f"{path.name}.{number}") if number else path

    # Reading

    def _read(self, ask: Callable[[SqliteLedger], Iterator[T]]) -> Iterator[T]:
        """A ledger in SQLite knows how to tell which of several lines counts, and how to add up."""
        with (
            TemporaryDirectory(prefix="switchgear-") as folder,
            closing(SqliteLedger(path=Path(folder) / "ledger.db")) as ledger,
        ):
            for number, record in enumerate(self._lines(), 1):
                ledger.cost_recorded(record)
                if number % _BATCH == 0:
                    ledger.flush()
            ledger.flush()
            yield from ask(ledger)

    def _lines(self) -> Iterator[CostRecord]:
        self.skipped = 0
        for file, size in self._opened():
            with file:
                while file.tell() < size:
                    record = self._record(file.readline())
                    if record is None:
                        self.skipped += 1
                    else:
                        yield record

    def _opened(self) -> list[tuple[BinaryIO, int]]:
        """All files, oldest first, with their sizes of now: what is added meanwhile is not of this reading.

        The newest is opened first: a file that another process moves meanwhile is then found twice, never missed.
        """
        found: list[tuple[BinaryIO, int]] = []
        for path in map(self._numbered, range(self.max_files)):
            try:
                file = path.open("rb")
            except FileNotFoundError:
                continue
            fcntl.flock(file, fcntl.LOCK_SH)  # when a batch that is being written is whole
            found.insert(0, (file, os.fstat(file.fileno()).st_size))
            fcntl.flock(file, fcntl.LOCK_UN)
        return found

    def _record(self, line: bytes) -> CostRecord | None:
        try:
            values = json.loads(line)
            if values["v"] > SCHEMA:
                raise NewerRecords(f"{self.path} has records of schema {values['v']}, this one knows {SCHEMA}; upgrade")
            return from_json(values)
        except (ValueError, KeyError, TypeError, ArithmeticError):
            return None


class NewerRecords(RuntimeError):
    """Written by a newer Switchgear."""


def to_json(record: CostRecord) -> dict[str, Any]:
    """A record as its line has it: amounts are texts, so that no reader makes floats of them."""
    return {
        "v": SCHEMA,
        "id": record.id,
        "at": record.at,
        "service": record.service,
        "capability": record.capability,
        "provider": record.provider,
        "kind": record.kind,
        "charge": record.charge.value,
        "outcome": record.outcome,
        "currency": record.currency,
        "cost": _amount(record.cost),
        "estimate": _amount(record.estimate),
        "usage": {unit: f"{amount:f}" for unit, amount in record.usage.items()},
        "latency": record.latency,
        "tenant": record.tenant,
        "tags": record.tags,
        "budgets": record.budgets,
        "holder": record.holder,
        "saved": f"{record.saved:f}",
        "hits": record.hits,
    }


def from_json(values: dict[str, Any]) -> CostRecord:
    """What `to_json` made. Raises `ValueError`, `KeyError`, `TypeError` or `ArithmeticError` for anything else."""
    given = {name: value for name, value in values.items() if name != "v"}
    record = CostRecord(
        **given
        | {
            "charge": Charge(values["charge"]),
            "cost": None if values["cost"] is None else Decimal(values["cost"]),
            "estimate": None if values["estimate"] is None else Decimal(values["estimate"]),
            "usage": {unit: Decimal(amount) for unit, amount in values["usage"].items()},
            "tags": tuple(values["tags"]),
            "budgets": tuple(values["budgets"]),
            "saved": Decimal(values["saved"]),
        }
    )
    check_amounts(record)
    return record


def _amount(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def _append(file: int, lines: bytes) -> int:
    """Add the lines, all or none; the file's size after it."""
    size = os.lseek(file, 0, os.SEEK_END)
    if size and os.pread(file, 1, size - 1) != b"\n":
        lines = b"\n" + lines  # after half a line that a crash has left
    left = memoryview(lines)
    try:
        while left:
            left = left[os.write(file, left) :]
    except OSError:
        os.ftruncate(file, size)
        raise
    return size + len(lines)


def _is_same(file: int, path: Path) -> bool:
    """Whether the file still has this name: somebody else may have begun another one while we waited."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False
