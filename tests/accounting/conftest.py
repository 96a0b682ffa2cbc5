import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from stores import Postgresql, Store
from switchgear import Secret
from switchgear.costs.sqlite import SqliteLedger


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    server = Postgresql(Path(tempfile.mkdtemp(prefix="switchgear-accounting-", dir="/tmp")))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def in_postgres(postgresql: Postgresql) -> Iterator[Store]:
    from switchgear_postgres import Postgres

    options = {"dsn": postgresql.url, "schema": f"s{uuid4().hex}"}
    ledger: Any = Postgres(dsn=Secret(options["dsn"]), schema=options["schema"])
    yield Store({"type": "postgres", "options": options}, ledger)
    ledger.close()


@pytest.fixture
def in_sqlite(tmp_path: Path) -> Iterator[Store]:
    path = tmp_path / "ledger.db"
    ledger = SqliteLedger(path=path)
    yield Store({"type": "sqlite", "options": {"path": str(path)}}, ledger)
    ledger.close()


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue(f"in_{request.param}")
    return found
