"""What a cost sink has to say, by plain arithmetic on a list: slow, and easy to check."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

import attrs

from switchgear.cost_sink import SLOT, CostRecord, Lease, Selection, Total, usage_text
from switchgear.money import Charge, from_microseconds

_KEYS: dict[str, Callable[[CostRecord], str]] = {
    "tenant": lambda record: record.tenant or "",
    "tags": lambda record: ", ".join(sorted(set(record.tags))),
    "charge": lambda record: record.charge.value,
    "usage": lambda record: usage_text(record.usage),
    "slot": lambda record: str(record.at // SLOT * SLOT),
}


def known_totals(
    records: Iterable[CostRecord], by: Sequence[str], where: Selection
) -> tuple[list[CostRecord], list[Total]]:
    """The records that fit, and their sums."""
    chosen = [record for record in records if _fits(record, where)]
    groups: dict[tuple[tuple[str, ...], str], list[CostRecord]] = {}
    for record in chosen:
        key = tuple(_KEYS[name](record) if name in _KEYS else getattr(record, name) for name in by)
        groups.setdefault((key, record.currency), []).append(record)
    return chosen, [_total(key, currency, groups[key, currency]) for key, currency in sorted(groups)]


def _total(key: tuple[str, ...], currency: str, records: Sequence[CostRecord]) -> Total:
    sent = [record for record in records if record.kind != "saved"]
    saved = [record for record in records if record.kind == "saved"]
    doubts = [record for record in sent if record.charge is Charge.IN_DOUBT]
    return Total(
        key=key,
        currency=currency,
        attempts=len(sent),
        cost=sum((record.cost or Decimal(0) for record in sent), Decimal(0)),
        in_doubt=sum((record.cost or Decimal(0) for record in doubts), Decimal(0)),
        doubts=len(doubts),
        unknown=sum(record.cost is None and record.charge is not Charge.FREE for record in sent),
        saved=sum((record.saved for record in saved), Decimal(0)),
        hits=sum(record.hits for record in saved),
    )


def _fits(record: CostRecord, where: Selection) -> bool:
    at = from_microseconds(record.at)
    return (
        (where.since is None or at >= where.since)
        and (where.until is None or at < where.until)
        and all(
            not chosen or value in chosen
            for value, chosen in (
                (record.service, where.services),
                (record.provider, where.providers),
                (record.capability, where.capabilities),
                (record.tenant, where.tenants),
            )
        )
        and (not where.tags or any(tag in where.tags for tag in record.tags))
    )


@attrs.define
class Kept:
    """What is written, by id; a doubt comes only where nothing is settled."""

    records: dict[str, CostRecord] = attrs.field(factory=dict)

    def write(self, record: CostRecord) -> Decimal:
        """Returns what it newly adds to its accounts."""
        earlier = self.records.get(record.id)
        if earlier is not None and record.charge is Charge.IN_DOUBT and earlier.charge is not Charge.IN_DOUBT:
            return Decimal(0)
        self.records[record.id] = record
        return spendings(record) - (Decimal(0) if earlier is None else spendings(earlier))

    @property
    def spent(self) -> Decimal:
        return sum(map(spendings, self.records.values()), Decimal(0))


def spendings(record: CostRecord) -> Decimal:
    return Decimal(0) if record.charge is Charge.FREE or record.cost is None else record.cost


@attrs.define
class Budget:
    """One account: what is written against it, and what is leased until when."""

    limit: Decimal
    kept: Kept = attrs.field(factory=Kept)
    leases: dict[str, tuple[Decimal, int]] = attrs.field(factory=dict)

    def write(self, records: Iterable[CostRecord]) -> None:
        for record in records:
            newly = self.kept.write(record)
            if newly > 0:
                self.give_back(record.holder, newly)

    def give_back(self, holder: str, amount: Decimal) -> None:
        if holder in self.leases:
            own, until = self.leases[holder]
            self.leases[holder] = max(Decimal(0), own - amount), until

    def lease(self, holder: str, want: Decimal, need: Decimal, now: int, until: int) -> Lease:
        self.leases = {name: (own, end) for name, (own, end) in self.leases.items() if end > now}
        leased = sum((own for own, _ in self.leases.values()), Decimal(0))
        left = self.limit - self.kept.spent - leased
        granted = want if left >= want else need if left >= need else Decimal(0)
        own, end = self.leases.get(holder, (Decimal(0), until))
        self.leases[holder] = own + granted, max(end, until)
        return Lease(granted, left - granted, leased - own, self.kept.spent)
