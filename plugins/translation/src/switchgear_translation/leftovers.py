"""Validators `untranslated` and `known-words`: words that came through as they were."""

import re
from collections.abc import Sequence

import attrs
from switchgear import ProviderResult

from switchgear_translation.judging import Objection, object_to, pairs
from switchgear_translation.kept import PRINTF, SHARE, TAG, TEMPLATE
from switchgear_translation.output import TranslationOutput
from switchgear_translation.request import TranslationRequest

UNKNOWN_WORDS = "unknown_words"  # in a result's metadata: for each item, how many words the engine did not know
WORD = re.compile(r"[^\W\d_]+")
MARKED = re.compile(r"(?<!\w)[*@#](?=\w)")  # Apertium's marks: unknown, untranslated, not generated
SHORTEST = 4  # letters: shorter words are the same in many pairs of languages


def words(text: str) -> list[str]:
    """The words of a text, without those of tags and placeholders."""
    for pattern in (TEMPLATE, TAG, PRINTF):
        text = pattern.sub(" ", text)
    return WORD.findall(text)


@attrs.frozen
class Untranslated:
    """Refuse a translation in which more than the share `most` of the text's words stand as they stood.

    Words of fewer than four letters do not count, and a text with fewer than `shortest` others passes: it may be
    a name.
    """

    most: float = attrs.field(default=0.5, validator=SHARE)
    shortest: int = attrs.field(default=3, validator=attrs.validators.ge(1))

    def check(self, request: TranslationRequest, result: ProviderResult[TranslationOutput]) -> None:
        objections = {}
        for place, source, text in pairs(request, result):
            there = {word.casefold() for word in words(text)}
            asked = [word.casefold() for word in words(source) if len(word) >= SHORTEST]
            left = sum(word in there for word in asked) / len(asked) if len(asked) >= self.shortest else 0.0
            if left > self.most:
                objections[place] = Objection(f"{left:.0%} of the words are not translated", 1 - left)
        object_to(request, result, objections)


@attrs.frozen
class KnownWords:
    """Refuse a translation of which the engine itself says that it knew less than the share `threshold` of the words.

    It believes `metadata["unknown_words"]`, a number for each item, and without it the marks of rule-based engines in
    the text (`*word`). From an engine that gives neither, everything passes.
    """

    threshold: float = attrs.field(default=0.95, validator=SHARE)

    def check(self, request: TranslationRequest, result: ProviderResult[TranslationOutput]) -> None:
        told: Sequence[int] | None = result.metadata.get(UNKNOWN_WORDS)
        objections = {}
        for place, source, text in pairs(request, result):
            count = len(words(source))
            unknown = _marks(source, text) if told is None else told[place]
            known = max(0.0, 1 - unknown / count) if count else 1.0
            if known < self.threshold:
                objections[place] = Objection(f"the engine knew {known:.0%} of the words", known)
        object_to(request, result, objections)


def _marks(source: str, text: str) -> int:
    return max(0, len(MARKED.findall(text)) - len(MARKED.findall(source)))
