"""RapidOCR's answer becomes lines with words."""

import numpy as np
from switchgear_ocr import Box
from switchgear_rapidocr.engine import _line, _words

CORNERS = np.array([[0, 0], [200, 4], [200, 34], [0, 30]], dtype=float)


def part(text: str, left: int, right: int) -> tuple[str, float, list[list[int]]]:
    return text, 0.5, [[left, 0], [right, 0], [right, 30], [left, 30]]


def test_words_are_those_of_the_text_where_the_engine_cuts_them_up() -> None:
    line = _line(
        CORNERS, "Customer: Ann", 0.9, [part("Custom", 0, 90), part("er:", 100, 130), part("Ann", 150, 200)], 1
    )
    assert [(word.text, word.box) for word in line.words] == [
        ("Customer:", Box(0, 0, 130, 30)),
        ("Ann", Box(150, 0, 200, 30)),
    ]
    assert {word.confidence for word in line.words} == {0.9}


def test_a_line_whose_parts_are_not_its_text_has_no_words() -> None:
    assert _words("Ann", 0.9, [("Bob", np.array(part("Bob", 0, 9)[2]))]) == ()


def test_the_slope_is_the_middle_of_its_upper_and_lower_edge() -> None:
    assert _line(CORNERS, "Ann", 0.9, [], 1).slope == 0.02


def test_a_line_that_runs_upwards_has_no_slope() -> None:
    upright = np.array([[0, 0], [30, 0], [30, 200], [0, 200]], dtype=float)
    assert _line(upright, "Ann", 0.9, [], 1).slope == 0


def test_boxes_of_an_enlarged_page_are_made_small_again() -> None:
    line = _line(CORNERS / 2, "Ann", 0.9, [part("Ann", 0, 200)], 2)
    assert line.words[0].box == Box(0, 0, 100, 15)
