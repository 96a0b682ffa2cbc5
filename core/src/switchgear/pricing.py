"""A provider's price: what its table says, else its plugin; in the board's currency, and in units that are counted."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from functools import reduce
from typing import TYPE_CHECKING, Any

import attrs

from switchgear.capability import AnyCapability
from switchgear.config.settings import Provider, Settings
from switchgear.config.wording import dotted, suggestion
from switchgear.money import Price
from switchgear.provider import AnyProvider
from switchgear.tariff import Tariff

if TYPE_CHECKING:
    from switchgear.costs.prices import PriceTable


@attrs.frozen(eq=False, repr=False)
class Pricing:
    """`note` takes what is wrong: its path, a message and a remedy."""

    settings: Settings
    utc: Callable[[], datetime]
    note: Callable[[str, str, str], None]

    def configured(self, provider: Provider, units: Collection[str], path: str) -> list[Price] | None:
        """What the provider's `cost` says; None where it says nothing. `units`: those that are known, if they are."""
        tables = {place: table for place, table in _tables(provider, path).items() if not table.is_empty}
        for place, table in tables.items():
            self._check(table, units, place)
        return self._converted({place: table.price() for place, table in tables.items()}) if tables else None

    def of(self, provider: AnyProvider, configured: list[Price] | None, path: str) -> Price | Tariff | None:
        """What is configured, else the plugin's own price; None where nobody knows."""
        prices = configured or []
        if configured is None and isinstance(provider.price, Price):
            prices = self._converted({path: provider.price})
        if len(prices) == 1 and not prices[0].changes:
            return prices[0]
        return Tariff(prices, self.utc) if prices else None

    def _check(self, table: "PriceTable", units: Collection[str], path: str) -> None:
        strangers = [*table.strangers(units)] if units else []
        for keys, unit, choices in strangers:
            self.note(reduce(dotted, keys, path), f"nobody counts {unit}", suggestion(keys[-1], choices))
        for message, remedy in table.findings(has_strangers=bool(strangers)):
            self.note(path, message, remedy)

    def _converted(self, prices: Mapping[str, Price]) -> list[Price]:
        board, rates = self.settings.switchgear.currency, self.settings.currencies
        found = []
        for path, price in prices.items():
            if price.currency is None or price.currency == board:
                found.append(price)
            elif price.currency in rates:
                found.append(price.times(rates[price.currency], board))
            else:
                self.note(
                    path,
                    f"its price is in {price.currency}, the board counts in {board}",
                    f'Add {price.currency} = "..." to [currencies]: what one {price.currency} is worth in {board}',
                )
        return found


def units_of(capability: AnyCapability, implementation: Any) -> frozenset[str]:
    """What a provider's usage may be counted in; empty where its capability does not say."""
    counted = getattr(capability, "units", ())
    if not counted:
        return frozenset()
    prices = (getattr(implementation, name, None) for name in ("default_price", "price"))
    return frozenset((*counted, *implementation.own_units, *_priced(prices)))


def _priced(prices: Iterable[Any]) -> Collection[str]:
    return [unit for price in prices if isinstance(price, Price) for unit in (*price.per_unit, *price.tiers)]


def _tables(provider: Provider, path: str) -> "dict[str, PriceTable]":
    cost = provider.cost or ()
    if isinstance(cost, tuple):
        return {dotted(path, index): table for index, table in enumerate(cost)}
    return {path: cost}
