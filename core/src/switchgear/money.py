"""What a provider charges: a formula over what was used."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum

import attrs

from switchgear.rules import alike, differing, hashed

_NANO = Decimal("1e-9")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NOTHING: Mapping[str, Decimal] = {}


class Charge(Enum):
    """Whether an attempt costs money."""

    BILLED = "billed"  # answered, also if a validator turned the answer down
    FREE = "free"  # not sent, or refused by the vendor
    IN_DOUBT = "in_doubt"  # sent, and nobody knows whether it was billed: counts as spent


@attrs.frozen
class Tier:
    """A unit's price up to so many of them in one period; `up_to` None: from there on."""

    __repr__, __eq__, __hash__ = differing, alike, hashed

    price: Decimal
    up_to: Decimal | None = None


@attrs.frozen
class Price:
    """`per_call` plus so much for every unit of usage (`per_unit["pages"]`), `minimum` at the least. Exact, in Decimal.

    `tiers` give a unit graduated prices by what was used of it in one `period`; `currency` None is the board's. It
    holds from `valid_from` to `valid_until`, both days included, in UTC. A plugin documents its vendor's list price as
    `default_price` on the class.
    """

    __repr__, __eq__, __hash__ = differing, alike, hashed

    per_call: Decimal = Decimal(0)
    per_unit: Mapping[str, Decimal] = attrs.Factory(dict)
    minimum: Decimal = attrs.field(default=Decimal(0), kw_only=True)
    tiers: Mapping[str, Sequence[Tier]] = attrs.field(factory=dict, kw_only=True)
    period: str = attrs.field(default="month", kw_only=True)
    currency: str | None = attrs.field(default=None, kw_only=True)
    valid_from: date | None = attrs.field(default=None, kw_only=True)
    valid_until: date | None = attrs.field(default=None, kw_only=True)
    # What every answer costs where that depends on nothing; this is asked on every request's path.
    flat: Decimal | None = attrs.field(init=False, repr=False, eq=False)

    @flat.default
    def _(self) -> Decimal | None:
        return None if self.per_unit or self.tiers else rounded(max(self.per_call, self.minimum))

    def amount(self, usage: Mapping[str, Decimal] | None, used: Mapping[str, Decimal] = _NOTHING) -> Decimal | None:
        """The price of this usage; None, never 0, where a priced unit's amount is not known.

        `used`: what was used before it in the same period, for `tiers`.
        """
        if self.flat is not None:
            return self.flat
        total = self.per_call
        for unit, price in self.per_unit.items():
            amount = usage.get(unit) if usage else None
            if amount is None:
                return None
            total += price * amount
        for unit, tiers in self.tiers.items():
            amount = usage.get(unit) if usage else None
            if amount is None:
                return None
            before = used.get(unit, Decimal(0))
            total += _graduated(tiers, before + amount) - _graduated(tiers, before)
        return rounded(max(total, self.minimum))

    def charge(self, usage: Mapping[str, Decimal] | None) -> Decimal | None:
        """What this usage costs. (A `Tariff` counts it, too.)"""
        return self.amount(usage)

    @property
    def changes(self) -> bool:
        """Whether the calendar, or what was used before, changes it."""
        return bool(self.tiers) or self.valid_from is not None or self.valid_until is not None

    def times(self, rate: Decimal, currency: str) -> "Price":
        """The same price in another currency; `rate`: what one of its own is worth in that one."""
        return attrs.evolve(
            self,
            per_call=self.per_call * rate,
            per_unit={unit: price * rate for unit, price in self.per_unit.items()},
            minimum=self.minimum * rate,
            tiers={
                unit: tuple(attrs.evolve(tier, price=tier.price * rate) for tier in tiers)
                for unit, tiers in self.tiers.items()
            },
            currency=currency,
        )


def rounded(amount: Decimal) -> Decimal:
    """An amount as it is recorded: to the billionth, as in google.type.Money, so that sums are exact everywhere."""
    whole = amount.quantize(_NANO)
    if whole == amount:
        return amount
    if whole.is_nan():
        raise ValueError("NaN is no amount")
    return whole


def from_nanos(nanos: int) -> Decimal:
    """An amount out of billionths, as ledgers keep it: 1_500_000 is 0.0015."""
    return Decimal(nanos).scaleb(-9).normalize() + 0


def to_nanos(amount: Decimal) -> int:
    """An amount in billionths."""
    return int(amount.scaleb(9))


def from_microseconds(at: int) -> datetime:
    """A ledger's timestamp as a moment in UTC."""
    return datetime.fromtimestamp(at / 1_000_000, UTC)


def to_microseconds(moment: datetime) -> int:
    """A moment as a ledger's timestamp: exact, which a product of floats is not."""
    return (moment - _EPOCH) // _MICROSECOND


def _graduated(tiers: Sequence[Tier], amount: Decimal) -> Decimal:
    """What the first `amount` units of a period cost together."""
    total = below = Decimal(0)
    for tier in tiers:
        upper = amount if tier.up_to is None or amount < tier.up_to else tier.up_to
        total += (upper - below) * tier.price
        below = upper
        if below >= amount:
            break
    return total
