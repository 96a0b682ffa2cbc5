"""Validator `language`: whether the answer is in the language that was asked for."""

from functools import cache
from importlib.util import find_spec
from typing import Any

import attrs
from switchgear import ProviderResult

from switchgear_translation.judging import Objection, object_to, pairs
from switchgear_translation.kept import SHARE
from switchgear_translation.languages import primary
from switchgear_translation.leftovers import words
from switchgear_translation.output import TranslationOutput
from switchgear_translation.request import TranslationRequest

# So near to each other that a paragraph does not tell them apart, or one language under several codes.
CLOSE = (
    {"no", "nb", "nn", "da"},
    {"id", "ms"},
    {"hr", "bs", "sr", "sh"},
    {"gl", "pt"},
    {"fil", "tl"},
    {"zh", "yue", "wuu"},
)


@attrs.frozen
class Language:
    """Refuse a translation that is, by its letters, in another language than the one asked for.

    `threshold`: how likely that language has to be at the least, as a share of the likeliest one's likelihood. Texts of
    fewer than `shortest` letters pass, and so does a language that cannot be told. Needs `py3langid`, which comes with
    `switchgear-translation[language]`: no network, 140 languages, a model that takes two seconds to load.
    """

    threshold: float = attrs.field(default=0.2, validator=SHARE)
    shortest: int = attrs.field(default=24, validator=attrs.validators.ge(1))

    blocking = True

    def __attrs_post_init__(self) -> None:
        if find_spec("py3langid") is None:
            raise ValueError("language needs py3langid; pip install 'switchgear-translation[language]'")

    def check(self, request: TranslationRequest, result: ProviderResult[TranslationOutput]) -> None:
        wanted = primary(request.target)
        objections = {}
        for place, _, text in pairs(request, result):
            written = " ".join(words(text))
            if len(written) - written.count(" ") >= self.shortest:
                share = likelihood(written, wanted)
                if share is not None and share < self.threshold:
                    objections[place] = Objection(f"not in the language {request.target}", share)
        object_to(request, result, objections)


def likelihood(text: str, language: str) -> float | None:
    """How likely the text is in this language, 0-1, as a share of the likeliest; None for one that cannot be told."""
    wanted = {language}.union(*(group for group in CLOSE if language in group))
    ranked: list[tuple[str, float]] = _identifier().rank(text)
    if not any(found in wanted for found, _ in ranked):
        return None
    best = max(score for _, score in ranked)
    return min(1.0, sum(score for found, score in ranked if found in wanted) / best)


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
