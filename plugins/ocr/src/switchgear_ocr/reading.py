"""What engines share that return loose lines: page by page, put in reading order, and counted."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs
from switchgear import ProviderResult

from switchgear_ocr.output import Line, OcrOutput, Page
from switchgear_ocr.request import OcrRequest

if TYPE_CHECKING:
    from PIL.Image import Image


def read_document(request: OcrRequest, lines_on: "Callable[[Image], Iterable[Line]]") -> ProviderResult[OcrOutput]:
    """Ask `lines_on` for the lines on each wanted page (mode L or RGB), in any order; boxes are cut to the page."""
    pages = tuple(_page(number, request.document.page(number), lines_on) for number in request.page_numbers)
    output = OcrOutput(pages)
    return ProviderResult(output, usage={"pages": Decimal(len(pages))}, confidence=output.confidence)


def _page(number: int, image: "Image", lines_on: "Callable[[Image], Iterable[Line]]") -> Page:
    from switchgear_ocr.ordering import reading_order

    blocks = reading_order(_within(line, image.width, image.height) for line in lines_on(image))
    return Page(number, image.width, image.height, blocks)


def _within(line: Line, width: int, height: int) -> Line:
    # As a rule everything is, and a page has hundreds of words.
    boxes = [line.box, *(word.box for word in line.words)]
    if all(box.is_within(width, height) for box in boxes):
        return line
    words = tuple(attrs.evolve(word, box=word.box.within(width, height)) for word in line.words)
    return attrs.evolve(line, box=line.box.within(width, height), words=words)
