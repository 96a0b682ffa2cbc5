"""Reading order: columns one after the other, tables across, whatever the lines' order was."""

import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from switchgear_ocr import Box, Line, reading_order
from switchgear_ocr.ordering import MAX_CROSSING

PITCH, HEIGHT, LETTER = 30, 22, 11
PROSE = (
    "Everyone is entitled to all", "the rights and freedoms that", "are set forth in this text,",
    "without distinction of any", "kind, such as race or colour,", "language or religion, birth",
)  # fmt: skip


def line(text: str, left: float, top: float, slope: float = 0.0) -> Line:
    return Line(text, Box(left, top, left + LETTER * len(text), top + HEIGHT), 0.9, slope=slope)


def column(name: str, left: float, top: float, rows: int = 6) -> list[Line]:
    return [line(f"{name}{n} {PROSE[n % len(PROSE)]}", left, top + n * PITCH) for n in range(rows)]


def turned(lines: Sequence[Line], degrees: float) -> list[Line]:
    """The lines of a page that lies a little askew, as upright boxes around them."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    found = []
    for each in lines:
        box = each.box
        corners = [(x, y) for x in (box.left, box.right) for y in (box.top, box.bottom)]
        xs, ys = [x * cos - y * sin for x, y in corners], [x * sin + y * cos for x, y in corners]
        found.append(Line(each.text, Box(min(xs), min(ys), max(xs), max(ys)), 0.9, slope=math.tan(angle)))
    return found


def read(lines: Sequence[Line]) -> list[str]:
    """The lines' texts in reading order, however the engine returned them."""
    mixed = list(lines)
    random.Random(7).shuffle(mixed)
    return [each.text for block in reading_order(mixed) for each in block.lines]


def texts(*parts: Sequence[Line]) -> list[str]:
    return [each.text for part in parts for each in part]


def test_one_column_is_read_from_top_to_bottom() -> None:
    page = column("a", 50, 50, 12)
    assert read(page) == texts(page)


@pytest.mark.parametrize("degrees", [0, 1.5, -1.5, 3, -3])
def test_columns_are_read_one_after_the_other_also_askew(degrees: float) -> None:
    left, middle, right = column("l", 50, 200), column("m", 450, 212), column("r", 850, 206, 4)
    assert read(turned([*left, *middle, *right], degrees)) == texts(left, middle, right)


def test_a_headline_across_the_columns_comes_first() -> None:
    headline = Line("A headline as wide as the page", Box(50, 40, 800, 90), 0.9)
    left, right = column("l", 50, 150), column("r", 450, 150)
    assert read([headline, *left, *right]) == texts([headline], left, right)


def test_a_headline_between_them_parts_the_columns() -> None:
    upper = column("a", 50, 50), column("b", 450, 50)
    headline = Line("And now for something else, as wide", Box(50, 260, 800, 300), 0.9)
    lower = column("c", 50, 330), column("d", 450, 330)
    assert read([*upper[0], *upper[1], headline, *lower[0], *lower[1]]) == texts(*upper, [headline], *lower)


def test_a_table_is_read_across() -> None:
    rows = [("Envelopes, white, box of 500", "8", "2.34"), ("Desk lamp with clamp", "5", "28.64")] * 3
    page = [
        line(text, left, 50 + n * PITCH)
        for n, row in enumerate(rows)
        for text, left in zip(row, (50, 600, 800), strict=True)
    ]
    assert read(page) == [" ".join(row) for row in rows]


def test_labels_and_values_are_read_across() -> None:
    rows = [("Invoice number", "RE-2041"), ("Date", "12 May"), ("Customer", "Ann Harrow"), ("Total", "12.50")]
    page = [
        line(text, left, 50 + n * PITCH)
        for n, row in enumerate(rows)
        for text, left in zip(row, (50, 500), strict=True)
    ]
    assert read(page) == [" ".join(row) for row in rows]


def test_pieces_of_a_row_become_one_line_with_their_words() -> None:
    (block,) = reading_order([line("rights", 300, 52), line("human", 50, 50), line("and", 450, 49)])
    (joined,) = block.lines
    assert joined.text == "human rights and"
    assert joined.box == Box(50, 49, 450 + 3 * LETTER, 52 + HEIGHT)
    assert [word.text for word in joined.words] == ["human", "rights", "and"]


def test_wide_gaps_between_words_are_no_gutter() -> None:
    """Justified text has rivers of white; where engines part lines at them, two or three may lie in a row."""
    page = column("a", 50, 50, 4)
    broken = [
        piece
        for n in range(2)
        for piece in (line("Everyone has the", 50, 170 + n * PITCH), line("right to a nation", 252, 170 + n * PITCH))
    ]
    assert read([*page, *broken])[-2:] == ["Everyone has the right to a nation"] * 2


def test_indented_and_short_lines_stay_where_they_are() -> None:
    page = [
        line("Dear Ann,", 50, 50),
        *column("a", 90, 90, 5),
        line("Yours sincerely", 300, 260),
        line("Bob", 300, 290),
    ]
    assert read(page) == texts(page)


def test_a_larger_distance_begins_a_new_block() -> None:
    blocks = reading_order([*column("a", 50, 50, 3), *column("b", 50, 200, 3)])
    assert [len(block.lines) for block in blocks] == [3, 3]


def test_lines_close_above_each_other_stay_two() -> None:
    page = [Line("upper", Box(50, 50, 150, 75), 0.9), Line("lower", Box(50, 60, 150, 85), 0.9)]
    assert read(page) == ["upper", "lower"]


def test_empty_lines_are_dropped_and_no_lines_are_no_blocks() -> None:
    assert reading_order([]) == ()
    assert reading_order([Line("  ", Box(0, 0, 9, 9), 0.9)]) == ()


boxes = st.builds(
    lambda x, y, w, h: Box(x, y, x + w, y + h),
    *(st.integers(0, 400), st.integers(0, 400), st.integers(0, 300), st.integers(0, 40)),
)
loose = st.lists(
    st.builds(Line, st.text("ab 1", min_size=1), boxes, st.just(0.5), slope=st.floats(-0.5, 0.5)), max_size=25
)


@given(loose)
def test_no_line_is_lost_or_read_twice(lines: list[Line]) -> None:
    blocks = reading_order(lines)
    found = sorted(word for block in blocks for each in block.lines for word in each.text.split())
    assert found == sorted(word for each in lines for word in each.text.split())


@given(loose)
def test_blocks_hold_their_lines(lines: list[Line]) -> None:
    for block in reading_order(lines):
        assert Box.around([block.box, *(each.box for each in block.lines)]) == block.box


def test_a_large_table_takes_no_longer_than_its_cells() -> None:
    cells = [line("Some text in a cell", 300 * x, PITCH * y) for x in range(12) for y in range(100)]
    assert sum(len(block.lines) for block in reading_order(cells)) >= 100
    assert 0 < MAX_CROSSING < 0.5
