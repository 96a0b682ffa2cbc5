"""What reports ask a ledger, as PostgreSQL is asked it."""

# ruff: noqa: S608 (statements are put together from our own names, and the schema's, which is checked)

from collections.abc import Iterator, Sequence
from typing import Any

from psycopg import Connection
from switchgear.cost_sink import SLOT, CostRecord, Selection, Total
from switchgear.money import from_nanos, to_microseconds

from switchgear_postgres.rows import COLUMNS, record_of, text

_GROUPS = {
    **{name: name for name in ("service", "capability", "provider", "kind", "charge", "outcome", "usage")},
    "tags": "tag_text",
    "tenant": "coalesce(tenant, '')",
    "slot": f'(at - at %% {SLOT})::text COLLATE "C"',
}
_SELECTED = {"services": "service", "capabilities": "capability", "providers": "provider", "tenants": "tenant"}
_SENT = "FILTER (WHERE kind <> 'saved')"
_IN_DOUBT = "FILTER (WHERE kind <> 'saved' AND charge = 'in_doubt')"
_SAVED = "FILTER (WHERE kind = 'saved')"
_ROWS = 2_000  # fetched at a time


def check_groups(by: Sequence[str]) -> None:
    """Raises `KeyError` for what is none of `GROUPS`."""
    for name in by:
        _GROUPS[name]


def read_totals(connection: Connection[Any], schema: str, by: Sequence[str], where: Selection) -> Iterator[Total]:
    condition, values = _condition(where)
    places = ", ".join(map(str, range(1, len(by) + 2)))
    question = f"""
SELECT {", ".join([*(_GROUPS[name] for name in by), "currency"])}, count(*) {_SENT},
    coalesce(sum(cost) {_SENT}, 0), coalesce(sum(cost) {_IN_DOUBT}, 0), count(*) {_IN_DOUBT},
    count(*) FILTER (WHERE kind <> 'saved' AND charge <> 'free' AND cost IS NULL),
    coalesce(sum(saved) {_SAVED}, 0), coalesce(sum(hits) {_SAVED}, 0)
FROM {schema}.record {condition} GROUP BY {places} ORDER BY {places}
"""
    for row in _asked(connection, question, values):
        currency, attempts, cost, in_doubt, doubts, unknown, saved, hits = row[len(by) :]
        yield Total(
            key=tuple(row[: len(by)]),
            currency=currency,
            attempts=attempts,
            cost=from_nanos(int(cost)),
            in_doubt=from_nanos(int(in_doubt)),
            doubts=doubts,
            unknown=unknown,
            saved=from_nanos(int(saved)),
            hits=int(hits),
        )


def read_records(connection: Connection[Any], schema: str, where: Selection) -> Iterator[CostRecord]:
    condition, values = _condition(where)
    question = f"SELECT {', '.join(COLUMNS)} FROM {schema}.record {condition} ORDER BY at, id"
    return map(record_of, _asked(connection, question, values))


def _asked(connection: Connection[Any], question: str, values: Sequence[Any]) -> Iterator[Any]:
    """Rows as they come, a few thousand in memory at a time."""
    with connection.transaction(), connection.cursor("switchgear") as cursor:
        cursor.itersize = _ROWS
        yield from cursor.execute(question, values)


def _condition(where: Selection) -> tuple[str, list[Any]]:
    found: list[tuple[str, Any]] = []
    if where.since is not None:
        found.append(("at >= %s", to_microseconds(where.since)))
    if where.until is not None:
        found.append(("at < %s", to_microseconds(where.until)))
    for name, column in _SELECTED.items():
        if chosen := getattr(where, name):
            found.append((f"{column} = ANY(%s)", list(map(text, chosen))))
    if where.tags:
        found.append(("tags && %s::text[]", list(map(text, where.tags))))
    # Also where there is no value: `%%` stands for `%` only in a question that is looked through for values.
    condition = " AND ".join(condition for condition, _ in [("true", None), *found])
    return f"WHERE {condition}", [value for _, value in found]
