"""The conformance suite passes a right provider and catches wrong ones."""

from collections.abc import Callable
from typing import Any

import attrs
import pytest
from switchgear import ProviderResult, SimpleProvider, Unsupported
from switchgear_translation import Limits, TranslationOutput, TranslationRequest, answer, usage
from switchgear_translation.testing import TranslationProviderSuite


@attrs.define
class Shouter(SimpleProvider[TranslationRequest, TranslationOutput]):
    """Translates English into loud English."""

    most: int = 20

    def limits(self) -> Limits:
        return Limits(texts=self.most)

    def validate_input(self, request: TranslationRequest) -> None:
        self.limits().check(request)
        if request.source != "en" or request.target != "de":
            raise Unsupported("it speaks en -> de alone", remedy="give the source language")

    def estimate_usage(self, request: TranslationRequest) -> Any:
        return usage(request)

    async def process(self, request: TranslationRequest) -> ProviderResult[TranslationOutput]:
        return answer(request, [text.upper() for text in request.texts])


class TestShouter(TranslationProviderSuite):
    def make(self) -> Shouter:
        return Shouter(name="shouter")


class Reversed(Shouter):
    async def process(self, request: TranslationRequest) -> ProviderResult[TranslationOutput]:
        return answer(request, [text.upper() for text in reversed(request.texts)])


class Boundless(Shouter):
    def validate_input(self, request: TranslationRequest) -> None:
        pass


class Idle(Shouter):
    async def process(self, request: TranslationRequest) -> ProviderResult[TranslationOutput]:
        return answer(request, request.texts)


class Unmarked(Shouter):
    async def process(self, request: TranslationRequest) -> ProviderResult[TranslationOutput]:
        result = answer(request, [None, *request.texts[1:]])
        result.metadata.clear()
        return result


Suite = TranslationProviderSuite


@pytest.mark.parametrize(
    ("wrong", "check"),
    [
        (Reversed, Suite.test_translations_stand_in_the_order_of_the_texts),
        (Boundless, Suite.test_a_request_beyond_its_limits_is_unsupported),
        (Boundless, Suite.test_it_detects_the_source_or_says_that_it_cannot),
        (Idle, Suite.test_it_does_not_give_back_what_it_was_given),
        (Unmarked, Suite.test_it_gives_one_translation_for_each_text),
    ],
)
def test_a_wrong_provider_is_caught(wrong: type[Shouter], check: Callable[[Suite], None]) -> None:
    class Caught(TranslationProviderSuite):
        def make(self) -> Shouter:
            return wrong(name="wrong")

    with pytest.raises(AssertionError):
        check(Caught())
