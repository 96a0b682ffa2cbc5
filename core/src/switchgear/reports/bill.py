"""Reads a vendor's bill: a CSV file with a date, an amount and, if it has them, a provider, a quantity, a currency."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from itertools import chain, islice

import attrs

from switchgear.errors import UsageError
from switchgear.periods import Period
from switchgear.reports.calendar import Calendar
from switchgear.reports.cells import currency_in, read_amount, read_date
from switchgear.reports.columns import find_columns

_SAMPLE = 50  # lines that the separator is told from


@attrs.frozen(kw_only=True)
class Line:
    """One line of a bill, by its number in the file. `start`: when the period began that it is for."""

    number: int
    start: datetime
    provider: str
    amount: Decimal
    quantity: Decimal | None = None
    currency: str | None = None

    @property
    def places(self) -> int:
        """How many decimals its amount was rounded to."""
        exponent = self.amount.as_tuple().exponent
        return max(0, -exponent) if isinstance(exponent, int) else 0


@attrs.frozen(kw_only=True)
class Bill:
    """The lines of a file; `columns` says which heading was taken for what, `skipped` why other lines are not in it."""

    lines: Sequence[Line]
    columns: Mapping[str, str]
    skipped: Sequence[str]


@attrs.frozen(kw_only=True)
class Reading:
    """How to read a bill. `columns` maps some of `columns.KINDS` to headings; what it leaves out is looked for.

    `per` and `zone`: the periods that its lines are put into, on the vendor's calendar; `date_format`, as in
    `strptime`, is for dates that can be read in two ways; `decimal` is what stands before the cents; `unit` is what
    its quantities count, a heading like any other.
    """

    per: Period = Period.MONTH
    zone: tzinfo = UTC
    columns: Mapping[str, str] = attrs.Factory(dict)
    date_format: str | None = None
    decimal: str | None = None
    unit: str | None = None


def read_bill(texts: Iterable[str], how: Reading) -> Bill:
    """Raises `UsageError` naming the line, or the column that is missing or can be one of several."""
    rows = _rows(texts)
    _, headings = next(rows, (0, []))
    if not headings:
        raise UsageError("the bill is empty")
    columns = find_columns([heading.strip() for heading in headings], how.columns, how.unit)
    place = {
        kind: position
        for position, heading in enumerate(headings)
        for kind in columns
        if columns[kind] == heading.strip()
    }
    found: list[Line] = []
    skipped: list[str] = []
    reader = _Reader(how, columns)
    for number, row in rows:
        cells = {kind: row[position].strip() if position < len(row) else "" for kind, position in place.items()}
        if not any(cells.values()):
            continue
        missing = next((kind for kind in ("date", "amount") if not cells[kind]), None)
        if missing:
            skipped.append(f"line {number} has no {missing}: {', '.join(cell for cell in cells.values() if cell)}")
        else:
            found.append(reader.line(number, cells))
    return Bill(lines=found, columns=columns, skipped=skipped)


class _Reader:
    def __init__(self, how: Reading, columns: Mapping[str, str]) -> None:
        self._how = how
        self._calendar = Calendar(how.per, how.zone)
        self._currency = currency_in(columns["amount"])

    def line(self, number: int, cells: Mapping[str, str]) -> Line:
        try:
            quantity = cells.get("quantity", "")
            return Line(
                number=number,
                start=self._start(cells["date"]),
                provider=cells.get("provider", ""),
                amount=read_amount(cells["amount"], self._how.decimal),
                quantity=read_amount(quantity, self._how.decimal) if quantity else None,
                currency=cells.get("currency", "").upper() or currency_in(cells["amount"]) or self._currency,
            )
        except ValueError as error:
            raise UsageError(f"line {number} of the bill: {error}") from None

    def _start(self, text: str) -> datetime:
        moment, is_month = read_date(text, self._how.date_format)
        if is_month and self._how.per is not Period.MONTH:
            raise ValueError(f"{text!r} is a month; its lines cannot be told by {self._how.per.value}: use --per month")
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self._how.zone)
        return self._calendar.start_of(moment)


def _rows(texts: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """With the numbers of their lines; the separator is what the first lines are full of."""
    lines = iter(texts)
    sample = list(islice(lines, _SAMPLE))
    if sample:
        sample[0] = sample[0].removeprefix("\ufeff")
    heading = next((line for line in sample if line.strip()), "")
    separator = max(",;\t|", key=heading.count)
    reader = csv.reader(chain(sample, lines), delimiter=separator)
    for row in reader:
        if row:
            yield reader.line_num, row
