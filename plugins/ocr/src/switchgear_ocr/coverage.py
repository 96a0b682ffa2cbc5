"""Validator `min-coverage`: turns an answer down when text-like ink on the page was not read."""

from collections.abc import Iterator

import attrs
from switchgear import InvalidResult, ProviderResult

from switchgear_ocr.output import Box, OcrOutput, Page
from switchgear_ocr.request import OcrRequest


@attrs.frozen(eq=False)
class MinCoverage:
    """Refuse an answer whose words leave more than `1 - threshold` of a page's text-like ink uncovered.

    A word counts if the engine is at least `confidence` sure of it and it has a letter or a digit: shadows and edges
    are often "read" as punctuation in a box as large as the page. The score is the worst page's coverage. A page
    without ink passes. It finds lines and zones that were lost, not letters that were misread.
    """

    threshold: float = attrs.field(default=0.9, validator=[attrs.validators.ge(0), attrs.validators.le(1)])
    confidence: float = attrs.field(default=0.5, validator=[attrs.validators.ge(0), attrs.validators.le(1)])

    # A few milliseconds of NumPy for each page.
    blocking = True

    def check(self, request: OcrRequest, result: ProviderResult[OcrOutput]) -> None:
        from switchgear_ocr.ink import text_ink

        worst, number = 1.0, 0
        for page in result.output.pages:
            ink = request.document.derived(page.number, text_ink)
            worst, number = min((worst, number), (ink.share_in(_readable(page, self.confidence)), page.number))
        if worst < self.threshold:
            covered = f"page {number}: the words cover {worst:.2f} of the text-like ink, less than {self.threshold}"
            raise InvalidResult(covered, score=worst)


def _readable(page: Page, confidence: float) -> Iterator[Box]:
    for line in page.lines:
        for part in line.words or (line,):
            sure = part.confidence is None or part.confidence >= confidence
            if sure and any(map(str.isalnum, part.text)):
                yield part.box
