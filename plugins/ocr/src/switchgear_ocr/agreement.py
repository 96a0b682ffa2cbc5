"""Validator `agreement`: takes an answer only when another provider has read the same."""

import unicodedata
from collections import Counter
from collections.abc import Sequence

import attrs
from switchgear import InvalidResult, ProviderResult

from switchgear_ocr.output import OcrOutput
from switchgear_ocr.request import OcrRequest


@attrs.frozen(eq=False)
class Agreement:
    """Refuse an answer unless one that was refused earlier in this call agrees with it.

    So the first provider's answer is always refused and the second one's accepted if both read the same: two readings
    for every request, for where a wrong one costs more. It calls nobody itself. Put it last; what the validators
    before it turned down still counts as a reading. The score is the likeness to the nearest earlier answer.

    Likeness is Dice's coefficient on the letter trigrams of the texts (letters and digits only, case folded): 1 is
    equal, and each misread character costs about three times its share. Reading order hardly matters to it.
    """

    threshold: float = attrs.field(default=0.9, validator=[attrs.validators.ge(0), attrs.validators.le(1)])

    blocking = True

    def check(
        self,
        request: OcrRequest,
        result: ProviderResult[OcrOutput],
        refused: Sequence[ProviderResult[OcrOutput]] = (),
    ) -> None:
        if not refused:
            raise InvalidResult("no second reading to compare it with yet", score=0.0)
        read = _trigrams(result.output.text)
        best = max(_likeness(read, _trigrams(other.output.text)) for other in refused)
        if best < self.threshold:
            raise InvalidResult(f"agrees with no other reading: {best:.2f}, less than {self.threshold}", score=best)


def similarity(one: str, other: str) -> float:
    """How alike two texts are, 0-1, by their letter trigrams; two texts without letters are equal."""
    return _likeness(_trigrams(one), _trigrams(other))


def _trigrams(text: str) -> Counter[str]:
    letters = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))
    # Padded, so that a text of one or two letters has trigrams as well.
    padded = f"  {letters} " if letters else ""
    return Counter(map("".join, zip(padded, padded[1:], padded[2:], strict=False)))


def _likeness(one: Counter[str], other: Counter[str]) -> float:
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 1.0
