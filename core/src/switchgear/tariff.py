"""Prices that change: with the calendar, and with what was used before in the same period."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import attrs

from switchgear.money import Price
from switchgear.periods import Period


@attrs.define(eq=False, repr=False)
class Tariff:
    """A provider's prices, each for its time; the one that began last holds.

    `utc` tells the time. Usage is counted by this process, from what the ledger knew at its start.
    """

    prices: Sequence[Price]
    utc: Callable[[], datetime]
    _used: dict[str, Decimal] = attrs.field(factory=dict, init=False)
    _counted: datetime | None = attrs.field(default=None, init=False)

    def current(self) -> Price | None:
        """The price of today; None before the first one begins. After the last has ended, it still holds."""
        today = self.utc().astimezone(UTC).date()
        begun = [price for price in self.prices if price.valid_from is None or price.valid_from <= today]
        return max(begun, key=_beginning) if begun else None

    @property
    def has_expired(self) -> bool:
        """Whether the price of today was to end before today."""
        price = self.current()
        end = None if price is None else price.valid_until
        return end is not None and end < self.utc().astimezone(UTC).date()

    def amount(self, usage: Mapping[str, Decimal] | None) -> Decimal | None:
        """What this usage would cost now; None where unknown."""
        price = self.current()
        return None if price is None else price.amount(usage, self._so_far(price))

    def charge(self, usage: Mapping[str, Decimal] | None) -> Decimal | None:
        """What this usage costs; it counts for what comes after it."""
        amount = self.amount(usage)
        if usage:
            self.count(usage)
        return amount

    def count(self, usage: Mapping[str, Decimal]) -> None:
        """Add to what was used in the current period."""
        price = self.current()
        if price is not None:
            self._so_far(price)
        for unit, used in usage.items():
            self._used[unit] = self._used.get(unit, Decimal(0)) + used

    def _so_far(self, price: Price) -> Mapping[str, Decimal]:
        start = self.period_start(price)
        if start != self._counted:
            self._used.clear()
            self._counted = start
        return self._used

    def period_start(self, price: Price) -> datetime:
        """When the period began that the price's tiers count in."""
        return Period(price.period).start(self.utc())


def _beginning(price: Price) -> date:
    return price.valid_from or date.min
