"""Validators `min-confidence` and `expect`; the costlier ones have modules of their own."""

import re
from collections.abc import Iterable
from typing import Literal

import attrs
from switchgear import InvalidResult, ProviderResult

from switchgear_ocr.output import OcrOutput
from switchgear_ocr.request import OcrRequest


@attrs.frozen(eq=False)
class MinConfidence:
    """Refuse an answer of which the engine itself is not sure.

    An answer without text, or from an engine that gives no confidence, passes. Engines are sure of what they read, and
    know nothing of the lines they lost: use it beside `min-coverage`, not in its place.
    """

    threshold: float = attrs.field(default=0.8, validator=[attrs.validators.ge(0), attrs.validators.le(1)])

    def check(self, request: OcrRequest, result: ProviderResult[OcrOutput]) -> None:
        found = result.confidence if result.confidence is not None else result.output.confidence
        if found is not None and found < self.threshold:
            raise InvalidResult(f"confidence {found:.2f}, less than {self.threshold}", score=found)


def _together(patterns: Iterable[str]) -> tuple[str, ...]:
    """`tuple` itself has no signature that attrs could read quickly."""
    return tuple(patterns)


def _compiled(instance: object, attribute: object, patterns: tuple[str, ...]) -> None:
    if not patterns:
        raise ValueError("expect needs at least one pattern")
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{pattern!r} is no regular expression: {error}") from None


@attrs.frozen(eq=False)
class Expect:
    """Refuse an answer whose text lacks what every such document has: regular expressions, all or any of them.

    They are searched in the whole text, case counts, `^` and `$` match at line ends. The score is the share found.
    """

    patterns: tuple[str, ...] = attrs.field(converter=_together, validator=_compiled)
    require: Literal["all", "any"] = attrs.field(default="all", validator=attrs.validators.in_(("all", "any")))

    def check(self, request: OcrRequest, result: ProviderResult[OcrOutput]) -> None:
        text = result.output.text
        missing = [pattern for pattern in self.patterns if not re.search(pattern, text, re.MULTILINE)]
        found = len(self.patterns) - len(missing)
        if found == 0 or (missing and self.require == "all"):
            wanted = ", ".join(repr(pattern) for pattern in missing)
            raise InvalidResult(f"the text has no {wanted}", score=found / len(self.patterns))
