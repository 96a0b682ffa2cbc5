"""Validators turn bad answers down, and say how bad they are."""

import pytest
from PIL import Image, ImageDraw
from switchgear import InvalidResult, ProviderResult
from switchgear_ocr import Block, Box, Line, OcrOutput, OcrRequest, Page, Word
from switchgear_ocr.agreement import Agreement, similarity
from switchgear_ocr.coverage import MinCoverage
from switchgear_ocr.testing import draw_page
from switchgear_ocr.validators import Expect, MinConfidence

BLANK = OcrRequest(Image.new("L", (400, 300), 255))
ROWS = [f"Line number {number} of this page" for number in range(10)]
PAGE = OcrRequest(draw_page(*ROWS))


def answer(*lines: Line) -> ProviderResult[OcrOutput]:
    blocks = (Block.of(lines),) if lines else ()
    return ProviderResult(OcrOutput((Page(1, 760, 560, blocks),)))


def said(text: str, confidence: float | None = 0.9) -> ProviderResult[OcrOutput]:
    return answer(Line(text, Box(0, 0, 9, 9), confidence))


def read(count: int, confidence: float | None = 0.9, text: str = "") -> ProviderResult[OcrOutput]:
    """The first rows of the page, with their boxes."""
    return answer(*(Line(text or ROWS[n], Box(45, 55 + 44 * n, 700, 95 + 44 * n), confidence) for n in range(count)))


def refusal(validator: MinConfidence | MinCoverage | Expect, request: OcrRequest, result: object) -> InvalidResult:
    with pytest.raises(InvalidResult) as caught:
        validator.check(request, result)  # type: ignore[arg-type]
    return caught.value


def test_an_unsure_answer_is_refused_with_its_confidence_as_score() -> None:
    assert refusal(MinConfidence(0.8), PAGE, said("hm", 0.6)).score == pytest.approx(0.6)
    MinConfidence(0.8).check(PAGE, said("yes", 0.8))


def test_a_providers_own_figure_counts_more_than_the_lines() -> None:
    result = said("hm", 0.6)
    result.confidence = 0.9
    MinConfidence(0.8).check(PAGE, result)


def test_no_text_or_no_figure_is_not_unsure() -> None:
    MinConfidence().check(BLANK, answer())
    MinConfidence().check(PAGE, said("hm", None))


def test_a_page_that_was_read_passes() -> None:
    MinCoverage(0.95).check(PAGE, read(10))


def test_lines_that_were_lost_are_found_and_the_score_is_what_is_left() -> None:
    error = refusal(MinCoverage(0.9), PAGE, read(7))
    assert error.score == pytest.approx(0.7, abs=0.03)
    assert "page 1: the words cover 0.7" in str(error)


def test_words_that_nobody_believes_cover_nothing() -> None:
    assert refusal(MinCoverage(), PAGE, read(10, confidence=0.2)).score == 0
    MinCoverage(confidence=0.1).check(PAGE, read(10, confidence=0.2))
    MinCoverage().check(PAGE, read(10, confidence=None))


def test_a_box_without_letters_covers_nothing() -> None:
    """Engines read shadows and edges as punctuation as large as the page."""
    page = Box(0, 0, 760, 560)
    assert refusal(MinCoverage(), PAGE, answer(Line("| ~", page, 0.95))).score == 0


def test_words_count_before_their_line_does() -> None:
    line = Line(ROWS[0], Box(0, 0, 760, 560), 0.9, (Word("Line", Box(45, 55, 110, 95), 0.9),))
    assert refusal(MinCoverage(), PAGE, answer(line)).score < 0.1


def test_a_page_without_ink_needs_no_text() -> None:
    MinCoverage(1.0).check(BLANK, answer())


def test_rules_and_frames_are_no_text() -> None:
    page = Image.new("L", (1000, 800), 255)
    draw = ImageDraw.Draw(page)
    for at in range(100, 800, 100):
        draw.line((50, at, 950, at), fill=0, width=3)
        draw.line((at, 50, at, 750), fill=0, width=3)
    MinCoverage(1.0).check(OcrRequest(page), answer())


