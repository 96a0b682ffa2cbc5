"""Provider `rapidocr` of the capability `ocr`: RapidOCR on this machine, with the models from its wheel."""

from collections.abc import Mapping
from decimal import Decimal
from importlib.metadata import version
from typing import TYPE_CHECKING

import attrs
from switchgear import BlockingProvider, InvalidInput, Price, ProviderResult, Unsupported
from switchgear_ocr import OCR, OcrOutput, OcrRequest, read_document

if TYPE_CHECKING:
    from switchgear_rapidocr.engine import Engine

__all__ = ["RapidOcr"]

# Those whose letters the model in the wheel (PP-OCRv6) can write.
LANGUAGES = frozenset({
    "afr", "bos", "cat", "ces", "cym", "dan", "deu", "eng", "est", "eus", "fin", "fra", "gle", "glg", "hrv", "hun",
    "ind", "isl", "ita", "jpn", "lat", "lav", "lit", "mlt", "msa", "nld", "nor", "pol", "por", "ron", "slk", "slv",
    "spa", "sqi", "swa", "swe", "tur", "zho",
})  # fmt: skip
# A page is scaled to 2000 pixels a side, and of a longer strip nothing would be left.
MOST_SLENDER = 100


@attrs.define
class RapidOcr(BlockingProvider[OcrRequest, OcrOutput]):
    """Reads photos and difficult scans (2 to 6 s of one core a page); one model for Latin letters, Chinese, Japanese.

    It has no options. One engine is kept warm in each worker thread.
    """

    default_price = Price()  # it runs here, and nobody sends a bill

    @property
    def engine_version(self) -> str:
        """That of the wheel, whose models are in it."""
        return version("rapidocr")

    def validate_input(self, request: OcrRequest) -> None:
        """Header and languages only."""
        sizes = [request.document.sizes[number - 1] for number in request.page_numbers]
        if any(max(size) > MOST_SLENDER * min(size) for size in sizes):
            raise Unsupported(
                f"{request.name}: RapidOCR takes pages up to {MOST_SLENDER} times as long as wide", remedy="Cut it up"
            )
        unknown = [language for language in request.languages if language not in LANGUAGES]
        if unknown:
            raise Unsupported(
                f"RapidOCR's model does not know the letters of {unknown[0]}",
                remedy="Add a provider that does, such as tesseract with the data of that language",
            )

    def estimate_usage(self, request: OcrRequest) -> Mapping[str, Decimal]:
        try:
            return OCR.usage(request)
        except InvalidInput:
            return {}

    def open_engine(self) -> "Engine":
        from switchgear_rapidocr.engine import Engine

        return Engine()

    def process_blocking(self, request: OcrRequest) -> ProviderResult[OcrOutput]:
        engine: Engine = self.engine
        return read_document(request, engine.lines)
