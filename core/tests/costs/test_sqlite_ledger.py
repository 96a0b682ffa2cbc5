"""The ledger in a file: several processes, crashes, foreign, newer and damaged files, a full disk."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from switchgear.cost_sink import CostRecord
from switchgear.costs.sqlite import SqliteLedger
from switchgear.money import Charge

ACCOUNT = "month/2026-11"
NOON = 1_795_521_600_000_000


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


_OPENED: list[SqliteLedger] = []


def opened(path: Path) -> SqliteLedger:
    _OPENED.append(SqliteLedger(path=path))
    return _OPENED[-1]


@pytest.fixture(autouse=True)
def all_closed() -> Iterator[None]:
    yield
    while _OPENED:
        _OPENED.pop().close()


def written(path: Path, *records: CostRecord) -> SqliteLedger:
    ledger = opened(path)
    for each in records:
        ledger.cost_recorded(each)
    ledger.flush()
    return ledger


def ids(ledger: SqliteLedger) -> list[str]:
    return [each.id for each in ledger.records()]


def test_what_is_kept_survives_the_process_and_is_nobody_elses_business(tmp_path: Path) -> None:
    path = tmp_path / "state" / "ledger.db"
    os.umask(0o022)
    ledger = written(path, record(1))
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700
    ledger.close()
    assert list(opened(path).records()) == [record(1)]


def test_a_relative_path_starts_at_the_configurations_folder(tmp_path: Path) -> None:
    ledger = opened(Path("ledger.db"))
    ledger.folder = tmp_path
    ledger.cost_recorded(record(1))
    ledger.flush()
    assert (tmp_path / "ledger.db").exists()


def test_nothing_is_made_by_asking_a_ledger_that_is_not_there(tmp_path: Path) -> None:
    ledger = opened(tmp_path / "state" / "ledger.db")
    assert list(ledger.totals()) == list(ledger.records()) == []
    ledger.flush()
    ledger.close()
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_is_killed_leaves_whole_batches(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    code = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_sqlite_ledger import Path, record, written
for batch in range(10_000):
    written(Path({str(path)!r}), *[record(batch * 100 + number) for number in range(100)]).close()
    print(batch, flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(20):
            last = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        for line in writer.stdout:
            last = int(line)
    ledger = opened(path)
    kept = len(ids(ledger))
    assert kept % 100 == 0
    assert kept >= (last + 1) * 100
    assert ledger.spent(ACCOUNT) == kept * Decimal("0.25")


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    written(path, record(1)).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    ledger = opened(path)
    ledger.cost_recorded(record(2))
    with pytest.raises(sqlite3.OperationalError, match=r"newer Switchgear \(format 99, .* upgrade"):
        ledger.flush()
    with pytest.raises(sqlite3.OperationalError, match="newer"):
        list(ledger.totals())


def test_somebody_elses_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE mine (a)")
    connection.close()
    ledger = opened(path)
    ledger.cost_recorded(record(1))
    with pytest.raises(sqlite3.OperationalError, match="somebody else's"):
        ledger.flush()
    with pytest.raises(sqlite3.OperationalError, match="somebody else's"):
        list(ledger.records())


def test_a_damaged_file_is_set_aside_and_nothing_that_was_taken_in_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    for number in (1, 2):
        written(path, record(number)).close()
        path.write_bytes(b"damaged" * 1000)
        ledger = written(path, record(3))
        assert ids(ledger) == ["c3.1"]
        ledger.close()
        assert (tmp_path / f"ledger.db.damaged-{number}").read_bytes().startswith(b"damaged")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /proc and limits of Linux")
def test_a_full_disk_costs_no_record(tmp_path: Path) -> None:
    """A limit on the size of files does what a full disk does."""
    path = tmp_path / "ledger.db"
    written(path).close()
    code = f"""
import resource, signal, sqlite3, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_sqlite_ledger import Path, record, written, SqliteLedger, ids
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
ledger = written(Path({str(path)!r}), record(0))
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
for number in range(1, 20_000):
    ledger.cost_recorded(record(number))
try:
    ledger.flush()
except sqlite3.OperationalError as error:
    print("refused", error)
assert ids(ledger) == ["c0.1"]
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
ledger.flush()
assert len(ids(ledger)) == 20_000
assert ledger.spent({ACCOUNT!r}) == 5_000
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("refused")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may look into; those of pytest are its user's own."""
    with TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_file_that_must_not_be_written_can_be_read(open_folder: Path) -> None:
    path = open_folder / "ledger.db"
    written(path, record(1)).close()
    path.chmod(0o444)
    code = f"""
import os, sqlite3, sys, urllib.parse  # all that is imported must be by then: others may not read it
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_sqlite_ledger import Path, SqliteLedger, ids, record
if os.getuid() == 0:
    os.setuid(65534)  # root may write everything
ledger = SqliteLedger(path=Path({str(path)!r}))
assert ids(ledger) == ["c1.1"]
ledger.cost_recorded(record(2))
try:
    ledger.flush()
except (OSError, sqlite3.OperationalError):
    print("refused")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "refused\n"), done.stderr


def test_an_amount_that_does_not_fit_is_refused_alone(tmp_path: Path) -> None:
    ledger = opened(tmp_path / "ledger.db")
    ledger.cost_recorded(record(1))
    with pytest.raises(ValueError, match=r"record c2\.1: the amount 9999999999999999999 is beyond"):
        ledger.cost_recorded(record(2, cost=Decimal(9999999999999999999)))
    ledger.flush()
    assert ids(ledger) == ["c1.1"]


def test_sums_beyond_64_bits_are_exact(tmp_path: Path) -> None:
    most = Decimal("9223372036.854775807")
    ledger = written(tmp_path / "ledger.db", *[record(number, cost=most) for number in range(5)])
    (total,) = ledger.totals()
    assert total.cost == ledger.spent(ACCOUNT) == most * 5


def test_people_can_look_with_sqlites_own_shell(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    written(path, record(1, charge=Charge.IN_DOUBT, tags=("b", "a"))).close()
    rows = sqlite3.connect(path).execute("SELECT utc, provider, charge, cost, tags FROM costs").fetchall()
    assert rows == [("2026-11-24 12:00:00.000", "fast", "in_doubt", 0.25, "a, b")]


def test_four_processes_spend_a_shared_budget_to_the_last_cent_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_sqlite_ledger import ACCOUNT, NOON, Decimal, Path, SqliteLedger, record
ledger, own, holder = SqliteLedger(path=Path({str(path)!r})), Decimal(0), sys.argv[1]
price, spent = Decimal("0.25"), 0
for number in range(2_000):
    if own < price:
        lease = ledger.lease(ACCOUNT, holder, limit=Decimal(250), want=price * 7, need=price, now=NOON, until=NOON + 9)
        own += lease.granted
        if own < price:
            break
    own, spent = own - price, spent + 1
    ledger.cost_recorded(record(0, id=f"{{holder}}.{{number}}", holder=holder))
    if number % 5 == 0:
        ledger.flush()
ledger.flush()
ledger.give_back(ACCOUNT, holder, own)
print(spent)
"""
    started = [
        subprocess.Popen([sys.executable, "-c", code, f"holder-{number}"], stdout=subprocess.PIPE, text=True)
        for number in range(4)
    ]
    spent = [int(process.communicate()[0]) for process in started]
    assert sum(spent) == 1000, spent
    ledger = opened(path)
    assert ledger.spent(ACCOUNT) == 250
    assert len(ids(ledger)) == 1000
