"""The best first, by the quality score the configuration gives."""

from collections.abc import Sequence
from typing import ClassVar

import attrs

from switchgear.strategy import Candidate


@attrs.frozen
class Quality:
    """The highest `quality_score` first; ties by priority."""

    static: ClassVar[bool] = True

    def order(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        return sorted(candidates, key=lambda candidate: (-candidate.quality_score, candidate.priority))
