"""The accounts of budgets: what was spent, and who has leased how much."""

# ruff: noqa: S608 (statements are put together from our own names, and the schema's, which is checked)

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs
from psycopg import Connection
from switchgear.cost_sink import Lease
from switchgear.costs.movements import Movements
from switchgear.money import from_nanos

from switchgear_postgres.rows import text


@attrs.frozen
class Asked:
    """A wish for a lease: billionths, and microseconds since 1970."""

    limit: int
    want: int
    need: int
    now: int
    until: int


def lease(connection: Connection[Any], schema: str, account: str, holder: str, asked: Asked) -> Lease:
    run = connection.execute
    with connection.pipeline():
        run(f"INSERT INTO {schema}.account VALUES (%s, 0) ON CONFLICT DO NOTHING", (account,))
        # Nobody else leases of this account, nor spends, until this transaction is over.
        locked = run(f"SELECT spent FROM {schema}.account WHERE account = %s FOR UPDATE", (account,))
        run(f"DELETE FROM {schema}.lease WHERE account = %s AND until <= %s", (account, asked.now))
        found = run(f"SELECT holder, amount FROM {schema}.lease WHERE account = %s", (account,))
        ((spent,),) = locked.fetchall()
        leases = {name: int(amount) for name, amount in found.fetchall()}
    own = leases.pop(holder, 0)
    elsewhere = sum(leases.values())
    left = asked.limit - int(spent) - elsewhere - own
    granted = asked.want if left >= asked.want else asked.need if left >= asked.need else 0
    if granted or own:
        run(
            f"INSERT INTO {schema}.lease AS known VALUES (%s, %s, %s, %s) ON CONFLICT (account, holder) "
            "DO UPDATE SET amount = known.amount + excluded.amount, until = greatest(known.until, excluded.until)",
            (account, holder, granted, asked.until),
        )
    return Lease(*map(from_nanos, (granted, left - granted, elsewhere, int(spent))))


def spent(connection: Connection[Any], schema: str, account: str) -> Decimal:
    found = connection.execute(f"SELECT spent FROM {schema}.account WHERE account = %s", (account,)).fetchone()
    return from_nanos(int(found[0])) if found else Decimal(0)


def move(connection: Connection[Any], schema: str, movements: Movements) -> None:
    """The last thing in a transaction: others wait for an account that it has touched."""
    if movements.spent:
        connection.cursor().executemany(
            f"INSERT INTO {schema}.account AS known VALUES (%s, %s) "
            "ON CONFLICT (account) DO UPDATE SET spent = known.spent + excluded.spent",
            sorted((text(account), amount) for account, amount in movements.spent.items()),
        )
        settled = movements.settled.items()
        shrink(connection, schema, {(text(account), text(holder)): amount for (account, holder), amount in settled})


def shrink(connection: Connection[Any], schema: str, leases: Mapping[tuple[str, str], int]) -> None:
    """Take so much off each lease, by account and holder."""
    if leases:
        connection.cursor().executemany(
            f"UPDATE {schema}.lease SET amount = greatest(0, amount - %s) WHERE account = %s AND holder = %s",
            [(amount, account, holder) for (account, holder), amount in sorted(leases.items())],
        )
