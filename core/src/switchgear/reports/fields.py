"""A cost record's fields as texts and numbers for other programs."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from switchgear.cost_sink import SCHEMA, CostRecord, usage_text
from switchgear.money import from_microseconds

# In this order in every format; the schema's number comes first, so that a reader can tell what follows.
FIELDS = (
    "schema", "id", "call_id", "at", "service", "capability", "provider", "kind", "charge", "outcome", "currency",
    "cost", "estimate", "usage", "latency", "tenant", "tags", "budgets", "holder", "saved", "hits",
)  # fmt: skip


def fields_of(record: CostRecord) -> dict[str, Any]:
    """By name; moments and amounts stay what they are. None where there is nothing."""
    return {
        "schema": SCHEMA,
        "id": record.id,
        "call_id": record.call_id,
        "at": from_microseconds(record.at),
        "service": record.service,
        "capability": record.capability,
        "provider": record.provider,
        "kind": record.kind,
        "charge": record.charge.value,
        "outcome": record.outcome,
        "currency": record.currency,
        "cost": record.cost,
        "estimate": record.estimate,
        "usage": record.usage,
        "latency": record.latency,
        "tenant": record.tenant,
        "tags": record.tags,
        "budgets": record.budgets,
        "holder": record.holder,
        "saved": record.saved,
        "hits": record.hits,
    }


def json_fields(record: CostRecord) -> dict[str, Any]:
    """Amounts are texts, so that no reader makes binary fractions of them; moments are ISO 8601 in UTC."""
    found = fields_of(record)
    return {
        **found,
        "at": moment_text(record.at),
        "cost": amount_text(record.cost),
        "estimate": amount_text(record.estimate),
        "saved": amount_text(record.saved),
        "usage": _texts(record.usage),
        "tags": list(record.tags),
        "budgets": list(record.budgets),
    }


def csv_fields(record: CostRecord) -> dict[str, Any]:
    """Usage is written like `characters=120 pages=2`; tags and budgets are joined by ", "."""
    return {
        **json_fields(record),
        "usage": usage_text(record.usage),
        "tags": ", ".join(record.tags),
        "budgets": ", ".join(record.budgets),
    }


def moment_text(at: int) -> str:
    """A ledger's timestamp, `2026-11-24T12:00:00.000001Z`."""
    return f"{from_microseconds(at):%Y-%m-%dT%H:%M:%S.%fZ}"


def amount_text(amount: Decimal | None) -> str | None:
    """Without an exponent, and without zeros at its end, so that equal amounts are equal texts; None where unknown."""
    if amount is None:
        return None
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _texts(usage: Mapping[str, Decimal]) -> dict[str, str]:
    return {unit: f"{amount:f}" for unit, amount in usage.items()}
