"""Prices that change: with the calendar, and with what was used before."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from switchgear import Price
from switchgear.money import Tier
from switchgear.tariff import Tariff
from switchgear.testing import FakeClock

JANUARY = datetime(2026, 1, 15, tzinfo=UTC)
FREE_PAGES = Price(tiers={"pages": (Tier(Decimal(0), Decimal(10)), Tier(Decimal("0.1")))})


def pages(number: Any) -> dict[str, Decimal]:
    return {"pages": Decimal(number)}


def tariff(*prices: Price, at: datetime = JANUARY) -> tuple[Tariff, FakeClock]:
    clock = FakeClock(utc=at)
    return Tariff(prices, clock.utc), clock


def test_the_price_that_began_last_holds() -> None:
    old = Price(Decimal(1))
    new = Price(Decimal(2), valid_from=date(2026, 2, 1))
    prices, clock = tariff(new, old)
    assert prices.amount(None) == 1
    clock.advance(timedelta(days=17).total_seconds() - 1)
    assert prices.amount(None) == 1
    clock.advance(1)
    assert prices.amount(None) == 2


def test_s23_before_the_first_price_begins_the_cost_is_unknown_and_not_0() -> None:
    prices, _ = tariff(Price(Decimal(2), valid_from=date(2026, 2, 1)))
    assert prices.amount(None) is None
    assert prices.charge({"pages": Decimal(1)}) is None
    assert not prices.has_expired


def test_a_price_holds_after_its_last_day_and_has_expired() -> None:
    prices, clock = tariff(Price(Decimal(2), valid_until=date(2026, 1, 15)))
    before = prices.has_expired
    clock.advance(86_400)
    assert not before
    assert prices.amount(None) == 2
    assert prices.has_expired


def test_what_was_used_in_the_period_counts_and_the_next_begins_anew() -> None:
    prices, clock = tariff(FREE_PAGES)
    assert [prices.charge(pages(6)) for _ in range(3)] == [0, Decimal("0.2"), Decimal("0.6")]
    assert prices.amount(pages(1)) == Decimal("0.1"), "to ask counts nothing"
    clock.advance(timedelta(days=17).total_seconds())
    assert prices.charge(pages(10)) == 0


def test_what_a_ledger_knew_at_the_start_counts_in_its_own_period_only() -> None:
    prices, clock = tariff(FREE_PAGES)
    prices.count(pages(10))
    clock.advance(timedelta(days=17).total_seconds())
    assert prices.charge(pages(1)) == 0, "the first request comes in February"


def test_what_a_ledger_knew_at_the_start_counts() -> None:
    prices, _ = tariff(FREE_PAGES)
    prices.count(pages(10))
    assert prices.charge(pages(1)) == Decimal("0.1")


def test_s23_an_unknown_usage_costs_an_unknown_amount_and_counts_for_nothing() -> None:
    prices, _ = tariff(FREE_PAGES)
    assert prices.charge(None) is None
    assert prices.charge({}) is None
    assert prices.charge(pages(10)) == 0


@pytest.mark.parametrize("period", ["hour", "day", "week", "month", "total"])
def test_free_units_come_back_with_each_period(period: str) -> None:
    price = Price(tiers=FREE_PAGES.tiers, period=period)
    prices, clock = tariff(price, at=datetime(2026, 1, 31, 23, 30, tzinfo=UTC))
    prices.charge(pages(10))
    assert prices.charge(pages(1)) == Decimal("0.1")
    clock.advance(3600)
    # The 1st of February 2026 is a Sunday.
    assert prices.charge(pages(1)) == (Decimal("0.1") if period in ("week", "total") else 0)


@given(st.lists(st.decimals(0, 50, places=2), max_size=20))
def test_s23_the_same_units_cost_the_same_however_they_come(parts: list[Decimal]) -> None:
    price = Price(
        tiers={"pages": (Tier(Decimal(0), Decimal(10)), Tier(Decimal("0.1"), Decimal(100)), Tier(Decimal("0.05")))}
    )
    prices, _ = tariff(price)
    assert sum((prices.charge(pages(part)) or Decimal(0) for part in parts), Decimal(0)) == price.amount(
        pages(sum(parts, Decimal(0)))
    )
