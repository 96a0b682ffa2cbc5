"""Cost records as a Parquet file. Needs the extra `switchgear[parquet]`."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from importlib import import_module
from itertools import islice
from typing import IO, Any

from switchgear.cost_sink import CostRecord
from switchgear.errors import UsageError
from switchgear.reports.fields import FIELDS, fields_of

_BATCH = 20_000  # records of a row group
_NINE_PLACES = Decimal("1e-9")


def write_parquet(records: Iterable[CostRecord], file: IO[bytes]) -> int:
    """Amounts as decimal128 with nine places (usage is rounded to them), moments as timestamps in UTC.

    Returns how many records there were. Raises `UsageError` where pyarrow is not installed.
    """
    arrow, parquet = _pyarrow()
    schema = _schema(arrow)
    count = 0
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in _batches(records):
            columns = [[each[name] for each in batch] for name in FIELDS]
            arrays = [arrow.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))
            count += len(batch)
    return count


def _batches(records: Iterable[CostRecord]) -> Iterator[list[dict[str, Any]]]:
    rows = map(_row, records)
    while batch := list(islice(rows, _BATCH)):
        yield batch


def _row(record: CostRecord) -> dict[str, Any]:
    usage = [(unit, amount.quantize(_NINE_PLACES)) for unit, amount in sorted(record.usage.items())]
    return {**fields_of(record), "usage": usage}


def _schema(arrow: Any) -> Any:
    text, amount = arrow.string(), arrow.decimal128(38, 9)
    types = {
        "schema": arrow.int16(),
        "at": arrow.timestamp("us", tz="UTC"),
        "cost": amount,
        "estimate": amount,
        "saved": amount,
        "usage": arrow.map_(text, amount),
        "latency": arrow.float64(),
        "tags": arrow.list_(text),
        "budgets": arrow.list_(text),
        "hits": arrow.int64(),
    }
    return arrow.schema([(name, types.get(name, text)) for name in FIELDS])


def _pyarrow() -> tuple[Any, Any]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        problem = UsageError("Parquet needs pyarrow, which is not installed")
        problem.remedy = "Run: pip install 'switchgear[parquet]'"
        raise problem from None
