"""For providers: an answer made of what an engine gave, and the usage it means."""

from collections.abc import Sequence
from decimal import Decimal

from switchgear import ProviderError, ProviderResult

from switchgear_translation.output import TranslationOutput
from switchgear_translation.request import TranslationRequest, characters


def usage(request: TranslationRequest) -> dict[str, Decimal]:
    """What a provider's `estimate_usage` gives: the characters of the request."""
    return {"characters": Decimal(characters(request))}


def answer(
    request: TranslationRequest,
    texts: Sequence[str | None],
    *,
    detected: Sequence[str | None] = (),
    billed: int | None = None,
    confidence: float | None = None,
) -> ProviderResult[TranslationOutput]:
    """The result of a provider's `process`. `texts` stand in the request's order, None for an item that failed.

    The usage is `billed`, the characters the vendor charges for; where it does not say, those of the items it
    translated. An answer that lacks items is marked, so that no cache keeps it. Raises `ProviderError` where every item
    failed, or where the engine gave more or fewer than it was asked for: then nobody knows which is whose.
    """
    if len(texts) != len(request.texts):
        raise ProviderError(f"{len(texts)} translations for {len(request.texts)} texts")
    missing = sum(text is None for text in texts)
    if missing == len(texts):
        raise ProviderError(f"none of {missing} texts was translated")
    done = sum(len(asked) for asked, text in zip(request.texts, texts, strict=True) if text is not None)
    output = TranslationOutput(tuple(texts), tuple(detected), billed)
    amount = Decimal(done if billed is None else billed)
    result = ProviderResult(output, usage={"characters": amount}, confidence=confidence)
    if missing:
        result.metadata["partial"] = True
    return result
