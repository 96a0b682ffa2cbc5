"""What a provider charges: a formula over what was used."""

from collections.abc import Mapping
from decimal import Decimal

import attrs


@attrs.frozen
class Price:
    """`per_call` plus so much for every unit of usage (`per_unit["pages"]`), in one currency. Amounts are Decimal."""

    per_call: Decimal = Decimal(0)
    per_unit: Mapping[str, Decimal] = attrs.Factory(dict)

    def amount(self, usage: Mapping[str, Decimal] | None) -> Decimal | None:
        """The price of this usage; None, never 0, where a priced unit's amount is not known."""
        total = self.per_call
        for unit, price in self.per_unit.items():
            used = usage.get(unit) if usage else None
            if used is None:
                return None
            total += price * used
        return total
