"""Kept translations: whatever is asked is part of what they are kept under."""

from switchgear.testing import check_fingerprint
from switchgear_translation import TRANSLATION, TranslationRequest

OTHERS = {
    "texts": ("Hell", "oBye"),
    "source": "en",
    "target": "fr",
    "formality": "more",
    "format": "html",
    "glossary": "g",
    "context": "c",
    "per_item": True,
}


def test_every_field_of_a_request_changes_the_fingerprint() -> None:
    check_fingerprint(TRANSLATION, TranslationRequest(["Hello", "Bye"], target="de"), OTHERS)
