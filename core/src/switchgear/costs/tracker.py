"""What was spent, by whom and when: exact sums in bounded memory, fed by the same records as the ledger."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any, Literal

import attrs

from switchgear.cost_sink import NOTHING, SLOT, CostRecord, Total
from switchgear.money import Charge, from_microseconds, to_microseconds
from switchgear.periods import Period

Dimension = Literal["service", "capability", "provider", "tenant", "tags"]
DIMENSIONS: tuple[Dimension, ...] = ("service", "capability", "provider", "tenant", "tags")
MOST_CELLS = 20_000
RECENT = 1_000  # attempts whose cost can be asked for call by call
DEAREST = 20
MOST_DOUBTS = 10_000  # attempts in doubt that may still turn out otherwise
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
        self._recent: OrderedDict[str, CostRecord] = OrderedDict()  # by attempt
        self._doubts: dict[str, CostRecord] = {}
        self._dearest: list[Spent] = []  # the dearest first
        self._least = NOTHING  # what the last of them cost

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
        """What one of the last calls cost; None where that is not known, or no longer."""
        with self._lock:
            records = [record for record in self._recent.values() if record.call_id == call_id]
        costs = [each.cost for each in records if each.charge is not Charge.FREE]
        if not records or None in costs:
            return None
        return sum((cost for cost in costs if cost is not None), NOTHING)

    def most_expensive(self) -> list[Spent]:
        """The attempts that cost most, the dearest first."""
        with self._lock:
            return list(self._dearest)

    # Writing, by the bookkeeper

    def add(self, records: Iterable[CostRecord]) -> None:
        with self._lock:
            for record in records:
                self._add(record)
            self._shrink()

    def begin_with(self, totals: Iterable[Total], *, with_slot: bool) -> None:
        """What a ledger knows: totals by `slot`, if so, and `DIMENSIONS`."""
        with self._lock:
            for total in totals:
                if total.currency != self.currency:
                    continue  # of a time when the board had another one
                slot, *names = total.key if with_slot else (str(_EARLIER), *total.key)
                amount = Sum(total.attempts, total.cost, total.in_doubt, total.unknown, total.saved, total.hits)
                cell: Any = (int(slot), *names)
                self._cells.setdefault(cell, Sum()).add(amount)
                self._shrink()

    def _add(self, record: CostRecord) -> None:
        if record.kind == "saved":
            cell = self._cell(record)
            cell.saved += record.saved
            cell.hits += record.hits
            return
        recent = self._recent
        earlier = self._doubts.pop(record.id, None) or recent.get(record.id)
        recent.pop(record.id, None)
        recent[record.id] = record
        if len(recent) > RECENT:
            recent.popitem(last=False)
        if record.charge is Charge.IN_DOUBT:
            self._doubts[record.id] = record
            if len(self._doubts) > MOST_DOUBTS:
                del self._doubts[next(iter(self._doubts))]
        if earlier is not None:
            self._count(earlier, -1)
            self._dearest = [each for each in self._dearest if each.id != record.id]
        self._count(record, 1)

    def _count(self, record: CostRecord, sign: int) -> None:
        cell, cost = self._cell(record), record.cost
        cell.attempts += sign
        if record.charge is Charge.FREE:
            return
        if cost is None:
            cell.unknown += sign
            return
        cell.cost += cost if sign > 0 else -cost
        if record.charge is Charge.IN_DOUBT:
            cell.in_doubt += sign * cost
        if sign > 0 and (cost > self._least or len(self._dearest) < DEAREST) and cost:
            self._rank(Spent(cost, record.id, record.service, record.provider, record.at))

    def _cell(self, record: CostRecord) -> Sum:
        at = record.at
        tags = ", ".join(sorted(set(record.tags))) if record.tags else ""
        key = (at - at % SLOT, record.service, record.capability, record.provider, record.tenant or "", tags)
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = Sum()
        return cell

    def _rank(self, entry: Spent) -> None:
        self._dearest = sorted([*self._dearest, entry], reverse=True)[:DEAREST]
        self._least = self._dearest[-1].cost

    def _shrink(self) -> None:
        had_time = True
        while had_time and len(self._cells) > MOST_CELLS:
            had_time = any(cell[0] != _EARLIER for cell in self._cells)
            self._forget_the_oldest()

    def _forget_the_oldest(self) -> None:
        slots = sorted({cell[0] for cell in self._cells} - {_EARLIER})
        # Many at once: it is not done at every record.
        oldest = slots[len(slots) // 8] if slots else None
        merged = [cell for cell in self._cells if oldest is None or _EARLIER < cell[0] <= oldest]
        for cell in merged:
            amount = self._cells.pop(cell)
            # Without time it is told apart by all the rest; if that is still too much, by what is configured only.
            rest = cell[1:] if oldest is not None else (*cell[1:4], "", "")
            earlier: Any = (_EARLIER, *rest)
            self._cells.setdefault(earlier, Sum()).add(amount)

    def _labels(self, per: Period | None) -> Callable[[int], tuple[str, ...]]:
        if per is None:
            return lambda slot: ()
        known: dict[int, tuple[str, ...]] = {_EARLIER: ("earlier",)}

        def label(slot: int) -> tuple[str, ...]:
            if slot not in known:
                known[slot] = (per.label(from_microseconds(slot), self.zone),)
            return known[slot]

        return label


def _slot(moment: datetime) -> int:
    at = to_microseconds(moment)
    return at - at % SLOT
