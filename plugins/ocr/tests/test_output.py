"""Answers, and how they are shown."""

import json
from typing import Any
from xml.etree import ElementTree

import cattrs
import pytest
from PIL import Image
from switchgear import InvalidInput
from switchgear_ocr import OCR, Block, Box, Line, OcrOutput, OcrRequest, Page, Word, read_document

XHTML = "{http://www.w3.org/1999/xhtml}"


def line(text: str, top: float, confidence: float | None = 0.9, slope: float = 0.0) -> Line:
    words = tuple(Word(word, Box(10 * n, top, 10 * n + 8, top + 9), confidence) for n, word in enumerate(text.split()))
    return Line(text, Box(0, top, 100, top + 9), confidence, words, slope)


OUTPUT = OcrOutput(
    (
        Page(1, 200, 100, (Block.of([line("A <title>", 5)]), Block.of([line("first", 20), line("second", 30)]))),
        Page(3, 200, 100, (Block.of([line("R&D \x00 costs", 5, 0.5, slope=0.02)]),)),
        Page(4, 200, 100),
    )
)


def test_text_has_lines_blocks_and_pages_apart() -> None:
    assert OUTPUT.text == "A <title>\n\nfirst\nsecond\fR&D \x00 costs\f"
    assert OCR.render(OUTPUT) == OUTPUT.text


def test_confidence_is_weighted_by_length() -> None:
    short, long = line("ab", 0, 0.2), line("abcdefgh", 9, 0.7)
    assert OcrOutput((Page(1, 9, 9, (Block.of([short, long]),)),)).confidence == pytest.approx(0.6)


def test_nobody_is_sure_of_no_text() -> None:
    assert OcrOutput((Page(1, 9, 9),)).confidence is None
    assert OcrOutput((Page(1, 9, 9, (Block.of([line("x", 0, None)]),)),)).confidence is None


def test_json_holds_everything() -> None:
    shown = json.loads(OCR.render(OUTPUT, "json"))
    assert shown == OCR.to_json(OUTPUT)
    assert shown["text"] == OUTPUT.text
    assert [page["number"] for page in shown["pages"]] == [1, 3, 4]
    found = shown["pages"][0]["blocks"][1]["lines"][0]["words"][0]
    assert found == {"text": "first", "box": [0, 20, 8, 29], "confidence": 0.9}


def test_hocr_is_xml_with_a_box_and_a_confidence_for_every_word() -> None:
    tree = ElementTree.fromstring(OCR.render(OUTPUT, "hocr").split("\n", 2)[2])

    def all_of(kind: str) -> list[Any]:
        return [each for each in tree.iter() if each.get("class") == kind]

    assert [page.get("title") for page in all_of("ocr_page")][1] == "bbox 0 0 200 100; ppageno 2"
    assert [len(all_of(kind)) for kind in ("ocr_page", "ocr_carea", "ocr_line")] == [3, 3, 4]
    words = {word.text: word.get("title") for word in all_of("ocrx_word")}
    assert words["first"] == "bbox 0 20 8 29; x_wconf 90"
    assert {"<title>", "R&D"} <= set(words)
    assert all_of("ocr_line")[3].get("title") == "bbox 0 5 100 14; baseline 0.0200 0"
    ids = [each.get("id") for each in tree.iter() if each.get("id")]
    assert len(ids) == len(set(ids))


def test_an_unknown_format_is_told_with_those_there_are() -> None:
    with pytest.raises(InvalidInput, match="unknown format 'pdf'") as caught:
        OCR.render(OUTPUT, "pdf")
    assert caught.value.remedy == "There are text, json, hocr"


def test_an_answer_survives_being_stored() -> None:
    converter = cattrs.Converter()
    assert converter.structure(json.loads(json.dumps(converter.unstructure(OUTPUT))), OcrOutput) == OUTPUT


def test_a_box_is_cut_to_its_page() -> None:
    assert Box(-5, -5, 50, 50).within(20, 30) == Box(0, 0, 20, 30)
    assert Box(40, 40, 50, 50).within(20, 30) == Box(20, 30, 20, 30)


@pytest.mark.parametrize("box", [Box(-1, 0, 20, 9), Box(0, -1, 20, 9), Box(0, 0, 101, 9), Box(0, 0, 20, 51)])
def test_a_word_or_line_that_sticks_out_is_cut_to_its_page_and_others_stay_as_they_are(box: Box) -> None:
    whole, cut = Box(0, 0, 20, 9), box.within(100, 50)
    for line_box, word_box in [(whole, whole), (box, whole), (whole, box), (box, box)]:
        given = Line("word", line_box, 0.9, (Word("word", word_box, 0.9),))
        (found,) = read_document(OcrRequest(Image.new("L", (100, 50))), lambda _, given=given: [given]).output.lines
        assert found.box == (cut if line_box == box else whole)
        assert found.words[0].box == (cut if word_box == box else whole)
        assert (found is given) == (line_box == word_box == whole)
