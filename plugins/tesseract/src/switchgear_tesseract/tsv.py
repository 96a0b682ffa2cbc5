"""Tesseract's TSV: one row for each block, paragraph, line and word. The library and the program write the same."""

from collections.abc import Iterable, Sequence

from switchgear_ocr import Box, Line, Word
from switchgear_ocr.output import mean_confidence

# level, page, block, paragraph, line, word, left, top, width, height, confidence (0-100), text
WORD, COLUMNS = "5", 12


def lines_of(tsv: str) -> list[Line]:
    """The lines with their words. Rows without text are left out: Tesseract gives pictures and shadows one, too."""
    lines: dict[tuple[str, ...], list[Word]] = {}
    for row in tsv.splitlines():
        cells = row.split("\t", COLUMNS - 1)
        if len(cells) == COLUMNS and cells[0] == WORD and cells[-1].strip():
            lines.setdefault(tuple(cells[2:5]), []).append(_word(cells))
    return [_line(words) for words in lines.values()]


def _word(cells: Sequence[str]) -> Word:
    left, top, width, height = map(float, cells[6:10])
    confidence = min(max(float(cells[10]) / 100, 0.0), 1.0)
    return Word(cells[-1].strip(), Box(left, top, left + width, top + height), confidence)


def _line(words: Sequence[Word]) -> Line:
    text = " ".join(word.text for word in words)
    box = Box.around([word.box for word in words])
    return Line(text, box, mean_confidence(words), tuple(words), _slope([word.box for word in words]))


def _slope(boxes: Iterable[Box]) -> float:
    """The baseline's, by least squares through the words' feet; letters that go below it cancel out in long lines."""
    feet = [((box.left + box.right) / 2, box.bottom) for box in boxes]
    middle_x, middle_y = sum(x for x, _ in feet) / len(feet), sum(y for _, y in feet) / len(feet)
    spread = sum((x - middle_x) ** 2 for x, _ in feet)
    if len(feet) < 4 or not spread:
        return 0.0
    return sum((x - middle_x) * (y - middle_y) for x, y in feet) / spread
