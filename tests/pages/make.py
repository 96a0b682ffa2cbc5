"""Make pages with known text, in the folder of this script or another (`python make.py --help`).

Each page NAME has its text in NAME.txt, in reading order, and pages.toml lists them all. Equal options and equal
versions of Pillow, numpy and the fonts give equal bytes.
"""

from __future__ import annotations

import argparse
import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import page_layout as layout
import page_specials as specials
import page_text as texts
import page_wear as wear
from PIL import Image

HERE = Path(__file__).resolve().parent
DOCUMENTS = ("declaration", "letter", "invoice")
WEARS = (wear.photocopy, wear.grain, wear.faint, wear.blocky)
ANGLES = (1.3, -2.4, 90.0, 3.6)
SEED = 10  # neither the kindest nor the hardest of a dozen
PASSWORD = "open sesame"
HEADLINES = (
    ("A common standard of achievement", "Published 10 December 1948"),
    ("Born free and equal in dignity", "Weekly review, number 27"),
    ("What the General Assembly proclaimed", "From our correspondent in Paris"),
    ("Thirty articles for all peoples", "Supplement, page 3 of 8"),
)


@dataclass(frozen=True)
class Page:
    """A finished file; `text` is None where there is no page to be read."""

    name: str
    kind: str
    data: bytes
    text: str | None
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class Source:
    """What pages are made from; every page draws from its own random stream, so that one kind can be made alone."""

    seed: int
    sections: list[texts.Section]
    families: list[layout.Family]

    def rng(self, kind: str, number: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, zlib.crc32(kind.encode()), number])

    def document(self, rng: np.random.Generator, what: str, dpi: int | None = None) -> layout.Sheet:
        sheet = layout.new_sheet(rng, self.families, dpi)
        if what == "letter":
            layout.set_letter(sheet, texts.make_letter(rng))
        elif what == "invoice":
            layout.set_invoice(sheet, texts.make_invoice(rng))
        else:
            layout.set_declaration(sheet, self.excerpt(rng))
        return sheet

    def excerpt(self, rng: np.random.Generator) -> list[texts.Section]:
        """The sections, from a random one on and round."""
        start = int(rng.integers(len(self.sections)))
        return self.sections[start:] + self.sections[:start]


def clean(source: Source, count: int) -> Iterator[Page]:
    for number in range(count):
        sheet = source.document(source.rng("clean", number), DOCUMENTS[number % 3])
        yield _png_page(f"clean-{number + 1}", "clean", sheet.image, sheet.text)


def columns(source: Source, count: int) -> Iterator[Page]:
    for number in range(count):
        rng = source.rng("columns", number)
        sheet = layout.new_sheet(rng, source.families, 150)
        sheet.points = min(sheet.points, 11)
        layout.set_columns(sheet, source.excerpt(rng), 2 + number % 2, *HEADLINES[number % len(HEADLINES)])
        yield _png_page(f"columns-{number + 1}", "columns", sheet.image, sheet.text)


def rotated(source: Source, count: int) -> Iterator[Page]:
    for number in range(count):
        rng = source.rng("rotated", number)
        sheet = source.document(rng, DOCUMENTS[(number + 1) % 3], 150)
        angle = ANGLES[number % len(ANGLES)]
        upright = sheet.image.rotate(angle, expand=True) if angle == 90 else wear.skew(sheet.image, angle)
        yield _png_page(f"rotated-{number + 1}", "rotated", upright, sheet.text)


def noisy(source: Source, count: int) -> Iterator[Page]:
    for number in range(count):
        rng = source.rng("noisy", number)
        sheet = source.document(rng, DOCUMENTS[(number + 1) % 3], 150)
        spoilt = WEARS[number % len(WEARS)](sheet.image, rng)
        yield _jpeg_page(f"noisy-{number + 1}", "noisy", spoilt, sheet.text, quality=24)


def photo(source: Source, count: int) -> Iterator[Page]:
    for number in range(count):
        rng = source.rng("photo", number)
        sheet = source.document(rng, DOCUMENTS[number % 3], 150)
        yield _jpeg_page(f"photo-{number + 1}", "photo", wear.photograph(sheet.image, rng), sheet.text, quality=40)


def blank(source: Source, count: int) -> Iterator[Page]:
    yield _png_page("blank-white", "blank", Image.new("L", (1240, 1754), 255), "")
    grey = wear.faint(Image.new("L", (1240, 1754), 255), source.rng("blank", 0))
    yield _jpeg_page("blank-grey", "blank", grey, "", quality=20)


