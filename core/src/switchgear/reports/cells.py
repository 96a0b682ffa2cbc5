"""Dates and amounts as vendors write them. What can be read in two ways is an error, never a guess."""

import re
from datetime import datetime
from decimal import Decimal

_DATES = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d.%m.%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y",
)  # fmt: skip
_MONTHS = ("%Y-%m", "%Y/%m", "%m.%Y", "%b %Y", "%B %Y")
_AMOUNT = re.compile(r"(?P<before>[^\d.,]*)(?P<digits>[\d.,'’\s]*\d[.,]?)(?P<after>[^\d.,]*)")
_SCIENTIFIC = re.compile(r"[+-]?\d+(\.\d+)?[eE][+-]?\d+")

_SIGNS = {"$": "USD", "€": "EUR", "£": "GBP"}


def read_date(text: str, form: str | None = None) -> tuple[datetime, bool]:
    """A moment, without a zone where the text has none, and whether it stands for a whole month.

    `form` is for `strptime`. Raises `ValueError` for what is no date, and for `03/04/2026`, which can be two.
    """
    if form is not None:
        try:
            return datetime.strptime(text, form), "%d" not in form and "%j" not in form  # noqa: DTZ007
        except ValueError:
            raise ValueError(f"{text!r} is no date of the form {form!r}") from None
    for each in (*_DATES, *_MONTHS):
        try:
            return datetime.strptime(text, each), each in _MONTHS  # noqa: DTZ007
        except ValueError:
            continue
    if re.fullmatch(r"\d{1,2}/\d{1,2}/\d{4}", text):
        return _with_slashes(text), False
    try:
        return datetime.fromisoformat(text), False
    except ValueError:
        raise ValueError(f"{text!r} is no date that is known; say how to read it with --date-format") from None


def read_amount(text: str, decimal: str | None = None) -> Decimal:
    """`1234.5`, `1,234.50`, `1.234,50`, `$ 0.5`, `(1.00)` for a credit; `decimal` is the mark before the cents.

    Raises `ValueError` for what is no amount, and for `1,234`, unless `decimal` says what it means.
    """
    if _SCIENTIFIC.fullmatch(text):
        return Decimal(text)
    form = _AMOUNT.fullmatch(text)
    if form is None:
        raise ValueError(f"{text!r} is no amount")
    digits = re.sub(r"['’\s]", "", form["digits"])
    mark = decimal or _decimal_mark(digits)
    other = "," if mark == "." else "."
    # Groups of two digits are those of India's lakhs.
    if not re.fullmatch(rf"(\d*|\d{{1,3}}(\{other}\d{{2,3}})+)(\{mark}\d*)?", digits):
        raise ValueError(f"{text!r} is no amount")
    amount = Decimal(digits.replace(other, "").replace(mark, "."))
    is_credit = re.search(r"[-−(]", form["before"]) or "-" in form["after"]
    return -amount if is_credit else amount


def _decimal_mark(digits: str) -> str:
    """The last of the two marks, unless it groups thousands."""
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0:
        return "."
    mark = digits[last]
    if digits.count(mark) > 1:
        return "," if mark == "." else "."
    # A comma before three digits groups thousands in most bills and is a decimal mark in some.
    if re.fullmatch(r"[1-9]\d{0,2},\d{3}", digits):
        raise ValueError(f'{digits!r} can be read in two ways; say what stands before the cents: --decimal "." or ","')
    return mark


def _with_slashes(text: str) -> datetime:
    first, second, year = map(int, text.split("/"))
    if first == second or (first > 12) != (second > 12):
        day, month = (first, second) if first > 12 else (second, first)
        return datetime(year, month, day)  # noqa: DTZ001
    raise ValueError(f"{text!r} can be two days; say which with --date-format %m/%d/%Y or %d/%m/%Y")


def currency_in(text: str) -> str | None:
    """Of `Cost (EUR)`, `EUR 5` or `5 €`."""
    code = re.search(r"[(\[]([A-Z]{3})[)\]]|^([A-Z]{3})\s*[-−]?\d|\d\s*([A-Z]{3})$", text)
    if code:
        return code[code.lastindex or 0]
    return next((code for sign, code in _SIGNS.items() if sign in text), None)
