"""Validators `placeholders`, `tags` and `numbers`: what has to be in a translation as it was in the text."""

import re
from collections import Counter
from collections.abc import Callable, Iterator

import attrs
from switchgear import ProviderResult

from switchgear_translation.judging import Objection, object_to, pairs
from switchgear_translation.output import TranslationOutput
from switchgear_translation.request import TranslationRequest

SHARE = attrs.validators.and_(attrs.validators.ge(0.0), attrs.validators.le(1.0))

# `%%` is consumed, so that what follows it is no placeholder; a digit before it makes it a percentage ("50%discount").
PRINTF = re.compile(r"%%|(?<!\d)%(?:\([^()\s]+\)|\d+\$)?[-+#0]*(?:\d+|\*)?(?:\.\d+)?(?:hh|h|ll|l|z)?[diouxXeEfFgGcsr@]")
TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\$\{[^{}]*\}", re.DOTALL)
MESSAGE = re.compile(r"\{\s*(\w+)\s*,\s*(\w+)\s*,")  # ICU: {count, plural, one {...} other {...}}
NAMED = re.compile(r"\{\s*(\w*(?:[.\[]\w+\]?)*(?:![rsa])?(?::[^{}\s]*)?)\s*\}")
TAG = re.compile(r"<(/?)([A-Za-z][\w:.-]*)(?:\s[^<>]*)?(/?)>")
DIGITS = re.compile(r"\d+")
GROUPED = re.compile(r"(?<=\d)[.,'’ \u00a0\u202f](?=\d{3}(?!\d))")


def placeholders(text: str) -> Iterator[str]:
    """`{name}`, `{0}`, `{{ x }}`, `{% x %}`, `${x}`, `%s`, `%(x)d`, `%1$s`, and the argument of an ICU message."""
    for found in TEMPLATE.findall(text):
        yield re.sub(r"\s+", "", found)
    text = TEMPLATE.sub(" ", text)
    yield from (found for found in PRINTF.findall(text) if found != "%%")
    messages = MESSAGE.findall(text)
    yield from (f"{{{name},{kind}" for name, kind in messages)
    # The branches of a message are texts, and a language may need more of them than another: each name counts once.
    names = [f"{{{name}}}" for name in NAMED.findall(text)]
    yield from dict.fromkeys(names) if messages else names


def tags(text: str) -> Iterator[str]:
    """The tags of HTML and XML by name, opening and closing; attributes may be translated."""
    for closing, name, _ in TAG.findall(text):
        yield f"<{closing}{name.lower()}>"


def numbers(text: str) -> Iterator[str]:
    """Runs of digits; `1,234.5` and `1.234,5` and `1234,5` have the same."""
    # Digits of other scripts are digits all the same.
    for found in DIGITS.findall(GROUPED.sub("", text)):
        yield str(int(found))


def _lost(found: Callable[[str], Iterator[str]], source: str, text: str) -> tuple[float, bool]:
    """The share that was kept, and whether there is something in it that was not there before."""
    wanted, there = Counter(found(source)), Counter(found(text))
    kept = (wanted & there).total()
    return (kept / wanted.total() if wanted else 1.0), bool(there - wanted)


@attrs.frozen
class Placeholders:
    """Refuse a translation that lost a placeholder, or that has one more: a program would fail on it."""

    def check(self, request: TranslationRequest, result: ProviderResult[TranslationOutput]) -> None:
        objections = {}
        for place, source, text in pairs(request, result):
            share, more = _lost(placeholders, source, text)
            if share < 1 or more:
                objections[place] = Objection("placeholders lost or changed", share if share < 1 else 0.5)
        object_to(request, result, objections)


@attrs.frozen
class Tags:
    """Refuse a translation whose HTML or XML tags are not those of the text, in whatever order."""

    def check(self, request: TranslationRequest, result: ProviderResult[TranslationOutput]) -> None:
        objections = {}
        for place, source, text in pairs(request, result):
            share, more = _lost(tags, source, text)
            if share < 1 or more:
                objections[place] = Objection("tags lost or changed", share if share < 1 else 0.5)
        object_to(request, result, objections)


@attrs.frozen
class Numbers:
    """Refuse a translation that keeps less than the share `threshold` of the text's numbers.

    Thousands and decimals may be set apart in another way. A language that writes a small number as a word fails it.
    """

    threshold: float = attrs.field(default=1.0, validator=SHARE)

    def check(self, request: TranslationRequest, result: ProviderResult[TranslationOutput]) -> None:
        objections = {}
        for place, source, text in pairs(request, result):
            share, _ = _lost(numbers, source, text)
            if share < self.threshold:
                objections[place] = Objection("numbers lost or changed", share)
        object_to(request, result, objections)
