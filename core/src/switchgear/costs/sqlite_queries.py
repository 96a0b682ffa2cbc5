"""What reports ask a ledger, as SQLite is asked it."""

# ruff: noqa: S608 (questions are put together from names in this file alone)

import json
import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from switchgear.cost_sink import NOTHING, SLOT, CostRecord, Selection, Total, usage_from
from switchgear.money import Charge, from_nanos, to_microseconds

COLUMNS = (
    "service", "capability", "provider", "kind", "charge", "outcome", "currency", "tenant", "tag_list", "budget_list",
    "holder",
)  # fmt: skip
_LISTS = ("tag_list", "budget_list")

_GROUPS = {
    **{name: name for name in ("service", "capability", "provider", "tags", "kind", "charge", "outcome", "usage")},
    "tenant": "coalesce(tenant, '')",
    "slot": "CAST(slot AS TEXT)",
}
# What is found out for each record, and not for each label. The slot comes first: records are nearly in its order.
_OF_RECORDS = {"slot": f"at - at % {SLOT}", "usage": "usage"}

_SENT = "kind <> 'saved'"
_SAVED = "kind = 'saved'"
_IN_DOUBT = f"{_SENT} AND charge = 'in_doubt'"
_VALUES = "SELECT value FROM json_each(?)"
_SELECTED = {"services": "service", "capabilities": "capability", "providers": "provider", "tenants": "tenant"}


def check_groups(by: Sequence[str]) -> None:
    """Raises `KeyError` for what is none of `GROUPS`."""
    for name in by:
        _GROUPS[name]


def read_totals(connection: sqlite3.Connection, by: Sequence[str], where: Selection) -> Iterator[Total]:
    """Each label is given its place among the groups first: records are sorted by numbers then.

    A sum of 64-bit numbers may not fit into 64 bits, and then SQLite gives up: each is added up in two halves.
    """
    keys = [_GROUPS[name] for name in by]
    finer = {name: expression for name, expression in _OF_RECORDS.items() if name in by}
    _give_places(connection, [_GROUPS[name] for name in by if name not in finer], where)
    condition, values = _during(where)
    ordered = ", ".join(map(str, range(1, len(keys) + 2)))
    rows = connection.execute(
        f"""
WITH part AS (
    SELECT {"".join(f"{expression} AS {name}, " for name, expression in finer.items())} place,
        count(*) AS records, count(cost) AS known, sum(hits) AS hits,
        sum(cost >> 30) AS high, sum(cost & 0x3fffffff) AS low,
        sum(saved >> 30) AS saved_high, sum(saved & 0x3fffffff) AS saved_low
    FROM record CROSS JOIN temp.place USING (label) {condition} GROUP BY {", ".join([*finer.values(), "place"])}
)
SELECT {", ".join([*keys, "currency"])},
    {_sum("records", _SENT)}, {_sum("high", _SENT)}, {_sum("low", _SENT)},
    {_sum("records", _IN_DOUBT)}, {_sum("high", _IN_DOUBT)}, {_sum("low", _IN_DOUBT)},
    {_sum("records - known", f"{_SENT} AND charge <> 'free'")},
    {_sum("hits", _SAVED)}, {_sum("saved_high", _SAVED)}, {_sum("saved_low", _SAVED)}
FROM part CROSS JOIN temp.sign USING (place) CROSS JOIN label USING (label) GROUP BY {ordered} ORDER BY {ordered}
""",
        values,
    )
    for row in rows:
        yield _total(row, len(by))


def read_records(connection: sqlite3.Connection, where: Selection) -> Iterator[CostRecord]:
    _give_places(connection, ["label"], where)
    condition, values = _during(where)
    rows = connection.execute(
        "SELECT id, at, label, cost, estimate, usage, latency, saved, hits "
        f"FROM record CROSS JOIN temp.place USING (label) {condition} ORDER BY at, id",
        values,
    )

    @lru_cache(maxsize=20_000)
    def labelled(label: int) -> dict[str, Any]:
        found = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM label WHERE label = ?", (label,)).fetchone()
        known = dict(zip(COLUMNS, found, strict=True))
        tags, budgets = (tuple(json.loads(known.pop(name))) for name in _LISTS)
        return {**known, "charge": Charge(known["charge"]), "tags": tags, "budgets": budgets}

    for number, at, label, cost, estimate, usage, latency, saved, hits in rows:
        yield CostRecord(
            id=number,
            at=at,
            cost=None if cost is None else from_nanos(cost),
            estimate=None if estimate is None else from_nanos(estimate),
            usage=usage_from(usage),
            latency=latency,
            saved=from_nanos(saved) if saved else NOTHING,
            hits=hits,
            **labelled(label),
        )


def _give_places(connection: sqlite3.Connection, keys: Sequence[str], where: Selection) -> None:
    """`place`: to which of the groups a selected label belongs; `sign`: one label of each."""
    conditions, values = [], []
    for name, column in _SELECTED.items():
        if chosen := getattr(where, name):
            conditions.append(f"{column} IN ({_VALUES})")
            values.append(json.dumps(chosen))
    if where.tags:
        conditions.append(f"EXISTS (SELECT * FROM json_each(tag_list) AS tag WHERE tag.value IN ({_VALUES}))")
        values.append(json.dumps(where.tags))
    order = ", ".join([*keys, "currency", _SAVED, "charge"])
    connection.execute("CREATE TEMP TABLE place (label INTEGER PRIMARY KEY, place INTEGER NOT NULL)")
    connection.execute(
        f"INSERT INTO temp.place SELECT label, dense_rank() OVER (ORDER BY {order}) FROM label "
        f"WHERE {' AND '.join(conditions) or 'true'}",
        values,
    )
    connection.execute("CREATE TEMP TABLE sign (place INTEGER PRIMARY KEY, label INTEGER NOT NULL)")
    connection.execute("INSERT INTO temp.sign SELECT place, min(label) FROM temp.place GROUP BY place")


def _sum(expression: str, condition: str) -> str:
    return f"coalesce(sum({expression}) FILTER (WHERE {condition}), 0)"


def _during(where: Selection) -> tuple[str, list[int]]:
    moments = [("at >= ?", where.since), ("at < ?", where.until)]
    conditions = [condition for condition, moment in moments if moment is not None]
    values = [to_microseconds(moment) for _, moment in moments if moment is not None]
    return f"WHERE {' AND '.join(conditions)}" if conditions else "", values


def _total(row: tuple[Any, ...], keys: int) -> Total:
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
