"""What a configuration says about prices and budgets, what it comes to, and every way to get it wrong."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

import attrs
import pytest
from switchgear import Capability, ConfigError, Price, ProviderResult, SimpleProvider, Switchgear
from switchgear.tariff import Tariff
from switchgear.testing import FakeClock, MemoryLedger

Tables = dict[str, Any]


class Echo(Capability[str, str]):
    name = "echo"
    request_type = output_type = str


@attrs.define
class Voice(SimpleProvider[str, str]):
    async def process(self, request: str) -> ProviderResult[str]:
        return ProviderResult(request)

    def estimate_usage(self, request: str) -> Mapping[str, Decimal]:
        return {"characters": Decimal(len(request))}


@attrs.define
class Listed(Voice):
    default_price: ClassVar[Price | None] = Price(per_unit={"characters": Decimal("0.5")}, currency="USD")


EXTRA: list[tuple[str, str, Any]] = [
    ("capabilities", "echo", Echo),
    ("providers", "echo.voice", Voice),
    ("providers", "echo.listed", Listed),
    ("cost_sinks", "memory", MemoryLedger),
]


def tables(cost: Any = None, *, type: str = "voice", **others: Any) -> Tables:
    provider = {"type": type} if cost is None else {"type": type, "cost": cost}
    return {"services": {"talk": {"capability": "echo", "providers": {"voice": provider}}}, **others}


def compose(settings: Tables) -> Switchgear:
    return Switchgear.compose(settings, extra=EXTRA, clock=FakeClock(utc=datetime(2026, 6, 1, tzinfo=UTC)))


def price_of(settings: Tables) -> Any:
    return compose(settings)["talk"].providers["voice"].price


def amount(cost: Any, **usage: str) -> Decimal | None:
    found: Decimal | None = price_of(tables(cost)).amount({unit: Decimal(each) for unit, each in usage.items()})
    return found


def problems(settings: Tables) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        compose(settings)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("cost", "usage", "expected"),
    [
        ({"per_call": "0.01"}, {}, "0.01"),
        ({"fixed": "0.30", "bps": "290"}, {"amount": "100"}, "3.20"),
        ({"per_call": "0.1", "fixed": "0.2"}, {}, "0.3"),
        ({"per_page": "0.0015"}, {"pages": "3"}, "0.0045"),
        ({"per_pages": "0.0015"}, {"pages": "3"}, "0.0045"),
        ({"per_second": "0.5"}, {"seconds": "1.5"}, "0.75"),
        ({"per_thousand_characters": "0.02"}, {"characters": "50"}, "0.001"),
        (
            {"per_million_input_tokens": "3", "per_million_output_tokens": "15"},
            {"input_tokens": "1000", "output_tokens": "100"},
            "0.0045",
        ),
        ({"per_page": "0.001", "minimum": "0.05"}, {"pages": "1"}, "0.05"),
        ({"per_page": "0.001", "minimum": "0.05"}, {"pages": "100"}, "0.1"),
        ({"per_page": "0.1", "free": {"pages": 10}}, {"pages": "12"}, "0.2"),
        (
            {"tiers": {"pages": [{"up_to": 10, "price": "0.1"}, {"price": "0.05"}]}, "free": {"pages": 5}},
            {"pages": "20"},
            "1.25",
        ),
        ({"per_million_tokens": "0.0001"}, {"tokens": "1"}, "0"),
    ],
)
def test_s23_a_price_is_what_its_formula_says(cost: Tables, usage: dict[str, str], expected: str) -> None:
    assert amount(cost, **usage) == Decimal(expected)


@pytest.mark.parametrize("cost", [{"per_call": "0"}, {"fixed": "0"}, {"per_page": "0"}])
def test_s23_a_price_of_0_is_free_and_not_unknown(cost: Tables) -> None:
    assert amount(cost, pages="3") == 0


@pytest.mark.parametrize("cost", [None, {}, {"valid_from": "2026-01-01"}])
def test_s23_no_price_is_unknown_and_not_0(cost: Any) -> None:
    board = compose(tables(cost))
    assert board["talk"].providers["voice"].price is None
    assert board["talk"].estimate_cost("hello") == {"voice": None}
    assert board["talk"].process_sync("hello").cost is None
    board.close()


def test_a_plugins_own_price_holds_where_the_configuration_names_none() -> None:
    assert price_of(tables(type="listed")).amount({"characters": Decimal(4)}) == 2
    assert price_of(tables({"per_call": "1"}, type="listed")).amount({"characters": Decimal(4)}) == 1


def test_a_price_in_another_currency_is_converted() -> None:
    tiers = {"pages": [{"up_to": 10, "price": "0.1"}, {"price": "0.05"}]}
    cost = {"currency": "EUR", "per_call": "1", "minimum": "2", "tiers": tiers}
    price = price_of(tables(cost, currencies={"EUR": "1.1"}))
    assert price.amount({"pages": Decimal(20)}) == Decimal("2.75")
    assert price.amount({"pages": Decimal(1)}) == Decimal("2.2")


def test_s23_a_price_in_a_currency_without_a_rate_is_an_error_at_the_start() -> None:
    assert problems(tables({"currency": "EUR", "per_call": "1"})) == [
        "services.talk.providers.voice.cost: its price is in EUR, the board counts in USD. "
        'Add EUR = "..." to [currencies]: what one EUR is worth in USD'
    ]
    assert problems(tables(type="listed", switchgear={"currency": "EUR"})) == [
        "services.talk.providers.voice.cost: its price is in USD, the board counts in EUR. "
        'Add USD = "..." to [currencies]: what one USD is worth in EUR'
    ]


def test_a_list_of_prices_is_a_tariff() -> None:
    price = price_of(tables([{"per_call": "1"}, {"per_call": "2", "valid_from": "2026-06-01"}]))
    assert isinstance(price, Tariff)
    assert price.amount(None) == 2


@pytest.mark.parametrize(
    ("cost", "message", "remedy"),
    [
        ({"per_page": "0.1", "per_thousand_pages": "90"}, "there are two prices of pages", "Keep one"),
        (
            {"per_page": "0.1", "tiers": {"pages": [{"price": "1"}]}},
            "pages have tiers, and another price",
            "Keep one of them",
        ),
        (
            {"free": {"pages": 1000}},
            "pages are free up to a number, and have no price after it",
            'Add per_page = "..."',
        ),
        (
            {"per_call": "1", "valid_from": "2026-02-01", "valid_until": "2026-01-01"},
            "it ends before it begins",
            "Exchange",
        ),
    ],
)
def test_prices_that_would_be_taken_for_others_are_errors(cost: Tables, message: str, remedy: str) -> None:
    (problem,) = problems(tables(cost))
    assert problem.startswith(f"services.talk.providers.voice.cost: {message}. ")
    assert remedy in problem


COST = "services.talk.providers.voice.cost"


@pytest.mark.parametrize(
    ("settings", "path", "says"),
    [
        (tables({"per_call": 0.1}), f"{COST}.per_call", "expected an exact number"),
        (tables({"per_call": "-1"}), f"{COST}.per_call", "expected an amount of 0 or more"),
        (tables({"per_page": "much"}), f"{COST}.per_page", "expected an exact number"),
        (tables({"price": "1"}), COST, "price"),
        (tables({"currency": "euro"}), f"{COST}.currency", "three capital letters"),
        (tables({"valid_from": "soon"}), f"{COST}.valid_from", "date"),
        (tables({"period": "year"}), f"{COST}.period", "'hour'"),
        (tables({"tiers": {"pages": []}}), COST, "the tiers of pages must rise"),
        (tables({"tiers": {"pages": [{"price": "1", "up_to": 5}]}}), COST, "the tiers of pages must rise"),
        (
            tables({"tiers": {"pages": [{"price": "1", "up_to": 5}, {"price": "2", "up_to": 4}, {"price": "3"}]}}),
            COST,
            "the tiers of pages must rise",
        ),
        (tables(budgets={"month": {}}), "budgets.month", "limit"),
        (tables(budgets={"month": {"limit": 0.5}}), "budgets.month.limit", "expected an exact number"),
        (tables(budgets={"month": {"limit": "-1"}}), "budgets.month.limit", "0 or more"),
        (tables(budgets={"month": {"limit": 1, "per": "year"}}), "budgets.month.per", "'hour'"),
        (tables(budgets={"month": {"limit": 1, "for_each": "call"}}), "budgets.month.for_each", "'tenant'"),
        (tables(budgets={"month": {"limit": 1, "on_exceeded": "stop"}}), "budgets.month.on_exceeded", "'reject'"),
        (tables(budgets={"month": {"limit": 1, "unknown": "0"}}), "budgets.month.unknown", "'allow'"),
        (tables(budgets={"month": {"limit": 1, "thresholds": [0]}}), "budgets.month.thresholds[0]", "above 0"),
        (tables(budgets={"month": {"limit": 1, "shared_by": "redis"}}), "budgets.month.shared_by", "'redis'"),
        (tables(budgets={"month": {"limit": 1, "services": ["tlak"]}}), "budgets.month.services", "Did you mean talk"),
        (tables(budgets={"month": {"limit": 1, "providers": ["vioce"]}}), "budgets.month.providers", "you mean voice"),
        (
            tables(budgets={"month": {"limit": 1, "providers": ["talk.vioce"]}}),
            "budgets.month.providers",
            "Did you mean talk.voice",
        ),
        (tables(budgets={"month": {"limt": 1}}), "budgets.month", "limt"),
        (tables(accounting={"journal": "paper"}), "accounting.journal", "'mapped'"),
        (tables(accounting={"flush": "0s"}), "accounting.flush", "longer than"),
        (tables(accounting={"time_zone": "Europe/Atlantis"}), "accounting.time_zone", "time zone"),
        (tables(alerts={"spike": -1.0}), "alerts.spike", "0"),
        (tables(alerts={"least": "-1"}), "alerts.least", "0 or more"),
        (tables(currencies={"EUR": "0"}), "currencies.EUR", "above 0"),
        (tables(currencies={"euro": "1"}), "currencies", "three capital letters"),
    ],
)
def test_what_is_wrong_about_money_is_said_with_its_path_and_what_to_do(settings: Tables, path: str, says: str) -> None:
    found = problems(settings)
    assert [problem for problem in found if problem.startswith(path) and says in problem], found
