"""The best first, by the quality score the configuration gives."""

from collections.abc import Sequence

import attrs

from switchgear.strategy import Candidate


@attrs.frozen
class Quality:
    """The highest `quality_score` first; ties by priority."""

    def order(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        return sorted(candidates, key=lambda candidate: (-candidate.quality_score, candidate.priority))
