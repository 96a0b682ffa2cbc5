"""`switchgear cost report`."""

import io
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from switchgear.cli.cost.sparkline import cell_size, sparkline
from switchgear.cli.cost.waiting import reading
from switchgear.money import Charge


@pytest.fixture
def spent(spend: Any, words: None) -> None:
    """Two days with everything that can happen."""
    spend("2026-11-23 23:30", id="a.1")
    spend("2026-11-24 10:00", id="b.1", cost="0", charge=Charge.FREE, outcome="overloaded")
    spend("2026-11-24 10:00", id="b.2", cost="0.02", provider="good", kind="fallback", tenant="acme")
    spend("2026-11-24 11:00", id="c.1", charge=Charge.IN_DOUBT, outcome="timeout", tags=("batch",))
    spend("2026-11-24 12:00", id="d.1", cost=None, provider="secret")
    spend("2026-11-24 13:00", id="e.1", provider="", kind="saved", cost=None, saved=Decimal("0.3"), hits=20)


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_an_environment_that_is_not_declared_is_refused(
    run: Any, spend: Any, words: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    spend("2026-11-24 12:00")
    with Path("switchgear.toml").open("a") as file:
        file.write('\n[services.count.broken]\n[environments.prod.cost_sinks.ledger.options]\npath = "other.db"\n')
    result = run("cost", "report", "--env", "pord")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "environment: no environment is called 'pord'." in result.stderr
    assert "Did you mean prod?" in result.stderr
    assert run("cost", "report", "--env", "prod").exit_code == 0
    monkeypatch.setenv("SWITCHGEAR_ENV", "pord")
    assert "SWITCHGEAR_ENV: no environment is called 'pord'." in run("cost", "export").stderr


def test_a_table_by_provider_with_a_total(spent: None, run: Any) -> None:
    result = run("cost", "report")
    assert result.exit_code == 0
    lines = rows(result.stdout)
    assert ["Costs", "in", "ledger,", "UTC"] in lines
    assert lines[2] == [
        "service", "provider", "attempts", "cost", "USD", "per", "attempt", "of", "it", "in", "doubt", "unknown",
        "saved", "USD", "hits", "over", "time,", "per", "hour",
    ]  # fmt: skip
    figures = [line[:9] for line in lines if line[:1] in (["count"], ["total"])]
    assert figures[0] == ["count", "-", "0", "0.000", "0.0000", "0", "0.3", "20"]
    assert figures[1][:9] == ["count", "fast", "3", "0.003", "0.00100", "0.0015", "0", "0.0", "0"]
    assert figures[2][:9] == ["count", "good", "1", "0.020", "0.02000", "0.0000", "0", "0.0", "0"]
    assert figures[3][:6] == ["count", "secret", "1", "unknown", "0.0000", "1"]
    assert figures[4] == ["total", "5", "0.023", "0.00575", "0.0015", "1", "0.3", "20"]


def test_the_summary_names_doubts_unknown_prices_and_savings(spent: None, run: Any) -> None:
    out = run("cost", "report").stdout
    assert "5 attempts in 4 calls: 0.023 USD, 0.00575 USD an attempt, 0.00575 USD a call" in out
    assert "in doubt: 1 attempt, 0.0015 USD of it" in out
    assert "unknown: what 1 attempt cost, which is not in it" in out
    assert "saved by the cache: 0.3 USD in 20 hits" in out


def test_amounts_stand_with_their_points_below_each_other(spent: None, run: Any) -> None:
    lines = [
        line
        for line in run("cost", "report", "--by", "provider").stdout.splitlines()
        if "fast" in line or "good" in line
    ]
    assert lines[0].index("0.003") == lines[1].index("0.020")


def test_of_one_provider_nobody_can_say_how_many_calls_it_was(spent: None, run: Any) -> None:
    assert "1 attempt: 0.02 USD, 0.02 USD an attempt\n" in run("cost", "report", "--provider", "good").stdout
    (total,) = json.loads(run("cost", "report", "--provider", "good", "--json").stdout)["totals"]
    assert (total["calls"], total["per_call"]) == (None, None)


def test_where_nothing_is_known_the_sum_is_unknown_and_not_0(spend: Any, run: Any) -> None:
    spend("2026-11-24", cost=None)
    out = run("cost", "report").stdout
    assert "1 attempt in 1 call: unknown\n" in out
    assert "0 USD" not in out


def test_what_nobody_has_gets_no_column(spend: Any, run: Any) -> None:
    spend("2026-11-24")
    out = run("cost", "report").stdout
    assert "doubt" not in out
    assert "unknown" not in out
    assert "saved" not in out
    assert "spent on" not in out


def test_fallbacks_retries_and_hedges_are_told_apart(spent: None, run: Any) -> None:
    out = run("cost", "report").stdout
    assert ["fallbacks", "1", "0.020"] in [line[:3] for line in rows(out)]
    assert ["first", "attempts", "4", "0.003"] in [line[:4] for line in rows(out)]


def test_periods_are_those_of_the_zone(spent: None, run: Any) -> None:
    in_utc = run("cost", "report", "--per", "day", "--by", "service").stdout
    assert ["2026-11-23", "count", "1", "0.0015"] in [line[:4] for line in rows(in_utc)]
    in_berlin = run("cost", "report", "--per", "day", "--by", "service", "--zone", "Europe/Berlin").stdout
    assert "2026-11-23" not in in_berlin


def test_the_zone_is_that_of_the_configuration_unless_it_is_said(spent: None, run: Any) -> None:
    with Path("switchgear.toml").open("a") as file:
        file.write('[accounting]\ntime_zone = "Asia/Tokyo"\n')
    assert json.loads(run("cost", "report", "--json").stdout)["zone"] == "Asia/Tokyo"
    assert json.loads(run("cost", "report", "--json", "--zone", "UTC").stdout)["zone"] == "UTC"


def test_looking_leaves_nothing_behind(spent: None, run: Any) -> None:
    before = sorted(path for path in Path().rglob("*") if "-" not in path.name)
    assert run("cost", "report", "--compare").exit_code == 0
    assert sorted(path for path in Path().rglob("*") if "-" not in path.name) == before


def test_json_has_exact_amounts_as_texts(spent: None, run: Any) -> None:
    value = json.loads(run("cost", "report", "--json", "--per", "day", "--by", "provider,tenant").stdout)
    assert (value["ledger"], value["zone"], value["by"], value["per"]) == (
        "ledger",
        "UTC",
        ["provider", "tenant"],
        "day",
    )
    assert value["rows"][0] == {
        "period": "2026-11-23",
        "start": "2026-11-23T00:00:00+00:00",
        "provider": "fast",
        "tenant": "",
        "currency": "USD",
        "attempts": 1,
        "cost": "0.0015",
        "per_attempt": "0.0015",
        "in_doubt": "0",
        "doubts": 0,
        "unknown": 0,
        "saved": "0",
        "hits": 0,
    }
    (total,) = value["totals"]
    assert sum(Decimal(row["cost"]) for row in value["rows"]) == Decimal(total["cost"]) == Decimal("0.023")
    assert (total["calls"], total["per_call"]) == (4, "0.00575")
    assert {kind["kind"] for kind in value["kinds"]} == {"first", "fallback", "saved"}
    assert "alternatives" not in value
    assert "most_expensive" not in value


@pytest.mark.parametrize(
    ("arguments", "cost"),
    [
        (["--since", "2026-11-24"], "0.0215"),
        (["--until", "2026-11-24"], "0.0015"),
        (["--since", "2026-11-24", "--zone", "Europe/Berlin"], "0.023"),
        (["--since", "2026-11-24T10:30"], "0.0015"),
        (["--since", "2026-11-24T12:30+02:00"], "0.0015"),
        (["--since", "2026-11", "--until", "2026-12"], "0.023"),
        (["--since", "36500d"], "0.023"),
        (["--service", "count"], "0.023"),
        (["--provider", "good", "--provider", "secret"], "0.02"),
        (["--tenant", "acme"], "0.02"),
        (["--tag", "batch"], "0.0015"),
    ],
)
def test_filters(arguments: list[str], cost: str, spent: None, run: Any) -> None:
    value = json.loads(run("cost", "report", "--json", *arguments).stdout)
    assert [total["cost"] for total in value["totals"]] == [cost]


def test_a_selection_that_has_nothing_says_so(spent: None, run: Any) -> None:
    result = run("cost", "report", "--service", "other")
    assert result.exit_code == 0
    assert "the ledger has nothing of it" in result.stderr


def test_what_the_traffic_would_have_cost_with_each_provider(spent: None, run: Any) -> None:
    value = json.loads(run("cost", "report", "--json", "--compare").stdout)
    found = {each["provider"]: each for each in value["alternatives"]}
    assert found["fast"] == {
        "service": "count",
        "provider": "fast",
        "currency": "USD",
        "attempts": 3,
        "paid": "0.023",
        "cost": "0.0045",
        "difference": "-0.0185",
        "not_comparable": 1,
    }
    assert found["good"]["cost"] == "0.006"
    assert found["new"]["cost"] == "0.003"
    assert "secret" not in found
    out = run("cost", "report", "--compare").stdout
    assert ["count", "fast", "3", "0.023", "0.0045", "-0.0185", "1"] in rows(out)


def test_the_most_expensive_calls(spent: None, run: Any) -> None:
    value = json.loads(run("cost", "report", "--json", "--top", "2").stdout)
    assert [(call["call_id"], call["cost"], call["providers"]) for call in value["most_expensive"]] == [
        ("b", "0.02", ["fast", "good"]),
        ("a", "0.0015", ["fast"]),
    ]
    out = run("cost", "report", "--top", "2").stdout
    assert ["b", "2026-11-24", "10:00:00", "count", "-", "fast,", "good", "0.0200", "USD"] in rows(out)


def test_two_currencies_are_never_one_figure(spend: Any, run: Any) -> None:
    spend("2026-11-24")
    spend("2026-11-24", cost="5", currency="EUR")
    out = run("cost", "report", "--by", "provider").stdout
    assert len([line for line in rows(out) if line[:1] == ["total"]]) == 2
    assert "1 attempt in 1 call: 5 EUR" in out


def test_a_report_needs_no_working_provider(spend: Any, run: Any) -> None:
    spend("2026-11-24")
    file = Path("switchgear.toml")
    file.write_text(file.read_text().replace('type = "counter"', 'type = "nobody"'))
    assert run("cost", "report").exit_code == 0
    assert run("cost", "report", "--compare").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--by", "colour"], "'colour' is none of service, provider"),
        (["--by", "slot"], "'slot' is none of"),
        (["--since", "yesterday"], "--since: 'yesterday' is no moment; write it as 2026-11-24"),
        (["--until", "2026-13"], "--until: '2026-13' is no moment"),
        (["--zone", "Europe/Nowhere"], "there is no time zone 'Europe/Nowhere'"),
        (["--sink", "other"], "there is no cost sink 'other'; those that can be read: ledger"),
        (["--plot", "costs.pdf"], "a plot is a .png or a .svg"),
        (["--plot", "nowhere/costs.png"], "--plot: nowhere/costs.png cannot be written"),
    ],
)
def test_mistakes_are_usage_errors(arguments: list[str], message: str, spent: None, run: Any) -> None:
    if "--plot" in arguments:
        pytest.importorskip("matplotlib")
    result = run("cost", "report", *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


def test_a_configuration_without_a_ledger_is_told_how_to_get_one(configure: Any, run: Any) -> None:
    configure("[services]\n")
    result = run("cost", "report")
    assert result.exit_code == 2
    assert 'Add one: [cost_sinks.ledger] with type = "sqlite"' in " ".join(result.stderr.split())


def test_a_sink_that_only_takes_in_is_no_ledger(install: Any, spent: None, run: Any) -> None:
    code = "class Wire:\n    def cost_recorded(self, record): ...\n    def flush(self): ...\n"
    install("acme-wire", code, cost_sinks=["wire = acme_wire:Wire"])
    file = Path("switchgear.toml")
    file.write_text('[cost_sinks.wire]\ntype = "wire"\n' + file.read_text())
    assert "Costs in ledger" in run("cost", "report").stdout
    result = run("cost", "report", "--sink", "wire")
    assert result.exit_code == 2
    assert "--sink: wire only takes records in" in " ".join(result.stderr.split())


def test_a_ledger_that_cannot_be_read_is_an_error_with_a_remedy(install: Any, configure: Any, run: Any) -> None:
    code = """
class Sick:
    closed = 0
    def cost_recorded(self, record): ...
    def flush(self): ...
    def totals(self, by, where): raise RuntimeError("no connection")
    def records(self, where): ...
    def close(self): Sick.closed += 1
"""
    install("acme-sick", code, cost_sinks=["sick = acme_sick:Sick"])
    configure('[cost_sinks.main]\ntype = "sick"\n')
    result = run("cost", "report")
    assert result.exit_code == 1
    assert "cost_sinks.main cannot be read: RuntimeError: no connection. Look at its options" in result.stderr
    assert sys.modules["acme_sick"].Sick.closed == 1


def test_a_plot_is_written_beside_the_table(spent: None, run: Any) -> None:
    pytest.importorskip("matplotlib")
    result = run("cost", "report", "--plot", "costs.svg", "--per", "day")
    assert result.exit_code == 0
    assert "fast" in result.stdout
    assert "Cost by provider, per day" in Path("costs.svg").read_text()


def test_a_plot_without_matplotlib_names_the_command(spent: None, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    result = run("cost", "report", "--plot", "costs.png")
    assert result.exit_code == 2
    assert "pip install 'switchgear[plot]'" in result.stderr


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_somebody_who_watches_sees_that_a_ledger_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal, pipe = Terminal(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", terminal)
    with reading("ledger"):
        pass
    assert "reading ledger" in terminal.getvalue()
    monkeypatch.setattr(sys, "stderr", pipe)
    with reading("ledger"):
        pass
    assert pipe.getvalue() == ""


def test_a_sparkline_is_as_high_as_its_share_of_the_largest() -> None:
    assert sparkline([Decimal(0), Decimal("0.001"), Decimal(4), Decimal(8)]) == " ▁▅█"
    assert sparkline([Decimal(0), Decimal("0.001"), Decimal(4), Decimal(8)], ascii_only=True) == " .+@"
    assert sparkline([]) == ""
    assert sparkline([Decimal(0)]) == " "


def test_a_long_sparkline_has_several_periods_in_a_cell() -> None:
    assert cell_size(40) == 1
    assert cell_size(41) == 2
    assert len(sparkline([Decimal(1)] * 100)) == 34


def test_a_terminal_without_unicode_gets_plain_characters(spent: None, environ: dict[str, str], process: Any) -> None:
    environ["PYTHONIOENCODING"] = "ascii"
    done = process("cost", "report")
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "\\u" not in done.stdout


def test_the_group_names_its_commands_and_refuses_others(run: Any) -> None:
    assert all(name in run("cost", "--help").stdout for name in ("report", "export", "reconcile"))
    assert run("cost", "rapport").exit_code == 2


def test_what_a_plot_leaves_out_is_said(spend: Any, run: Any) -> None:
    pytest.importorskip("matplotlib")
    spend("2026-11-24")
    spend("2026-11-24", cost="5", currency="EUR")
    assert "costs.svg shows USD only, not EUR" in run("cost", "report", "--plot", "costs.svg").stderr
