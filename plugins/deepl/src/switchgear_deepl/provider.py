"""`type = "deepl"`: DeepL's API, version 2 (https://developers.deepl.com/api-reference/translate)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Literal

import attrs
from attrs import field, validators
from switchgear import (
    BadCredentials,
    Price,
    ProviderResult,
    ProviderStatus,
    QuotaExceeded,
    Secret,
    Throttled,
    Unsupported,
)
from switchgear.errors import OutcomeError
from switchgear_http import HttpProvider, encode_json, expected_shape
from switchgear_translation import Limits, TranslationOutput, TranslationRequest, answer, usage

from switchgear_deepl.languages import check, source_code, tag_of, target_code

PRO = "https://api.deepl.com"
FREE = "https://api-free.deepl.com"
MOST_TEXTS = 50
MOST_BYTES = 128 * 1024  # of the whole body
_ROOM = 8 * 1024  # that what stands around the texts may take within it

# 2026-11-23, https://www.deepl.com/pro-api: USD 25 per million characters beside the monthly fee.
PRO_PRICE = Price(per_unit={"characters": Decimal("0.000025")}, currency="USD")


_percent = validators.and_(validators.ge(0), validators.le(100))


def _option(default: Any, text: str, **more: Any) -> Any:
    return field(default=default, metadata={"help": text}, **more)


@attrs.define(kw_only=True)
class DeepL(HttpProvider[TranslationRequest, TranslationOutput]):
    """Translate with DeepL; the key says whether it is the free or the paid API."""

    default_price: ClassVar[Price | None] = PRO_PRICE
    status_errors: ClassVar[Mapping[int, type[OutcomeError]]] = {
        414: Unsupported,
        456: QuotaExceeded,  # the characters of this period are used up
        529: Throttled,  # too many requests, by everybody together
    }
    remedies: ClassVar[Mapping[type[OutcomeError], str]] = {
        BadCredentials: "check the key and its plan: keys of the free API end in :fx, and work at api-free.deepl.com",
        QuotaExceeded: "wait for the next period, raise the cost control limit, or upgrade the plan",
    }

    api_key: Secret = field(metadata={"help": "from https://www.deepl.com/your-account/keys"})
    base_url: str = _option("", "absent: the free or the paid API, as the key has it")
    model_type: Literal["quality_optimized", "prefer_quality_optimized", "latency_optimized"] | None = _option(
        None, "better or faster; absent: DeepL chooses"
    )
    split_sentences: Literal["0", "1", "nonewlines"] | None = _option(None, "whether and where sentences end")
    preserve_formatting: bool = _option(False, "leave punctuation and capitals at the edges as they are")
    tag_handling: Literal["xml"] | None = _option(None, "xml: texts that are not HTML are XML")
    tag_handling_version: Literal["v1", "v2"] | None = _option(None, "algorithm for tags; absent: DeepL chooses")
    outline_detection: bool = _option(True, "XML: find out which tags structure the text")
    splitting_tags: tuple[str, ...] = _option((), "XML tags at which sentences end")
    non_splitting_tags: tuple[str, ...] = _option((), "XML tags at which sentences go on")
    ignore_tags: tuple[str, ...] = _option((), "XML tags whose content is not translated")
    glossaries: tuple[str, ...] = _option(
        (), "up to 5 ids, for requests that name none; need a source language", validator=validators.max_len(5)
    )
    style_id: str | None = _option(None, "style rule list to apply")
    custom_instructions: tuple[str, ...] = _option(
        (), "up to 10, each of up to 300 characters", validator=validators.max_len(10)
    )
    translation_memory_id: str | None = _option(None, "translation memory to draw on")
    translation_memory_threshold: int | None = _option(
        None, "0-100: how alike a segment of it has to be", validator=validators.optional(_percent)
    )
    more_languages: tuple[str, ...] = _option((), "codes of languages that DeepL has learned since, such as XH")

    def __attrs_post_init__(self) -> None:
        self.base_url = self.base_url or (FREE if self._is_free else PRO)
        if self._is_free and self.price is self.default_price:
            self.price = Price()

    def limits(self) -> Limits:
        return Limits(texts=MOST_TEXTS, bytes=MOST_BYTES - _ROOM)

    def validate_input(self, request: TranslationRequest) -> None:
        self.limits().check(request)
        for tag in (request.source, request.target):
            if tag is not None:
                check(tag, self.more_languages)
        if request.source is None and (request.glossary or self.glossaries):
            raise Unsupported("DeepL uses a glossary only with a source language", remedy="name the source language")
        # Six bytes at most are one character's, so that most requests need not be encoded to be measured.
        if 6 * sum(map(len, (*request.texts, request.context or ""))) > MOST_BYTES - _ROOM:
            size = len(encode_json(self._body(request)))
            if size > MOST_BYTES:
                raise Unsupported(
                    f"the request would be {size:,} bytes, more than {MOST_BYTES:,}", remedy="send less of it"
                )

    def estimate_usage(self, request: TranslationRequest) -> Mapping[str, Decimal]:
        return usage(request)

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"DeepL-Auth-Key {self.api_key.reveal()}"}

    async def process(self, request: TranslationRequest) -> ProviderResult[TranslationOutput]:
        found = await self.post_json("/v2/translate", self._body(request))
        with expected_shape():
            items = found["translations"]
            texts = [_text(item["text"]) for item in items]
            detected = [_detected(item.get("detected_source_language")) for item in items]
            billed = [int(item["billed_characters"]) for item in items if "billed_characters" in item]
        complete = len(billed) == len(items)
        result = answer(request, texts, detected=detected, billed=sum(billed) if complete else None)
        if self.model_type and items:
            result.metadata["model"] = items[0].get("model_type_used")
        return result

    async def probe(self) -> ProviderStatus:
        """`GET /v2/usage`, which is free, checks the key, and says how much is left."""
        found = await self.get_json("/v2/usage")
        with expected_shape():
            is_left = _is_left(found, "character") and _is_left(found, "api_key_character")
        return ProviderStatus.AVAILABLE if is_left else ProviderStatus.UNAVAILABLE

    @property
    def _is_free(self) -> bool:
        return self.api_key.reveal().endswith(":fx")

    def _body(self, request: TranslationRequest) -> dict[str, Any]:
        glossaries = (request.glossary,) if request.glossary else self.glossaries
        body: dict[str, Any] = {
            "text": request.texts,
            "target_lang": target_code(request.target),
            "source_lang": source_code(request.source) if request.source else None,
            "formality": request.formality if request.formality != "default" else None,
            "context": request.context,
            "glossary_id": glossaries[0] if len(glossaries) == 1 else None,
            "glossary_ids": glossaries if len(glossaries) > 1 else None,
            "model_type": self.model_type,
            "split_sentences": self.split_sentences,
            "preserve_formatting": self.preserve_formatting or None,
            "style_id": self.style_id,
            "custom_instructions": self.custom_instructions or None,
            "translation_memory_id": self.translation_memory_id,
            "translation_memory_threshold": self.translation_memory_threshold,
            "show_billed_characters": True,
            **self._tags(request),
        }
        return {name: value for name, value in body.items() if value is not None}

    def _tags(self, request: TranslationRequest) -> dict[str, Any]:
        handling = "html" if request.format == "html" else self.tag_handling
        if handling is None:
            return {}
        return {
            "tag_handling": handling,
            "tag_handling_version": self.tag_handling_version,
            "outline_detection": None if self.outline_detection else False,
            "splitting_tags": self.splitting_tags or None,
            "non_splitting_tags": self.non_splitting_tags or None,
            "ignore_tags": self.ignore_tags or None,
        }


def _text(found: Any) -> str:
    if not isinstance(found, str):
        raise TypeError
    return found


def _detected(code: str | None) -> str | None:
    return tag_of(code) if code else None


def _is_left(usage: Mapping[str, Any], what: str) -> bool:
    limit = usage.get(f"{what}_limit")
    return limit is None or int(usage[f"{what}_count"]) < int(limit)
