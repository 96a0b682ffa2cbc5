"""A batch of records on its way into the table, within one transaction."""

# ruff: noqa: S608 (statements are put together from our own names, and the schema's, which is checked)

from collections.abc import Sequence
from typing import Any

from psycopg import Connection
from switchgear.cost_sink import CostRecord
from switchgear.costs.movements import Movements, replaces
from switchgear.money import Charge

from switchgear_postgres.accounts import move
from switchgear_postgres.rows import COLUMNS, TYPES, row_of

_ALL = ", ".join([*COLUMNS, "tag_text"])
_ALL_ARRIVING = ", ".join(f"arriving.{column}" for column in (*COLUMNS, "tag_text"))

Known = tuple[int | None, str, list[str]]  # cost, charge and budgets


def write(connection: Connection[Any], schema: str, records: Sequence[CostRecord]) -> None:
    """Every id is there once."""
    cursor = connection.cursor()
    with cursor.copy("COPY pg_temp.switchgear_arriving FROM STDIN") as copy:
        copy.set_types(TYPES)
        for record in records:
            copy.write_row(row_of(record))
    # In the order of their ids, as accounts are in that of their names: no two processes wait for each other.
    arrived = cursor.execute(
        f"INSERT INTO {schema}.record SELECT * FROM pg_temp.switchgear_arriving ORDER BY id ON CONFLICT DO NOTHING"
    )
    known = _replace_known(connection, schema) if arrived.rowcount < len(records) else {}
    movements = Movements()
    for record in records:
        if record.id not in known:
            if record.budgets:
                movements.add(record)
        else:
            cost, charge, budgets = known[record.id]
            if replaces(record, Charge(charge)):
                movements.add(record, 0 if charge == Charge.FREE.value else cost or 0, budgets)
    move(connection, schema, movements)


def _replace_known(connection: Connection[Any], schema: str) -> dict[str, Known]:
    """What those records were that were there before: all others are of this transaction."""
    found = connection.execute(
        f"""
SELECT record.id, record.cost, record.charge, record.budgets
FROM {schema}.record JOIN pg_temp.switchgear_arriving USING (id)
WHERE record.xmin <> pg_current_xact_id()::xid ORDER BY id FOR UPDATE OF record
"""
    ).fetchall()
    # As `replaces` has it; here it is one statement for all.
    connection.execute(
        f"""
UPDATE {schema}.record SET ({_ALL}) = (SELECT {_ALL_ARRIVING})
FROM pg_temp.switchgear_arriving AS arriving WHERE record.id = arriving.id
    AND record.xmin <> pg_current_xact_id()::xid
    AND (arriving.charge <> 'in_doubt' OR record.charge = 'in_doubt')
"""
    )
    return {name: (cost, charge, budgets) for name, cost, charge, budgets in found}
