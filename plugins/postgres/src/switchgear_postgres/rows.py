"""A cost record as a row of the table, and back."""

from collections.abc import Sequence
from typing import Any

from switchgear.cost_sink import CostRecord, usage_from, usage_text
from switchgear.money import Charge, from_nanos, to_nanos
from switchgear.totals import tags_text

COLUMNS = (
    "id", "at", "service", "capability", "provider", "kind", "charge", "outcome", "currency", "cost", "estimate",
    "usage", "latency", "tenant", "tags", "budgets", "holder", "saved", "hits",
)  # fmt: skip
# A row has one more: its tags in one text, to group by.
TYPES = ("text", "int8", *["text"] * 7, "int8", "int8", "text", "float8", "text", "text[]", "text[]", "text", "int8",
         "int8", "text")  # fmt: skip


def row_of(record: CostRecord) -> tuple[Any, ...]:
    cost, estimate, tags = record.cost, record.estimate, record.tags
    return (
        record.id,
        record.at,
        text(record.service),
        text(record.capability),
        text(record.provider),
        record.kind,
        record.charge.value,
        text(record.outcome),
        record.currency,
        None if cost is None else to_nanos(cost),
        None if estimate is None else to_nanos(estimate),
        text(usage_text(record.usage)) if record.usage else "",
        record.latency,
        None if record.tenant is None else text(record.tenant),
        list(map(text, tags)),
        list(map(text, record.budgets)),
        text(record.holder),
        to_nanos(record.saved),
        record.hits,
        text(tags_text(tags)) if tags else "",
    )


def record_of(row: Sequence[Any]) -> CostRecord:
    values = dict(zip(COLUMNS, row, strict=True))
    return CostRecord(
        **values
        | {
            "charge": Charge(values["charge"]),
            "cost": None if values["cost"] is None else from_nanos(values["cost"]),
            "estimate": None if values["estimate"] is None else from_nanos(values["estimate"]),
            "usage": usage_from(values["usage"]),
            "tags": tuple(values["tags"]),
            "budgets": tuple(values["budgets"]),
            "saved": from_nanos(values["saved"]),
        }
    )


def text(value: str) -> str:
    """What PostgreSQL takes: neither the character 0 nor half a surrogate pair."""
    if value.isascii():
        return value.replace("\0", "\ufffd") if "\0" in value else value
    return value.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")
