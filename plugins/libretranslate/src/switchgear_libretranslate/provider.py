"""`type = "libretranslate"`: a LibreTranslate server (https://docs.libretranslate.com/api/operations/translate)."""

import re
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any, ClassVar

import attrs
from attrs import field, validators
from switchgear import BadCredentials, Price, ProviderResult, ProviderStatus, Secret, Throttled, Unsupported
from switchgear.errors import OutcomeError
from switchgear_http import HttpAnswer, HttpProvider, expected_shape
from switchgear_translation import Limits, TranslationOutput, TranslationRequest, answer, usage

from switchgear_libretranslate.languages import check, code_of, tag_of

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_RATE = re.compile(r"\d+ per (?P<count>\d+) (?P<unit>second|minute|hour|day)")
_BANNED_FOR = 3600.0  # the server forgives one violation every hour
_HINTS = ("default", "prefer_more", "prefer_less")


@attrs.define(kw_only=True)
class LibreTranslate(HttpProvider[TranslationRequest, TranslationOutput]):
    """Translate with a LibreTranslate server. What it takes in one request is up to whoever started it."""

    # Nothing is charged by the character: a server of one's own costs what it costs, libretranslate.com a monthly fee.
    default_price: ClassVar[Price | None] = Price()
    remedies: ClassVar[Mapping[type[OutcomeError], str]] = {
        BadCredentials: "set `api_key` to a key of this server, and `base_url` to where the server is",
    }

    base_url: str = field(metadata={"help": "such as http://localhost:5000 or https://libretranslate.com"})
    api_key: Secret | None = field(default=None, metadata={"help": "for servers that ask for one"})
    char_limit: int | None = field(
        default=None,
        validator=validators.optional(validators.ge(1)),
        metadata={"help": "characters of one text, at most: the server's --char-limit", "answer": False},
    )
    batch_limit: int | None = field(
        default=None,
        validator=validators.optional(validators.ge(1)),
        metadata={"help": "texts of one request, at most: the server's --batch-limit", "answer": False},
    )
    languages: tuple[str, ...] = field(
        default=(),
        metadata={
            "help": "codes that the server lists at /languages; absent: all there are models for",
            "answer": False,
        },
    )

    def limits(self) -> Limits:
        return Limits(texts=self.batch_limit, characters=self.char_limit)

    def validate_input(self, request: TranslationRequest) -> None:
        if self.batch_limit is not None and len(request.texts) > self.batch_limit:
            raise Unsupported(f"{len(request.texts)} texts, more than the server's {self.batch_limit} in one request")
        longest = max(map(len, request.texts))
        if self.char_limit is not None and longest > self.char_limit:
            raise Unsupported(f"a text of {longest:,} characters, more than the server's {self.char_limit:,}")
        loaded = {code_of(code) for code in self.languages}
        for tag in (request.source, request.target):
            if tag is not None:
                check(tag, loaded)
        if request.formality not in _HINTS:
            raise Unsupported("LibreTranslate knows no formality", remedy='ask for "prefer_more" or "prefer_less"')
        if request.glossary is not None:
            raise Unsupported("LibreTranslate has no glossaries")

    def estimate_usage(self, request: TranslationRequest) -> Mapping[str, Decimal]:
        return usage(request)

    async def process(self, request: TranslationRequest) -> ProviderResult[TranslationOutput]:
        asked = [text for text in request.texts if text.strip()]  # nothing at all is an error to the server
        if not asked:
            return answer(request, request.texts)
        found = await self.post_json("/translate", self._body(request, asked))
        with expected_shape():
            texts = found["translatedText"]
            texts = [texts] if isinstance(texts, str) else texts
            if len(texts) != len(asked) or not all(isinstance(text, str) for text in texts):
                raise ValueError
            languages = iter(_detected(found, len(texts)))
            given = iter(texts)
        every = [(next(given), next(languages)) if text.strip() else (text, None) for text in request.texts]
        return answer(request, [text for text, _ in every], detected=[language for _, language in every])

    async def probe(self) -> ProviderStatus:
        """`GET /health`, which needs no key and counts against no limit."""
        found = await self.get_json("/health")
        with expected_shape():
            is_well = found["status"] == "ok"
        return ProviderStatus.AVAILABLE if is_well else ProviderStatus.UNAVAILABLE

    async def verify(self) -> ProviderStatus:
        """Also whether the key is taken: a request without a text, which is turned down after the key was looked at."""
        status = await self.probe()
        with suppress(Unsupported):
            await self.post_json("/translate", self._key())
        return status

    def error_for(self, answer: HttpAnswer, message: str) -> OutcomeError:
        said = self.message_of(answer)
        if answer.status == 400 and "to get an API key" in said:
            return BadCredentials(f"HTTP 400: {message}")
        if answer.status == 403 and "Too many request" in said:
            return Throttled(f"HTTP 403: {message}", retry_after=_BANNED_FOR)
        error = super().error_for(answer, message)
        if isinstance(error, Throttled) and error.retry_after is None:
            error.retry_after = _period(said)
        return error

    def _body(self, request: TranslationRequest, texts: list[str]) -> dict[str, Any]:
        return {
            "q": texts if len(texts) > 1 else texts[0],
            "source": code_of(request.source) if request.source else "auto",
            "target": code_of(request.target),
            "format": request.format,
            **self._key(),
        }

    def _key(self) -> dict[str, str]:
        return {"api_key": self.api_key.reveal()} if self.api_key else {}


def _detected(found: Mapping[str, Any], texts: int) -> list[str | None]:
    languages = found.get("detectedLanguage")
    if languages is None:
        return [None] * texts
    each = languages if isinstance(languages, list) else [languages] * texts
    # Without confidence it is a guess that stands for "nothing to translate".
    tags = [tag_of(language["language"]) if language["confidence"] > 0 else None for language in each]
    return tags if len(tags) == texts else [None] * texts


def _period(message: str) -> float | None:
    """How long a server's limit takes to forget: all of `9 per 1 minute`, since it bans who keeps on asking."""
    rate = _RATE.search(message)
    return None if rate is None else float(int(rate["count"]) * _SECONDS[rate["unit"]])
