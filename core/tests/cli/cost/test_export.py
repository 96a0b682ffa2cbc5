"""`switchgear cost export`."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from switchgear.reports.fields import FIELDS


@pytest.fixture
def spent(spend: Any) -> None:
    spend("2026-11-24", tenant="Zoë")
    spend("2026-11-23", provider="good")


def test_csv_is_the_default_oldest_first(spent: None, run: Any) -> None:
    result = run("cost", "export")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["provider"] for row in rows] == ["good", "fast"]
    assert tuple(rows[0]) == FIELDS
    assert result.stderr == ""


@pytest.mark.parametrize("arguments", [["--json"], ["--format", "json"]])
def test_json_is_an_array(arguments: list[str], spent: None, run: Any) -> None:
    assert [row["tenant"] for row in json.loads(run("cost", "export", *arguments).stdout)] == [None, "Zoë"]


@pytest.mark.parametrize(("name", "start"), [("a.csv", "schema,id"), ("a.JSON", "[\n{"), ("a.txt", "schema,id")])
def test_the_format_is_that_of_the_files_suffix(name: str, start: str, spent: None, run: Any) -> None:
    result = run("cost", "export", "-f", name)
    assert Path(name).read_text("utf-8").startswith(start)
    assert f"{name}: 2 records" in result.stderr
    assert [path.name for path in Path().glob("*.part")] == []


def test_parquet(spent: None, run: Any) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert run("cost", "export", "-f", "costs.parquet").exit_code == 0
    assert parquet.read_table("costs.parquet").num_rows == 2


def test_filters_hold_for_exports_too(spent: None, run: Any) -> None:
    assert len(json.loads(run("cost", "export", "--json", "--provider", "good").stdout)) == 1


def test_a_file_that_cannot_be_written_is_a_usage_error(spent: None, run: Any) -> None:
    result = run("cost", "export", "-f", "nowhere/costs.csv")
    assert result.exit_code == 2
    assert "--file: nowhere/costs.csv cannot be written" in result.stderr


def test_an_export_that_fails_leaves_the_older_file_alone(install: Any, configure: Any, run: Any) -> None:
    code = """
class Sick:
    def cost_recorded(self, record): ...
    def flush(self): ...
    def totals(self, by, where): ...
    def records(self, where):
        raise RuntimeError("gone")
"""
    install("acme-sick", code, cost_sinks=["sick = acme_sick:Sick"])
    configure('[cost_sinks.main]\ntype = "sick"\n')
    Path("costs.csv").write_text("older")
    assert run("cost", "export", "-f", "costs.csv").exit_code == 1
    assert Path("costs.csv").read_text() == "older"
    assert not Path("costs.csv.part").exists()


def test_a_reader_that_has_seen_enough_ends_it_quietly(spend: Any, tmp_path: Path, environ: dict[str, str]) -> None:
    for number in range(50):
        spend("2026-11-24", tenant="x" * 5000, id=f"{number}.1")
    command = f"{sys.executable} -m switchgear cost export | head -c 10"
    done = subprocess.run(command, shell=True, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("schema,id,", "")
