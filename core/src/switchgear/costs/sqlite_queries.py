"""The questions of reports, as SQLite is asked them."""

# ruff: noqa: S608 (questions are put together from names in this file alone)

import json
from collections.abc import Iterator, Sequence
from typing import Any

from switchgear.cost_sink import SLOT, Selection, Total
from switchgear.money import from_nanos, to_microseconds

COLUMNS = (
    "service", "capability", "provider", "kind", "charge", "outcome", "currency", "tenant", "tag_list", "budget_list",
    "holder",
)  # fmt: skip

_GROUPS = {
    **{name: name for name in ("service", "capability", "provider", "tags", "kind", "charge", "outcome", "usage")},
    "tenant": "coalesce(tenant, '')",
    "slot": "CAST(slot AS TEXT)",
}
# What is found out for each record, and not for each label.
_OF_RECORDS = {"usage": "usage", "slot": f"at - at % {SLOT} AS slot"}

_SAVED = "kind = 'saved'"
_SENT = "kind <> 'saved'"
_IN_DOUBT = f"{_SENT} AND charge = 'in_doubt'"
_VALUES = "SELECT value FROM json_each(?)"
_LABELLED = "FROM record CROSS JOIN label USING (label)"  # in this order: each record, then its label


def totals_query(by: Sequence[str], where: Selection) -> tuple[str, list[Any]]:
    """First by label, which is a number, then by the texts that are asked for. Raises `KeyError` for another group.

    A sum of 64-bit numbers may not fit into 64 bits, and then SQLite gives up: each is added up in two halves.
    """
    keys = [_GROUPS[name] for name in by]
    finer = [_OF_RECORDS[name] for name in dict.fromkeys(by) if name in _OF_RECORDS]
    inner = ", ".join(["label", *(column.split(" AS ")[-1] for column in finer)])
    condition, values = _condition(where)
    places = ", ".join(map(str, range(1, len(keys) + 2)))
    query = f"""
WITH part AS (
    SELECT {", ".join(["label", *finer])}, count(*) AS records, count(cost) AS known, sum(hits) AS hits,
        sum(cost >> 30) AS high, sum(cost & 0x3fffffff) AS low,
        sum(saved >> 30) AS saved_high, sum(saved & 0x3fffffff) AS saved_low
    FROM record {condition} GROUP BY {inner}
)
SELECT {", ".join([*keys, "currency"])},
    {_sums("records", _SENT)}, {_sums("high", _SENT)}, {_sums("low", _SENT)},
    {_sums("records", _IN_DOUBT)}, {_sums("high", _IN_DOUBT)}, {_sums("low", _IN_DOUBT)},
    {_sums("records - known", f"{_SENT} AND charge <> 'free'")},
    {_sums("hits", _SAVED)}, {_sums("saved_high", _SAVED)}, {_sums("saved_low", _SAVED)}
FROM part CROSS JOIN label USING (label) GROUP BY {places} ORDER BY {places}
"""
    return query, values


def total_of(row: tuple[Any, ...], keys: int) -> Total:
    """What a row of that query says."""
    currency, attempts, high, low, doubts, doubt_high, doubt_low, unknown, hits, saved_high, saved_low = row[keys:]
    return Total(
        key=row[:keys],
        currency=currency,
        attempts=attempts,
        cost=from_nanos((high << 30) + low),
        in_doubt=from_nanos((doubt_high << 30) + doubt_low),
        doubts=doubts,
        unknown=unknown,
        saved=from_nanos((saved_high << 30) + saved_low),
        hits=hits,
    )


def records_query(where: Selection) -> tuple[str, list[Any]]:
    condition, values = _condition(where)
    columns = ", ".join(["id", "at", "cost", "estimate", "usage", "latency", "saved", "hits", *COLUMNS])
    return f"SELECT {columns} {_LABELLED} {condition} ORDER BY at, id", values


def _sums(expression: str, condition: str) -> str:
    return f"coalesce(sum({expression}) FILTER (WHERE {condition}), 0)"


def _condition(where: Selection) -> tuple[str, list[Any]]:
    found = list(_conditions(where))
    text = " AND ".join(condition for condition, _ in found)
    return f"WHERE {text}" if text else "", [value for _, value in found]


def _conditions(where: Selection) -> Iterator[tuple[str, Any]]:
    if where.since is not None:
        yield "at >= ?", to_microseconds(where.since)
    if where.until is not None:
        yield "at < ?", to_microseconds(where.until)
    for column in ("service", "provider", "capability", "tenant"):
        chosen = getattr(where, {"capability": "capabilities"}.get(column, f"{column}s"))
        if chosen:
            yield f"label IN (SELECT label FROM label WHERE {column} IN ({_VALUES}))", json.dumps(chosen)
    if where.tags:
        yield (
            f"label IN (SELECT label FROM label, json_each(tag_list) AS tag WHERE tag.value IN ({_VALUES}))",
            json.dumps(where.tags),
        )
