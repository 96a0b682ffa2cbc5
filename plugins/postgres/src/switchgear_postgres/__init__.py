"""The ledger of many machines: cost records and shared budgets in PostgreSQL."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from decimal import Decimal
from typing import Any, TypeVar

import attrs
import psycopg
from attrs import field, validators
from psycopg.conninfo import conninfo_to_dict
from switchgear import Secret
from switchgear.cost_sink import EVERYTHING, CostRecord, Lease, Selection, Total
from switchgear.costs.amounts import check_amounts
from switchgear.costs.movements import replaces
from switchgear.durations import Duration
from switchgear.money import to_nanos
from switchgear.rules import Wait

from switchgear_postgres.accounts import Asked, lease, shrink, spent
from switchgear_postgres.batches import write
from switchgear_postgres.questions import check_groups, read_records, read_totals
from switchgear_postgres.rows import text
from switchgear_postgres.tables import check, prepare
from switchgear_postgres.waiting import NoAnswer, given_up_after

__all__ = ["Postgres"]

T = TypeVar("T")

_GRACE = 1.0  # seconds more than the server has to stop a statement itself


def _is_dsn(instance: object, attribute: object, dsn: Secret) -> None:
    try:
        conninfo_to_dict(dsn.reveal())
    except psycopg.ProgrammingError:
        # Its message repeats what it does not understand, and that may be the password.
        raise ValueError("dsn is neither a URL postgresql://... nor a line of key=value pairs") from None


@attrs.define(eq=False)
class Postgres:
    """`type = "postgres"`: every record once, however often it is handed over, and budgets that processes share.

    A batch is one transaction. A connection that breaks is made anew; nothing that was taken in is forgotten. An amount
    beyond ±9,223,372,036.854775807 is refused by `cost_recorded`, as a `ValueError`.
    """

    dsn: Secret = field(
        repr=False, validator=_is_dsn, metadata={"help": "a URL postgresql://... or key=value pairs, also for TLS"}
    )
    schema: str = field(
        default="switchgear",
        validator=validators.matches_re("[a-z_][a-z0-9_]{0,62}"),
        metadata={"help": "where the tables are; made if it is not there"},
    )
    connect_timeout: Wait = field(default=Duration(5.0), metadata={"help": "the longest to wait for a connection"})
    timeout: Wait = field(
        default=Duration(10.0), metadata={"help": "the longest to wait for a batch or a lease; reports may take longer"}
    )
    _taken_in: dict[str, CostRecord] = field(factory=dict, init=False, repr=False)
    _connection: psycopg.Connection[Any] | None = field(default=None, init=False, repr=False)

    def cost_recorded(self, record: CostRecord) -> None:
        check_amounts(record)
        earlier = self._taken_in.get(record.id)
        if earlier is None or replaces(record, earlier.charge):
            self._taken_in[record.id] = record

    def flush(self) -> None:
        if self._taken_in:
            self._run(lambda connection: write(connection, self.schema, list(self._taken_in.values())))
            self._taken_in.clear()

    def close(self) -> None:
        self._disconnect()

    def totals(self, by: Sequence[str] = (), where: Selection = EVERYTHING) -> Iterator[Total]:
        check_groups(by)
        return self._read(lambda connection: read_totals(connection, self.schema, by, where))

    def records(self, where: Selection = EVERYTHING) -> Iterator[CostRecord]:
        return self._read(lambda connection: read_records(connection, self.schema, where))

    def lease(
        self, account: str, holder: str, *, limit: Decimal, want: Decimal, need: Decimal, now: int, until: int
    ) -> Lease:
        asked = Asked(to_nanos(limit), to_nanos(want), to_nanos(need), now, until)
        return self._run(lambda connection: lease(connection, self.schema, text(account), text(holder), asked))

    def give_back(self, account: str, holder: str, amount: Decimal) -> None:
        leases = {(text(account), text(holder)): to_nanos(amount)}
        self._run(lambda connection: shrink(connection, self.schema, leases))

    def spent(self, account: str) -> Decimal:
        return self._run(lambda connection: spent(connection, self.schema, text(account)))

    # Connections

    def _run(self, work: Callable[[psycopg.Connection[Any]], T]) -> T:
        """As one transaction; once more if a connection that was idle turns out to be broken."""
        was_idle = self._connection is not None
        try:
            return self._transaction(work)
        except (psycopg.OperationalError, NoAnswer) as error:
            is_broken = self._connection is None or self._connection.closed
            if is_broken:
                self._disconnect()
            if not (was_idle and is_broken) or isinstance(error, NoAnswer):
                raise
            return self._transaction(work)

    def _transaction(self, work: Callable[[psycopg.Connection[Any]], T]) -> T:
        connection = self._connection
        if connection is None:
            connection = self._connect(float(self.timeout))
            try:
                with given_up_after(connection, float(self.timeout) + _GRACE):
                    prepare(connection, self.schema)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        with given_up_after(connection, float(self.timeout) + _GRACE), connection.transaction():
            return work(connection)

    def _read(self, read: Callable[[psycopg.Connection[Any]], Iterator[T]]) -> Iterator[T]:
        """On a connection of its own: what is read is of one moment, whatever is written meanwhile."""
        with closing(self._connect(0.0)) as connection:
            if check(connection, self.schema):
                yield from read(connection)

    def _connect(self, timeout: float) -> psycopg.Connection[Any]:
        connection: psycopg.Connection[Any] = psycopg.connect(
            self.dsn.reveal(), autocommit=True, connect_timeout=max(2, round(float(self.connect_timeout)))
        )
        connection.execute("SELECT set_config('statement_timeout', %s, false)", (str(int(timeout * 1000)),))
        return connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
