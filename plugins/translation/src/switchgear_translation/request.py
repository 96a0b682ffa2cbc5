"""What a translator is asked: texts, from which language into which, and in what manner."""

import re
from collections.abc import Iterable
from typing import Any, Literal

import attrs
from switchgear import InvalidInput

from switchgear_translation.languages import language

Formality = Literal["default", "more", "less", "prefer_more", "prefer_less"]
Format = Literal["text", "html"]
SURROGATE = re.compile("[\ud800-\udfff]")
FORMALITIES: tuple[str, ...] = ("default", "more", "less", "prefer_more", "prefer_less")
FORMATS: tuple[str, ...] = ("text", "html")


def _texts(value: str | Iterable[str]) -> tuple[str, ...]:
    texts = (value,) if isinstance(value, str) else tuple(value)
    if not texts:
        raise InvalidInput("there is no text to translate; give at least one")
    for text in texts:
        if not isinstance(text, str):
            raise InvalidInput(f"a {type(text).__name__} is no text to translate; give strings")
        if not text.isascii() and SURROGATE.search(text):
            raise InvalidInput("a text holds half a character (a lone surrogate), which cannot be sent; decode it anew")
    return texts


def _source(value: str | None) -> str | None:
    return None if value in (None, "", "auto") else language(str(value))


def _one_of(choices: tuple[str, ...]) -> Any:
    def check(instance: object, attribute: "attrs.Attribute[str]", value: str) -> None:
        if value not in choices:
            raise InvalidInput(f"{attribute.name} {value!r}: there are {', '.join(choices)}")

    return check


@attrs.frozen
class TranslationRequest:
    """One text or several, into one language. Each text is an item: it is translated, and may fail, by itself.

    `target` and `source` are BCP 47 tags (`de`, `pt-BR`, `zh-Hans`), brought into their usual spelling; without a
    source the provider detects it. `formality` asks for a polite or a familiar form; the `prefer_` ones do without
    where the language has none. `format="html"`: tags stay, what is between them is translated. `glossary` is the
    vendor's own identifier of one. `context` helps to understand the texts and is not translated. With `per_item`, a
    validator takes the items it objects to out of the answer instead of refusing all of it. Raises `InvalidInput`.
    """

    texts: tuple[str, ...] = attrs.field(converter=_texts, repr=False)
    source: str | None = attrs.field(default=None, converter=_source, kw_only=True)
    target: str = attrs.field(converter=language, kw_only=True)
    formality: Formality = attrs.field(default="default", validator=_one_of(FORMALITIES), kw_only=True)
    format: Format = attrs.field(default="text", validator=_one_of(FORMATS), kw_only=True)
    glossary: str | None = attrs.field(default=None, kw_only=True)
    context: str | None = attrs.field(default=None, repr=False, kw_only=True)
    per_item: bool = attrs.field(default=False, kw_only=True)


def characters(request: TranslationRequest) -> int:
    """What vendors charge for: the Unicode code points of all texts, white space and tags among them."""
    return sum(map(len, request.texts))
