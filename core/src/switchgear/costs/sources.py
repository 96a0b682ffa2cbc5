"""Where the bookkeeper takes records from: a journal that outlives the process, or only memory."""

from collections import deque
from collections.abc import Iterator

from switchgear.cost_sink import CostRecord
from switchgear.costs.hold import Hold
from switchgear.costs.journal import Journal
from switchgear.costs.lines import Origin, Reader, extra_of, intent, settlement
from switchgear.logs import logger
from switchgear.results import Attempt, Call

MOST = 100_000  # records in memory
_EXTRAS = 1_000


class JournalSource:
    """Intents and settlements go to the journal, and come back from it as records."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._reader = Reader()
        self._extras: dict[tuple[object, ...], str] = {}
        self._put = journal.put

    @property
    def lost(self) -> int:
        return self._journal.lost

    def register(self, origin: Origin) -> int:
        return self._journal.register(origin)

    # On the home loop

    def intend(self, hold: Hold, attempt: Attempt, call: Call) -> None:
        extra = "" if call.tenant is None and not call.tags and not hold.budgets else self._extra(hold, call)
        self._put(intent(attempt, hold.number, hold.at, hold.kind, extra))

    def settle(self, hold: Hold, attempt: Attempt, call: Call) -> None:
        self._put(settlement(attempt))

    def correct(self, hold: Hold, attempt: Attempt, call: Call) -> None:
        """Once more for an attempt that was settled before: it has turned out otherwise."""
        self.intend(hold, attempt, call)
        self.settle(hold, attempt, call)

    def _extra(self, hold: Hold, call: Call) -> str:
        tags = tuple(call.tags)
        known = (call.tenant, tags, hold.budgets)
        extra = self._extras.get(known)
        if extra is None:
            if len(self._extras) >= _EXTRAS:
                self._extras.clear()
            extra = self._extras[known] = extra_of(call.tenant, tags, hold.budgets)
        return extra

    # The bookkeeper's side

    def take(self) -> Iterator[CostRecord]:
        for place, text in self._journal.take():
            self._reader.place = place
            yield from self._reader.read(text)

    def mark(self) -> int:
        place, oldest = self._journal.latest, self._reader.oldest_open
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


class MemorySource:
    """Nothing is written: what no sink has is lost with the process."""

    def __init__(self, holder: str, currency: str) -> None:
        self.lost = 0
        self._holder = holder
        self._currency = currency
        self._origins: list[Origin] = []
        self._settled: deque[tuple[Hold, Attempt, Call]] = deque()

    def register(self, origin: Origin) -> int:
        self._origins.append(origin)
        return len(self._origins) - 1

    def intend(self, hold: Hold, attempt: Attempt, call: Call) -> None:
        pass

    def settle(self, hold: Hold, attempt: Attempt, call: Call) -> None:
        if len(self._settled) >= MOST:
            self.lost += 1
            if self.lost & (self.lost - 1) == 0:  # the 1st, 2nd, 4th, 8th ...
                logger.error("{} cost records are lost: they come faster than the sinks take them", self.lost)
            return
        self._settled.append((hold, attempt, call))

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

    def _record(self, hold: Hold, attempt: Attempt, call: Call) -> CostRecord:
        origin = self._origins[hold.number]
        assert attempt.charge is not None
        return CostRecord(
            id=attempt.id,
            at=hold.at,
            service=origin.service,
            capability=origin.capability,
            provider=origin.provider,
            kind=hold.kind,
            charge=attempt.charge,
            outcome=attempt.outcome.value,
            currency=self._currency,
            cost=attempt.cost,
            estimate=attempt.estimate,
            usage=attempt.usage or {},
            latency=attempt.latency,
            tenant=call.tenant,
            tags=tuple(call.tags),
            budgets=hold.budgets,
            holder=self._holder,
        )
