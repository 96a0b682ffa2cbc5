"""Vendors' bills as they come."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from switchgear.errors import UsageError
from switchgear.periods import Period
from switchgear.reports.bill import Bill, Reading, read_bill
from switchgear.reports.cells import currency_in, read_amount, read_date
from switchgear.reports.columns import find_columns

NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)


def read(text: str, **how: object) -> Bill:
    return read_bill(text.splitlines(keepends=True), Reading(**how))  # type: ignore[arg-type]


def test_the_simplest_bill() -> None:
    (line,) = read("date,amount\n2026-11-24,12.50\n").lines
    assert (line.number, line.start, line.provider, line.amount) == (2, NOVEMBER, "", Decimal("12.50"))
    assert (line.quantity, line.currency, line.places) == (None, None, 2)


def test_a_bill_with_everything_out_of_a_spreadsheet() -> None:
    bill = read("\ufeffTag;Artikel;Menge;Betrag (EUR)\n24.11.2026;fast;1.200;1.234,50\n", columns={
        "date": "Tag", "provider": "Artikel", "quantity": "Menge", "amount": "Betrag (EUR)"}, decimal=",")  # fmt: skip
    (line,) = bill.lines
    assert (line.provider, line.quantity, line.amount) == ("fast", Decimal(1200), Decimal("1234.50"))
    assert (line.start, line.currency) == (NOVEMBER, "EUR")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_told_from_the_headings(separator: str) -> None:
    text = "date,provider,amount\n2026-11-24,fast,1.5\n".replace(",", separator)
    assert read(text).lines[0].amount == Decimal("1.5")


def test_a_line_is_known_by_its_number_in_the_file() -> None:
    with pytest.raises(UsageError, match="line 4 of the bill: 'n/a' is no amount"):
        read('date,item,amount\n2026-11-01,"two\nlines",1\n2026-11-02,x,n/a\n')


def test_a_line_without_a_date_or_an_amount_is_left_out_and_named() -> None:
    bill = read("date,item,amount\n2026-11-01,a,1\n,Total,1\n2026-11-02,section,\n\n,,\n")
    assert len(bill.lines) == 1
    assert bill.skipped == ["line 3 has no date: Total, 1", "line 4 has no amount: 2026-11-02, section"]


def test_a_short_line_lacks_its_last_cells() -> None:
    assert read("date,amount,provider\n2026-11-01,1\n").lines[0].provider == ""


def test_an_empty_file_is_no_bill() -> None:
    with pytest.raises(UsageError, match="the bill is empty"):
        read("")


def test_days_are_on_the_vendors_calendar() -> None:
    zone = ZoneInfo("America/New_York")
    (line,) = read("date,amount\n2026-11-24,1\n", zone=zone, per=Period.DAY).lines
    assert line.start == datetime(2026, 11, 24, 5, tzinfo=UTC)
    (line,) = read("date,amount\n2026-11-24T03:00:00Z,1\n", zone=zone, per=Period.DAY).lines
    assert line.start == datetime(2026, 11, 23, 5, tzinfo=UTC)


def test_a_month_cannot_be_told_by_the_day() -> None:
    assert read("month,amount\n2026-11,1\n").lines[0].start == NOVEMBER
    with pytest.raises(UsageError, match=r"'2026-11' is a month; .*--per month"):
        read("month,amount\n2026-11,1\n", per=Period.DAY)


def test_the_currency_is_in_its_column_the_amount_or_the_heading() -> None:
    assert read("date,amount,currency\n2026-11-24,1,eur\n").lines[0].currency == "EUR"
    assert read("date,amount\n2026-11-24,€ 1\n").lines[0].currency == "EUR"
    assert read("date,Amount [GBP]\n2026-11-24,1\n").lines[0].currency == "GBP"


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("12", "12"),
        ("1234.5", "1234.5"),
        ("1,234.50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("1,234,567", "1234567"),
        ("12,34,567.8", "1234567.8"),
        ("1.234.567,8", "1234567.8"),
        ("1 234,50", "1234.50"),
        ("1'234.50", "1234.50"),
        ("0,123", "0.123"),
        ("0.0015", "0.0015"),
        (".5", "0.5"),
        ("$ 3.20", "3.20"),
        ("-$3.20", "-3.20"),
        ("3.20 EUR", "3.20"),
        ("(1.00)", "-1.00"),
        ("−1.5", "-1.5"),
        ("1.50-", "-1.50"),
        ("1.2E-5", "0.000012"),
        ("+7", "7"),
    ],
)
def test_amounts_as_vendors_write_them(text: str, amount: str) -> None:
    assert read_amount(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["", "n/a", "1 of 2.3.4,5,6", "12abc34", ".", "1,2.3,4", "1.2,345.6"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no amount"):
        read_amount(text)


def test_an_amount_with_two_meanings_is_refused_until_it_is_said_which() -> None:
    with pytest.raises(ValueError, match="'1,234' can be read in two ways"):
        read_amount("1,234")
    assert read_amount("1,234", ".") == 1234
    assert read_amount("1,234", ",") == Decimal("1.234")


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=2), st.booleans())
def test_an_amount_with_cents_is_read_in_both_ways_of_writing_it(amount: Decimal, is_german: bool) -> None:
    text = f"{amount:,.2f}"
    swapped = text.translate(str.maketrans(",.", ".,")) if is_german else text
    assert read_amount(swapped) == amount


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24", "2026/11/24", "20261124", "24.11.2026", "24 Nov 2026", "24 November 2026", "Nov 24, 2026",
        "11/24/2026", "24/11/2026", "2026-11-24T00:00", "2026-11-24 00:00:00",
    ],
)  # fmt: skip
def test_dates_as_vendors_write_them(text: str) -> None:
    assert read_date(text) == (datetime.fromisoformat("2026-11-24"), False)


@pytest.mark.parametrize("text", ["2026-11", "11.2026", "Nov 2026", "November 2026"])
def test_months_as_vendors_write_them(text: str) -> None:
    assert read_date(text) == (datetime.fromisoformat("2026-11-01"), True)


def test_a_date_with_two_meanings_is_refused_until_it_is_said_which() -> None:
    with pytest.raises(ValueError, match="'03/04/2026' can be two days"):
        read_date("03/04/2026")
    assert read_date("03/04/2026", "%m/%d/%Y") == (datetime.fromisoformat("2026-03-04"), False)
    assert read_date("4/4/2026") == (datetime.fromisoformat("2026-04-04"), False)


@pytest.mark.parametrize("form", [None, "%d.%m.%y"])
def test_what_is_no_date_is_refused(form: str | None) -> None:
    with pytest.raises(ValueError, match="'yesterday' is no date"):
        read_date("yesterday", form)


@pytest.mark.parametrize(
    ("headings", "found"),
    [
        ("date,amount", {"date": "date", "amount": "amount"}),
        ("Day,Service,Cost (USD),Calls", {
            "date": "Day", "provider": "Service", "amount": "Cost (USD)", "quantity": "Calls"}),
        ("line/UsageStartDate,line/UsageEndDate,line/UsageAmount,line/UnblendedCost,product/ProductName", {
            "date": "line/UsageStartDate", "quantity": "line/UsageAmount", "amount": "line/UnblendedCost",
            "provider": "product/ProductName"}),
        ("month,Unit price,Quantity,Tax,Total,Currency", {
            "date": "month", "quantity": "Quantity", "amount": "Total", "currency": "Currency"}),
        ("invoice_date,net_amount", {"date": "invoice_date", "amount": "net_amount"}),
    ],
)  # fmt: skip
def test_columns_are_known_by_their_headings(headings: str, found: dict[str, str]) -> None:
    assert find_columns(headings.split(","), {}) == found


def test_a_heading_that_is_said_beats_one_that_is_found() -> None:
    found = find_columns(["date", "amount", "charged"], {"amount": "charged"})
    assert found == {"date": "date", "amount": "charged"}


def test_a_column_that_is_headed_with_the_unit_has_the_quantity() -> None:
    assert find_columns(["month", "Pages", "amount"], {}, "pages")["quantity"] == "Pages"
    assert read("month,pages,amount\n2026-11,7,1\n", unit="pages").lines[0].quantity == 7


def test_a_column_that_can_be_one_of_several_has_to_be_said() -> None:
    with pytest.raises(
        UsageError, match="the amount of the bill can be in several columns: blended cost, list cost"
    ) as error:
        find_columns(["date", "blended cost", "list cost"], {})
    assert error.value.remedy == "Say which: --map amount='blended cost'"


@pytest.mark.parametrize("kind", ["date", "amount"])
def test_a_bill_has_a_date_and_an_amount(kind: str) -> None:
    headings = [heading for heading in ("date", "amount") if heading != kind]
    with pytest.raises(UsageError, match=f"no column of the bill looks like its {kind}") as error:
        find_columns(headings, {})
    assert error.value.remedy == f"Name it: --map {kind}=COLUMN"


def test_a_mapping_names_a_kind_and_a_column_that_are_there() -> None:
    with pytest.raises(UsageError, match="--map when: a column can be date, currency"):
        find_columns(["date"], {"when": "date"})
    with pytest.raises(UsageError, match="--map date: the bill has no column 'Tag'; it has: date"):
        find_columns(["date"], {"date": "Tag"})


def test_a_sign_in_the_middle_of_a_word_is_no_currency() -> None:
    assert currency_in("Cost NET") is None
    assert currency_in("USD 5") == "USD"
    assert currency_in("5 CHF") == "CHF"
