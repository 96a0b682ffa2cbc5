"""What comes out of a call: the answer, and the record of how it came about."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Generic, Literal, TypeVar

import attrs

from switchgear.money import Charge
from switchgear.outcome import Outcome
from switchgear.rules import alike, differing, hashed

OutputT = TypeVar("OutputT")

Kind = Literal["first", "retry", "fallback", "hedge", "saved"]
CacheState = Literal["off", "miss", "fresh", "stale", "stale_on_error", "shared"]


@attrs.define(slots=True)
class Attempt:
    """One request to one provider.

    `number` counts the call's attempts from 1; `latency` is in seconds; `usage` maps units (pages, characters) to
    amounts; `cost` is in the board's currency, None where unknown; `message` is safe to log and empty on success.
    Where costs are recorded, `estimate` is what it was expected to cost, and `charge` says whether it does; in doubt,
    `cost` is the estimate. `kind` says why it was made, `at` when (microseconds since 1970).
    """

    __repr__, __eq__ = differing, alike

    call_id: str
    provider: str
    number: int
    outcome: Outcome = Outcome.SUCCESS
    latency: float = 0.0
    usage: Mapping[str, Decimal] | None = None
    cost: Decimal | None = None
    message: str = ""
    estimate: Decimal | None = None
    charge: Charge | None = None
    kind: Kind = "first"
    at: int = 0

    @property
    def id(self) -> str:
        return f"{self.call_id}.{self.number}"


@attrs.define(slots=True)
class ProviderResult(Generic[OutputT]):
    """An answer. A provider gives `output` and what it knows of `usage`, `cost`, `confidence`; the rest is filled in.

    `usage` maps units to amounts; `cost` is the whole attempt's price in the board's currency, None where unknown;
    `confidence` runs from 0 to 1; `latency` is the answering attempt's, in seconds; `attempts` are all of the call's.
    """

    __repr__, __eq__ = differing, alike

    output: OutputT
    usage: Mapping[str, Decimal] | None = None
    cost: Decimal | None = None
    confidence: float | None = None
    provider: str = ""
    latency: float = 0.0
    attempts: Sequence[Attempt] = ()
    cache: CacheState = "off"
    metadata: dict[str, Any] = attrs.Factory(dict)
    call_id: str = ""


@attrs.frozen
class Considered:
    """A candidate as one call saw it: kept (asked, or ready to be) or dropped, and why."""

    __repr__, __eq__, __hash__ = differing, alike, hashed

    provider: str
    kept: bool
    reason: str = ""


@attrs.frozen
class Refused:
    """An answer that a validator turned down, how good it is all the same (0-1), and why."""

    __repr__, __eq__, __hash__ = differing, alike, hashed

    result: ProviderResult[Any] = attrs.field(repr=False)
    score: float
    reason: str


@attrs.define(slots=True)
class Call:
    """The whole logical request: whom it might have asked, whom it did ask, and what came of it.

    `order` names the candidates as the strategy ranked them; `dropped` maps those passed over to the reason.
    `result` and `refused` hold answers: whoever records a call takes their figures and leaves their content.
    `started` and `ends` (the deadline) are moments on the monotonic clock, `latency` is in seconds.
    """

    __repr__, __eq__ = differing, alike

    id: str
    service: str
    tenant: str | None = None
    tags: Sequence[str] = ()
    started: float = 0.0
    ends: float | None = None
    order: Sequence[Any] = ()
    attempts: list[Attempt] = attrs.Factory(list)
    dropped: dict[str, str] = attrs.Factory(dict)
    refused: list[Refused] = attrs.Factory(list)
    # Not shown: whoever prints a record must not print what was answered.
    result: ProviderResult[Any] | None = attrs.field(default=None, repr=False)
    error: BaseException | None = None
    idempotency_key: str | None = None
    latency: float = 0.0

    @property
    def cost(self) -> Decimal | None:
        """What all its attempts cost together; None where that of one is not known. 0 without any, as for a hit."""
        total = Decimal(0)
        for attempt in self.attempts:
            if attempt.cost is not None:
                total += attempt.cost
            elif (attempt.charge or attempt.outcome.rule.charge) is not Charge.FREE:
                return None
        return total

    @property
    def candidates(self) -> tuple[Considered, ...]:
        """Every candidate in the strategy's order, with the reason where it was dropped."""
        names = dict.fromkeys([candidate.name for candidate in self.order] + list(self.dropped))
        return tuple(Considered(name, name not in self.dropped, self.dropped.get(name, "")) for name in names)


@attrs.frozen
class StateChange:
    """A provider's circuit went from one state to another (`closed`, `open`, `half_open` ...)."""

    __repr__, __eq__, __hash__ = differing, alike, hashed

    service: str
    provider: str
    old: str
    new: str
