"""The contract of a strategy: it sees the candidates' live figures and says whom to ask first."""

import random
from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any, Protocol

from switchgear.figures import Latency
from switchgear.provider import ProviderStatus
from switchgear.results import Call


class Candidate(Protocol):
    """A provider considered for one request, with its live figures. Strategies read it and change nothing."""

    @property
    def name(self) -> str: ...
    @property
    def priority(self) -> int: ...
    @property
    def quality_score(self) -> float: ...
    @property
    def status(self) -> ProviderStatus: ...
    @property
    def latency(self) -> Latency:
        """Seconds: `.average` (moving; None before the first answer) and `.percentile(0.95)`."""
        ...

    @property
    def success_rate(self) -> float | None: ...
    @property
    def quality(self) -> float | None:
        """Share of its answers that no validator turned down, 0-1; None before the first."""
        ...

    @property
    def requests(self) -> int:
        """How many it was sent since the process started."""
        ...

    @property
    def in_flight(self) -> int:
        """How many it is working on right now."""
        ...

    @property
    def circuit(self) -> str:
        """`closed`, `open`, `half_open`, `forced_open` or `disabled`."""
        ...

    def estimated_cost(self, request: Any) -> Decimal | None:
        """What the request would cost here; None where unknown."""
        ...


class Strategy(Protocol):
    """Orders the candidates for one request: `order(self, candidates, request, *, turn)`."""

    # In full, type checkers would want all of it of everybody; this they read as "and whatever else it takes".
    def order(self, candidates: Sequence[Candidate], *args: Any, **kwargs: Any) -> Iterable[Candidate]:
        """A duplicate-free subset of the candidates, best first; they must not be changed.

        `turn` counts the service's calls from 0, so that taking turns needs no state. Parameters that a strategy does
        not need may be left out: `order(self, candidates, request)` is right. A class whose order never changes can say
        `static = True`, and is asked once.
        """
        ...


class Learner(Protocol):
    """What a strategy has besides, if it learns from how calls went."""

    def learn(self, call: Call) -> None:
        """Hear of every finished call."""
        ...


class Mentioning(Protocol):
    """What a strategy has besides, if its options name providers."""

    def mentions(self) -> Iterable[str]:
        """Their names; one that the service does not have is an error at start."""
        ...


class SelectionStrategy(Enum):
    """The built-in strategies, for code that likes names checked."""

    PRIORITY = "priority"
    COST = "cost"
    QUALITY = "quality"
    SPEED = "speed"
    ROUND_ROBIN = "round-robin"
    WEIGHTED = "weighted"
    LEAST_BUSY = "least-busy"
    P2C = "p2c"


class Random(Protocol):
    """The one source of randomness, injected: `random.Random(seed)` makes a run repeatable."""

    def random(self) -> float:
        """A float in [0, 1)."""
        ...


def system_random() -> Random:
    """A generator seeded by the system, one for each board."""
    return random.Random()
