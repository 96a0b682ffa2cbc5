"""Typesetting: text goes onto a white sheet, and the sheet remembers what it says in reading order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from page_text import Invoice, Letter, Section, pick
from PIL import Image, ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont
INK, PAPER = 20, 255
LEADING = 1.4
WIDEST_GAP = 2  # times a space


@dataclass(frozen=True)
class Family:
    """A typeface: two functions from a size in pixels to a font."""

    name: str
    regular: Callable[[float], Font]
    bold: Callable[[float], Font]


@dataclass(frozen=True)
class Line:
    text: str
    font: Font
    space_before: float = 0
    wraps: bool = False  # the paragraph goes on in the next line, so this one may be justified


@dataclass
class Sheet:
    """A page at work; `truth` holds one entry a line, empty between paragraphs."""

    width: int
    height: int
    dpi: int
    family: Family
    points: float
    justified: bool
    truth: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.image = Image.new("L", (self.width, self.height), PAPER)
        self._draw = ImageDraw.Draw(self.image)

    @property
    def margin(self) -> int:
        return round(0.8 * self.dpi)

    @property
    def text(self) -> str:
        return "\n".join(self.truth).strip() + "\n"

    def font(self, scale: float = 1, *, bold: bool = False) -> Font:
        return (self.family.bold if bold else self.family.regular)(round(self.points * scale * self.dpi / 72))

    def put(self, x: float, y: float, text: str, font: Font, width: float | None = None) -> None:
        """Draw one line on the baseline; `width` spreads its words over the full measure, unless that tears it."""
        words = text.split(" ")
        gap = font.getlength(" ")
        if width is not None and len(words) > 1:
            spread = (width - sum(font.getlength(word) for word in words)) / (len(words) - 1)
            gap = spread if spread < WIDEST_GAP * gap else gap
        for word in words:
            self._draw.text((round(x), round(y)), word, font=font, fill=INK, anchor="ls")
            x += font.getlength(word) + gap

    def rule(self, x: float, y: float, width: float) -> None:
        self._draw.line((x, y, x + width, y), fill=INK, width=max(1, self.dpi // 100))


def matplotlib_families() -> list[Family]:
    """Typefaces that come with matplotlib's wheel."""
    from matplotlib import get_data_path

    folder = Path(get_data_path()) / "fonts" / "ttf"
    names = [("DejaVuSerif", "-Bold"), ("STIXGeneral", "Bol"), ("DejaVuSans", "-Bold")]
    return [_family(folder / f"{name}.ttf", folder / f"{name}{bold}.ttf") for name, bold in names]


def folder_families(folder: Path) -> list[Family]:
    """Typefaces of a folder: every NAME-Regular.ttf that has a NAME-Bold.ttf."""
    pairs = [(path, path.with_name(path.name.replace("-Regular", "-Bold"))) for path in folder.rglob("*-Regular.ttf")]
    families = [_family(regular, bold) for regular, bold in sorted(pairs) if bold.exists()]
    if not families:
        raise SystemExit(f"{folder}: no NAME-Regular.ttf with a NAME-Bold.ttf beside it")
    return families


def new_sheet(rng: np.random.Generator, families: list[Family], dpi: int | None = None) -> Sheet:
    """An empty A4 page at 150 dpi or letter page at 200 dpi, with a typeface and a size for its body text."""
    dpi = dpi or pick(rng, (150, 200))
    width, height = (1240, 1754) if dpi == 150 else (1700, 2200)
    points = float(rng.uniform(9.5, 12))
    return Sheet(width, height, dpi, pick(rng, families), points, justified=bool(rng.random() < 0.5))


def set_declaration(sheet: Sheet, sections: list[Section]) -> None:
    """One column of articles under a title, from the first of `sections` until the page is full."""
    measure = sheet.width - 2 * sheet.margin
    title = Line("Universal Declaration of Human Rights", sheet.font(1.6, bold=True))
    _flow(sheet, [title, *_section_lines(sheet, sections, measure)], 1, sheet.margin)


def set_columns(sheet: Sheet, sections: list[Section], columns: int, headline: str, byline: str) -> None:
    """A newsletter page: a headline across the page, a byline, a rule, and the articles in columns."""
    measure = sheet.width - 2 * sheet.margin
    y = _flow(sheet, _wrap(headline, sheet.font(2.3, bold=True), measure), 1, sheet.margin)
    y = _flow(sheet, [Line(byline, sheet.font(0.9))], 1, y + 0.05 * sheet.dpi)
    sheet.rule(sheet.margin, y + 0.12 * sheet.dpi, measure)
    column = (measure - (columns - 1) * _gutter(sheet)) / columns
    _flow(sheet, _section_lines(sheet, sections, column), columns, y + 0.3 * sheet.dpi)


