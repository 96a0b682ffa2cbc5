"""What OCR answers: pages of blocks of lines of words, in reading order."""

from collections.abc import Iterator, Sequence

import attrs
from switchgear.rules import alike, differing, hashed


@attrs.frozen
class Box:
    """A rectangle in pixels of the upright page; the origin is its top left corner."""

    __repr__, __eq__, __hash__ = differing, alike, hashed

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def centre(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def is_within(self, width: float, height: float) -> bool:
        """Whether all of it lies on a page of this size."""
        return self.left >= 0 and self.top >= 0 and self.right <= width and self.bottom <= height

    def within(self, width: float, height: float) -> "Box":
        """The part of it that lies on a page of this size."""
        left, right = (min(max(x, 0.0), float(width)) for x in (self.left, self.right))
        top, bottom = (min(max(y, 0.0), float(height)) for y in (self.top, self.bottom))
        return Box(left, top, right, bottom)

    @classmethod
    def around(cls, boxes: "Sequence[Box]") -> "Box":
        """The smallest box that holds them all; at least one is needed."""
        return cls(
            min(box.left for box in boxes),
            min(box.top for box in boxes),
            max(box.right for box in boxes),
            max(box.bottom for box in boxes),
        )


@attrs.frozen
class Word:
    """`confidence` runs from 0 to 1, and is None where the engine gives none; here and below."""

    __repr__, __eq__, __hash__ = differing, alike, hashed

    text: str
    box: Box
    confidence: float | None = None


@attrs.frozen
class Line:
    """One line of text. `words` may be empty where the engine gives none.

    `slope` is the baseline's, in pixels down per pixel to the right, as hOCR counts it: 0 for a level line.
    """

    __repr__, __eq__, __hash__ = differing, alike, hashed

    text: str
    box: Box
    confidence: float | None = None
    words: tuple[Word, ...] = ()
    slope: float = 0.0


@attrs.frozen
class Block:
    """Lines that belong together: a column, a paragraph, a headline."""

    __repr__, __eq__, __hash__ = differing, alike, hashed

    box: Box
    lines: tuple[Line, ...]

    @classmethod
    def of(cls, lines: Sequence[Line]) -> "Block":
        return cls(Box.around([line.box for line in lines]), tuple(lines))

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)


@attrs.frozen
class Page:
    """One page. `number` counts from 1 in the document; `width` and `height` are the pixels the boxes refer to."""

    __repr__, __eq__, __hash__ = differing, alike, hashed

    number: int
    width: int
    height: int
    blocks: tuple[Block, ...] = ()

    @property
    def lines(self) -> Iterator[Line]:
        return (line for block in self.blocks for line in block.lines)

    @property
    def text(self) -> str:
        return "\n\n".join(block.text for block in self.blocks)


@attrs.frozen
class OcrOutput:
    """The answer for a whole document: the pages that were asked for, in the document's order."""

    __repr__, __eq__, __hash__ = differing, alike, hashed

    pages: tuple[Page, ...]

    @property
    def lines(self) -> Iterator[Line]:
        return (line for page in self.pages for line in page.lines)

    @property
    def text(self) -> str:
        """Lines end in a newline, blocks in a blank line; a form feed stands between pages."""
        return "\f".join(page.text for page in self.pages)

    @property
    def confidence(self) -> float | None:
        """The lines' mean, weighted by their length; None where there is no text or nobody knows."""
        return mean_confidence(tuple(self.lines))


def mean_confidence(parts: Sequence[Word | Line]) -> float | None:
    """The mean of those that have one, weighted by the length of their text."""
    known = [(len(part.text), part.confidence) for part in parts if part.confidence is not None]
    total = sum(length for length, _ in known)
    return sum(length * confidence for length, confidence in known) / total if total else None
