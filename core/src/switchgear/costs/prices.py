"""A price as a configuration writes it, and the `Price` that it means."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import ClassVar, Literal

import attrs
from attrs import Factory, field, frozen

from switchgear.money import Price, Tier
from switchgear.rules import Amount, Currency, PriceKey, alike, differing

_FACTORS = {"thousand_": Decimal(1000), "million_": Decimal(1_000_000)}
_ZERO = Decimal(0)


@frozen(kw_only=True)
class TierTable:
    """`{ up_to = 1000000, price = "0.0015" }`: what each unit costs up to so many of them in the period."""

    __repr__, __eq__ = differing, alike

    price: Amount = field(metadata={"help": "of one unit"})
    up_to: Amount | None = field(
        default=None, metadata={"help": "units from the period's beginning; absent in the last tier"}
    )


def _rise(table: object, attribute: object, tiers: Mapping[str, Sequence[TierTable]]) -> None:
    for unit, steps in tiers.items():
        ends = [step.up_to for step in steps]
        if not ends or ends[-1] is not None or None in ends[:-1] or sorted(ends[:-1], key=_number) != ends[:-1]:
            raise ValueError(f"the tiers of {unit} must rise, and only the last one has no up_to")


def _number(amount: Decimal | None) -> Decimal:
    return amount or _ZERO


@frozen(kw_only=True)
class PriceTable:
    """`cost = { per_page = "0.0015" }`: a provider's price, or a list of them, each from its `valid_from` on.

    Further keys are prices of units: `per_` and the unit in the singular (`per_page`, `per_character`, `per_second`),
    or of many (`per_thousand_characters`, `per_million_input_tokens`). Units that nobody prices are free.
    """

    __repr__, __eq__ = differing, alike

    OPEN_KEYS: ClassVar[str] = "units"  # the field that takes the keys that are no field's

    per_call: Amount | None = field(default=None, metadata={"help": 'of every answer; "0": it is free'})
    fixed: Amount | None = field(default=None, metadata={"help": "the same, as payment providers call it; added to it"})
    bps: Amount = field(
        default=_ZERO, metadata={"help": "basis points of the unit `amount`: 290 are 2.9 percent of a payment"}
    )
    minimum: Amount = field(default=_ZERO, metadata={"help": "what an answer costs at the least"})
    free: dict[str, Amount] = field(
        default=Factory(dict), metadata={"help": "units that cost nothing in each period: { pages = 1000 }"}
    )
    tiers: dict[str, tuple[TierTable, ...]] = field(
        default=Factory(dict), validator=_rise, metadata={"help": "graduated prices by units used in the period"}
    )
    period: Literal["hour", "day", "week", "month", "total"] = field(
        default="month", metadata={"help": "what `free` and `tiers` count in"}
    )
    currency: Currency | None = field(
        default=None, metadata={"help": "absent: the board's; another one needs a rate in `[currencies]`"}
    )
    valid_from: date | None = field(default=None, metadata={"help": "the first day, in UTC"})
    valid_until: date | None = field(
        default=None,
        metadata={"help": "the last day, in UTC; after it the price still holds, and an alert says that it is old"},
    )
    units: dict[PriceKey, Amount] = field(
        default=Factory(dict), init=False, metadata={"help": "by key: `per_page` ..."}
    )

    @property
    def is_empty(self) -> bool:
        """Whether it names no price at all: unknown, not free."""
        return attrs.evolve(self, currency=None, valid_from=None, valid_until=None) == PriceTable() and not self.units

    def findings(self, *, has_strangers: bool = False) -> Iterator[tuple[str, str]]:
        """What makes no sense in it, and what to do about it: prices that would be taken for others.

        With `strangers` among its keys, a unit that seems to lack its price may only be misspelled there.
        """
        units = [unit for unit, _ in _per_unit(self.units)]
        for unit in sorted({unit for unit in units if units.count(unit) > 1}):
            yield f"there are two prices of {unit}", "Keep one of them"
        for unit in sorted(self.tiers.keys() & set(units)):
            yield f"{unit} have tiers, and another price", "Keep one of them"
        priced = {*self.tiers, *units, *(["amount"] if self.bps else [])}
        for unit in sorted(self.free.keys() - priced) if not has_strangers else ():
            yield (
                f"{unit} are free up to a number, and have no price after it",
                f'Add per_{unit.removesuffix("s")} = "..."',
            )
        if self.valid_from is not None and self.valid_until is not None and self.valid_until < self.valid_from:
            yield "it ends before it begins", "Exchange valid_from and valid_until"

    def strangers(self, known: Collection[str]) -> Iterator[tuple[tuple[str, ...], str, Sequence[str]]]:
        """Prices of what nobody counts, whose cost would be unknown for ever: the key, its unit, the right keys."""
        for key, (unit, _) in zip(self.units, _per_unit(self.units), strict=True):
            if unit not in known:
                yield (key,), unit, ["per_call", *_keys_of(known)]
        allowances = [("free", unit) for unit in self.free] + [("tiers", unit) for unit in self.tiers]
        for name, unit in allowances:
            if unit not in known:
                yield (name, unit), unit, [*known]

    def price(self) -> Price:
        """The formula."""
        prices = dict(_per_unit(self.units))
        if self.bps:
            prices["amount"] = self.bps / 10_000
        tiers = {unit: _tiers(self.free.get(unit, _ZERO), steps) for unit, steps in self.tiers.items()}
        for unit, free in self.free.items():
            if unit not in tiers:
                tiers[unit] = (Tier(_ZERO, free), Tier(prices.get(unit, _ZERO)))
        return Price(
            (self.per_call or _ZERO) + (self.fixed or _ZERO),
            {unit: price for unit, price in prices.items() if unit not in tiers},
            minimum=self.minimum,
            tiers=tiers,
            period=self.period,
            currency=self.currency,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
        )


def _per_unit(units: Mapping[str, Decimal]) -> Iterator[tuple[str, Decimal]]:
    for key, price in units.items():
        unit = key.removeprefix("per_")
        for word, factor in _FACTORS.items():
            if unit.startswith(word):
                unit, price = unit.removeprefix(word), price / factor
        yield unit if unit.endswith("s") else f"{unit}s", price


def _keys_of(units: Collection[str]) -> Iterator[str]:
    for unit in units:
        yield f"per_{unit.removesuffix('s')}"
        yield from (f"per_{word}{unit}" for word in _FACTORS)


def _tiers(free: Decimal, steps: Sequence[TierTable]) -> tuple[Tier, ...]:
    paid = [Tier(step.price, None if step.up_to is None else step.up_to + free) for step in steps]
    return (Tier(_ZERO, free), *paid) if free else tuple(paid)