def set_letter(sheet: Sheet, letter: Letter) -> None:
    measure = sheet.width - 2 * sheet.margin
    body = sheet.font()
    gap = 1.5 * body.size
    lines = [Line(letter.sender[0], sheet.font(1.4, bold=True)), *(Line(text, body) for text in letter.sender[1:])]
    lines.append(Line(letter.day, body, gap))
    lines += [Line(text, body, gap if number == 0 else 0) for number, text in enumerate(letter.recipient)]
    lines += [*_wrap(letter.subject, sheet.font(bold=True), measure, gap)]
    for text in letter.body:
        lines += _wrap(text, body, measure, 0.8 * body.size)
    lines.append(Line(letter.signature, body, 2.5 * body.size))
    _flow(sheet, lines, 1, sheet.margin)


def set_note(sheet: Sheet, letter: Letter) -> None:
    """A letter's head, subject and date, for small pictures."""
    lines = [
        Line(letter.sender[0], sheet.font(1.4, bold=True)),
        *(Line(text, sheet.font()) for text in letter.sender[1:]),
    ]
    _flow(sheet, [*lines, Line(letter.subject, sheet.font(), sheet.font().size), Line(letter.day, sheet.font())], 1, 60)


def set_invoice(sheet: Sheet, invoice: Invoice) -> None:
    """A table read row by row; numbers are set flush right, as invoices have them."""
    body, bold = sheet.font(), sheet.font(bold=True)
    head = [Line(invoice.sender[0], sheet.font(1.4, bold=True)), *(Line(text, body) for text in invoice.sender[1:])]
    for number, (name, value) in enumerate(invoice.facts):
        head.append(Line(f"{name}: {value}", body, body.size if number == 0 else 0))
    y = _flow(sheet, head, 1, sheet.margin) + 2.5 * body.size
    y = _row(sheet, y, ("Item", "Quantity", "Price", "Amount"), bold)
    sheet.rule(sheet.margin, y - 1.1 * body.size, sheet.width - 2 * sheet.margin)
    for row in invoice.rows:
        y = _row(sheet, y, row, body)
    sheet.rule(sheet.margin, y - 1.1 * body.size, sheet.width - 2 * sheet.margin)
    for name, amount in invoice.totals:
        y = _row(sheet, y, (name, "", "", amount), bold)
    sheet.truth.append("")
    _flow(sheet, _wrap(invoice.terms, body, sheet.width - 2 * sheet.margin), 1, y)


def _row(sheet: Sheet, y: float, cells: tuple[str, str, str, str], font: Font) -> float:
    sheet.put(sheet.margin, y, cells[0], font)
    measure = sheet.width - 2 * sheet.margin
    for text, edge in zip(cells[1:], (0.64, 0.8, 1.0), strict=True):
        sheet.put(sheet.margin + edge * measure - font.getlength(text), y, text, font)
    sheet.truth.append(" ".join(text for text in cells if text))
    return y + 1.7 * font.size


def _flow(sheet: Sheet, lines: Iterable[Line], columns: int, top: float) -> float:
    """Fill the columns in turn, down to the bottom margin; text that finds no room is left out. Where it ended."""
    width = (sheet.width - 2 * sheet.margin - (columns - 1) * _gutter(sheet)) / columns
    column, y = 0, top
    for line in lines:
        step = line.space_before * (y > top) + LEADING * line.font.size
        if y + step > sheet.height - sheet.margin:
            column, y, step = column + 1, top, LEADING * line.font.size
            if column == columns:
                return y
        y += step
        justify = sheet.justified and line.wraps
        sheet.put(sheet.margin + column * (width + _gutter(sheet)), y, line.text, line.font, width if justify else None)
        sheet.truth += ["", line.text] if line.space_before else [line.text]
    return y


def _section_lines(sheet: Sheet, sections: list[Section], measure: float) -> Iterator[Line]:
    body, bold = sheet.font(), sheet.font(1.1, bold=True)
    for heading, paragraphs in sections:
        yield from _wrap(heading, bold, measure, 0.9 * bold.size)
        for text in paragraphs:
            yield from _wrap(text, body, measure, 0.4 * body.size)


def _wrap(text: str, font: Font, measure: float, space_before: float = 0) -> Iterator[Line]:
    words = text.split(" ")
    line = words[0]
    for word in words[1:]:
        if font.getlength(f"{line} {word}") > measure:
            yield Line(line, font, space_before, wraps=True)
            line, space_before = word, 0
        else:
            line = f"{line} {word}"
    yield Line(line, font, space_before)


def _gutter(sheet: Sheet) -> float:
    return 0.28 * sheet.dpi


def _family(regular: Path, bold: Path) -> Family:
    return Family(regular.stem, lambda size: _load(regular, size), lambda size: _load(bold, size))


def _load(path: Path, size: float) -> Font:
    # The basic engine is in every Pillow; Raqm is not, and sets lines a pixel wider.
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
