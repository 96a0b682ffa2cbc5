"""Capability `ocr`: text from images and PDFs, with boxes, in reading order.

Providers take an `OcrRequest` and answer with an `OcrOutput`; `OCR` is the capability itself.
"""

from typing import TYPE_CHECKING, Any

from switchgear_ocr.capability import OCR, OcrCapability
from switchgear_ocr.document import Document, Limits
from switchgear_ocr.output import Block, Box, Line, OcrOutput, Page, Word
from switchgear_ocr.pages import PageRange
from switchgear_ocr.reading import read_document
from switchgear_ocr.request import OcrRequest

if TYPE_CHECKING:
    from switchgear_ocr.ordering import reading_order

__all__ = [
    "OCR",
    "Block",
    "Box",
    "Document",
    "Limits",
    "Line",
    "OcrCapability",
    "OcrOutput",
    "OcrRequest",
    "Page",
    "PageRange",
    "Word",
    "read_document",
    "reading_order",
]


def __getattr__(name: str) -> Any:
    # Imported when it is used: a configuration is checked in less time than its statistics take to import.
    if name == "reading_order":
        from switchgear_ocr.ordering import reading_order

        return reading_order
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
