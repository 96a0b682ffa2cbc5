"""What the pages say: articles of the Declaration, and letters and invoices made up from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

import numpy as np

T = TypeVar("T")
Section = tuple[str, list[str]]

FIRMS = (
    "Northgate Paper Supply", "Harrow & Finch", "Bellweather Instruments", "Quayside Printing Works",
    "Linden Valley Dairy", "Orchard Street Joinery", "Meridian Survey Office", "Copper Lane Electrical",
)  # fmt: skip
PEOPLE = (
    "Margaret Ellison", "Thomas Okafor", "Ingrid Vasquez", "Samuel Whitcombe",
    "Priya Raman", "Daniel Kowalski", "Ruth Abernathy", "George Tanaka",
)  # fmt: skip
STREETS = ("Mill Road", "Station Parade", "Kingfisher Close", "Wharf Street", "Church Lane", "Elm Terrace")
TOWNS = ("Ashbourne", "Whitby", "Ludlow", "Kendal", "Oakham", "Hexham")
GOODS = (
    "Envelopes, white, box of 500", "Ball bearing 6204, sealed", "Oak board, planed, 2.4 m", "Desk lamp with clamp",
    "Copper pipe 15 mm, 3 m", "Printer toner, black", "Safety gloves, pair", "Ring binder, A4, blue",
    "Glass jar 340 ml, tray of 24", "Extension lead, 10 m", "Wood screws 4 x 40, box", "Survey peg, steel",
)  # fmt: skip
MATTERS = ("the boundary survey", "your order", "the annual service", "the insurance claim", "the spring catalogue")
REMARKS = (
    (
        "Thank you for your letter of {day}, which reached us on the following Monday. We have now gone through the "
        "papers that came with it and can answer most of the questions that you raised."
    ),
    (
        "The amount still open on your account is ${money}. If you have paid within the last ten days, please treat "
        "this paragraph as no more than a note of what our books showed on {day}."
    ),
    (
        "Our engineer, {person}, will call on {day} between 9.30 and 11.45 in the morning. The work takes about "
        "{count} hours, and the supply has to be switched off for part of that time."
    ),
    (
        "Of the {count} parcels sent to {street}, two came back to our depot marked as unknown. Could you let us have "
        "the full address, with the postcode, so that they may go out again without a further charge?"
    ),
    (
        "Since the prices of our own suppliers went up by {percent} per cent in the last year, the new list will apply "
        "from {day}. Orders that arrive before then are delivered at the old price, which is ${money} for the full set."
    ),
    (
        "Please quote reference {reference} whenever you write or telephone. The office is open from Monday to Friday, "
        "8.00 to 17.30, and the direct line is 01632 {phone}."
    ),
    (
        "We enclose two copies of the agreement. Kindly sign both, keep one for your own files, and return the other "
        "before {day}; the deposit of ${money} falls due {count} days later."
    ),
)


@dataclass(frozen=True)
class Letter:
    sender: list[str]
    day: str
    recipient: list[str]
    subject: str
    body: list[str]
    signature: str


@dataclass(frozen=True)
class Invoice:
    sender: list[str]
    facts: list[tuple[str, str]]
    rows: list[tuple[str, str, str, str]]
    totals: list[tuple[str, str]]
    terms: str


def pick(rng: np.random.Generator, choices: Sequence[T]) -> T:
    return choices[int(rng.integers(len(choices)))]


def some(rng: np.random.Generator, choices: Sequence[T], count: int) -> list[T]:
    return [choices[i] for i in rng.permutation(len(choices))[:count]]


def read_sections(path: Path) -> list[Section]:
    """Sections of a text file: blocks between blank lines, each a heading line and then one paragraph a line."""
    blocks = [block.splitlines() for block in path.read_text(encoding="utf-8").split("\n\n")]
    return [(lines[0], lines[1:]) for lines in blocks if len(lines) > 1]


def make_letter(rng: np.random.Generator) -> Letter:
    writer, reader = some(rng, PEOPLE, 2)
    remarks = some(rng, REMARKS, int(rng.integers(4, 7)))
    return Letter(
        sender=[pick(rng, FIRMS), *_address(rng)],
        day=_day(rng),
        recipient=[reader, *_address(rng)],
        subject=f"Re: {pick(rng, MATTERS)}, our reference {_reference(rng)}",
        body=[f"Dear {reader},", *(_fill(rng, remark) for remark in remarks), "Yours sincerely,"],
        signature=writer,
    )


def make_invoice(rng: np.random.Generator) -> Invoice:
    rows, net = [], 0
    for name in some(rng, GOODS, int(rng.integers(6, 11))):
        count, cents = int(rng.integers(1, 40)), int(rng.integers(95, 9000))
        rows.append((name, str(count), _money(cents), _money(count * cents)))
        net += count * cents
    tax = round(net * 0.2)
    return Invoice(
        sender=[pick(rng, FIRMS), *_address(rng)],
        facts=[("Invoice number", _reference(rng)), ("Date", _day(rng)), ("Customer", pick(rng, PEOPLE))],
        rows=rows,
        totals=[("Net total", _money(net)), ("Tax at 20 %", _money(tax)), ("Amount due in $", _money(net + tax))],
        terms=f"Please pay within {pick(rng, (14, 21, 30))} days to account {rng.integers(10**7, 10**8)}, quoting the "
        f"invoice number. Goods remain ours until they are paid for. Questions about this invoice are answered "
        f"on 01632 {_phone(rng)} on working days.",
    )


def _fill(rng: np.random.Generator, remark: str) -> str:
    return remark.format(
        day=_day(rng),
        money=_money(int(rng.integers(5_000, 900_000))),
        person=pick(rng, PEOPLE),
        street=pick(rng, STREETS),
        count=rng.integers(3, 29),
        percent=f"{rng.uniform(1, 9):.1f}",
        reference=_reference(rng),
        phone=_phone(rng),
    )


def _address(rng: np.random.Generator) -> list[str]:
    return [f"{rng.integers(2, 190)} {pick(rng, STREETS)}", f"{pick(rng, TOWNS)} {rng.integers(10_000, 99_999)}"]


def _day(rng: np.random.Generator) -> str:
    day = date(2019, 1, 1) + timedelta(days=int(rng.integers(2500)))
    return f"{day.day} {day:%B %Y}"


def _money(cents: int) -> str:
    return f"{cents / 100:,.2f}"


def _reference(rng: np.random.Generator) -> str:
    return f"{pick(rng, 'ABCDEFGHJKLM')}{pick(rng, 'NPQRTUVWXY')}-{rng.integers(1000, 9999)}/{rng.integers(10, 99)}"


def _phone(rng: np.random.Generator) -> str:
    return f"{rng.integers(100_000, 999_999)}"
