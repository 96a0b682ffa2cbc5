"""`switchgear cost reconcile`."""

import json
from pathlib import Path
from typing import Any

import pytest
from switchgear.money import Charge


@pytest.fixture
def spent(spend: Any) -> None:
    spend("2026-10-01", cost="5")
    spend("2026-11-24", cost="10")
    spend("2026-11-25", cost="2", charge=Charge.IN_DOUBT)
    spend("2026-11-25", cost="7", provider="good")


def bill(text: str, encoding: str = "utf-8") -> str:
    Path("bill.csv").write_text(text, encoding)
    return "bill.csv"


def test_a_bill_that_agrees_has_status_0(spent: None, run: Any) -> None:
    result = run("cost", "reconcile", bill("month,provider,cost\n2026-10,fast,5.00\n2026-11,fast,12.00\n"))
    assert result.exit_code == 0
    assert "the bill agrees" in result.stdout
    assert "date is 'month'" in result.stderr


def test_a_difference_is_named_with_its_reason_and_has_status_1(spent: None, run: Any) -> None:
    result = run("cost", "reconcile", bill("month,provider,cost\n2026-10,fast,5.00\n2026-11,fast,10.00\n"))
    assert result.exit_code == 1
    (line,) = [line.split() for line in result.stdout.splitlines() if "2026-11" in line]
    assert line[:5] == ["fast", "2026-11", "12", "10", "-2"]
    assert "1 attempt in doubt, 2 USD, may not have been billed" in " ".join(line)
    assert "1 of 2 differ by more than the tolerance" in result.stdout


@pytest.mark.parametrize(
    ("tolerance", "status"), [("0.01", 1), ("1.99", 1), ("2", 0), ("19%", 1), ("20%", 0), ("0", 1)]
)
def test_the_tolerance_is_an_amount_or_a_share_of_the_bill(tolerance: str, status: int, spent: None, run: Any) -> None:
    text = "month,provider,cost\n2026-11,fast,10.00\n"
    assert run("cost", "reconcile", bill(text), "--tolerance", tolerance).exit_code == status


def test_json_has_all_of_it(spent: None, run: Any) -> None:
    result = run(
        "cost", "reconcile", bill("date,provider,calls,cost\n2026-11-30,good,1,7.10\n,Total,,7.10\n"), "--json"
    )
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "agrees": False,
        "columns": {"date": "date", "amount": "cost", "provider": "provider", "quantity": "calls"},
        "skipped": ["line 3 has no date: Total, 7.10"],
        "pairs": [
            {
                "provider": "good",
                "period": "2026-11",
                "start": "2026-11-01T00:00:00+00:00",
                "currency": "USD",
                "ours": "7",
                "theirs": "7.1",
                "difference": "0.1",
                "within_tolerance": False,
                "attempts": 1,
                "in_doubt": "0",
                "unknown": 0,
                "our_quantity": "1",
                "their_quantity": "1",
                "reasons": [
                    "the ledger begins within the period, at 2026-11-25 00:00 UTC",
                    "another price: 7.1 each on the bill, 7 in the ledger",
                ],
            }
        ],
    }


def test_columns_names_and_the_provider_can_be_said(spent: None, run: Any) -> None:
    file = bill("Tag;Was;Betrag\n25.11.2026;Acme = gut;7,00\n")
    arguments = ["--map", "date=Tag", "--map", "provider=Was", "--map", "amount=Betrag", "--name", "Acme = gut=good"]
    assert run("cost", "reconcile", file, *arguments).exit_code == 0
    file = bill("date,amount\n2026-11-25,7\n")
    assert run("cost", "reconcile", file, "--provider", "good").exit_code == 0
    assert run("cost", "reconcile", file).exit_code == 2


def test_days_can_be_compared(spent: None, run: Any) -> None:
    file = bill("date,provider,amount\n11/24/2026,fast,10\n11/25/2026,fast,2\n")
    result = run("cost", "reconcile", file, "--per", "day")
    assert result.exit_code == 0
    assert "2026-11-24" in result.stdout


def test_a_bill_in_another_currency_is_converted_and_that_is_said(spent: None, run: Any) -> None:
    text = "date,provider,amount (EUR)\n2026-10-30,fast,4.545454545\n"
    result = run("cost", "reconcile", bill(text))
    assert result.exit_code == 0
    assert "EUR converted at 1.1, as [currencies] says" in result.stderr
    assert run("cost", "reconcile", bill(text), "--currency", "USD").exit_code == 1


def test_a_currency_without_a_rate_is_a_usage_error(spent: None, run: Any) -> None:
    result = run("cost", "reconcile", bill("date,provider,amount\n2026-10-30,fast,CHF 5\n"))
    assert result.exit_code == 2
    assert 'line 2 of the bill is in CHF, the ledger in USD. Add CHF = "..." to [currencies]' in result.stderr


def test_a_bill_out_of_an_old_spreadsheet_is_read(spent: None, run: Any) -> None:
    text = "date,provider,amount\n2026-11-25,Café,€ 7\n"
    result = run("cost", "reconcile", bill(text, "cp1252"), "--name", "Café=good", "--currency", "USD")
    assert result.exit_code == 0


def test_what_only_the_bill_knows_is_named(spent: None, run: Any) -> None:
    result = run("cost", "reconcile", bill("date,provider,amount\n2026-11-25,Acme,7\n"))
    assert result.exit_code == 1
    assert "give it one with --name 'Acme'=PROVIDER" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tolerance", "much"], "'much' is neither an amount such as 0.01 nor a share such as 0.5%"),
        (["--tolerance", "-1"], "'-1' is neither"),
        (["--map", "date"], "'date' is not KIND=COLUMN"),
        (["--map", "date=Tag"], "--map date: the bill has no column 'Tag'"),
        (["--date-format", "%d.%m.%Y"], "line 2 of the bill: '2026-11-25' is no date of the form"),
    ],
)
def test_mistakes_are_usage_errors(arguments: list[str], message: str, spent: None, run: Any) -> None:
    result = run("cost", "reconcile", bill("date,provider,amount\n2026-11-25,good,7\n"), *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


def test_a_bill_that_is_not_there_is_a_usage_error(spent: None, run: Any) -> None:
    assert run("cost", "reconcile", "nowhere.csv").exit_code == 2
