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


def add_up(records: Iterable[CostRecord], by: Sequence[str] = ()) -> list[Total]:
    """The sums by some of `GROUPS` and by currency, in the order of their keys. Raises `KeyError` for another group."""
    keys = [_KEYS[group] for group in by]
    sums: dict[tuple[tuple[str, ...], str], _Sum] = {}
    for record in records:
        place = (tuple([key(record) for key in keys]), record.currency)
        if place not in sums:
            sums[place] = _Sum()
        sums[place].add(record)
    return [Total(key=key, currency=currency, **attrs.asdict(sums[key, currency])) for key, currency in sorted(sums)]


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
        self.unknown += record.cost is None and record.charge is not Charge.FREE
        if record.charge is Charge.IN_DOUBT:
            self.doubts += 1
            self.in_doubt += record.cost or NOTHING


def _among(value: str | None, chosen: Sequence[str]) -> bool:
    return not chosen or value in chosen
