"""The provider with its engine and models, as they come from pip."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from switchgear import ProviderResult, Unsupported
from switchgear_fasttranslate import FastTranslate
from switchgear_translation import TranslationOutput, TranslationRequest
from switchgear_translation.testing import TranslationProviderSuite


class TestIntoPortuguese(TranslationProviderSuite):
    is_free = True
    source, target = "en", "pt-BR"

    def make(self) -> FastTranslate:
        return FastTranslate(name="fast", concurrency=2)

    def options(self) -> Mapping[str, Any]:
        return {}

    def test_it_translates_good_morning(self) -> None:
        ((_, result),) = self.answered(self.request("Good morning."))
        assert result.output.texts == ("Bom dia.",)


class TestIntoEnglish(TranslationProviderSuite):
    is_free = True
    source, target, texts = "pt-BR", "en", ("Bom dia.", "A casa é grande.")

    def make(self) -> FastTranslate:
        return FastTranslate(name="fast", concurrency=2)

    def request(self, *texts: str, **options: Any) -> TranslationRequest:
        return super().request(*(text.replace("books", "livros") for text in texts), **options)


def translated(*texts: str, **options: Any) -> tuple[str | None, ...]:
    request = TranslationRequest(texts, **{"source": "en", "target": "pt-BR", **options})

    async def ask() -> ProviderResult[TranslationOutput]:
        provider = FastTranslate(name="fast", concurrency=1)
        await provider.aopen()
        try:
            provider.validate_input(request)
            return await provider.process(request)
        finally:
            await provider.aclose()

    return asyncio.run(ask()).output.texts


def test_lines_and_the_space_around_them_stay() -> None:
    (text,) = translated("  Good morning.\n\n\tThe house is big.\r\n")
    assert text == "  Bom dia.\n\n\tA casa é grande.\r\n"


def test_what_has_no_letters_stays_as_it_is() -> None:
    assert translated("!!!", "12.5 %", "\n", "日本")[:3] == ("!!!", "12.5 %", "\n")


def test_english_and_portuguese_of_any_region_are_read_and_brazilian_is_written() -> None:
    provider = FastTranslate()
    for source, target in [("en-GB", "pt"), ("en", "pt-BR"), ("pt-PT", "en-US"), ("pt", "en")]:
        provider.validate_input(TranslationRequest("x", source=source, target=target))


@pytest.mark.parametrize(
    "options",
    [
        {"source": "en", "target": "pt-PT"},
        {"source": "en", "target": "en"},
        {"source": "de", "target": "en"},
        {"source": "en", "target": "pt", "format": "html"},
        {"source": "en", "target": "pt", "formality": "more"},
        {"source": "en", "target": "pt", "glossary": "g"},
    ],
    ids=str,
)
def test_what_it_cannot_do_is_unsupported(options: dict[str, Any]) -> None:
    with pytest.raises(Unsupported):
        FastTranslate().validate_input(TranslationRequest("x", **options))


def test_a_missing_source_is_unsupported_and_the_message_asks_for_it() -> None:
    with pytest.raises(Unsupported) as caught:
        FastTranslate().validate_input(TranslationRequest("x", target="pt"))
    assert "source=en" in str(caught.value.remedy)
