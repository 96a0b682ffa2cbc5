"""Money along a call's way (S23, S24): taken before it is sent, settled after it, and nothing is left taken."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from switchgear import (
    AllProvidersFailed,
    BlockingProvider,
    BudgetExceeded,
    Call,
    Charge,
    Effect,
    Hedge,
    InDoubt,
    NotSent,
    Outcome,
    Policies,
    Price,
    ProviderError,
    ProviderManager,
    ProviderResult,
    Retry,
    SwitchgearError,
    Unsupported,
)
from switchgear.alert import Alert
from switchgear.cost_sink import Lease
from switchgear.costs.alerts import AlertDesk
from switchgear.costs.bookkeeper import Bookkeeper
from switchgear.costs.budgets import Accounts
from switchgear.costs.lines import Origin
from switchgear.costs.local import LocalShares
from switchgear.costs.settings import Alerts, Budget
from switchgear.costs.sources import MemorySource
from switchgear.costs.sqlite import SqliteLedger
from switchgear.costs.tracker import CostTracker
from switchgear.home import Home
from switchgear.lender import Lender
from switchgear.policies.breaker import Breaker
from switchgear.testing import (
    HANG,
    Delay,
    MemoryLedger,
    ScriptedProvider,
    VirtualClock,
    cancel_at_every_await,
    run,
)
from switchgear.till import Till

Manager = ProviderManager[Any, Any]
ONE = Price(Decimal(1))
TWO = Price(Decimal(2))
NO_RETRY = Retry(attempts=1)
NOTHING = Decimal(0)


class Shop:
    """A service with budgets, wired without a board: its bookkeeper has no thread, `tick` does its work."""

    def __init__(self, keeper: Any = None, **budgets: Budget) -> None:
        self.clock = VirtualClock()
        self.home = Home(self.clock)
        self.ledger: Any = MemoryLedger() if keeper is None or not hasattr(keeper, "records") else keeper
        self.source = MemorySource("one", "EUR")
        self.tracker = CostTracker(UTC, "EUR")
        self.books = Bookkeeper(self.source, {"ledger": self.ledger}, self.tracker, self.clock.monotonic, inline=True)
        self.alerts: list[Alert] = []
        utc, monotonic = self.clock.utc, self.clock.monotonic
        self.books.desk = AlertDesk(Alerts(), self.tracker, "EUR", utc, monotonic, self.alerts.append)
        if keeper is None:
            keeper = LocalShares(lambda account: Decimal(0))
            self.books.hearers.append(keeper.cost_recorded)
        self.keeper = keeper
        self.lender = Lender(keeper, self.books, self.home, "one")
        self.budgets = []
        for name, budget in budgets.items():
            accounts = Accounts(name, budget, utc, monotonic, UTC)
            self.lender.add(accounts)
            self.budgets.append((accounts, self.lender))
        self.calls: list[Call] = []
        self.services: list[Manager] = []

    def service(self, *providers: Any, name: str = "scans", **options: Any) -> Manager:
        tills = {
            each.name: Till(each, Origin(name, "ocr", each.name), self.source, self.books, self.home,
                            [pair for pair in self.budgets if pair[0].covers(name, each.name)])
            for each in providers
        }  # fmt: skip
        made: Manager = ProviderManager(
            providers, service=name, home=self.home, tills=tills, observers=[self.calls.append], **options
        )
        self.services.append(made)
        return made

    async def tick(self) -> None:
        self.books.tick()
        await asyncio.sleep(0)

    async def close(self) -> None:
        for service in self.services:
            await service.aclose()
        self.lender.give_back_unused()
        self.books.close()
        self.home.close()

    @property
    def accounts(self) -> list[Any]:
        return [account for accounts, _ in self.budgets for account in (*accounts.all, *accounts._past)]

    def spent(self) -> Decimal:
        self.books.tick()
        return sum((each.cost for each in self.ledger.totals()), Decimal(0))

    def assert_nothing_is_taken(self) -> None:
        for account in self.accounts:
            assert account.taken == 0, account.name
        assert self.lender._waiting == {}


def budget(limit: Any, **options: Any) -> Budget:
    return Budget(limit=Decimal(limit), **options)


def paid(name: str, *script: Any, price: Price | None = ONE, **options: Any) -> ScriptedProvider:
    return ScriptedProvider(list(script), name=name, price=price, clock=VirtualClock(), **options)


async def refused(service: Manager, **options: Any) -> BudgetExceeded:
    with pytest.raises(BudgetExceeded) as caught:
        await service.process("x", **options)
    return caught.value


# Reserve, settle, release


async def test_s24_a_budget_lets_through_what_fits_and_not_one_more() -> None:
    shop = Shop(month=budget(3))
    service = shop.service(paid("fast", "good"))
    for _ in range(3):
        await service.process("x")
    error = await refused(service)
    assert str(error) == "scans: over budget month; limit 3 per month"
    assert (error.budget, error.retry_after) == ("month", 31 * 86_400)
    assert error.call_id == shop.calls[-1].id
    assert error.remedy
    assert shop.calls[-1].attempts == []
    assert shop.spent() == 3
    shop.assert_nothing_is_taken()
    await shop.close()


async def test_s24_what_costs_less_than_expected_goes_back_and_what_costs_more_is_counted() -> None:
    shop = Shop(month=budget(4))
    service = shop.service(
        paid("fast", ProviderResult("cheap", cost=Decimal("0.5")), ProviderResult("dear", cost=Decimal("2.5")), "good")
    )
    await service.process("x")
    await service.process("x")
    await service.process("x")
    await refused(service)
    assert shop.spent() == 4
    await shop.close()


@pytest.mark.parametrize(
    ("error", "spent", "charge"),
    [
        (NotSent("refused"), 0, Charge.FREE),
        (Unsupported("no"), 0, Charge.FREE),
        (ProviderError("reset"), 1, Charge.IN_DOUBT),
        (ZeroDivisionError(), 1, Charge.IN_DOUBT),
    ],
)
async def test_s24_a_failure_costs_what_it_may_have_cost(error: Exception, spent: int, charge: Charge) -> None:
    shop = Shop(month=budget(10))
    service = shop.service(paid("fast", error), retry=NO_RETRY)
    with pytest.raises(AllProvidersFailed) as caught:
        await service.process("x")
    attempt = caught.value.attempts[0]
    assert (attempt.charge, attempt.cost, attempt.estimate) == (charge, Decimal(spent), Decimal(1))
    assert shop.spent() == shop.calls[0].cost == spent
    shop.assert_nothing_is_taken()
    await shop.close()


async def test_s24_retries_and_fallbacks_count() -> None:
    shop = Shop(month=budget(100))
    first = paid("first", ProviderError("down"), ProviderError("down"), ProviderError("down"))
    service = shop.service(first, paid("second", "good", price=TWO))
    await service.process("x")
    assert [(each.kind, each.provider, each.cost) for each in shop.calls[0].attempts] == [
        ("first", "first", Decimal(1)),
        ("retry", "first", Decimal(1)),
        ("retry", "first", Decimal(1)),
        ("fallback", "second", Decimal(2)),
    ]
    assert shop.spent() == shop.calls[0].cost == 5
    shop.assert_nothing_is_taken()
    await shop.close()


async def test_s24_a_hedge_and_its_loser_count() -> None:
    shop = Shop(month=budget(100))
    first = paid("first", "good", HANG)
    service = shop.service(first, paid("second", "good", price=TWO), hedge=Hedge(min_samples=1, share=1.0))
    await service.process("x")
    await service.process("x")
    assert [(each.kind, each.charge, each.cost) for each in shop.calls[1].attempts] == [
        ("first", Charge.IN_DOUBT, Decimal(1)),
        ("hedge", Charge.BILLED, Decimal(2)),
    ]
    assert shop.spent() == 4
    shop.assert_nothing_is_taken()
    await shop.close()


async def test_s24_an_open_circuit_gives_back_what_was_taken() -> None:
    shop = Shop(month=budget(10))
    service = shop.service(
        paid("fast", ProviderError("down")), retry=NO_RETRY, breaker=Breaker(consecutive=1), all_down="fail_fast"
    )
    for _ in range(5):
        with pytest.raises(AllProvidersFailed):
            await service.process("x")
    shop.assert_nothing_is_taken()
    assert shop.spent() == 1
    await shop.close()


# What to do when it does not fit


async def test_s24_fall_over_goes_on_to_whoever_fits() -> None:
    shop = Shop(month=budget(1, providers=("dear",), on_exceeded="fall_over"))
    service = shop.service(paid("dear", "good"), paid("cheap", "good", price=Price(Decimal(0))))
    assert [(await service.process("x")).provider for _ in range(3)] == ["dear", "cheap", "cheap"]
    assert shop.calls[1].dropped == {"dear": "over budget month"}
    with pytest.raises(AllProvidersFailed, match="dear: over budget month"):
        await service.process("x", only=["dear"])
    await shop.close()


async def test_s24_warn_lets_everything_through_and_raises_an_alert() -> None:
    shop = Shop(month=budget(2, on_exceeded="warn"))
    service = shop.service(paid("fast", "good"))
    for _ in range(5):
        await service.process("x")
        await shop.tick()
    assert [alert.kind for alert in shop.alerts].count("budget") == 2, "at a half, and at the whole"
    assert shop.spent() == 5
    await shop.close()


@pytest.mark.parametrize("unknown", ["allow", "reject"])
async def test_s23_an_unknown_cost_follows_its_rule_and_is_never_0(unknown: Any) -> None:
    shop = Shop(month=budget(2, unknown=unknown))
    service = shop.service(paid("fast", "good", price=None))
    if unknown == "allow":
        assert (await service.process("x")).cost is None
        assert shop.calls[0].cost is None
        shop.books.tick()
        assert shop.tracker.total().unknown == 1
    else:
        with pytest.raises(AllProvidersFailed, match="budget month takes no unknown cost; give the provider a `cost`"):
            await service.process("x")
    shop.assert_nothing_is_taken()
    await shop.close()


@pytest.mark.parametrize("estimate", [ZeroDivisionError(), 0.5, "1", Decimal("NaN"), Decimal("1e30")])
async def test_s23_an_estimate_that_is_no_amount_is_unknown(estimate: Any) -> None:
    @attrs.define(eq=False, slots=False)
    class Careless(ScriptedProvider):
        def estimate_cost(self, request: Any) -> Any:
            if isinstance(estimate, Exception):
                raise estimate
            return estimate

    shop = Shop(month=budget(2))
    service = shop.service(Careless(["good"], name="fast"))
    with pytest.raises(AllProvidersFailed, match="takes no unknown cost"):
        await service.process("x")
    await shop.close()


@pytest.mark.parametrize("cost", [Decimal("NaN"), 0.5, Decimal("Infinity")])
async def test_s23_a_cost_that_is_no_amount_is_the_plugins_defect(cost: Any) -> None:
    shop = Shop(month=budget(2))
    service = shop.service(paid("fast", ProviderResult("good", cost=cost)), retry=NO_RETRY)
    with pytest.raises(AllProvidersFailed) as caught:
        await service.process("x")
    assert caught.value.attempts[0].outcome is Outcome.PLUGIN_BUG
    shop.assert_nothing_is_taken()
    await shop.close()


# Whose


async def test_s24_a_limit_for_each_tenant_and_tag() -> None:
    shop = Shop(tenants=budget(2, for_each="tenant"), nightly=budget(3, for_each="tag", tags=("nightly",)))
    service = shop.service(paid("fast", "good"))
    for tenant in ("acme", "beta"):
        await service.process("x", tenant=tenant)
        await service.process("x", tenant=tenant)
        assert str(await refused(service, tenant=tenant)).startswith(f"scans: over budget tenants of {tenant};")
    for _ in range(3):
        await service.process("x", tags=["nightly", "other"])
    assert (await refused(service, tags=["nightly"])).budget == "nightly"
    for _ in range(5):
        await service.process("x", tags=["other"])
    shop.assert_nothing_is_taken()
    await shop.close()


async def test_s24_a_limit_for_each_service_and_provider_and_for_some_tenants() -> None:
    shop = Shop(
        services=budget(3, for_each="service"),
        providers=budget(2, for_each="provider", on_exceeded="fall_over"),
        acme=budget(1, tenants=("acme",)),
    )
    scans = shop.service(paid("a", "good"), paid("b", "good"))
    letters = shop.service(paid("a", "good"), name="letters")
    assert [(await scans.process("x")).provider for _ in range(3)] == ["a", "a", "b"]
    assert (await refused(scans)).budget == "services"
    await letters.process("x", tenant="acme")
    assert (await refused(letters, tenant="acme")).budget == "acme"
    await letters.process("x", tenant="beta")
    shop.assert_nothing_is_taken()
    await shop.close()


async def test_s24_a_new_period_is_a_new_account_and_what_is_under_way_is_the_old_ones() -> None:
    shop = Shop(hour=budget(2, per="hour"))
    service = shop.service(paid("fast", "good", Delay(3600, "late"), "good"), deadline=None)
    await service.process("x")
    slow = asyncio.ensure_future(service.process("x"))
    await asyncio.sleep(1)
    await refused(service)
    await asyncio.sleep(3600)
    await service.process("x")
    await service.process("x")
    assert (await slow).output == "late"
    await refused(service)
    await shop.tick()
    shop.assert_nothing_is_taken()
    names = {record.budgets for record in shop.ledger.records()}
    assert names == {("hour/2026-01-01 00:00",), ("hour/2026-01-01 01:00",)}
    await shop.close()


async def test_s24_a_budget_that_is_used_for_longer_than_a_lease_is_not_lost() -> None:
    shop = Shop(month=budget(1000))
    service = shop.service(paid("fast", "good"))
    for _ in range(900):
        await service.process("x")
        await asyncio.sleep(0.1)
    assert shop.spent() == 900
    await shop.close()


# In doubt


async def test_s24_a_payment_in_doubt_stays_in_doubt_when_there_is_no_money_to_ask_again() -> None:
    shop = Shop(month=budget(1))
    service = shop.service(paid("bank", ProviderError("reset")), effect=Effect.ONCE)
    with pytest.raises(InDoubt):
        await service.process("x", idempotency_key="order-7")
    shop.assert_nothing_is_taken()
    await shop.close()


async def test_s24_when_there_is_no_money_for_another_try_the_last_failure_is_the_cause() -> None:
    shop = Shop(month=budget(1))
    service = shop.service(paid("fast", ProviderError("down")))
    error = await refused(service)
    assert str(error.__cause__) == "down"
    assert len(shop.calls[0].attempts) == 1
    await shop.close()


@attrs.define(eq=False)
class Engine(BlockingProvider[Any, Any]):
    def process_blocking(self, request: Callable[[], Any]) -> ProviderResult[Any]:
        return ProviderResult("late", cost=request())


@pytest.mark.parametrize(("cost", "left"), [("0.25", "0.75"), ("1", "0"), ("1.5", "0")])
def test_s25_a_thread_that_returns_after_its_time_replaces_the_doubt_in_ledger_and_budget(cost: str, left: str) -> None:
    async def scenario() -> None:
        shop = Shop(month=budget(2))
        engine = Engine(name="engine", concurrency=1, timeout=0.05, price=ONE)
        service = shop.service(engine, retry=NO_RETRY)
        gate = threading.Event()

        def work() -> Decimal:
            assert gate.wait(30)
            return Decimal(cost)

        with pytest.raises(AllProvidersFailed):
            await service.process(work)
        await shop.tick()
        assert [record.charge for record in shop.ledger.records()] == [Charge.IN_DOUBT]
        gate.set()
        for _ in range(5000):
            if engine.figures.late:
                break
            await asyncio.sleep(0.002)
        assert shop.spent() == Decimal(cost)
        assert [record.charge for record in shop.ledger.records()] == [Charge.BILLED]
        assert shop.tracker.total().cost == Decimal(cost)
        assert shop.tracker.total().in_doubt == 0
        assert shop.keeper.spent("month/2026-01") == Decimal(cost)
        shop.lender.give_back_unused()
        rest = shop.keeper.lease("month/2026-01", "x", limit=Decimal(2), want=NOTHING, need=NOTHING, now=0, until=1)
        assert rest.granted == Decimal(2) - Decimal(cost), "what is left is what was not spent"
        shop.assert_nothing_is_taken()
        await shop.close()

    asyncio.run(scenario())


# A ledger that cannot be reached


@attrs.define
class Away:
    """A keeper that raises, or takes no questions at all."""

    asked: int = 0

    def lease(self, account: str, holder: str, **_: Any) -> Lease:
        self.asked += 1
        raise ConnectionError("planted-password")

    def give_back(self, account: str, holder: str, amount: Decimal) -> None:
        raise ConnectionError

    def spent(self, account: str) -> Decimal:
        raise ConnectionError


@pytest.mark.parametrize("unreachable", ["allow", "reject"])
async def test_s24_without_its_ledger_a_budget_does_as_it_was_told_and_nobody_waits(unreachable: Any) -> None:
    away = Away()
    shop = Shop(away, month=budget(5, unreachable=unreachable))
    service = shop.service(paid("fast", "good"))
    loop = asyncio.get_running_loop()
    began = loop.time()
    for _ in range(20):
        if unreachable == "allow":
            await service.process("x")
        else:
            with pytest.raises(AllProvidersFailed, match="budget month: its ledger cannot be reached"):
                await service.process("x")
    assert (loop.time() - began, away.asked) == (0.0, 1)
    (alert,) = [each for each in shop.alerts if each.kind == "ledger_unreachable"]
    assert alert.subject == "budgets.month"
    await asyncio.sleep(6)
    with suppress(SwitchgearError):
        await service.process("x")
    assert away.asked == 2, "it is tried again"
    shop.assert_nothing_is_taken()
    await shop.close()


# Many at once


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("limit", [100, 0])
async def test_litellm_34732_40095_26672_a_thousand_at_once_spend_the_budget_and_no_more(
    tmp_path: Path, shared: bool, limit: int
) -> None:
    """There, the budget was looked at before the call and added to after it: 99 were spent of 30."""
    shop = Shop(SqliteLedger(path=tmp_path / "ledger.db") if shared else None, month=budget(limit))
    service = shop.service(paid("fast", Delay(1, "good")))
    ends = await asyncio.gather(*(service.process("x") for _ in range(1000)), return_exceptions=True)
    assert sum(isinstance(each, ProviderResult) for each in ends) == limit
    assert sum(isinstance(each, BudgetExceeded) for each in ends) == 1000 - limit
    assert shop.spent() == limit
    shop.assert_nothing_is_taken()
    await shop.close()


async def test_s24_through_a_shared_ledger_the_last_that_fits_is_served_whatever_it_costs(tmp_path: Path) -> None:
    """What is leased already counts: 1.1 are left here, a part of it in our own pocket."""
    ledger = SqliteLedger(path=tmp_path / "ledger.db")
    shop = Shop(ledger, month=budget("2.5"))
    service = shop.service(paid("small", "good", price=Price(Decimal("0.7"))), paid("large", "good", price=ONE))
    await service.process("x", only=["small"])
    await service.process("x", only=["small"])
    await service.process("x", only=["large"])
    await refused(service)
    assert shop.spent() == Decimal("2.4")
    await shop.close()


async def test_s24_a_request_that_takes_longer_than_a_lease_keeps_its_money(tmp_path: Path) -> None:
    shop = Shop(SqliteLedger(path=tmp_path / "ledger.db"), month=budget(1))
    service = shop.service(paid("slow", Delay(100, "good"), "good"), deadline=None)
    slow = asyncio.ensure_future(service.process("x"))
    for _ in range(95):
        await asyncio.sleep(1)
        await shop.tick()
    await refused(service)
    await slow
    assert shop.spent() == 1
    await shop.close()


# Cancelled at every await

Scenario = Callable[[list[Shop]], Coroutine[Any, Any, None]]


class Slow(LocalShares):
    """Leases nothing at first: whoever asks has to wait for others."""

    asked = 0

    def lease(self, account: str, holder: str, **amounts: Any) -> Lease:
        self.asked += 1
        if self.asked % 3:
            return Lease(NOTHING, NOTHING, Decimal(1), NOTHING)
        return super().lease(account, holder, **amounts)


def opened(shops: list[Shop], keeper: Any = None, **budgets: Budget) -> Shop:
    shops[:] = [Shop(keeper, **(budgets or {"month": budget(10), "day": budget(10, per="day")}))]
    return shops[0]


async def answers(shops: list[Shop]) -> None:
    await opened(shops).service(paid("fast", Delay(1, "good"), concurrency=1)).process("x")


async def waits_for_money(shops: list[Shop]) -> None:
    shop = opened(shops, Slow(lambda account: NOTHING))
    await shop.service(paid("fast", Delay(1, "good"), concurrency=1)).process("x")


async def retries_and_falls_over(shops: list[Shop]) -> None:
    service = opened(shops).service(
        paid("first", Delay(1, ProviderError("down")), "good", concurrency=1),
        paid("second", Delay(1, "good")),
        retry=Retry(attempts=2),
        policies={"first": Policies(breaker=Breaker(consecutive=1), retry=Retry(attempts=2))},
    )
    await service.process("x")


async def hedges(shops: list[Shop]) -> None:
    service = opened(shops).service(
        paid("first", "good", HANG, "good"), paid("second", Delay(1, "good")), hedge=Hedge(min_samples=1, share=1.0)
    )
    await service.process("x")
    await service.process("x")


async def falls_over_for_want_of_money(shops: list[Shop]) -> None:
    shop = opened(shops, all=budget(9), dear=budget("0.5", providers=("first",), on_exceeded="fall_over"))
    await shop.service(paid("first", "good", concurrency=1), paid("second", Delay(1, "good"))).process("x")


@pytest.mark.parametrize(
    "scenario",
    [answers, waits_for_money, retries_and_falls_over, hedges, falls_over_for_want_of_money],
    ids=lambda scenario: scenario.__name__,
)
def test_s24_cancelled_at_any_await_nothing_is_left_taken(scenario: Scenario) -> None:
    shops: list[Shop] = []

    async def check() -> None:
        (shop,) = shops
        shop.assert_nothing_is_taken()
        await asyncio.sleep(100)
        await shop.tick()
        shop.assert_nothing_is_taken()
        assert shop.spent() == sum((call.cost or NOTHING for call in shop.calls), NOTHING)
        for service in shop.services:
            for candidate in service._by_name.values():
                assert candidate.bulkhead is None or candidate.bulkhead.taken == 0
        await shop.close()

    assert cancel_at_every_await(lambda: scenario(shops), check) >= 1


# One figure everywhere

ends = st.sampled_from(
    ["good", "good", ProviderError("down"), NotSent("refused"), Unsupported("no"), ZeroDivisionError(), HANG]
)
scripts = st.lists(st.builds(Delay, st.sampled_from([0.0, 0.5, 3.0]), ends), max_size=5)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(scripts, min_size=1, max_size=3),
    st.lists(st.tuples(st.sampled_from([0.0, 0.1, 40.0]), st.sampled_from([None, 0.3, 2.0])), min_size=1, max_size=8),
    st.integers(0, 12),
    st.booleans(),
)
def test_litellm_35691_whatever_happens_call_ledger_tracker_and_budget_agree_and_the_limit_holds(
    chains: list[list[Any]], callers: list[tuple[float, float | None]], limit: int, hedged: bool
) -> None:
    """There, the response had the right cost, and the store 0."""

    async def live() -> None:
        shop = Shop(month=budget(limit), tenants=budget(6, for_each="tenant"))
        providers = [
            paid(f"p{number}", *script, "good", price=Price(Decimal(number + 1)), timeout=5.0)
            for number, script in enumerate(chains)
        ]
        hedge = Hedge(min_samples=1, share=1.0) if hedged else None
        service = shop.service(*providers, retry=Retry(attempts=2), hedge=hedge)

        async def caller(number: int, start: float, patience: float | None) -> None:
            await asyncio.sleep(start)
            work = asyncio.ensure_future(service.process("x", tenant=f"t{number % 2}", deadline=20))
            await asyncio.wait([work], timeout=patience)
            work.cancel()
            await asyncio.wait([work])

        await asyncio.gather(*(caller(number, *each) for number, each in enumerate(callers)))
        await asyncio.sleep(30)
        shop.assert_nothing_is_taken()
        total = shop.spent()
        assert total <= limit
        assert total == sum((call.cost or NOTHING for call in shop.calls), NOTHING)
        assert total == shop.tracker.total().cost == shop.keeper.spent("month/2026-01")
        rows: dict[str, Decimal] = {}
        for record in shop.ledger.records():
            rows[record.call_id] = rows.get(record.call_id, NOTHING) + (record.cost or NOTHING)
        assert rows == {call.id: call.cost for call in shop.calls if call.attempts}
        await shop.close()

    run(live)
