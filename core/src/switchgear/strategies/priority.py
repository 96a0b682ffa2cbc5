"""Whom the configuration puts first: lowest `priority` number, then the order in the file."""

from collections.abc import Sequence
from operator import attrgetter
from typing import ClassVar

import attrs

from switchgear.strategy import Candidate

_priority = attrgetter("priority")


@attrs.frozen
class Priority:
    """The lowest `priority` number first; equal ones in the order of the file."""

    static: ClassVar[bool] = True

    def order(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        return sorted(candidates, key=_priority)
