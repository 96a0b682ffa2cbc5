"""How much a provider takes in one request."""

from collections.abc import Iterator, Sequence
from typing import Any

import attrs
from switchgear import Unsupported

from switchgear_translation.request import TranslationRequest

REMEDY = "translate it as a document (switchgear_translation.translate), which splits it"
UNITS = ("texts", "characters", "bytes")


@attrs.frozen
class Limits:
    """The most that one request may hold: `texts`, `characters` (code points), `bytes` (UTF-8); None: no bound.

    A provider that has bounds has a method `limits()` that gives them, and calls `check` in its `validate_input`.
    """

    texts: int | None = None
    characters: int | None = None
    bytes: int | None = None

    def check(self, request: TranslationRequest) -> None:
        """Raise `Unsupported` for a request that is too large."""
        total = (0, 0, 0)
        for text in request.texts:
            total = _sum(total, _size(text))
        for unit, most, found in zip(UNITS, self._most, total, strict=True):
            if most is not None and found > most:
                raise Unsupported(f"{found:,} {unit}, more than {most:,} in one request", remedy=REMEDY)

    def split(self, texts: Sequence[str]) -> Iterator[range]:
        """The places of the texts in runs that fit, each as long as it can be; a text that is too long stands alone."""
        start, total = 0, (0, 0, 0)
        for place, text in enumerate(texts):
            size = _size(text)
            grown = _sum(total, size)
            if place > start and not self._hold(grown):
                yield range(start, place)
                start, grown = place, size
            total = grown
        if texts:
            yield range(start, len(texts))

    @property
    def _most(self) -> tuple[int | None, ...]:
        return (self.texts, self.characters, self.bytes)

    def _hold(self, total: tuple[int, int, int]) -> bool:
        return all(most is None or found <= most for most, found in zip(self._most, total, strict=True))


def _size(text: str) -> tuple[int, int, int]:
    return 1, len(text), len(text.encode())


def _sum(one: tuple[int, int, int], other: tuple[int, int, int]) -> tuple[int, int, int]:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


NO_LIMITS = Limits()


def limits_of(provider: Any) -> Limits:
    """What a provider says of itself; without a word, there is no bound."""
    limits = getattr(provider, "limits", None)
    found: Limits = NO_LIMITS if limits is None else limits()
    return found
