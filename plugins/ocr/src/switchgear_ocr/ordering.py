"""Reading order for loose lines: finds the columns of a page, straightens its rows, and groups lines into blocks.

Engines that detect lines one by one return them from top to bottom across the whole page, often in pieces. Here the
page is cut along white gutters (a relative of Breuel's whitespace covers, "Two Geometric Algorithms for Layout
Analysis", 2002): where both sides hold prose, one side is read after the other; where they hold the cells of a table,
rows are read across.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from statistics import median

import attrs

from switchgear_ocr.output import Block, Box, Line, Word, mean_confidence

# Of a region's lines at most this share may run across a gutter: headlines, not the text itself.
MAX_CROSSING = 0.2
# Fewer letters than this in the typical row are a cell or a label, not prose.
PROSE_LETTERS = 12
# Prose fills its column; a table's row is mostly white.
PROSE_FILL = 0.6
# What else may stand beside columns of prose: a page number, a letter in the margin.
PROSE_SHARE = 0.8
MAX_CANDIDATES = 8
# A new block begins where lines are this much further apart than usual.
BLOCK_GAP = 1.45


@attrs.frozen(eq=False)
class _Piece:
    """A line, or part of one, on a page turned straight: `y` is its middle's height there."""

    line: Line
    left: float
    right: float
    y: float
    height: float

    @property
    def width(self) -> float:
        return self.right - self.left


Pieces = Sequence[_Piece]


def reading_order(lines: Iterable[Line]) -> tuple[Block, ...]:
    """Put the lines of one page into blocks, in the order a person reads them; pieces of a row become one line."""
    regions = _regions(_straighten([line for line in lines if line.text.strip()]))
    return tuple(Block.of(block) for region in regions for block in _blocks(region))


def _straighten(lines: Sequence[Line]) -> list[_Piece]:
    """Turn the page straight by the slopes of its longer lines; they may change down the page, as in photos."""
    if not lines:
        return []
    long = [line for line in lines if line.box.width > 5 * line.box.height and abs(line.slope) < 0.3]
    offset, change = _fit([(line.box.centre[1], line.slope, line.box.width) for line in long])
    whole = Box.around([line.box for line in lines])
    middle_x, middle_y = whole.centre
    pieces = []
    for line in lines:
        x, y = line.box.centre
        slope = offset + change * y
        half = line.box.width / 2
        x_straight = x + slope * (y - middle_y)
        # The upright box around a sloping line is higher than its letters.
        height = max(line.box.height - abs(slope) * line.box.width, line.box.height / 3)
        pieces.append(_Piece(line, x_straight - half, x_straight + half, y - slope * (x - middle_x), height))
    return pieces


def _fit(points: Sequence[tuple[float, float, float]]) -> tuple[float, float]:
    """The weighted least-squares line through (position, value, weight): its value at 0, and its change."""
    total = sum(weight for _, _, weight in points)
    if not total:
        return 0.0, 0.0
    mean_x = sum(x * weight for x, _, weight in points) / total
    mean_y = sum(y * weight for _, y, weight in points) / total
    spread = sum(weight * (x - mean_x) ** 2 for x, _, weight in points)
    change = sum(weight * (x - mean_x) * (y - mean_y) for x, y, weight in points) / spread if spread else 0.0
    return mean_y - change * mean_x, change


def _regions(pieces: Pieces) -> Iterator[list[list[_Piece]]]:
    """Parts of the page that are read one after the other, each as its rows."""
    parts = _cut(pieces)
    if parts is None:
        yield _rows(pieces)
        return
    for part in parts:
        yield from _regions(part)


def _cut(pieces: Pieces) -> list[Pieces] | None:
    """The parts on both sides of the best gutter, and between the lines that run across it; None without a gutter."""
    for left_end, right_start in _gutters(pieces):
        crossing = [p for p in pieces if p.left < left_end and p.right > right_start]
        parts: list[Pieces] = []
        found = False
        for band in _bands(pieces, crossing):
            left, right = [p for p in band if p.right <= left_end], [p for p in band if p.left >= right_start]
            if left and right and _are_columns(left, right, right_start - left_end):
                parts += [left, right]
                found = True
            elif band:
                parts.append(band)
        if found:
            return parts
    return None


