"""The fastest first, by what was measured."""

from collections.abc import Sequence

import attrs

from switchgear.strategy import Candidate


@attrs.frozen
class Speed:
    """The lowest average latency first. One that was never measured comes first of all, so that it gets measured."""

    def order(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        return sorted(candidates, key=lambda candidate: (candidate.latency.average or 0.0, candidate.priority))
