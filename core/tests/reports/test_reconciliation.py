"""A vendor's bill beside the ledger."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from switchgear.cost_sink import Ledger, Selection
from switchgear.errors import UsageError
from switchgear.money import Charge
from switchgear.periods import Period
from switchgear.reports.bill import Line
from switchgear.reports.calendar import Calendar
from switchgear.reports.reconciliation import Pair, Terms, reconcile

MONTHS = Calendar(Period.MONTH)
Compare = Callable[..., list[Pair]]


def line(month: int, amount: str, provider: str = "fast", quantity: str | None = None) -> Line:
    return Line(
        number=month,
        start=datetime(2026, month, 1, tzinfo=UTC),
        provider=provider,
        amount=Decimal(amount),
        quantity=None if quantity is None else Decimal(quantity),
    )


def against(ledger: Ledger, *lines: Line, **terms: Any) -> list[Pair]:
    return reconcile(ledger, lines, Terms(calendar=MONTHS, currency="USD", **terms))


def reasons(pairs: Sequence[Pair]) -> str:
    (pair,) = pairs
    return "; ".join(pair.reasons)


def test_a_bill_that_agrees_has_no_reasons(record: Any, keep: Any) -> None:
    (pair,) = against(keep(record("2026-11-02"), record("2026-11-30 23:59"), record("2026-12-01")), line(11, "0.02"))
    assert (pair.ours, pair.theirs, pair.difference, pair.attempts) == (Decimal("0.02"), Decimal("0.02"), Decimal(0), 2)
    assert pair.reasons == []
    assert pair.our_quantity is None


def test_lines_of_one_provider_and_period_are_added_up(record: Any, keep: Any) -> None:
    (pair,) = against(keep(record("2026-11-02")), line(11, "0.004"), line(11, "0.006"))
    assert pair.difference == 0


def test_other_providers_and_other_periods_are_not_on_this_bill(record: Any, keep: Any) -> None:
    ledger = keep(record("2026-11-02"), record("2026-11-02", provider="good"), record("2026-08-02"))
    assert [(pair.provider, pair.start.month) for pair in against(ledger, line(11, "0.01"))] == [("fast", 11)]


def test_rounding_is_named(record: Any, keep: Any) -> None:
    ledger = keep(record("2026-11-02", cost=Decimal("0.0149")))
    assert reasons(against(ledger, line(11, "0.01"))) == "rounding: the bill has 1 amount of 2 decimals"


def test_doubts_explain_a_bill_that_is_lower(record: Any, keep: Any) -> None:
    ledger = keep(record("2026-11-01", cost=Decimal(5)), record("2026-11-02", cost=Decimal(2), charge=Charge.IN_DOUBT))
    assert reasons(against(ledger, line(11, "5.00"))) == "1 attempt in doubt, 2 USD, may not have been billed"
    assert reasons(against(ledger, line(11, "1.00"))) == "1 attempt in doubt, 2 USD, explain a part of it"


def test_doubts_that_explain_it_all_explain_the_quantity_too(record: Any, keep: Any) -> None:
    ledger = keep(record("2026-11-01"), record("2026-11-01", charge=Charge.IN_DOUBT, cost=Decimal(2)))
    assert reasons(against(ledger, line(11, "0.01", quantity="1"))) == (
        "1 attempt in doubt, 2 USD, may not have been billed"
    )


def test_unknown_prices_explain_a_bill_that_is_higher(record: Any, keep: Any) -> None:
    ledger = keep(record("2026-11-01"), record("2026-11-02", cost=None), record("2026-11-03", cost=None))
    assert reasons(against(ledger, line(11, "5.00"))) == ("unknown prices: what 2 attempts cost is not in the ledger")


def test_a_ledger_that_begins_later_is_named(record: Any, keep: Any) -> None:
    ledger = keep(record("2026-11-10 08:00"))
    first, second = against(ledger, line(10, "5.00"), line(11, "5.00"))
    assert first.reasons == ["missing period: the ledger begins at 2026-11-10 08:00 UTC"]
    assert second.reasons == ["the ledger begins within the period, at 2026-11-10 08:00 UTC"]


def test_a_ledger_that_begins_on_the_first_day_of_the_period_is_in_time(record: Any, keep: Any) -> None:
    assert reasons(against(keep(record("2026-11-01 08:00")), line(11, "5.00"))) == (
        "not explained by anything in the ledger"
    )


def test_a_period_that_the_ledger_has_nothing_of_is_named(record: Any, keep: Any) -> None:
    ledger = keep(record("2026-09-10"), record("2026-11-10"))
    pairs = against(ledger, line(9, "0.01"), line(10, "5.00"))
    assert [pair.reasons for pair in pairs] == [[], ["missing period: the ledger has no attempt in it"]]


def test_a_period_that_the_bill_has_nothing_of_is_named(record: Any, keep: Any) -> None:
    ledger = keep(*[record(f"2026-{month}-10") for month in ("09", "10", "11")])
    pairs = against(ledger, line(9, "0.01"), line(11, "0.01"))
    assert [pair.reasons for pair in pairs] == [[], ["missing period: the bill has no line for it"], []]


def test_another_quantity_is_named(record: Any, keep: Any) -> None:
    free = record("2026-11-02", charge=Charge.FREE, cost=Decimal(0))
    ledger = keep(record("2026-11-01"), record("2026-11-01"), free)
    (pair,) = against(ledger, line(11, "0.03", quantity="3"))
    assert (pair.our_quantity, pair.their_quantity) == (Decimal(2), Decimal(3))
    assert pair.difference == Decimal("0.01")
    assert "another quantity: 3 calls on the bill, 2 in the ledger" in reasons(
        against(ledger, line(11, "0.530", quantity="3"))
    )


def test_the_same_quantity_at_another_price_is_named(record: Any, keep: Any) -> None:
    usage = {"pages": Decimal(4)}
    ledger = keep(record("2026-11-01", usage=usage), record("2026-11-01", usage=usage))
    pairs = against(ledger, line(11, "0.8000", quantity="8"), unit="pages")
    assert reasons(pairs) == "another price: 0.1 each on the bill, 0.0025 in the ledger"


def test_names_of_the_bill_are_providers_of_the_ledger(record: Any, keep: Any) -> None:
    ledger = keep(record("2026-11-01"), record("2026-11-01", provider="good"))
    pairs = against(ledger, line(11, "0.01", "FAST"), line(11, "0.01", "Acme OCR"), names={"acme ocr": "good"})
    assert [(pair.provider, pair.difference) for pair in pairs] == [("fast", Decimal(0)), ("good", Decimal(0))]


def test_a_name_that_nobody_has_is_named(record: Any, keep: Any) -> None:
    assert reasons(against(keep(record("2026-11-01")), line(11, "1.00", "Acme"))) == (
        "the ledger has no provider of this name: give it one with --name 'Acme'=PROVIDER"
    )


def test_lines_without_a_name_are_from_the_only_provider_there_is(record: Any, keep: Any) -> None:
    saved = record("2026-11-01", provider="", kind="saved", cost=None, saved=Decimal(1), hits=1)
    assert against(keep(record("2026-11-01"), saved), line(11, "0.01", ""))[0].provider == "fast"


def test_lines_without_a_name_are_from_the_provider_that_is_said(record: Any, keep: Any) -> None:
    ledger = keep(record("2026-11-01"), record("2026-11-01", provider="good"))
    assert against(ledger, line(11, "0.01", ""), provider="good")[0].provider == "good"
    with pytest.raises(UsageError, match="line 11 of the bill names no provider") as error:
        against(ledger, line(11, "0.01", ""))
    assert error.value.remedy == "Say whose bill it is: --provider NAME; the ledger has: fast, good"


def test_only_the_currency_of_the_terms_is_compared(record: Any, keep: Any) -> None:
    ledger = keep(record("2026-11-01"), record("2026-11-01", currency="EUR"))
    assert against(ledger, line(11, "0.01"))[0].difference == 0


def test_a_selection_is_kept_to(record: Any, keep: Any) -> None:
    ledger = keep(record("2026-11-01"), record("2026-11-01", service="other"))
    terms = Terms(calendar=MONTHS, currency="USD")
    (pair,) = reconcile(ledger, [line(11, "0.01")], terms, Selection(services=("scans",)))
    assert pair.difference == 0


def test_what_is_on_no_line_has_no_pair(keep: Any) -> None:
    with pytest.raises(UsageError, match="no line with a date"):
        against(keep())