def test_specks_are_no_text() -> None:
    import numpy as np

    dice = np.random.default_rng(1).random((1600, 1200))
    page = Image.fromarray(np.where(dice < 0.004, 30, 250).astype(np.uint8))
    MinCoverage(1.0).check(OcrRequest(page), answer())


def test_the_edge_of_a_sheet_on_a_dark_desk_is_no_text() -> None:
    desk = Image.new("L", (1000, 1400), 60)
    desk.paste(Image.new("L", (760, 1100), 230).rotate(2, expand=True, fillcolor=60), (100, 120))
    MinCoverage(1.0).check(OcrRequest(desk), answer())


def test_text_in_a_shadow_is_text() -> None:
    lit = draw_page(*ROWS)
    shaded = lit.copy()
    shaded.paste(lit.point(lambda level: level * 0.4), (0, 280))
    shaded.paste(lit.crop((0, 280, 760, lit.height)).point(lambda level: level * 0.4), (0, 280))
    error = refusal(MinCoverage(), OcrRequest(shaded), read(5))
    assert error.score == pytest.approx(0.5, abs=0.05)


def test_of_several_pages_the_worst_counts() -> None:
    both = Image.new("L", (760, 560), 255)
    from switchgear_ocr.testing import encoded

    request = OcrRequest(encoded(both, draw_page(*ROWS), format="TIFF"))
    pages = (Page(1, 760, 560), Page(2, 760, 560))
    with pytest.raises(InvalidResult, match="page 2"):
        MinCoverage().check(request, ProviderResult(OcrOutput(pages)))


def test_what_every_such_document_has_is_looked_for() -> None:
    invoice = said("Invoice 17\nTotal: 12.50 EUR")
    Expect((r"^Total: [\d.]+", "Invoice")).check(PAGE, invoice)
    error = refusal(Expect(["Total", "IBAN"]), PAGE, invoice)  # type: ignore[arg-type]
    assert error.score == 0.5
    assert "'IBAN'" in str(error)
    assert "12.50" not in str(error)


def test_any_of_them_is_enough_if_that_is_asked() -> None:
    Expect(("Total", "IBAN"), require="any").check(PAGE, said("Total: 3"))
    assert refusal(Expect(("Total", "IBAN"), require="any"), PAGE, said("nothing")).score == 0


def test_a_pattern_that_is_none_is_an_error_at_once() -> None:
    with pytest.raises(ValueError, match="no regular expression"):
        Expect(("(",))
    with pytest.raises(ValueError, match="at least one"):
        Expect(())


def test_the_first_answer_waits_for_a_second_that_agrees() -> None:
    first, second = said("Grand total 12.50"), said("GRAND TOTAL: 12.50")
    with pytest.raises(InvalidResult, match="no second reading") as caught:
        Agreement().check(PAGE, first, [])
    assert caught.value.score == 0
    Agreement().check(PAGE, second, [first])


def test_two_answers_that_differ_are_both_refused_with_their_likeness() -> None:
    with pytest.raises(InvalidResult, match="agrees with no other") as caught:
        Agreement().check(PAGE, said("Grand total 12.50"), [said("Thank you for your visit")])
    assert caught.value.score < 0.3


def test_a_third_answer_may_agree_with_any() -> None:
    Agreement().check(PAGE, said("one and two"), [said("something else"), said("One and two.")])


def test_likeness_falls_with_every_misread_letter() -> None:
    text = "the quick brown fox jumps over the lazy dog " * 5
    assert similarity(text, text.upper()) == 1
    assert 0.9 < similarity(text, text.replace("quick", "qu1ck", 1)) < 1
    assert similarity("", " .,") == 1
    assert similarity("", "a") == 0
    assert similarity("ab", "ab") == 1


def test_costly_ones_are_marked_as_such() -> None:
    assert MinCoverage.blocking
    assert Agreement.blocking
    assert not getattr(Expect, "blocking", False)
