"""Tesseract's TSV becomes lines."""

import pytest
from switchgear_ocr import Box
from switchgear_tesseract.tsv import lines_of


def row(line: int, word: int, text: str, *, left: int = 0, top: int = 0, confidence: float = 90) -> str:
    return "\t".join(map(str, (5, 1, 1, 1, line, word, left, top, 40, 20, confidence, text)))


def test_words_of_a_line_are_joined() -> None:
    (line,) = lines_of("\n".join([row(1, 1, "Good", confidence=80), row(1, 2, "morning", left=50, confidence=100)]))
    assert line.text == "Good morning"
    assert line.box == Box(0, 0, 90, 20)
    assert [word.confidence for word in line.words] == [0.8, 1.0]
    assert line.confidence == pytest.approx((4 * 0.8 + 7 * 1.0) / 11)


def test_rows_without_text_are_left_out() -> None:
    """Tesseract gives a picture or a shadow a word of one space, as large as the page."""
    assert lines_of(row(1, 1, " ", confidence=95)) == []


def test_headers_and_other_levels_are_left_out() -> None:
    header = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"
    assert lines_of(f"{header}\n4\t1\t1\t1\t1\t0\t0\t0\t40\t20\t-1\t\n") == []


def test_the_baseline_of_a_long_line_gives_its_slope() -> None:
    words = [row(1, n, "word", left=100 * n, top=2 * n) for n in range(6)]
    assert lines_of("\n".join(words))[0].slope == pytest.approx(0.02)


def test_a_line_of_few_words_counts_as_level() -> None:
    words = [row(1, n, "word", left=100 * n, top=2 * n) for n in range(3)]
    assert lines_of("\n".join(words))[0].slope == 0
