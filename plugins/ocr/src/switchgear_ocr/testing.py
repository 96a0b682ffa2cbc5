"""The conformance suite of OCR providers, and the pages it shows them."""

import asyncio
import io
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, ClassVar

from PIL import Image, ImageDraw, ImageFont
from switchgear import InvalidInput, ProviderResult
from switchgear.testing import ProviderSuite

from switchgear_ocr.agreement import similarity
from switchgear_ocr.output import Box, Line, OcrOutput, Page, Word
from switchgear_ocr.request import OcrRequest

SIMPLE = ("The harbour master keeps a list", "of every vessel that came in", "between sunrise and nightfall.")
LEFT = (
    "Bread is baked before dawn", "and carried up the hill while", "the streets are still quiet.",
    "Whoever rises early enough", "may buy the first loaf warm",
)  # fmt: skip
RIGHT = (
    "Letters arrive at noon when", "the mountain train has come", "down through seven tunnels.",
    "The postman sorts them and", "begins with the last house",
)  # fmt: skip
OTHERS = ("Apples and pears", "Hammers and nails", "Violins and drums", "Rivers and lakes")
ENOUGH = 0.9  # similarity of what was read to what was written
SIZE = 30


def draw_page(*lines: str, columns: Sequence[Sequence[str]] = (), width: int = 760) -> Image.Image:
    """A white page with these lines, or with `columns` of lines side by side."""
    columns = columns or [lines]
    height = 120 + 44 * max(map(len, columns))
    page = Image.new("L", (width, height), 255)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(SIZE)
    for number, column in enumerate(columns):
        for row, line in enumerate(column):
            draw.text((50 + number * (width // len(columns)), 60 + 44 * row), line, fill=0, font=font)
    return page


def encoded(*pages: Image.Image, format: str = "PNG") -> bytes:
    """The bytes of an image file, or of a document of several pages (`PDF`, `TIFF`)."""
    buffer = io.BytesIO()
    first, *others = pages
    first.save(buffer, format, **({"save_all": True, "append_images": others, "resolution": 200} if others else {}))
    return buffer.getvalue()


class OcrProviderSuite(ProviderSuite):
    """Checks an OCR provider: the contract of every provider, and that it reads. Three lines make it a test class::

        class TestMine(OcrProviderSuite):
            def make(self): return Mine(name="mine")

    The pages are English, and large and clear. Where a server of your own gives canned answers, set `reads = False`.
    """

    output_type = OcrOutput
    reads: ClassVar[bool] = True  #: False where what comes back has nothing to do with the page

    def requests(self) -> Sequence[OcrRequest]:
        return [OcrRequest(encoded(draw_page(*SIMPLE)))]

    def bad_requests(self) -> Sequence[OcrRequest]:
        return [OcrRequest(b""), OcrRequest(b"no image at all"), OcrRequest("no-such-file.png")]

    def check_result(self, result: ProviderResult[OcrOutput]) -> None:
        super().check_result(result)
        for page in result.output.pages:
            _check_page(page)

    def test_it_reads_a_simple_page(self) -> None:
        (text,) = self.texts(OcrRequest(draw_page(*SIMPLE)))
        _check_text(text, *SIMPLE)

    def test_it_reads_one_column_after_the_other(self) -> None:
        (text,) = self.texts(OcrRequest(draw_page(columns=(LEFT, RIGHT), width=960)))
        _check_text(text, *LEFT, *RIGHT)
        first = text[: len(text) // 2]
        assert similarity(first, "".join(LEFT)) > 0.8, f"the left column is not read first: {text!r}"

    def test_a_blank_page_has_no_text(self) -> None:
        (text,) = self.texts(OcrRequest(Image.new("L", (600, 400), 255)))
        assert text == "", f"on a blank page it read {text!r}"

    def test_bytes_path_and_image_give_the_same_text(self, tmp_path: Path) -> None:
        page = draw_page(*SIMPLE)
        path = tmp_path / "page.png"
        path.write_bytes(encoded(page))
        texts = self.texts(OcrRequest(path), OcrRequest(path.read_bytes()), OcrRequest(page))
        assert len(set(texts)) == 1, f"they differ: {texts}"

    def test_every_page_of_a_pdf_is_read_and_counted(self) -> None:
        document = encoded(*(draw_page(text) for text in OTHERS[:3]), format="PDF")
        (result,) = self.results(OcrRequest(document))
        assert [page.number for page in result.output.pages] == [1, 2, 3]
        assert result.usage is None or result.usage.get("pages", 3) == 3, f"it counts {result.usage} for three pages"
        for page, text in zip(result.output.pages, OTHERS, strict=False):
            _check_text(page.text, text)

    def test_only_the_pages_that_are_asked_for_are_read(self) -> None:
        document = encoded(*(draw_page(text) for text in OTHERS[:3]), format="PDF")
        (result,) = self.results(OcrRequest(document, pages="2-3"))
        assert [page.number for page in result.output.pages] == [2, 3], "pages keep the numbers they have"
        _check_text(result.output.text, *OTHERS[1:3])

    def test_requests_at_the_same_time_get_their_own_answers(self) -> None:
        texts = self.texts(*(OcrRequest(draw_page(text)) for text in OTHERS))
        for text, wanted in zip(texts, OTHERS, strict=True):
            _check_text(text, wanted)

    def test_a_file_that_is_cut_off_is_invalid_input(self) -> None:
        whole = encoded(draw_page(*SIMPLE))
        request = OcrRequest(whole[: len(whole) // 2])
        provider = self.make()

        async def answer() -> None:
            try:
                provider.validate_input(request)
                await provider.process(request)
            except InvalidInput:
                return
            raise AssertionError("it answered for half a file")

        self.run(provider, answer)

    def texts(self, *requests: OcrRequest) -> list[str]:
        return [result.output.text for result in self.results(*requests)]

    def results(self, *requests: OcrRequest) -> list[ProviderResult[OcrOutput]]:
        """The answers to requests that are made at the same time, each checked."""
        if not self.reads:
            import pytest

            pytest.skip("the other end gives canned answers")
        provider = self.make()
        found: list[ProviderResult[OcrOutput]] = []

        async def answer() -> None:
            answers: list[Coroutine[Any, Any, Any]] = [provider.process(request) for request in requests]
            found.extend(await asyncio.gather(*answers))

        self.run(provider, answer)
        for result in found:
            self.check_result(result)
        return found


def _check_text(text: str, *wanted: str) -> None:
    alike = similarity(text, " ".join(wanted))
    assert alike >= ENOUGH, f"it read {text!r} where {' '.join(wanted)!r} is written"


def _check_page(page: Page) -> None:
    assert page.number >= 1, "pages are counted from 1"
    for block in page.blocks:
        _check_box(block.box, page)
        assert block.lines, "a block without lines"
    for line in page.lines:
        assert line.text.strip(), "a line without text"
        parts: tuple[Line | Word, ...] = (line, *line.words)
        for part in parts:
            _check_box(part.box, page)
            confidence = part.confidence
            assert confidence is None or 0 <= confidence <= 1, f"confidence {confidence} is not between 0 and 1"


def _check_box(box: Box, page: Page) -> None:
    is_inside = 0 <= box.left <= box.right <= page.width and 0 <= box.top <= box.bottom <= page.height
    assert is_inside, f"{box} is not on the page, which has {page.width} x {page.height} pixels"
