"""What validators make of items they object to: the whole answer refused, or those items taken out of it."""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
from switchgear import InvalidResult, ProviderResult

from switchgear_translation.output import TranslationOutput
from switchgear_translation.request import TranslationRequest

REFUSED = "refused_items"


@attrs.frozen
class Objection:
    """Why one item is not good enough, without its content, and how good it is all the same (0-1)."""

    reason: str
    score: float = 0.0


@attrs.frozen
class RefusedItem:
    """A translation that was taken out of an answer; documents fall back on it where `on_refused` is "best"."""

    text: str = attrs.field(repr=False)
    score: float
    reason: str


def pairs(request: TranslationRequest, result: ProviderResult[TranslationOutput]) -> Iterator[tuple[int, str, str]]:
    """Place, text and translation of every item that there is something to say about."""
    for place, (source, text) in enumerate(zip(request.texts, result.output.texts, strict=False)):
        if text is not None and source.strip():
            yield place, source, text


def object_to(
    request: TranslationRequest, result: ProviderResult[TranslationOutput], objections: Mapping[int, Objection]
) -> None:
    """Refuse the answer: its score is the mean over its items. With `request.per_item`, only the items objected to.

    An answer of which nothing would be left is refused as a whole in either case. Raises `InvalidResult`.
    """
    if not objections:
        return
    judged = sum(text is not None or place in objections for place, text in enumerate(result.output.texts))
    if request.per_item and len(objections) < judged:
        _take_out(result, objections)
        return
    score = sum(each.score for each in objections.values()) + judged - len(objections)
    reasons = "; ".join(dict.fromkeys(each.reason for each in objections.values()))
    which = "" if len(request.texts) == 1 else f"{len(objections)} of {len(request.texts)} texts: "
    raise InvalidResult(which + reasons, score=score / judged)


def _take_out(result: ProviderResult[TranslationOutput], objections: Mapping[int, Objection]) -> None:
    output = result.output
    # In the output and not beside it: whoever shares this answer, from a flight, must not take the items for good.
    result.output = attrs.evolve(
        output, texts=tuple(None if place in objections else text for place, text in enumerate(output.texts))
    )
    result.metadata["partial"] = True
    refused: dict[int, Any] = result.metadata.setdefault(REFUSED, {})
    for place, objection in objections.items():
        refused[place] = RefusedItem(output.texts[place] or "", objection.score, objection.reason)
