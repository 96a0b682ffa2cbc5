"""A ledger that forgets everything when the process ends."""

from collections.abc import Iterable, Iterator, Sequence

import attrs

from switchgear.cost_sink import EVERYTHING, CostRecord, Selection, Total
from switchgear.costs.movements import replaces
from switchgear.totals import add_up, fits


@attrs.define(eq=False)
class MemoryLedger:
    """Keeps cost records in a dictionary, and adds them up when it is asked; only what was flushed counts.

    While `trouble` is an exception, `flush` raises it and forgets nothing. `flushes` counts those that went well.
    """

    trouble: Exception | None = None
    flushes: int = attrs.field(default=0, init=False)
    closed: bool = attrs.field(default=False, init=False)
    _taken_in: dict[str, CostRecord] = attrs.field(factory=dict, init=False)
    _kept: dict[str, CostRecord] = attrs.field(factory=dict, init=False)

    def cost_recorded(self, record: CostRecord) -> None:
        _keep(self._taken_in, [record])

    def flush(self) -> None:
        if self.trouble is not None:
            raise self.trouble
        _keep(self._kept, self._taken_in.values())
        self._taken_in.clear()
        self.flushes += 1

    def close(self) -> None:
        self.closed = True

    def totals(self, by: Sequence[str] = (), where: Selection = EVERYTHING) -> Iterator[Total]:
        return iter(add_up(self.records(where), by))

    def records(self, where: Selection = EVERYTHING) -> Iterator[CostRecord]:
        chosen = [record for record in self._kept.values() if fits(record, where)]
        return iter(sorted(chosen, key=lambda record: (record.at, record.id)))


def _keep(kept: dict[str, CostRecord], records: Iterable[CostRecord]) -> None:
    for record in records:
        earlier = kept.get(record.id)
        if earlier is None or replaces(record, earlier.charge):
            kept[record.id] = record
