"""The capability `ocr`: what a call takes, what it gives, and how an answer is shown."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ClassVar

import attrs
from switchgear import Capability, Effect, InvalidInput, fingerprint_of
from switchgear.fingerprints import changes_answers

from switchgear_ocr.agreement import Agreement
from switchgear_ocr.coverage import MinCoverage
from switchgear_ocr.document import Limits
from switchgear_ocr.output import OcrOutput
from switchgear_ocr.render import as_hocr, as_json, as_json_text, as_text
from switchgear_ocr.request import OcrRequest
from switchgear_ocr.validators import Expect, MinConfidence
from switchgear_ocr.whole import whole_number

RENDERERS: dict[str, Callable[[OcrOutput], str]] = {"text": as_text, "json": as_json_text, "hocr": as_hocr}
# What `annotate` writes, as Pillow calls it.
DRAWINGS = {
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".tiff": "TIFF",
    ".webp": "WEBP", ".gif": "GIF", ".bmp": "BMP", ".pdf": "PDF",
}  # fmt: skip
# All that a request says beside its document, without a list that somebody would have to keep up.
ASKED = [field.name for field in attrs.fields(OcrRequest) if field.name != "source" and changes_answers(field)]
LIMITS = {f"limits.{field.name}": field for field in attrs.fields(Limits)}  # each by itself, for a command line
OPTIONS = ("languages", "pages", "dpi", "name", *LIMITS)


class OcrCapability(Capability[OcrRequest, OcrOutput]):
    """Text from images and PDFs, with boxes, in reading order."""

    name = "ocr"
    version = "1"
    effect = Effect.PURE
    request_type = OcrRequest
    output_type = OcrOutput
    validators: ClassVar[Mapping[str, type[Any]]] = {
        "min-confidence": MinConfidence,
        "min-coverage": MinCoverage,
        "expect": Expect,
        "agreement": Agreement,
    }
    suffixes = (
        *(".pdf", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"),
        *(".gif", ".bmp", ".jp2", ".pbm", ".pgm", ".ppm"),
    )
    formats = tuple(RENDERERS)
    drawings = tuple(DRAWINGS)
    units = ("pages",)
    # The quick engine first; where it leaves a tenth of the ink unread, as in photos, the thorough one.
    default_service: ClassVar[Mapping[str, Any]] = {
        "validate": [{"type": "min-coverage", "options": {"threshold": 0.9}}],
        "on_refused": "best",
        "providers": {
            "tesseract": {"type": "tesseract", "priority": 1},
            "rapidocr": {"type": "rapidocr", "priority": 2},
        },
    }

    def request(self, value: Any, **options: Any) -> OcrRequest:
        """A request from a path, bytes or a Pillow image.

        Options: languages, pages, dpi, name, limits, or one of the limits by itself: `limits.page_pixels`.
        """
        if isinstance(value, OcrRequest) and not options:
            return value
        for option in options:
            if option not in (*OPTIONS, "limits"):
                raise InvalidInput(f"ocr: unknown option {option!r}", remedy=f"There are {', '.join(OPTIONS)}")
        limits = {name: options.pop(name) for name in LIMITS if name in options}
        request = OcrRequest(value, **options)
        return _with_limits(request, limits) if limits else request

    def fingerprint(self, request: OcrRequest) -> bytes:
        """A digest of the content and of everything asked; neither the file's name nor its age is in it."""
        return fingerprint_of((request.document.digest, [(name, getattr(request, name)) for name in ASKED]))

    def content_size(self, request: OcrRequest) -> int:
        return request.document.unread

    def usage(self, request: OcrRequest) -> dict[str, Decimal]:
        """What a provider will be asked to read, for its estimate. Raises InvalidInput if there is no telling."""
        return {"pages": Decimal(len(request.page_numbers))}

    def to_json(self, output: OcrOutput) -> dict[str, Any]:
        return as_json(output)

    def render(self, output: OcrOutput, format: str = "text") -> str:
        if format not in RENDERERS:
            raise InvalidInput(f"ocr: unknown format {format!r}", remedy=f"There are {', '.join(RENDERERS)}")
        return RENDERERS[format](output)

    def annotate(self, request: OcrRequest, output: OcrOutput, suffix: str = ".png") -> bytes:
        """The pages below each other with the boxes drawn on them. Raises InvalidInput for a suffix it cannot write."""
        from switchgear_ocr.annotate import annotate

        if suffix not in DRAWINGS:
            raise InvalidInput(f"ocr: cannot draw a {suffix!r}", remedy=f"There are {', '.join(DRAWINGS)}")
        return annotate(request, output, DRAWINGS[suffix])


def _with_limits(request: OcrRequest, given: Mapping[str, Any]) -> OcrRequest:
    changed = {
        LIMITS[name].name: whole_number(name, value, least=1, example=str(LIMITS[name].default))
        for name, value in given.items()
    }
    return attrs.evolve(request, limits=attrs.evolve(request.limits, **changed))


OCR = OcrCapability()
