"""What OCR is asked: a document, its languages, and which of its pages."""

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from switchgear import InvalidInput

from switchgear_ocr.document import Document, Limits
from switchgear_ocr.languages import languages
from switchgear_ocr.pages import PageRange, page_range
from switchgear_ocr.whole import whole_number

if TYPE_CHECKING:
    from PIL.Image import Image


LEAST_DPI = 36


def _source(value: Any) -> "Path | bytes | Image":
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, (str, os.PathLike)):
        return Path(value)
    # Not isinstance: naming the class would import Pillow.
    if all(hasattr(value, name) for name in ("mode", "size", "tobytes")):
        return value  # type: ignore[no-any-return]
    raise InvalidInput(
        f"a {type(value).__name__} is no document", remedy="Give a path, the file's bytes or a Pillow image"
    )


def _dots(value: Any) -> int:
    return whole_number("dpi", value, least=LEAST_DPI, example="200 or 300")


def _limits(value: Any) -> Limits:
    if not isinstance(value, Limits):
        raise InvalidInput(
            f"limits: expected Limits(...) from switchgear_ocr, got a {type(value).__name__}",
            remedy="Write text as limits.file_bytes, limits.page_pixels or limits.pages",
        )
    return value


@attrs.frozen(eq=False, slots=False)
class OcrRequest:
    """A document to read: a path, the bytes of a file, or a Pillow image.

    `languages` are ISO 639-3 codes (`eng`; two-letter ones are accepted); none means those the provider is set up for.
    `pages` picks pages, `"1-3,5"`, counted from 1; none means all. `name` is what messages call the document. PDFs are
    drawn at `dpi`. Making a request reads nothing; what is wrong with the document is found by `page_numbers` (header
    only) and by `document` (when decoding). `name` and `limits` change no answer: they say how to call a document, and
    which to refuse.
    """

    source: "Path | bytes | Image" = attrs.field(converter=_source, repr=False)
    languages: tuple[str, ...] = attrs.field(default=(), converter=languages)
    pages: PageRange = attrs.field(default=PageRange(), converter=page_range)
    name: str = attrs.field(kw_only=True, metadata={"answer": False})
    dpi: int = attrs.field(default=200, kw_only=True, converter=_dots)
    limits: Limits = attrs.field(factory=Limits, kw_only=True, converter=_limits, metadata={"answer": False})

    @name.default
    def _name(self) -> str:
        if isinstance(self.source, Path):
            return str(self.source)
        return f"{len(self.source):,} bytes" if isinstance(self.source, bytes) else "image"

    @cached_property
    def document(self) -> Document:
        return Document(self.source, self.name, self.dpi, self.limits)

    @cached_property
    def page_numbers(self) -> tuple[int, ...]:
        """The pages that are asked for. Raises InvalidInput for what the header shows: no image, locked, too large."""
        return self.pages.select(len(self.document.sizes))
