"""The capability `ocr` as the core and the command line use it."""

import io
import subprocess
import sys
import tracemalloc
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image
from switchgear import InvalidInput
from switchgear.testing import check_fingerprint
from switchgear_ocr import OCR, Block, Box, Limits, Line, OcrOutput, OcrRequest, Page, Word
from switchgear_ocr.testing import draw_page, encoded

CONTENT = encoded(draw_page("One line"))


def test_options_come_as_text_or_typed() -> None:
    assert OCR.request(CONTENT, languages="en,de", pages="1").languages == ("eng", "deu")
    assert OCR.request(CONTENT, languages=("eng",), pages=[1]).page_numbers == (1,)


def test_a_request_is_taken_as_it_is() -> None:
    request = OcrRequest(CONTENT)
    assert OCR.request(request) is request


def test_an_unknown_option_is_told_with_those_there_are() -> None:
    with pytest.raises(InvalidInput, match="unknown option 'language'") as caught:
        OCR.request(CONTENT, language="eng")
    options = "languages, pages, dpi, name, limits.file_bytes, limits.page_pixels, limits.pages"
    assert caught.value.remedy == f"There are {options}"


@pytest.mark.parametrize("dpi", ["abc", "", "35", 35, -1, True, 200.0, None])
def test_dots_per_inch_that_are_none_are_invalid_input(dpi: object) -> None:
    with pytest.raises(InvalidInput, match="not a whole number of 36 or more"):
        OCR.request(CONTENT, dpi=dpi)
    assert OCR.request(CONTENT, dpi="300").dpi == 300


def test_limits_that_are_none_are_invalid_input() -> None:
    with pytest.raises(InvalidInput, match="limits: expected Limits"):
        OCR.request(CONTENT, limits="3")
    for wrong in ("many", "", "0", "9" * 5000, True, 1.5):
        with pytest.raises(InvalidInput, match=r"limits\.pages .*not a whole number of 1 or more"):
            OCR.request(CONTENT, **{"limits.pages": wrong})


def test_one_limit_comes_by_itself_as_text_and_the_others_stay() -> None:
    raised = OCR.request(CONTENT, **{"limits.page_pixels": "400000000", "dpi": "300"})
    assert raised.limits == Limits(page_pixels=400_000_000)
    assert raised.dpi == 300
    both = OCR.request(CONTENT, **{"limits": Limits(pages=3), "limits.file_bytes": 7})
    assert both.limits == Limits(file_bytes=7, pages=3)


