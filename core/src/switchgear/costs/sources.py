"""Where the bookkeeper takes records from: a journal that outlives the process, or only memory."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from switchgear.cost_sink import CostRecord
from switchgear.costs.journal import Journal
from switchgear.costs.lines import Origin, Reader, extra_of, intent, settlement
from switchgear.logs import logger
from switchgear.money import Charge
from switchgear.outcome import Outcome
from switchgear.results import Attempt, Call, Kind

Write = Callable[[int, Attempt, Call, tuple[str, ...]], None]

MOST = 100_000  # records in memory
_EXTRAS = 1_000


class JournalSource:
    """Intents and settlements go to the journal, and come back from it as records."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._reader = Reader()
        self._extras: dict[tuple[object, ...], str] = {}
        self.intend: Write | None = self._intend

    @property
    def lost(self) -> int:
        return self._journal.lost

    def register(self, origin: Origin) -> int:
        return self._journal.register(origin)

    def rename(self, holder: str) -> None:
        self._journal.rename(holder)

    # On the home loop

    def _intend(self, number: int, attempt: Attempt, call: Call, budgets: tuple[str, ...]) -> None:
        extra = "" if call.tenant is None and not call.tags and not budgets else self._extra(call, budgets)
        line = intent(attempt, number, extra)
        if not self._journal.write(line):
            self._journal.put(line)

    def settle(self, number: int, attempt: Attempt, call: Call, budgets: tuple[str, ...]) -> None:
        line = settlement(attempt)
        if not self._journal.write(line):
            self._journal.put(line)

    def correct(self, number: int, attempt: Attempt, call: Call, budgets: tuple[str, ...]) -> None:
        """Once more for an attempt that was settled before: it has turned out otherwise."""
        self._intend(number, attempt, call, budgets)
        self._journal.put(settlement(attempt))

    def _extra(self, call: Call, budgets: tuple[str, ...]) -> str:
        tags = tuple(call.tags)
        known = (call.tenant, tags, budgets)
        extra = self._extras.get(known)
        if extra is None:
            if len(self._extras) >= _EXTRAS:
                self._extras.clear()
            extra = self._extras[known] = extra_of(call.tenant, tags, budgets)
        return extra

    # The bookkeeper's side

    def take(self) -> Iterator[CostRecord]:
        for place, text in self._journal.take():
            self._reader.place = place
            yield from self._reader.read(text)

    def mark(self) -> int:
        place, oldest = self._journal.taken, self._reader.oldest_open
        return place if oldest is None else min(place, oldest)

    def again(self, since: int) -> Iterator[CostRecord]:
        reader = Reader()
        for text in self._journal.again(since):
            yield from reader.read(text)

    def forget(self, before: int) -> int:
        self._journal.forget(min(before, self.mark()))
        given_up = 0
        while self._journal.is_too_long:
            given_up += self._journal.give_up().count(b"\ns\t")
        return given_up

    def close(self, *, complete: bool) -> None:
        # What is still open belongs to attempts whose end nobody waited for.
        self._journal.close(remove=complete and self._reader.oldest_open is None)


# What becomes a record: not the call itself, which would be kept with all that it holds.
_Settled = tuple[
    str, int, int, int, Kind, Charge, Outcome, Decimal | None, Decimal | None, Mapping[str, Decimal] | None, float,
    str | None, Sequence[str], tuple[str, ...],
]  # fmt: skip


class MemorySource:
    """Nothing is written: what no sink has is lost with the process."""

    intend: Write | None = None  # there is nowhere to write it

    def __init__(self, holder: str, currency: str) -> None:
        self.lost = 0
        self._holder = holder
        self._currency = currency
        self._origins: list[Origin] = []
        self._settled: deque[_Settled] = deque()

    def register(self, origin: Origin) -> int:
        self._origins.append(origin)
        return len(self._origins) - 1

    def rename(self, holder: str) -> None:
        self._holder = holder

    def settle(self, number: int, attempt: Attempt, call: Call, budgets: tuple[str, ...]) -> None:
        if len(self._settled) >= MOST:
            self._lose()
            return
        charge: Any = attempt.charge
        self._settled.append((
            attempt.call_id, attempt.number, number, attempt.at, attempt.kind, charge, attempt.outcome, attempt.cost,
            attempt.estimate, attempt.usage, attempt.latency, call.tenant, call.tags, budgets,
        ))  # fmt: skip

    correct = settle

    def take(self) -> Iterator[CostRecord]:
        while self._settled:
            yield self._record(*self._settled.popleft())

    def mark(self) -> int:
        return 0

    def again(self, since: int) -> None:
        return None

    def forget(self, before: int) -> int:
        return 0

    def close(self, *, complete: bool) -> None:
        pass

    def _lose(self) -> None:
        self.lost += 1
        if self.lost & (self.lost - 1) == 0:  # the 1st, 2nd, 4th, 8th ...
            logger.error("{} cost records are lost: they come faster than the sinks take them", self.lost)

    def _record(
        self,
        call_id: str,
        attempt: int,
        number: int,
        at: int,
        kind: Kind,
        charge: Charge,
        outcome: Outcome,
        cost: Decimal | None,
        estimate: Decimal | None,
        usage: Mapping[str, Decimal] | None,
        latency: float,
        tenant: str | None,
        tags: Sequence[str],
        budgets: tuple[str, ...],
    ) -> CostRecord:
        origin = self._origins[number]
        return CostRecord(
            f"{call_id}.{attempt}",
            at,
            origin.service,
            origin.capability,
            origin.provider,
            kind,
            charge,
            outcome.value,
            self._currency,
            cost,
            estimate,
            usage or {},
            latency,
            tenant,
            tuple(tags),
            budgets,
            self._holder,
        )
