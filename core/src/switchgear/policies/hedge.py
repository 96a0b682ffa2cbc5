"""Asks a second provider when the first takes unusually long, for a small share of calls."""

import attrs
from attrs import field, validators

from switchgear.rules import alike, differing

_BURST = 10.0
_ROUNDING = 1e-9  # twenty times 0.05 may be a little less than 1


@attrs.frozen(kw_only=True)
class Hedge:
    """`[services.<name>.hedge]`: present, it is on. Only for work that may be repeated freely.

    Source: Dean and Barroso, "The Tail at Scale", CACM 56(2), 2013.
    """

    __repr__, __eq__ = differing, alike

    percentile: float = field(
        default=0.95,
        validator=[validators.gt(0), validators.lt(1)],
        metadata={"help": "the share of the first provider's answers that have come by the time a second is asked"},
    )
    share: float = field(
        default=0.05,
        validator=[validators.gt(0), validators.le(1)],
        metadata={"help": "extra requests per call at the most"},
    )
    min_samples: int = field(
        default=20, validator=validators.ge(1), metadata={"help": "answers to learn from before the first hedge"}
    )


class HedgeBudget:
    """Each call earns a share of a hedge; a hedge takes a whole one."""

    __slots__ = ("_share", "_tokens")

    def __init__(self, settings: Hedge) -> None:
        self._share = settings.share
        self._tokens = 0.0

    def earn(self) -> None:
        self._tokens = min(_BURST, self._tokens + self._share)

    def take(self) -> bool:
        if self._tokens < 1.0 - _ROUNDING:
            return False
        self._tokens = max(0.0, self._tokens - 1.0)
        return True
