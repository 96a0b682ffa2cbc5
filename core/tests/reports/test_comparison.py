"""What the same traffic would have cost with others."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from switchgear.cost_sink import CostRecord, Selection
from switchgear.money import Charge, Price, Tier
from switchgear.reports.comparison import Alternative, compare
from switchgear.testing import MemoryLedger


def pages(count: int | str) -> dict[str, Decimal]:
    return {"pages": Decimal(count)}


CHEAP = Price(per_unit={"pages": Decimal("0.001")})


def only(found: Sequence[Alternative]) -> Alternative:
    (each,) = found
    return each


def test_each_usage_is_priced_as_often_as_it_occurs(record: Any, keep: Any) -> None:
    ledger = keep(record(usage=pages(1)), record(usage=pages(1)), record(usage=pages(3)))
    found = only(compare(ledger, {"scans": {"cheap": [CHEAP]}}, "USD"))
    assert (found.attempts, found.paid, found.cost, found.unknown) == (3, Decimal("0.03"), Decimal("0.005"), 0)
    assert found.difference == Decimal("-0.025")


def test_each_provider_of_each_service_is_compared_with_its_own_services_traffic(record: Any, keep: Any) -> None:
    ledger = keep(record(usage=pages(1)), record(service="letters", usage=pages(2)))
    prices = {"scans": {"a": [CHEAP], "b": [Price(Decimal(1))]}, "letters": {"a": [CHEAP]}}
    found = compare(ledger, prices, "USD")
    assert [(each.service, each.provider, each.cost) for each in found] == [
        ("scans", "a", Decimal("0.001")),
        ("scans", "b", Decimal(1)),
        ("letters", "a", Decimal("0.002")),
    ]


def test_what_is_free_is_not_compared_and_what_is_in_doubt_is(record: Any, keep: Any) -> None:
    free = record(usage=pages(1), charge=Charge.FREE, cost=Decimal(0))
    saved = record(kind="saved", cost=None, saved=Decimal(1), hits=3, usage=pages(1))
    ledger = keep(free, saved, record(usage=pages(1), charge=Charge.IN_DOUBT))
    assert only(compare(ledger, {"scans": {"cheap": [CHEAP]}}, "USD")).attempts == 1


def test_what_is_unknown_on_either_side_is_in_neither_sum(record: Any, keep: Any) -> None:
    ledger = keep(
        record(usage=pages(1)),
        record(usage=pages(1), cost=None),
        record(usage={"characters": Decimal(5)}),
        record(usage=pages(1), currency="EUR"),
    )
    found = only(compare(ledger, {"scans": {"cheap": [CHEAP]}}, "USD"))
    assert (found.attempts, found.unknown) == (1, 3)
    assert (found.paid, found.cost) == (Decimal("0.01"), Decimal("0.001"))


def test_a_selection_is_kept_to(record: Any, keep: Any) -> None:
    ledger = keep(record(usage=pages(1)), record(usage=pages(1), tenant="acme"))
    assert only(compare(ledger, {"scans": {"c": [CHEAP]}}, "USD", Selection(tenants=("acme",)))).attempts == 1


def test_a_minimum_is_that_of_each_attempt(record: Any, keep: Any) -> None:
    price = Price(per_unit={"pages": Decimal("0.001")}, minimum=Decimal("0.01"))
    ledger = keep(record(usage=pages(1)), record(usage=pages(1)), record(usage=pages(50)))
    assert only(compare(ledger, {"scans": {"p": [price]}}, "USD")).cost == Decimal("0.07")


def test_prices_hold_in_their_time(record: Any, keep: Any) -> None:
    prices = [
        Price(Decimal(1), valid_from=date(2026, 10, 1)),
        Price(Decimal(2), valid_from=date(2026, 11, 1)),
    ]
    ledger = keep(record("2026-09-30"), record("2026-10-31 23:59"), record("2026-11-01"))
    found = only(compare(ledger, {"scans": {"p": prices}}, "USD"))
    assert (found.attempts, found.unknown, found.cost) == (2, 1, Decimal(3))


def test_free_units_are_those_of_each_month(record: Any, keep: Any) -> None:
    price = Price(tiers={"pages": (Tier(Decimal(0), Decimal(10)), Tier(Decimal(1)))})
    ledger = keep(
        record("2026-10-05", usage=pages(8)), record("2026-10-06", usage=pages(8)), record("2026-11-01", usage=pages(8))
    )
    assert only(compare(ledger, {"scans": {"p": [price]}}, "USD")).cost == 6


tier_prices = st.decimals(min_value=0, max_value=5, places=3)


@given(
    st.lists(st.integers(0, 9), max_size=30),
    tier_prices,
    tier_prices,
    tier_prices,
    st.sampled_from([Decimal(0), Decimal("0.5")]),
)
@settings(deadline=None)
def test_graduated_prices_are_those_of_the_attempts_one_by_one(
    used: list[int], per_call: Decimal, first: Decimal, then: Decimal, minimum: Decimal
) -> None:
    """All in one quarter of an hour, in the order of the ledger's groups."""
    price = Price(per_call, minimum=minimum, tiers={"pages": (Tier(first, Decimal(20)), Tier(then))})
    ledger = MemoryLedger()
    for number, count in enumerate(used):
        ledger.cost_recorded(
            CostRecord(
                id=f"{number}.1",
                at=number,
                service="s",
                capability="c",
                provider="p",
                cost=Decimal(1),
                usage=pages(count),
            )
        )
    ledger.flush()
    expected = Decimal(0)
    before = Decimal(0)
    for count in sorted(used, key=lambda count: f"pages={count}"):
        amount = price.amount(pages(count), {"pages": before})
        assert amount is not None
        expected += amount
        before += count
    assert sum((each.cost for each in compare(ledger, {"s": {"p": [price]}}, "USD")), Decimal(0)) == expected


@pytest.mark.parametrize("prices", [{}, {"scans": {}}])
def test_without_prices_there_is_nothing_to_compare(prices: Any, record: Any, keep: Any) -> None:
    assert compare(keep(record()), prices, "USD") == []
