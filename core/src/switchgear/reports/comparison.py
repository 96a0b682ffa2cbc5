"""What the same traffic would have cost with each other provider."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import attrs

from switchgear.cost_sink import EVERYTHING, NOTHING, Readable, Selection, Total, usage_from
from switchgear.money import Charge, Price, from_microseconds, rounded
from switchgear.tariff import Tariff

# By service and provider, in the order in which they began to hold.
Prices = Mapping[str, Mapping[str, Sequence[Price]]]


@attrs.frozen(kw_only=True)
class Alternative:
    """What a service's attempts would have `cost` with one provider, beside what was `paid` for the same attempts.

    `unknown` attempts are in neither: what they cost, or would have cost, is not known, or is in another currency.
    """

    service: str
    provider: str
    attempts: int = 0
    unknown: int = 0
    paid: Decimal = NOTHING
    cost: Decimal = NOTHING

    @property
    def difference(self) -> Decimal:
        """Above 0 where the provider would have been more expensive."""
        return self.cost - self.paid


def compare(ledger: Readable, prices: Prices, currency: str, where: Selection = EVERYTHING) -> list[Alternative]:
    """For each provider of each service: all attempts that were billed or are in doubt, at its prices.

    `prices` are in `currency`. Where they change with time or with what was used before, each attempt gets the price of
    its quarter of an hour, as if the provider had had all of the selected traffic and no other.
    """
    changes = any(each.changes for service in prices.values() for tariff in service.values() for each in tariff)
    by = ("service", "charge", *(["slot"] if changes else []), "usage")
    found = [total for total in ledger.totals(by, where) if total.attempts and total.key[1] != Charge.FREE.value]
    return [
        _alternative(service, provider, tariff, currency, [total for total in found if total.key[0] == service])
        for service, providers in prices.items()
        for provider, tariff in providers.items()
    ]


def _alternative(
    service: str, provider: str, prices: Sequence[Price], currency: str, totals: Iterable[Total]
) -> Alternative:
    attempts = unknown = 0
    paid = cost = NOTHING
    counter = _Counter(prices)
    # By time before charge: what was used before decides about a tier.
    for total in sorted(totals, key=lambda total: total.key[2:]):
        known = total.attempts - total.unknown if total.currency == currency else 0
        amount = counter.charge(total, known) if known else None
        if amount is None:
            unknown += total.attempts
        else:
            attempts += known
            unknown += total.unknown
            paid += total.cost
            cost += amount
    return Alternative(service=service, provider=provider, attempts=attempts, unknown=unknown, paid=paid, cost=cost)


class _Counter:
    """A provider's prices over time. The clock of its tariff is moved along with the ledger's slots."""

    def __init__(self, prices: Sequence[Price]) -> None:
        self._now: datetime | None = None
        self._price = prices[0] if len(prices) == 1 and not prices[0].changes else None
        self._tariff = Tariff(prices, self._utc)

    def charge(self, total: Total, count: int) -> Decimal | None:
        """What so many attempts with a total's usage cost; None where one of them has no known price."""
        usage = usage_from(total.key[-1])
        if self._price is not None:
            amount = self._price.amount(usage)
            return None if amount is None else rounded(amount) * count
        self._now = from_microseconds(int(total.key[2]))
        price = self._tariff.current()
        if price is None:
            return None
        if price.minimum:
            return _sum([self._tariff.charge(usage) for _ in range(count)])
        # Without a minimum, many attempts cost what one with all their usage does, but for what each call costs.
        amount = self._tariff.charge({unit: used * count for unit, used in usage.items()})
        return None if amount is None else rounded(amount + price.per_call * (count - 1))

    def _utc(self) -> datetime:
        assert self._now is not None, "the clock is set before the tariff is asked"
        return self._now


def _sum(amounts: Sequence[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(map(rounded, known), NOTHING) if len(known) == len(amounts) else None
