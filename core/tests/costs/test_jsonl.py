"""The ledger in lines of JSON: what a line says, full files, crashes, and processes that write together."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from switchgear.cost_sink import SCHEMA, CostRecord
from switchgear.costs.jsonl import JsonLines, NewerRecords
from switchgear.money import Charge


def record(number: int, **values: Any) -> CostRecord:
    given = {
        "id": f"c{number}.1",
        "at": 1_795_521_600_000_000 + number,
        "service": "scans",
        "capability": "ocr",
        "provider": "fast",
        "cost": Decimal("0.25"),
    }
    return CostRecord(**(given | values))


def written(path: Path, *records: CostRecord, **options: Any) -> JsonLines:
    ledger = JsonLines(path=path, **options)
    for each in records:
        ledger.cost_recorded(each)
    ledger.flush()
    return ledger


def ids(ledger: JsonLines) -> list[str]:
    return [each.id for each in ledger.records()]


def test_a_line_has_every_field_and_amounts_that_nobody_rounds(tmp_path: Path) -> None:
    written(tmp_path / "a.jsonl", record(1, charge=Charge.IN_DOUBT, usage={"pages": Decimal("1E+1")}, tags=("a",)))
    line = json.loads((tmp_path / "a.jsonl").read_text())
    assert line.keys() == {"v", *(each.name for each in attrs.fields(CostRecord))}
    assert (line["v"], line["charge"], line["cost"], line["estimate"]) == (SCHEMA, "in_doubt", "0.25", None)
    assert (line["usage"], line["tags"], line["saved"]) == ({"pages": "10"}, ["a"], "0")


def test_files_are_nobody_elses_business(tmp_path: Path) -> None:
    os.umask(0o022)
    path = tmp_path / "state" / "a.jsonl"
    ledger = written(path, *map(record, range(20)), max_bytes=1000)
    ledger.cost_recorded(record(21))
    ledger.flush()
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_full_file_is_followed_by_another_and_the_oldest_goes(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    for number in range(10):
        ledger = written(path, record(number), max_bytes=500, max_files=3)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.jsonl.1", "a.jsonl.2"]
    assert ids(ledger) == [f"c{number}.1" for number in range(6, 10)]
    written(path, record(10), max_bytes=500, max_files=3)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.jsonl", "a.jsonl.1", "a.jsonl.2"]


def test_half_a_line_is_skipped_counted_and_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    written(path, record(1), record(2)).close()
    os.truncate(path, path.stat().st_size - 20)
    ledger = JsonLines(path=path)
    assert (ids(ledger), ledger.skipped) == (["c1.1"], 1)
    ledger = written(path, record(3), record(2))
    assert (ids(ledger), ledger.skipped) == (["c1.1", "c2.1", "c3.1"], 1)


@pytest.mark.parametrize("line", ["{}", "[]", "1", "null", '{"v": 1}', "\0\0\0", '{"v":1,"id":"a","at":0,"cost":"x"}'])
def test_what_is_no_record_is_skipped(line: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(line + "\n")
    ledger = written(path, record(1))
    assert (ids(ledger), ledger.skipped) == (["c1.1"], 1)


def test_records_of_a_newer_version_are_not_left_out_in_silence(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    written(path, record(1))
    path.write_text(path.read_text().replace('"v":1', '"v":99'))
    with pytest.raises(NewerRecords, match="schema 99, this one knows 1; upgrade"):
        list(JsonLines(path=path).totals())


def test_a_full_disk_costs_no_record(tmp_path: Path) -> None:
    """A limit on the size of files does what a full disk does: half of a batch is written."""
    path = tmp_path / "a.jsonl"
    code = f"""
import resource, signal, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_jsonl import Path, ids, record, written
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
ledger = written(Path({str(path)!r}), record(0))
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
for number in range(1, 500):
    ledger.cost_recorded(record(number))
try:
    ledger.flush()
except OSError as error:
    print("refused", error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert ids(ledger) == ["c0.1"] and not ledger.skipped
ledger.flush()
assert len(ids(ledger)) == 500
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("refused")


def test_processes_that_write_together_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_jsonl import JsonLines, Path, record
ledger = JsonLines(path=Path({str(path)!r}), max_bytes=20_000, max_files=200)
for number in range(500):
    ledger.cost_recorded(record(number, id=sys.argv[1] + str(number)))
    if number % 5 == 0:
        ledger.flush()
ledger.flush()
"""
    started = [subprocess.Popen([sys.executable, "-c", code, name]) for name in "abcd"]
    assert [process.wait() for process in started] == [0] * 4
    ledger = JsonLines(path=path, max_files=200)
    assert sorted(ids(ledger)) == sorted(f"{name}{number}" for name in "abcd" for number in range(500))
    assert ledger.skipped == 0
    assert len(list(tmp_path.iterdir())) > 10
