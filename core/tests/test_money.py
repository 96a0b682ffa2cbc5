"""What a provider charges."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from switchgear import Price

amounts = st.decimals(min_value=0, max_value=1000, places=4)
units = st.dictionaries(st.sampled_from(["pages", "characters", "tokens"]), amounts)


def test_a_price_is_so_much_a_call_and_so_much_a_unit() -> None:
    price = Price(Decimal("0.01"), {"pages": Decimal("0.0015")})
    assert price.amount({"pages": Decimal(3)}) == Decimal("0.0145")


def test_a_price_of_nothing_is_0_and_that_is_known() -> None:
    assert Price().amount(None) == 0


def test_litellm_2026_01_a_priced_unit_that_was_not_counted_makes_the_cost_unknown_and_not_0() -> None:
    price = Price(Decimal(1), {"pages": Decimal("0.0015")})
    assert price.amount(None) is None
    assert price.amount({}) is None
    assert price.amount({"characters": Decimal(3)}) is None


def test_a_unit_that_was_counted_as_0_is_known() -> None:
    assert Price(per_unit={"pages": Decimal(2)}).amount({"pages": Decimal(0)}) == 0


def test_units_without_a_price_are_free() -> None:
    assert Price(per_unit={"pages": Decimal(2)}).amount({"pages": Decimal(1), "words": Decimal(9)}) == 2


def test_amounts_stay_exact() -> None:
    assert Price(per_unit={"tokens": Decimal("0.1")}).amount({"tokens": Decimal(3)}) == Decimal("0.3")


@given(per_call=amounts, prices=units, usage=units)
def test_an_amount_is_the_sum_of_its_parts_or_unknown(
    per_call: Decimal, prices: dict[str, Decimal], usage: dict[str, Decimal]
) -> None:
    found = Price(per_call, prices).amount(usage)
    if prices.keys() <= usage.keys():
        assert found == per_call + sum(prices[unit] * usage[unit] for unit in prices)
    else:
        assert found is None