def _gutters(pieces: Pieces) -> list[tuple[float, float]]:
    """White strips from top to bottom that few lines cross: fewest crossings first, then the widest."""
    lefts, rights = sorted(p.left for p in pieces), sorted(p.right for p in pieces)
    found = []
    for left_end, right_start in pairwise(sorted({*lefts, *rights})):
        ended, begun = bisect_right(rights, left_end), bisect_left(lefts, right_start)
        crossing = begun - ended
        if ended and begun < len(pieces) and crossing <= MAX_CROSSING * len(pieces):
            found.append((crossing, left_end - right_start, left_end, right_start))
    return [(left_end, right_start) for _, _, left_end, right_start in sorted(found)[:MAX_CANDIDATES]]


def _bands(pieces: Pieces, crossing: Pieces) -> Iterator[Pieces]:
    """From top to bottom: what lies between the rows that run across the gutter, and those rows."""
    rest = sorted({*pieces} - {*crossing}, key=lambda p: p.y)
    for row in _rows(crossing):
        y, height = median(p.y for p in row), max(p.height for p in row)
        above = [p for p in rest if p.y < y - height / 2]
        beside = [p for p in rest if abs(p.y - y) <= height / 2]
        rest = rest[len(above) + len(beside) :]
        yield above
        yield [*row, *beside]
    yield rest


def _are_columns(left: Pieces, right: Pieces, gap: float) -> bool:
    """Whether both sides hold prose. The fewer rows a gutter parts, the wider it must be: words have gaps as well."""
    fewest = min(len(_rows(left)), len(_rows(right)))
    needed = max(0.4, 2 / fewest) * median(p.height for p in [*left, *right])
    return gap >= needed and _is_prose(left) and _is_prose(right)


def _is_prose(pieces: Pieces) -> bool:
    """Whether nearly all of it stands in columns of prose; there may be several."""
    prose = [column for column in _side_by_side(pieces) if _fills_its_column(_rows(column))]
    return sum(map(len, prose)) >= PROSE_SHARE * len(pieces)


def _side_by_side(pieces: Pieces) -> list[list[_Piece]]:
    """Groups with white between them from top to bottom."""
    groups: list[list[_Piece]] = []
    end = 0.0
    for piece in sorted(pieces, key=lambda p: p.left):
        if groups and piece.left <= end:
            groups[-1].append(piece)
            end = max(end, piece.right)
        else:
            groups.append([piece])
            end = piece.right
    return groups


def _fills_its_column(rows: Sequence[Pieces]) -> bool:
    left, right = min(p.left for row in rows for p in row), max(p.right for row in rows for p in row)
    letters = median(sum(map(str.isalpha, "".join(p.line.text for p in row))) for row in rows)
    fill = median(sum(p.width for p in row) for row in rows) / max(right - left, 1.0)
    return letters >= PROSE_LETTERS and fill >= PROSE_FILL


def _rows(pieces: Pieces) -> list[list[_Piece]]:
    """Pieces on one baseline, from left to right; the rows from top to bottom."""
    rows: list[list[_Piece]] = []
    for piece in sorted(pieces, key=lambda p: p.y):
        if rows and _belongs(piece, rows[-1]):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [sorted(row, key=lambda p: p.left) for row in rows]


def _belongs(piece: _Piece, row: Pieces) -> bool:
    y, height = median(p.y for p in row), median(p.height for p in row)
    if abs(piece.y - y) > 0.5 * min(piece.height, height):
        return False
    # Two pieces above each other are two lines, however close.
    return all(min(piece.right, p.right) - max(piece.left, p.left) < 0.3 * min(piece.width, p.width) for p in row)


def _blocks(rows: Sequence[Pieces]) -> Iterator[list[Line]]:
    """The region's rows as lines, parted where the distance is larger than usual."""
    heights = [median(p.y for p in row) for row in rows]
    pitches = [below - above for above, below in pairwise(heights)]
    usual = median(pitches) if pitches else 0.0
    block: list[Line] = []
    for row, pitch in zip(rows, [0.0, *pitches], strict=False):
        if block and pitch > BLOCK_GAP * usual:
            yield block
            block = []
        block.append(_joined([p.line for p in row]))
    if block:
        yield block


def _joined(lines: Sequence[Line]) -> Line:
    if len(lines) == 1:
        return lines[0]
    words = tuple(word for line in lines for word in (line.words or (Word(line.text, line.box, line.confidence),)))
    widest = max(lines, key=lambda line: line.box.width)
    box = Box.around([line.box for line in lines])
    return Line(" ".join(line.text for line in lines), box, mean_confidence(lines), words, widest.slope)
