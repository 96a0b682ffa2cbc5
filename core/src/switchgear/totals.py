"""Adds cost records up, for ledgers that cannot leave it to a database."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

import attrs

from switchgear.cost_sink import NOTHING, SLOT, CostRecord, Selection, Total, usage_text
from switchgear.money import Charge, to_microseconds

_KEYS: dict[str, Callable[[CostRecord], str]] = {
    "service": lambda record: record.service,
    "capability": lambda record: record.capability,
    "provider": lambda record: record.provider,
    "tenant": lambda record: record.tenant or "",
    "tags": lambda record: tags_text(record.tags),
    "kind": lambda record: record.kind,
    "charge": lambda record: record.charge.value,
    "outcome": lambda record: record.outcome,
    "usage": lambda record: usage_text(record.usage),
    "slot": lambda record: str(record.at - record.at % SLOT),
}


def tags_text(tags: Iterable[str]) -> str:
    """A record's tags as a group: all of them, sorted, so that the order in which they were given makes no other."""
    return ", ".join(sorted(set(tags)))


def fits(record: CostRecord, where: Selection) -> bool:
    """Whether a selection takes the record."""
    return (
        (where.since is None or record.at >= to_microseconds(where.since))
        and (where.until is None or record.at < to_microseconds(where.until))
        and _among(record.service, where.services)
        and _among(record.provider, where.providers)
        and _among(record.capability, where.capabilities)
        and _among(record.tenant, where.tenants)
        and (not where.tags or not set(where.tags).isdisjoint(record.tags))
    )


def is_unknown(record: CostRecord) -> bool:
    """Whether the attempt may cost something and nobody knows how much."""
    return record.kind != "saved" and record.cost is None and record.charge is not Charge.FREE


def add_up(records: Iterable[CostRecord], by: Sequence[str] = ()) -> list[Total]:
    """The sums by some of `GROUPS` and by currency, in the order of their keys. Raises `KeyError` for another group."""
    keys = [_KEYS[group] for group in by]
    sums: dict[_Place, _Sum] = {}
    for record in records:
        _at(sums, tuple([key(record) for key in keys]), record.currency).add(record)
    return _in_order(sums)


def regroup(totals: Iterable[Total], key: Callable[[Total], tuple[str, ...]]) -> list[Total]:
    """Totals of totals, by a key of each and by currency, in the order of their keys."""
    sums: dict[_Place, _Sum] = {}
    for total in totals:
        _at(sums, key(total), total.currency).merge(total)
    return _in_order(sums)


@attrs.define
class _Sum:
    attempts: int = 0
    cost: Decimal = NOTHING
    in_doubt: Decimal = NOTHING
    doubts: int = 0
    unknown: int = 0
    saved: Decimal = NOTHING
    hits: int = 0

    def add(self, record: CostRecord) -> None:
        if record.kind == "saved":
            self.saved += record.saved
            self.hits += record.hits
            return
        self.attempts += 1
        self.cost += record.cost or NOTHING
        self.unknown += is_unknown(record)
        if record.charge is Charge.IN_DOUBT:
            self.doubts += 1
            self.in_doubt += record.cost or NOTHING

    def merge(self, total: Total) -> None:
        self.attempts += total.attempts
        self.cost += total.cost
        self.unknown += total.unknown
        if total.doubts:
            self.doubts += total.doubts
            self.in_doubt += total.in_doubt
        if total.hits or total.saved:
            self.hits += total.hits
            self.saved += total.saved


_Place = tuple[tuple[str, ...], str]  # key and currency


def _at(sums: dict[_Place, _Sum], key: tuple[str, ...], currency: str) -> _Sum:
    found = sums.get((key, currency))
    if found is None:
        found = sums[key, currency] = _Sum()
    return found


def _in_order(sums: dict[_Place, _Sum]) -> list[Total]:
    return [
        Total(key=key, currency=currency, **attrs.asdict(found, recurse=False))
        for (key, currency), found in sorted(sums.items(), key=_place)
    ]


def _place(item: tuple[_Place, _Sum]) -> _Place:
    return item[0]


def _among(value: str | None, chosen: Sequence[str]) -> bool:
    return not chosen or value in chosen
