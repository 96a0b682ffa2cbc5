"""Records for other programs."""

import csv
import io
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest
from switchgear.cost_sink import CostRecord
from switchgear.errors import UsageError
from switchgear.money import Charge
from switchgear.reports.exports import write_csv, write_json
from switchgear.reports.fields import FIELDS, fields_of
from switchgear.reports.parquet import write_parquet


@pytest.fixture
def full(record: Any) -> CostRecord:
    """A record with something in every field."""
    made: CostRecord = record(
        id="call9.2",
        kind="fallback",
        charge=Charge.IN_DOUBT,
        outcome="timeout",
        currency="EUR",
        cost=Decimal("0.0000015"),
        estimate=Decimal("12345678901.000000001"),
        usage={"pages": Decimal("2.50"), "characters": Decimal(120)},
        latency=0.25,
        tenant='Acme, "Inc"\n',
        tags=("b", "a"),
        budgets=("month",),
        holder="host-1",
        saved=Decimal("0.5"),
        hits=3,
    )
    return made


def test_every_field_of_a_record_is_exported(full: CostRecord) -> None:
    assert {*FIELDS} == {field.name for field in attrs.fields(CostRecord)} | {"schema", "call_id"}
    assert tuple(fields_of(full)) == FIELDS


def test_csv_has_exact_amounts_without_exponents(full: CostRecord) -> None:
    file = io.StringIO()
    assert write_csv([full], file) == 1
    (row,) = csv.DictReader(io.StringIO(file.getvalue()))
    assert row == {
        "schema": "1",
        "id": "call9.2",
        "call_id": "call9",
        "at": "2026-11-24T12:00:00.000000Z",
        "service": "scans",
        "capability": "ocr",
        "provider": "fast",
        "kind": "fallback",
        "charge": "in_doubt",
        "outcome": "timeout",
        "currency": "EUR",
        "cost": "0.0000015",
        "estimate": "12345678901.000000001",
        "usage": "characters=120 pages=2.5",
        "latency": "0.25",
        "tenant": 'Acme, "Inc"\n',
        "tags": "b, a",
        "budgets": "month",
        "holder": "host-1",
        "saved": "0.5",
        "hits": "3",
    }


def test_unknown_is_empty_and_not_0(record: Any) -> None:
    texts = io.StringIO(), io.StringIO()
    write_csv([record(cost=None)], texts[0])
    write_json([record(cost=None)], texts[1])
    assert next(csv.DictReader(io.StringIO(texts[0].getvalue())))["cost"] == ""
    assert json.loads(texts[1].getvalue())[0]["cost"] is None


def test_json_is_one_array_with_a_record_on_each_line(full: CostRecord, record: Any) -> None:
    file = io.StringIO()
    assert write_json([full, record()], file) == 2
    read = json.loads(file.getvalue())
    assert read[0]["usage"] == {"pages": "2.50", "characters": "120"}
    assert read[0]["tags"] == ["b", "a"]
    assert [json.loads(line.rstrip(","))["id"] for line in file.getvalue().splitlines()[1:-1]] == [
        each["id"] for each in read
    ]


def test_no_records_are_still_a_file(record: Any) -> None:
    texts = io.StringIO(), io.StringIO()
    assert (write_csv([], texts[0]), write_json([], texts[1])) == (0, 0)
    assert texts[0].getvalue() == ",".join(FIELDS) + "\n"
    assert json.loads(texts[1].getvalue()) == []


@pytest.mark.parametrize("write", [write_csv, write_json])
def test_records_are_written_as_they_are_read(write: Any, record: Any) -> None:
    """At no time is more than one of them waiting to be written."""
    file = io.StringIO()

    def records() -> Iterator[CostRecord]:
        for number in range(100):
            yield record(id=f"n{number}.1")
            assert f"n{number}.1" in file.getvalue()

    assert write(records(), file) == 100


def test_parquet_has_types_of_its_own(full: CostRecord, record: Any) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    file = io.BytesIO()
    assert write_parquet([full, record(cost=None)], file) == 2
    table = parquet.read_table(io.BytesIO(file.getvalue()))
    assert tuple(table.column_names) == FIELDS
    first, second = table.to_pylist()
    assert first["at"] == datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert first["cost"] == Decimal("0.0000015")
    assert first["estimate"] == Decimal("12345678901.000000001")
    assert first["usage"] == [("characters", Decimal(120)), ("pages", Decimal("2.5"))]
    assert (first["tags"], first["hits"], first["latency"]) == (["b", "a"], 3, 0.25)
    assert (second["cost"], second["tenant"]) == (None, None)


def test_parquet_is_written_in_batches(record: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr("switchgear.reports.parquet._BATCH", 10)
    file = io.BytesIO()
    assert write_parquet((record() for _ in range(25)), file) == 25
    read = parquet.ParquetFile(io.BytesIO(file.getvalue()))
    assert (read.num_row_groups, read.metadata.num_rows) == (3, 25)


def test_parquet_of_nothing_has_its_columns() -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    file = io.BytesIO()
    assert write_parquet([], file) == 0
    assert tuple(parquet.read_table(io.BytesIO(file.getvalue())).column_names) == FIELDS


def test_without_pyarrow_the_command_that_brings_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match="needs pyarrow") as caught:
        write_parquet([], io.BytesIO())
    assert caught.value.remedy == "Run: pip install 'switchgear[parquet]'"
