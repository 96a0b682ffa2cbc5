"""Capability `translation`: texts and documents from one language into another.

Providers take a `TranslationRequest` and answer with a `TranslationOutput`; `TRANSLATION` is the capability itself.
"""

from switchgear_translation.abilities import check_abilities
from switchgear_translation.answering import answer, usage
from switchgear_translation.capability import TRANSLATION, TranslationCapability
from switchgear_translation.documents import Translated, translate
from switchgear_translation.languages import lookup, primary, three_letters
from switchgear_translation.leftovers import UNKNOWN_WORDS, words
from switchgear_translation.limits import Limits, limits_of
from switchgear_translation.output import TranslationOutput
from switchgear_translation.request import TranslationRequest, characters

__all__ = [
    "TRANSLATION",
    "UNKNOWN_WORDS",
    "Limits",
    "Translated",
    "TranslationCapability",
    "TranslationOutput",
    "TranslationRequest",
    "answer",
    "characters",
    "check_abilities",
    "limits_of",
    "lookup",
    "primary",
    "three_letters",
    "translate",
    "usage",
    "words",
]
