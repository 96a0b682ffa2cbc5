"""`switchgear cache`: what is kept on disk, without showing it, and how it is forgotten."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from switchgear import Sqlite

Run = Callable[..., Result]
Configure = Callable[[str], Path]

CACHED = """
[services.count]
capability = "words"
cache = "sqlite"
[services.count.providers.fast]
type = "counter"
cost = { per_call = "0.0015" }

[services.plain]
capability = "words"
[services.plain.providers.fast]
type = "counter"
"""


@pytest.fixture(autouse=True)
def filled(words: None, run: Run, configure: Configure) -> None:
    configure(CACHED)
    result = run("run", "count", "one two", "three")
    assert result.exit_code == 0, result.output


def test_the_second_run_is_given_what_the_first_one_bought(run: Run) -> None:
    shown = json.loads(run("run", "count", "one two", "--json").stdout)
    assert (shown["cache"], shown["cost"]["amount"], shown["output"]) == ("fresh", "0", {"words": 2})
    assert shown["saved"] == {"amount": "0.0015", "currency": "USD"}
    told = run("run", "count", "one two", "-v").stderr
    assert "answered by fast, from the cache (fresh), cost 0 USD (0.0015 USD saved)" in told


def test_stats_counts_answers_and_bytes_by_service_and_level(run: Run) -> None:
    result = run("cache", "stats", "--json")
    (kept,) = json.loads(result.stdout)["kept"]
    assert (kept.pop("bytes") > 0, kept) == (True, {"service": "count", "level": "sqlite", "answers": 2})
    assert "memory" in result.stderr
    (shown,) = [line.split() for line in run("cache", "stats").stdout.splitlines() if "sqlite" in line]
    assert shown[:3] == ["count", "sqlite", "2"]


def test_stats_reads_answers_only_to_count_them_by_provider(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*arguments: object) -> None:
        raise AssertionError("it reads an answer")

    result = run("cache", "stats", "--by-provider", "--json")
    assert json.loads(result.stdout) == {
        "kept": [{"service": "count", "level": "sqlite", "provider": "fast", "answers": 2}]
    }
    monkeypatch.setattr(Sqlite, "_get", read)
    assert json.loads(run("cache", "stats", "--json").stdout)["kept"][0]["answers"] == 2


def test_show_says_from_whom_and_since_when_but_not_what(run: Run) -> None:
    result = run("cache", "show", "count", "one two", "--json")
    (row,) = json.loads(result.stdout)["kept"]
    assert (row["level"], row["provider"], row["state"], row["cost"]) == ("sqlite", "fast", "fresh", "0.0015 USD")
    assert set(row) == {"level", "provider", "state", "age", "fresh for", "cost"}
    assert "nothing is kept" in run("cache", "show", "count", "never asked").stdout
    assert "nothing is kept" in run("cache", "show", "count", "one two", "--tenant", "acme").stdout


def test_clear_forgets_all_or_what_is_meant(run: Run) -> None:
    assert run("cache", "clear", "--provider", "other").stdout == "count: forgot 0\n"
    assert run("cache", "clear", "--older-than", "1d").stdout == "count: forgot 0\n"
    assert run("cache", "clear", "--provider", "fast").stdout == "count: forgot 2\n"
    run("run", "count", "three")
    assert run("cache", "clear", "count").stdout == "count: forgot all\n"
    (kept,) = json.loads(run("cache", "stats", "--json").stdout)["kept"]
    assert (kept["answers"], kept["bytes"]) == (0, 0)


def test_a_service_without_a_cache_is_a_usage_error(run: Run) -> None:
    result = run("cache", "clear", "plain")
    assert (result.exit_code, "plain has no cache" in result.stderr) == (2, True)


def test_a_cache_that_cannot_be_used_is_an_error_with_a_remedy(run: Run, tmp_path: Path) -> None:
    (tmp_path / "work" / ".switchgear" / "cache.db").write_text("a letter to somebody" * 500)
    result = run("cache", "stats")
    assert result.exit_code == 1
    assert "a cache cannot be used" in result.stderr
