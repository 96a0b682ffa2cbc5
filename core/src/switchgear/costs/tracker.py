"""What was spent, by whom and when: exact sums in bounded memory, fed by the same records as the ledger."""

import heapq
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Literal

import attrs

from switchgear.cost_sink import NOTHING, SLOT, CostRecord, Total
from switchgear.money import Charge, from_microseconds
from switchgear.periods import Period

Dimension = Literal["service", "capability", "provider", "tenant", "tags"]
DIMENSIONS: tuple[Dimension, ...] = ("service", "capability", "provider", "tenant", "tags")
MOST_CELLS = 20_000
RECENT = 1_000  # calls whose cost can be asked for one by one
DEAREST = 20
_EARLIER = -1  # in place of a slot: before everything that is told apart by time


@attrs.define
class Sum:
    """What some attempts come to. `cost` is what is known, doubts included; `unknown` counts those nobody knows."""

    attempts: int = 0
    cost: Decimal = NOTHING
    in_doubt: Decimal = NOTHING
    unknown: int = 0
    saved: Decimal = NOTHING
    hits: int = 0

    @property
    def average(self) -> Decimal | None:
        """The cost of an attempt whose cost is known; None if there is none."""
        known = self.attempts - self.unknown
        return self.cost / known if known else None

    def add(self, other: "Sum", sign: int = 1) -> None:
        self.attempts += sign * other.attempts
        self.cost += sign * other.cost
        self.in_doubt += sign * other.in_doubt
        self.unknown += sign * other.unknown
        self.saved += sign * other.saved
        self.hits += sign * other.hits


@attrs.frozen(order=True)
class Spent:
    """One attempt among the most expensive."""

    cost: Decimal
    id: str
    service: str
    provider: str
    at: int


_Cell = tuple[int, str, str, str, str, str]  # slot, then DIMENSIONS


class CostTracker:
    """The running totals of a board. Readable from any thread; what has just ended shows within `accounting.flush`.

    It begins with what the ledger knows. Where it would hold more than `MOST_CELLS` sums, it forgets the time of the
    oldest, never their amount.
    """

    def __init__(self, zone: tzinfo, currency: str) -> None:
        self.zone = zone
        self.currency = currency
        self.lost = 0  # records that no sink will ever have
        self._lock = threading.Lock()
        self._cells: dict[_Cell, Sum] = {}
        self._recent: OrderedDict[str, dict[str, CostRecord]] = OrderedDict()
        self._dearest: list[Spent] = []

    # Reading

    def total(self, since: datetime | None = None, until: datetime | None = None) -> Sum:
        """Everything, or from `since` to before `until`, to the quarter of an hour."""
        return self.by(since=since, until=until).get((), Sum())

    def by(
        self,
        *dimensions: Dimension,
        per: Period | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> dict[tuple[str, ...], Sum]:
        """Sums by some of `DIMENSIONS`, and by the label of a period if one is given (it comes first in the key).

        What came before all that it tells apart by time has the label "earlier".
        """
        indexes = [1 + DIMENSIONS.index(each) for each in dimensions]
        start = None if since is None else _slot(since)
        end = None if until is None else _slot(until)
        found: dict[tuple[str, ...], Sum] = {}
        label = self._labels(per)
        with self._lock:
            for cell, amount in self._cells.items():
                slot = cell[0]
                if (start is not None and slot < start) or (end is not None and slot >= end):
                    continue
                key = (*label(slot), *(str(cell[index]) for index in indexes))
                found.setdefault(key, Sum()).add(amount)
        return found

    def of_call(self, call_id: str) -> Decimal | None:
        """What one of the last thousand calls cost; None where that is not known, or no longer."""
        with self._lock:
            records = list(self._recent.get(call_id, {}).values())
        costs = [each.cost for each in records if each.charge is not Charge.FREE]
        if not records or None in costs:
            return None
        return sum((cost for cost in costs if cost is not None), NOTHING)

    def most_expensive(self) -> list[Spent]:
        """The attempts that cost most, the dearest first."""
        with self._lock:
            return sorted(self._dearest, reverse=True)

    # Writing, by the bookkeeper

    def add(self, records: Iterable[CostRecord]) -> None:
        with self._lock:
            for record in records:
                self._add(record)
            while len(self._cells) > MOST_CELLS:
                self._forget_the_oldest()

    def begin_with(self, totals: Iterable[Total], *, with_slot: bool) -> None:
        """What a ledger knows: totals by `slot`, if so, and `DIMENSIONS`."""
        with self._lock:
            for total in totals:
                slot, *names = total.key if with_slot else (str(_EARLIER), *total.key)
                amount = Sum(total.attempts, total.cost, total.in_doubt, total.unknown, total.saved, total.hits)
                self._cells.setdefault((int(slot), *names), Sum()).add(amount)  # type: ignore[arg-type]

    def _add(self, record: CostRecord) -> None:
        earlier = None
        if record.kind != "saved":
            call = self._recent.setdefault(record.call_id, {})
            earlier = call.get(record.id)
            call[record.id] = record
            if len(self._recent) > RECENT:
                self._recent.popitem(last=False)
        cell = self._cells.setdefault(_cell(record), Sum())
        if earlier is not None:
            cell.add(_sum(earlier), -1)
        cell.add(_sum(record))
        self._rank(record)

    def _rank(self, record: CostRecord) -> None:
        if not record.cost or record.charge is Charge.FREE:
            return
        entry = Spent(record.cost, record.id, record.service, record.provider, record.at)
        if len(self._dearest) < DEAREST:
            heapq.heappush(self._dearest, entry)
        elif entry > self._dearest[0]:
            heapq.heapreplace(self._dearest, entry)

    def _forget_the_oldest(self) -> None:
        oldest = min((cell[0] for cell in self._cells if cell[0] != _EARLIER), default=None)
        merged = [cell for cell in self._cells if cell[0] == (_EARLIER if oldest is None else oldest)]
        for cell in merged:
            amount = self._cells.pop(cell)
            # Without time it is told apart by all the rest; if that is still too much, by what is configured only.
            rest = cell[1:] if oldest is not None else (*cell[1:4], "", "")
            self._cells.setdefault((_EARLIER, *rest), Sum()).add(amount)  # type: ignore[arg-type]

    def _labels(self, per: Period | None) -> Callable[[int], tuple[str, ...]]:
        if per is None:
            return lambda slot: ()
        known: dict[int, tuple[str, ...]] = {_EARLIER: ("earlier",)}

        def label(slot: int) -> tuple[str, ...]:
            if slot not in known:
                known[slot] = (per.label(from_microseconds(slot), self.zone),)
            return known[slot]

        return label


def _cell(record: CostRecord) -> _Cell:
    tags = ", ".join(sorted(set(record.tags)))
    return (
        record.at - record.at % SLOT, record.service, record.capability, record.provider, record.tenant or "", tags,
    )  # fmt: skip


def _sum(record: CostRecord) -> Sum:
    if record.kind == "saved":
        return Sum(saved=record.saved, hits=record.hits)
    if record.charge is Charge.FREE:
        return Sum(1)
    doubt = record.charge is Charge.IN_DOUBT
    cost = record.cost
    return Sum(1, cost or NOTHING, (cost or NOTHING) if doubt else NOTHING, int(cost is None))


def _slot(moment: datetime) -> int:
    at = int(moment.timestamp() * 1_000_000)
    return at - at % SLOT
