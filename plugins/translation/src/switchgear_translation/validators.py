"""Validators `complete` and `length`; what looks at words, tags and languages has modules of its own."""

import unicodedata

import attrs
from switchgear import ProviderResult

from switchgear_translation.judging import Objection, object_to, pairs
from switchgear_translation.output import TranslationOutput
from switchgear_translation.request import TranslationRequest


@attrs.frozen
class Complete:
    """Refuse an answer that lacks items, or has nothing for a text, so that the next provider is asked for them."""

    def check(self, request: TranslationRequest, result: ProviderResult[TranslationOutput]) -> None:
        objections = {
            place: Objection("an empty translation") for place, _, text in pairs(request, result) if not text.strip()
        }
        if not request.per_item:
            objections |= dict.fromkeys(result.output.missing, Objection("not translated"))
        object_to(request, result, objections)


@attrs.frozen
class Length:
    """Refuse a translation that is much shorter or longer than its text: cut off, repeated, or commented on.

    `least` and `most` bound its length as a share of the text's. Chinese, Japanese and Korean characters count as
    three. Texts of fewer than `shortest` characters pass.
    """

    least: float = attrs.field(default=0.4, validator=attrs.validators.ge(0))
    most: float = attrs.field(default=2.5, validator=attrs.validators.gt(0))
    shortest: int = attrs.field(default=20, validator=attrs.validators.ge(1))

    def check(self, request: TranslationRequest, result: ProviderResult[TranslationOutput]) -> None:
        objections = {}
        for place, source, text in pairs(request, result):
            asked, found = _length(source), _length(text)
            if asked >= self.shortest and not self.least <= found / asked <= self.most:
                far = min(asked, found) / max(asked, found)
                objections[place] = Objection(f"{found / asked:.1f} times as long as the text", far)
        object_to(request, result, objections)


def _length(text: str) -> int:
    return sum(3 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
