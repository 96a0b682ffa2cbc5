"""The conformance suite of translation providers."""

import asyncio
import re
from collections.abc import Coroutine, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar

from switchgear import InvalidInput, ProviderResult, Unsupported
from switchgear.testing import ProviderSuite
from switchgear.testing.suites.checks import raised_by

from switchgear_translation.languages import language
from switchgear_translation.limits import limits_of
from switchgear_translation.output import TranslationOutput
from switchgear_translation.request import TranslationRequest, characters

NUMBERED = tuple(f"{number} books" for number in range(1, 10))  # a number outlives every translation
SPOKEN_BY_NOBODY = "tlh"  # Klingon
_MOST_TRIED = 100_000  # characters of a request that is to be too large


class TranslationProviderSuite(ProviderSuite):
    """Checks a translation provider: the contract of every provider, and that it translates. A few lines suffice::

        class TestMine(TranslationProviderSuite):
            source, target, texts = "en", "de", ("Good morning.", "The house is big.")
            def make(self): return Mine(name="mine")

    Where a server of your own gives canned answers, set `translates = False`.
    """

    output_type = TranslationOutput
    source: ClassVar[str] = "en"  #: a pair that it speaks
    target: ClassVar[str] = "de"
    texts: ClassVar[Sequence[str]] = ("Good morning.", "The house is big.")  #: in the source language
    translates: ClassVar[bool] = True  #: False where what comes back has nothing to do with the texts

    def request(self, *texts: str, **options: Any) -> TranslationRequest:
        return TranslationRequest(texts or self.texts, **{"source": self.source, "target": self.target, **options})

    def requests(self) -> Sequence[TranslationRequest]:
        return [self.request()] if self._takes(self.request()) else [self.request(text) for text in self.texts]

    def bad_requests(self) -> Sequence[TranslationRequest]:
        return [self.request(target=SPOKEN_BY_NOBODY), self.request(source=SPOKEN_BY_NOBODY)]

    def check_result(self, result: ProviderResult[TranslationOutput]) -> None:
        super().check_result(result)
        output = result.output
        assert all(text is None or isinstance(text, str) for text in output.texts), "a translation is a str or None"
        assert output.missing == () or result.metadata.get("partial"), "an answer that lacks items is to be marked"
        for found in output.detected:
            assert found is None or language(found) == found, f"the detected language {found!r} is no BCP 47 tag"
        assert output.providers == (), "who translated what is for `translate` to fill in"
        assert output.billed_characters is None or output.billed_characters >= 0
        assert result.usage is not None, "usage is missing; it counts characters"
        assert "characters" in result.usage, f"usage counts {', '.join(result.usage)}; it has to count characters"

    def test_it_gives_one_translation_for_each_text(self) -> None:
        for request, result in self.answered(*self.requests()):
            assert len(result.output.texts) == len(request.texts)
            assert len(result.output.detected) == len(request.texts)

    def test_it_estimates_the_characters_of_all_texts(self) -> None:
        provider = self.make()
        for request in self.requests():
            found = provider.estimate_usage(request).get("characters")
            assert found == Decimal(characters(request)), f"it estimates {found} for {characters(request)} characters"

    def test_it_does_not_give_back_what_it_was_given(self) -> None:
        self._needs_translations()
        for request, result in self.answered(*self.requests()):
            assert result.output.texts != request.texts, f"nothing is translated: {result.output.texts}"

    def test_translations_stand_in_the_order_of_the_texts(self) -> None:
        self._needs_translations()
        most = limits_of(self.make()).texts or len(NUMBERED)
        ((request, result),) = self.answered(self.request(*NUMBERED[:most]))
        found = [re.findall(r"\d+", text or "") for text in result.output.texts]
        assert found == [[str(number)] for number in range(1, len(request.texts) + 1)], f"it gave {result.output.texts}"

    def test_requests_at_the_same_time_get_their_own_answers(self) -> None:
        self._needs_translations()
        for request, result in self.answered(*map(self.request, NUMBERED)):
            wanted, (text,) = request.texts[0].split()[0], result.output.texts
            assert re.findall(r"\d+", text or "") == [wanted], f"{request.texts[0]!r} came back as {text!r}"

    def test_an_empty_text_stays_empty(self) -> None:
        self._needs_translations()
        request = self.request(self.texts[0], "", self.texts[-1])
        if not self._takes(request):
            request = self.request("")
        ((_, result),) = self.answered(request)
        assert result.output.texts[len(request.texts) // 2] == ""

    def test_it_detects_the_source_or_says_that_it_cannot(self) -> None:
        provider, request = self.make(), self.request(self.texts[0], source=None)
        refusal = raised_by(lambda: provider.validate_input(request))
        if refusal is not None:
            assert isinstance(refusal, Unsupported), f"it raised {refusal!r} for want of a source language"
            assert "source" in f"{refusal} {refusal.remedy}", f"it does not ask for the source: {refusal}"
            return
        ((_, result),) = self.answered(request)
        assert result.output.detected != (None,), "it does not say which language it detected"

    def test_a_request_beyond_its_limits_is_unsupported(self) -> None:
        provider = self.make()
        limits = limits_of(provider)
        for request in self._too_large(limits.texts, limits.characters, limits.bytes):
            refusal = raised_by(partial(provider.validate_input, request))
            assert isinstance(refusal, Unsupported | InvalidInput), f"its limits are {limits}, and it accepts more"

    def _too_large(self, texts: int | None, length: int | None, size: int | None) -> Sequence[TranslationRequest]:
        lengths = [most for most in (length, size) if most is not None and most < _MOST_TRIED]
        requests = [self.request("a" * (most + 1)) for most in lengths]
        if texts is not None and texts < _MOST_TRIED:
            requests.append(self.request(*["a"] * (texts + 1)))
        return requests

    def answered(self, *requests: TranslationRequest) -> list[tuple[TranslationRequest, ProviderResult[Any]]]:
        """Requests that are made at the same time, each with its answer, checked."""
        provider = self.make()
        found: list[ProviderResult[Any]] = []

        async def ask() -> None:
            answers: list[Coroutine[Any, Any, Any]] = [provider.process(request) for request in requests]
            found.extend(await asyncio.gather(*answers))

        self.run(provider, ask)
        for result in found:
            self.check_result(result)
        return list(zip(requests, found, strict=True))

    def _takes(self, request: TranslationRequest) -> bool:
        try:
            limits_of(self.make()).check(request)
        except Unsupported:
            return False
        return True

    def _needs_translations(self) -> None:
        if not self.translates:
            import pytest

            pytest.skip("the other end gives canned answers")
