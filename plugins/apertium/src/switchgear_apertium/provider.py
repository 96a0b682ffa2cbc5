"""`type = "apertium"`: an Apertium server (https://wiki.apertium.org/wiki/Apertium-apy)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import urlencode

import attrs
from attrs import field
from switchgear import NotSent, Price, ProviderResult, ProviderStatus
from switchgear.errors import OutcomeError
from switchgear_http import HttpAnswer, HttpProvider, expected_shape, read_json
from switchgear_translation import (
    UNKNOWN_WORDS,
    Limits,
    TranslationOutput,
    TranslationRequest,
    answer,
    check_abilities,
    usage,
    words,
)

from switchgear_apertium.languages import Pair, pair_of
from switchgear_apertium.marks import hide, read

LIMITS = Limits(texts=64, characters=20_000)
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_FORMATS = {"text": "txt", "html": "html"}


@attrs.define(kw_only=True)
class Apertium(HttpProvider[TranslationRequest, TranslationOutput]):
    """Translate with an Apertium server, one text after the other.

    The server's words without a translation are counted: `metadata["unknown_words"]` has a number for each item, and
    the confidence is the share of words that it knew.
    """

    default_price: ClassVar[Price | None] = Price()
    remedies: ClassVar[Mapping[type[OutcomeError], str]] = {
        NotSent: "start a server, apertium-apy -p 2737 /usr/share/apertium/modes, or set `base_url` to where one is",
    }

    base_url: str = field(default="http://127.0.0.1:2737", metadata={"help": "where the server is"})
    keep_marks: bool = field(
        default=False, metadata={"help": "leave the `*` before words that it does not know in the text"}
    )

    _pairs: frozenset[Pair] = field(default=frozenset(), init=False, repr=False)

    def limits(self) -> Limits:
        return LIMITS

    def validate_input(self, request: TranslationRequest) -> None:
        check_abilities(request, "Apertium", html=True)
        pair_of(request.source or "", request.target, self._pairs)
        LIMITS.check(request)

    def estimate_usage(self, request: TranslationRequest) -> Mapping[str, Decimal]:
        return usage(request)

    async def process(self, request: TranslationRequest) -> ProviderResult[TranslationOutput]:
        if not self._pairs:
            await self.probe()
        pair = "|".join(pair_of(request.source or "", request.target, self._pairs))
        texts: list[str | None] = []
        unknown: list[int] = []
        try:
            for text in request.texts:
                translation, count = await self._translated(text, pair, request)
                texts.append(translation)
                unknown.append(count)
        except OutcomeError:
            # What is done is worth keeping to a caller who can take the rest elsewhere.
            if not (request.per_item and any(texts)):
                raise
        missing = len(request.texts) - len(texts)
        count = sum(len(words(text)) for text in request.texts[: len(texts)])
        known = max(0.0, 1 - sum(unknown) / count) if count else None
        result = answer(request, [*texts, *[None] * missing], confidence=known)
        result.metadata[UNKNOWN_WORDS] = (*unknown, *[0] * missing)
        return result

    async def probe(self) -> ProviderStatus:
        """`GET /listPairs`, which costs the server nothing."""
        found = await self.get_json("/listPairs")
        with expected_shape():
            pairs = {(each["sourceLanguage"], each["targetLanguage"]) for each in found["responseData"]}
        self._pairs = frozenset(pairs)
        return ProviderStatus.AVAILABLE if pairs else ProviderStatus.UNAVAILABLE

    def message_of(self, answer: HttpAnswer) -> str:
        with expected_shape():
            found: Any = read_json(answer)
            return str(found["explanation"])

    async def _translated(self, text: str, pair: str, request: TranslationRequest) -> tuple[str, int]:
        core = text.strip()
        if not core:
            return text, 0
        form = {"langpair": pair, "q": hide(core), "format": _FORMATS[request.format], "markUnknown": "yes"}
        found = read_json(await self.ask("POST", "/translate", urlencode(form).encode(), _FORM, content=core))
        with expected_shape():
            given = str(found["responseData"]["translatedText"])
        translation, count = read(given, keep=self.keep_marks)
        # It drops the space around a text, and puts some of its own.
        start = len(text) - len(text.lstrip())
        return text[:start] + translation.strip() + text[start + len(core) :], count