def test_the_fingerprint_is_of_the_content_not_of_its_place(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(CONTENT)
    (tmp_path / "b.png").write_bytes(CONTENT)
    prints = {OCR.fingerprint(OcrRequest(source)) for source in (CONTENT, tmp_path / "a.png", tmp_path / "b.png")}
    assert len(prints) == 1


def test_every_field_of_a_request_but_its_name_and_limits_changes_the_fingerprint() -> None:
    others = {"source": b"other", "languages": "deu", "pages": "1", "dpi": 300, "name": "x", "limits": Limits(pages=1)}
    for source in (CONTENT, draw_page("One line")):
        check_fingerprint(OCR, OcrRequest(source), {**others, "source": encoded(draw_page("Another"))})
    check_fingerprint(OCR, OcrRequest(CONTENT, languages="eng", pages="1-2"), {**others, "pages": "1"})


def test_images_of_other_shape_and_equal_bytes_have_other_fingerprints() -> None:
    shapes = [Image.new("L", (6, 2)), Image.new("L", (2, 6)), Image.new("RGB", (2, 2))]
    assert len({OCR.fingerprint(OcrRequest(image)) for image in shapes}) == 3


def test_images_that_look_different_have_other_fingerprints_though_their_pixels_are_the_same() -> None:
    """A palette, an orientation, transparency and a second frame are no pixels of the image that is handed over."""
    flat = Image.new("P", (40, 20), 1)
    flat.putpalette([0, 0, 0, 255, 255, 255])
    inked = Image.new("P", (40, 20), 1)
    inked.putpalette([0, 0, 0, 200, 0, 0])
    clear = flat.copy()
    clear.putpalette([255, 255, 255, 0, 0, 0])
    clear.info["transparency"] = 1
    page = draw_page("One line")
    turned = page.copy()
    turned.getexif()[0x0112] = 3
    one, two = (encoded(page, draw_page(text), format="TIFF") for text in ("second", "another second"))
    looks = [(flat, inked), (page, turned), (Image.open(io.BytesIO(one)), Image.open(io.BytesIO(two)))]
    for first, second in looks:
        assert OCR.fingerprint(OcrRequest(first)) != OCR.fingerprint(OcrRequest(second))
    assert OCR.fingerprint(OcrRequest(flat)) == OCR.fingerprint(OcrRequest(clear)), "both are white"


def test_reading_a_large_document_takes_no_second_copy_of_it(tmp_path: Path) -> None:
    size = 20_000_000
    path = tmp_path / "large.png"
    path.write_bytes(bytes(size))
    page = Image.new("RGB", (4000, 3000))
    requests = [OcrRequest(path), OcrRequest(bytes(size)), OcrRequest(page)]
    requests[2].document.page(1)
    for request in requests:
        tracemalloc.start()
        OCR.fingerprint(request)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 4_000_000


def test_its_size_is_that_of_what_has_yet_to_be_read(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    path.write_bytes(CONTENT)
    for source, size in {path: len(CONTENT), CONTENT: len(CONTENT), tmp_path / "nowhere.png": 0}.items():
        assert OCR.content_size(OcrRequest(source)) == size
    request = OcrRequest(Image.new("RGB", (30, 20)))
    assert OCR.content_size(request) == 1800
    OCR.fingerprint(request)
    assert OCR.content_size(request) == 0


def test_the_fingerprint_is_the_same_in_every_process() -> None:
    expected = "db176aa9bebed618628648d3c11aa56a6390a2d640ad600acfeabd2b4bdb54d2"
    assert OCR.fingerprint(OcrRequest(b"some bytes", languages="eng", pages="1-2")).hex() == expected


def test_the_fingerprint_of_a_missing_file_is_invalid_input() -> None:
    with pytest.raises(InvalidInput, match="no such file"):
        OCR.fingerprint(OcrRequest("nowhere.png"))


def test_usage_counts_the_pages_that_are_asked_for() -> None:
    three = encoded(*[draw_page("x")] * 3, format="PDF")
    assert OCR.usage(OcrRequest(three)) == {"pages": Decimal(3)}
    assert OCR.usage(OcrRequest(three, pages="2-")) == {"pages": Decimal(2)}


def test_the_annotated_page_has_the_boxes_on_it() -> None:
    page = Image.new("L", (200, 100), 255)
    line = Line("Ann", Box(20, 20, 100, 40), 0.9, (Word("Ann", Box(20, 20, 60, 40), 0.3),))
    output = OcrOutput((Page(1, 200, 100, (Block.of([line]),)),))
    drawn = Image.open(io.BytesIO(OCR.annotate(OcrRequest(page), output)))
    assert drawn.size == (200, 100)
    assert drawn.getpixel((100, 30)) == (30, 150, 60)
    assert drawn.getpixel((60, 30)) == (215, 60, 40)


def test_annotated_pages_stand_below_each_other() -> None:
    document = encoded(Image.new("L", (200, 100), 255), Image.new("L", (100, 50), 255), format="TIFF")
    output = OcrOutput((Page(1, 200, 100), Page(2, 100, 50)))
    assert Image.open(io.BytesIO(OCR.annotate(OcrRequest(document), output))).size == (200, 150)


@pytest.mark.parametrize("suffix", OCR.drawings)
def test_a_drawing_is_of_the_kind_that_the_suffix_names(suffix: str) -> None:
    drawn = OCR.annotate(OcrRequest(draw_page("One line")), OcrOutput(()), suffix)
    kind = {".jpg": "JPEG", ".tif": "TIFF"}.get(suffix, suffix[1:].upper())
    assert drawn.startswith(b"%PDF-") if kind == "PDF" else Image.open(io.BytesIO(drawn)).format == kind


def test_what_cannot_be_drawn_is_said() -> None:
    with pytest.raises(InvalidInput, match=r"cannot draw a '\.xyz'") as caught:
        OCR.annotate(OcrRequest(CONTENT), OcrOutput(()), ".xyz")
    assert caught.value.remedy == f"There are {', '.join(OCR.drawings)}"
    long = Image.new("L", (10, 70_000), 255)
    for suffix in (".jpg", ".webp"):
        with pytest.raises(InvalidInput, match="10 x 70,000 pixels is too large"):
            OCR.annotate(OcrRequest(long), OcrOutput((Page(1, *long.size),)), suffix)


def test_importing_it_loads_neither_numpy_nor_an_image_library() -> None:
    heavy = "[name for name in ('numpy', 'PIL', 'pypdfium2') if name in sys.modules]"
    use = "from switchgear_ocr import OCR, OcrRequest; OcrRequest('x.png')"
    code = f"import sys; {use}; sys.exit(str({heavy}) if {heavy} else 0)"
    subprocess.run([sys.executable, "-c", code], check=True)