def tiny(source: Source, count: int) -> Iterator[Page]:
    yield _png_page("tiny-pixel", "tiny", Image.new("L", (1, 1), 255), "")
    sheet = layout.Sheet(40, 15, 150, source.families[0], 6, justified=False)
    sheet.put(4, 12, "OK", sheet.font())
    yield _png_page("tiny-word", "tiny", sheet.image, "OK\n")


def huge(source: Source, count: int) -> Iterator[Page]:
    yield Page("huge.png", "huge", specials.huge_png(), "", (specials.HUGE, specials.HUGE))


def formats(source: Source, count: int) -> Iterator[Page]:
    rng = source.rng("formats", 0)
    sheet = layout.Sheet(800, 420, 150, texts.pick(rng, source.families), 10.5, justified=False)
    layout.set_note(sheet, texts.make_letter(rng))
    for name, data in specials.formats(sheet.image):
        yield Page(f"formats-{name}", "formats", data, sheet.text, sheet.image.size)


def pdf(source: Source, count: int) -> Iterator[Page]:
    sheets = [source.document(source.rng("pdf", number), what, 150) for number, what in enumerate(DOCUMENTS)]
    for name, chosen in (("pdf-one.pdf", sheets[1:2]), ("pdf-three.pdf", sheets)):
        data = specials.image_pdf([sheet.image for sheet in chosen], 150)
        yield Page(name, "pdf", data, "\n".join(sheet.text for sheet in chosen))
    lines = sheets[1].text.splitlines()
    yield Page("pdf-text.pdf", "pdf", specials.text_pdf(lines), sheets[1].text)


def bad(source: Source, count: int) -> Iterator[Page]:
    rng = source.rng("bad", 0)
    good = specials.png(source.document(rng, "invoice", 150).image)
    for name, data in specials.bad_files(rng, good):
        yield Page(name, "bad", data, None)
    locked = specials.encrypted_pdf(specials.text_pdf(["You found the password."]), PASSWORD)
    yield Page("bad-locked.pdf", "bad", locked, None)


KINDS: dict[str, Callable[[Source, int], Iterator[Page]]] = {
    make.__name__: make for make in (clean, columns, rotated, noisy, photo, blank, tiny, huge, formats, pdf, bad)
}


def write(page: Page, folder: Path) -> str:
    """Write the files of a page; its entry for pages.toml."""
    (folder / page.name).write_bytes(page.data)
    entry = [f'[[page]]\nname = "{page.name}"', f'kind = "{page.kind}"']
    if page.text is not None:
        (folder / page.name).with_suffix(".txt").write_text(page.text, encoding="utf-8")
        entry.append(f"characters = {len(page.text.strip())}")
    if page.size:
        entry.append(f"size = [{page.size[0]}, {page.size[1]}]")
    return "\n".join(entry) + "\n"


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    families = layout.folder_families(options.fonts) if options.fonts else layout.matplotlib_families()
    source = Source(options.seed, texts.read_sections(options.text), families)
    options.out.mkdir(parents=True, exist_ok=True)
    pages = [page for kind in options.kind or KINDS for page in KINDS[kind](source, options.count)]
    entries = [write(page, options.out) for page in pages]
    _list(options.out / "pages.toml", entries, {page.kind for page in pages})


def _list(manifest: Path, entries: list[str], made: set[str]) -> None:
    """Add to the list, in place of what it had of the same kinds."""
    old = manifest.read_text(encoding="utf-8").split("\n\n") if manifest.exists() else []
    kept = [entry.strip() + "\n" for entry in old if not any(f'kind = "{kind}"' in entry for kind in made)]
    manifest.write_text("\n".join(kept + entries), encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Make pages with known text.")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--kind", action="append", choices=list(KINDS), help="may be repeated; all if not given")
    parser.add_argument("--count", type=int, default=4, help="pages of each kind that comes in numbers")
    parser.add_argument("--text", type=Path, default=HERE / "udhr-eng.txt", help="blocks of a heading and paragraphs")
    parser.add_argument("--fonts", type=Path, help="take typefaces from this folder, not from matplotlib")
    parser.add_argument("--out", type=Path, default=HERE)
    return parser


def _png_page(stem: str, kind: str, image: Image.Image, text: str) -> Page:
    return Page(f"{stem}.png", kind, specials.png(image), text, image.size)


def _jpeg_page(stem: str, kind: str, image: Image.Image, text: str, quality: int) -> Page:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, optimize=True)
    return Page(f"{stem}.jpg", kind, buffer.getvalue(), text, image.size)


if __name__ == "__main__":
    main()
