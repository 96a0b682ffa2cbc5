"""The tables, and how they come to be: each migration takes a schema from one version to the next."""

# ruff: noqa: S608 (statements are put together from our own names, and the schema's, which is checked)

from typing import Any

from psycopg import Connection

# Amounts are billionths, so that sums are exact; `costs` shows them as people write them.
_MIGRATIONS = (
    """
CREATE TABLE {schema}.record (
    id text COLLATE "C" PRIMARY KEY, at bigint NOT NULL, service text COLLATE "C" NOT NULL,
    capability text COLLATE "C" NOT NULL, provider text COLLATE "C" NOT NULL, kind text COLLATE "C" NOT NULL,
    charge text COLLATE "C" NOT NULL, outcome text COLLATE "C" NOT NULL, currency text COLLATE "C" NOT NULL,
    cost bigint, estimate bigint, usage text COLLATE "C" NOT NULL, latency double precision NOT NULL,
    tenant text COLLATE "C", tags text[] COLLATE "C" NOT NULL, budgets text[] COLLATE "C" NOT NULL,
    holder text COLLATE "C" NOT NULL, saved bigint NOT NULL, hits bigint NOT NULL, tag_text text COLLATE "C" NOT NULL
);
CREATE INDEX record_at ON {schema}.record (at);
CREATE TABLE {schema}.account (account text COLLATE "C" PRIMARY KEY, spent numeric NOT NULL);
CREATE TABLE {schema}.lease (
    account text COLLATE "C", holder text COLLATE "C", amount numeric NOT NULL, until bigint NOT NULL,
    PRIMARY KEY (account, holder)
);
CREATE VIEW {schema}.costs AS SELECT
    id, to_timestamp(at / 1e6) AS sent, service, capability, provider, kind, charge, outcome, currency,
    cost / 1e9 AS cost, estimate / 1e9 AS estimate, usage, latency, tenant, tags, saved / 1e9 AS saved, hits
    FROM {schema}.record;
""",
)

# Records on their way into the table; it is each connection's own, and empty between transactions.
_ARRIVING = """
CREATE TEMP TABLE IF NOT EXISTS switchgear_arriving (LIKE {schema}.record) ON COMMIT DELETE ROWS
"""


class NewerSchema(RuntimeError):
    """A newer version of this package has been here."""


def prepare(connection: Connection[Any], schema: str) -> None:
    """Bring the schema up to date; several processes may start at the same time. Raises `NewerSchema`."""
    if _version(connection, schema) < len(_MIGRATIONS):
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (f"switchgear {schema}",))
            if connection.execute("SELECT to_regnamespace(%s)", (schema,)).fetchone() == (None,):
                connection.execute(f"CREATE SCHEMA {schema}")
            for number in range(_version(connection, schema), len(_MIGRATIONS)):
                connection.execute(_MIGRATIONS[number].format(schema=schema))
                connection.execute(f"CREATE TABLE IF NOT EXISTS {schema}.version (version integer NOT NULL)")
                connection.execute(f"DELETE FROM {schema}.version")
                connection.execute(f"INSERT INTO {schema}.version VALUES (%s)", (number + 1,))
    connection.execute(_ARRIVING.format(schema=schema))


def check(connection: Connection[Any], schema: str) -> bool:
    """Whether there is something to read. Raises `NewerSchema`."""
    return _version(connection, schema) > 0


def _version(connection: Connection[Any], schema: str) -> int:
    if connection.execute("SELECT to_regclass(%s)", (f"{schema}.version",)).fetchone() == (None,):
        return 0
    found = connection.execute(f"SELECT version FROM {schema}.version").fetchone()
    version: int = found[0] if found else 0
    if version > len(_MIGRATIONS):
        raise NewerSchema(
            f"the schema {schema} is of version {version}, this switchgear-postgres knows {len(_MIGRATIONS)}; "
            "upgrade it, or name another schema"
        )
    return version
