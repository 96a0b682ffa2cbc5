"""What a manager tells of its calls and its plans, and what no plugin can do to it."""

import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from decimal import Decimal
from typing import Any

import attrs
import pytest
from switchgear import (
    AllProvidersFailed,
    Effect,
    Hedge,
    Outcome,
    Price,
    ProviderError,
    ProviderManager,
    ProviderResult,
    ProviderStatus,
    Retry,
    SelectionStrategy,
    SimpleProvider,
    UsageError,
)
from switchgear.strategies import BUILT_IN
from switchgear.testing import HANG, Delay, FakeClock, MemoryObserver, ScriptedProvider, VirtualClock, run

Manager = ProviderManager[Any, Any]


def scripted(name: str, *script: Any, **settings: Any) -> ScriptedProvider:
    return ScriptedProvider(list(script) or [name], name=name, **settings)


def build(*providers: Any, **settings: Any) -> Manager:
    return ProviderManager(providers, **{"retry": Retry(attempts=1), **settings})


def ask(manager: Manager, request: Any = "x", **options: Any) -> ProviderResult[Any]:
    return run(lambda: manager.process(request, **options))


def ask_again_and_again(manager: Manager, times: int) -> list[ProviderResult[Any]]:
    """One loop for all: a manager keeps to the one it was first called on."""

    async def scenario() -> list[ProviderResult[Any]]:
        return [await manager.process("x") for _ in range(times)]

    return run(scenario)


# Made


def test_every_member_of_the_enum_is_built_in_and_can_be_asked() -> None:
    assert {*BUILT_IN} == {*SelectionStrategy}
    for member in SelectionStrategy:
        for way in (member, member.value):
            assert ask(build(scripted("a"), strategy=way)).provider == "a"


def test_a_provider_without_a_name_is_called_after_its_class() -> None:
    assert [*build(ScriptedProvider(["x"])).providers] == ["scriptedprovider"]


def test_only_what_may_be_repeated_can_be_hedged() -> None:
    with pytest.raises(UsageError, match="can be hedged"):
        build(scripted("a"), effect=Effect.ONCE, hedge=Hedge())


class NoOrder:
    pass


class Named:
    def order(self, providers: Any) -> Any: ...


class AsyncOrder:
    async def order(self, candidates: Any) -> Any: ...


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (NoOrder(), r"has no order\(\)"),
        (Named(), "order wants 'providers', which nobody passes"),
        (AsyncOrder(), "order must be a plain def"),
        (Named, "order wants 'self', which nobody passes"),
    ],
)
def test_a_strategy_that_cannot_be_asked_is_refused_where_it_is_given(strategy: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        build(scripted("a"), strategy=strategy)


def test_a_validator_that_nobody_would_await_is_refused_where_it_is_given() -> None:
    class Async:
        async def check(self, request: Any, result: Any) -> None: ...

    with pytest.raises(UsageError, match="validator Async check must be a plain def"):
        build(scripted("a"), validators=[Async()])


# Strategies


@attrs.frozen
class Dice:
    """Frozen, and with dice of its own."""

    random: Any = attrs.field(default=None, init=False)

    def order(self, candidates: Sequence[Any]) -> Any:
        return sorted(candidates, key=lambda each: self.random.random())


def test_a_strategy_with_a_field_for_it_gets_the_managers_dice() -> None:
    class Fixed:
        def random(self) -> float:
            return 0.5

    dice, fixed = Dice(), Fixed()
    assert ask(build(scripted("a"), scripted("b"), strategy=dice, random=fixed)).provider == "a"
    assert dice.random is fixed


class LastOnly:
    def order(self, candidates: Sequence[Any]) -> Any:
        return candidates[-1:]


def test_who_is_left_out_by_the_strategy_is_named_in_the_plan_and_in_the_record() -> None:
    heard = MemoryObserver()
    manager = build(scripted("a"), scripted("b"), strategy=LastOnly(), observers=[heard.call_finished])
    assert [(row.provider, row.rank, row.reason) for row in manager.explain("x").rows] == [
        ("b", 1, ""),
        ("a", None, "left out by the strategy"),
    ]
    assert ask(manager).provider == "b"
    assert [(each.provider, each.kept, each.reason) for each in heard.calls[0].candidates] == [
        ("b", True, ""),
        ("a", False, "left out by the strategy"),
    ]


def test_a_strategy_that_chooses_nobody_is_named_as_the_reason() -> None:
    class Nobody:
        def order(self, candidates: Any) -> Any:
            return ()

    with pytest.raises(AllProvidersFailed, match="a: left out by the strategy"):
        ask(build(scripted("a"), strategy=Nobody()))


class Greedy:
    """Takes everybody out of what it is given."""

    def order(self, candidates: Any) -> Any:
        candidates.clear()


class Unhashable:
    def order(self, candidates: Any) -> Any:
        return [[]]


class Strangers:
    def order(self, candidates: Any) -> Any:
        return [object()]


class Static:
    """Asked once, and fails at that."""

    static = True
    asked = 0

    def order(self, candidates: Any) -> Any:
        self.asked += 1
        raise RuntimeError("no")


@pytest.mark.parametrize("strategy", [Greedy(), Unhashable(), Strangers(), Static()])
def test_no_strategy_can_take_a_service_down(strategy: Any) -> None:
    manager = build(scripted("a"), scripted("b"), strategy=strategy)
    assert [row.provider for row in manager.explain("x").rows] == ["a", "b"]
    assert [result.provider for result in ask_again_and_again(manager, 3)] == ["a", "a", "a"]


def test_a_static_strategy_is_asked_once_also_when_it_fails() -> None:
    strategy = Static()
    manager = build(scripted("a"), strategy=strategy)
    for _ in range(3):
        manager.explain("x")
    assert strategy.asked == 1


def test_any_iterable_is_an_order() -> None:
    class Lazy:
        def order(self, candidates: Sequence[Any]) -> Iterator[Any]:
            yield from reversed(candidates)

    assert ask(build(scripted("a"), scripted("b"), strategy=Lazy())).provider == "b"


@attrs.define
class Learning:
    learned: list[Any] = attrs.Factory(list)

    def order(self, candidates: Any) -> Any:
        return candidates

    def learn(self, call: Any) -> None:
        self.learned.append(call)


def test_a_strategy_that_learns_hears_of_every_call_after_the_observers() -> None:
    order: list[str] = []
    strategy = Learning()
    manager = build(scripted("a"), strategy=strategy, observers=[lambda call: order.append("observer")])
    ask(manager)
    assert [call.service for call in strategy.learned] == ["service"]
    assert order == ["observer"]


# Only and exclude


def test_providers_named_by_the_caller_are_the_only_ones_in_the_strategys_order() -> None:
    down = ProviderError("down")
    manager = build(scripted("a"), scripted("b", down), scripted("c"))
    result = ask(manager, only={"c", "b"})
    assert [attempt.provider for attempt in result.attempts] == ["b", "c"]


def test_where_the_caller_leaves_everybody_out_nobody_is_asked() -> None:
    provider = scripted("a")
    with pytest.raises(AllProvidersFailed, match="a: left out by the caller"):
        ask(build(provider), only=[])
    with pytest.raises(AllProvidersFailed, match="a: left out by the caller"):
        ask(build(provider), exclude=["a"])
    assert provider.calls == 0


@pytest.mark.parametrize("options", [{"only": ["a", "c"]}, {"exclude": ["c"]}])
def test_a_provider_that_is_not_there_can_be_neither_named_nor_left_out(options: Any) -> None:
    with pytest.raises(UsageError, match="service has no provider c; it has a, b"):
        ask(build(scripted("a"), scripted("b")), **options)


def test_circuits_are_those_of_providers_that_are_there() -> None:
    with pytest.raises(UsageError, match="service has no provider 'c'; it has a"):
        build(scripted("a")).is_open("c")


# The plan


def test_a_plan_tells_what_every_candidate_was_ranked_by() -> None:
    clock = FakeClock()

    def work(request: Any) -> str:
        clock.advance(0.25)
        return "done"

    manager = build(
        scripted("a", work, quality_score=0.9, price=Price(Decimal("0.02"))),
        scripted("b", priority=200),
        clock=clock,
    )
    ask(manager)
    plan = manager.explain("x")
    assert (plan.service, plan.strategy) == ("service", "Priority")
    assert json.loads(json.dumps(plan.to_json())) == {
        "service": "service",
        "strategy": "Priority",
        "candidates": [
            {
                "provider": "a",
                "rank": 1,
                "reason": "",
                "priority": 100,
                "quality_score": 0.9,
                "status": "available",
                "circuit": "closed",
                "in_flight": 0,
                "predicted_cost": "0.02",
                "latency": 0.25,
                "success_rate": 1.0,
                "quality": 1.0,
            },
            {
                "provider": "b",
                "rank": 2,
                "reason": "",
                "priority": 200,
                "quality_score": 0.5,
                "status": "available",
                "circuit": "closed",
                "in_flight": 0,
                "predicted_cost": None,
                "latency": None,
                "success_rate": None,
                "quality": None,
            },
        ],
    }


def test_a_plan_asks_nobody_and_puts_the_dropped_last() -> None:
    providers = [scripted(name) for name in "abc"]
    manager = build(*providers)
    manager.force_open("a")
    rows = manager.explain("x").rows
    assert [(row.provider, row.rank, row.reason, row.kept) for row in rows] == [
        ("b", 1, "", True),
        ("c", 2, "", True),
        ("a", None, "circuit open", False),
    ]
    assert [provider.calls for provider in providers] == [0, 0, 0]


def test_a_plan_can_be_made_from_any_thread_and_before_anything_is_open() -> None:
    manager = build(scripted("a"))
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.extend(row.provider for row in manager.explain("x").rows))
    thread.start()
    thread.join()
    assert found == ["a"]


# Costs and health


class Unpriced(SimpleProvider[Any, Any]):
    async def process(self, request: Any) -> ProviderResult[Any]:
        return ProviderResult(request)

    def estimate_cost(self, request: Any) -> Decimal | None:
        raise ZeroDivisionError


def test_a_price_that_cannot_be_told_is_unknown_and_breaks_neither_plan_nor_order() -> None:
    manager = build(Unpriced(name="a"), scripted("b", price=Price(Decimal(1))), strategy="cost")
    assert manager.estimate_cost("x") == {"a": None, "b": Decimal(1)}
    assert [(row.provider, row.predicted_cost) for row in manager.explain("x").rows] == [("b", Decimal(1)), ("a", None)]
    assert ask(manager).provider == "b"


@pytest.mark.parametrize("answer", [True, None, "fine", 1])
def test_a_health_check_that_gives_no_status_counts_as_one_that_failed(answer: Any) -> None:
    class Odd(ScriptedProvider):
        async def health_check(self) -> Any:
            return answer

    assert run(build(Odd(["x"], name="a")).health_check_all) == {"a": ProviderStatus.UNAVAILABLE}


def test_a_health_check_that_hangs_takes_ten_seconds_for_all_together() -> None:
    class Hanging(ScriptedProvider):
        async def health_check(self) -> ProviderStatus:
            await asyncio.get_running_loop().create_future()
            raise AssertionError("unreachable")

    async def scenario() -> None:
        clock = VirtualClock()
        manager = build(Hanging([1], name="a"), Hanging([1], name="b"), scripted("c"), clock=clock)
        statuses = await manager.health_check_all()
        assert [status.value for status in statuses.values()] == ["unavailable", "unavailable", "available"]
        assert clock.monotonic() == pytest.approx(10.0, abs=0.02)

    run(scenario)


# What is kept of it


def test_figures_count_what_was_sent_and_how_it_went() -> None:
    manager = build(scripted("a", ProviderError("down"), "good"), scripted("b"))
    ask_again_and_again(manager, 2)
    figures = manager.providers["a"].figures
    assert (figures.requests, figures.successes, figures.fallbacks, figures.in_flight) == (2, 1, 1, 0)
    assert figures.success_rate == 0.5
    assert figures.outcomes == {Outcome.TRANSIENT: 1}


def test_the_record_of_a_call_goes_to_every_observer_once() -> None:
    first, second = MemoryObserver(), MemoryObserver()
    down = ProviderError("down")
    manager = build(
        scripted("a", down), scripted("b"), observers=[first.call_finished, second.call_finished], service="talk"
    )
    result = ask(manager, tenant="acme", tags=("nightly",))
    (call,) = first.calls
    assert second.calls == [call]
    assert (call.service, call.tenant, call.tags, call.error) == ("talk", "acme", ("nightly",), None)
    assert call.result is result
    assert (result.call_id, result.provider, result.output) == (call.id, "b", "b")
    assert [(attempt.id, attempt.provider, attempt.outcome, attempt.message) for attempt in call.attempts] == [
        (f"{call.id}.1", "a", Outcome.TRANSIENT, "down"),
        (f"{call.id}.2", "b", Outcome.SUCCESS, ""),
    ]
    assert [each.provider for each in call.candidates if each.kept] == ["a", "b"]


def test_a_call_that_failed_is_recorded_with_its_error_which_carries_its_id() -> None:
    heard = MemoryObserver()
    with pytest.raises(AllProvidersFailed) as caught:
        ask(build(scripted("a", ProviderError("down")), observers=[heard.call_finished]))
    (call,) = heard.calls
    assert (call.result, call.error) == (None, caught.value)
    assert caught.value.call_id == call.id
    assert caught.value.attempts == tuple(call.attempts)


def test_a_call_that_was_cancelled_is_recorded_too() -> None:
    heard = MemoryObserver()

    async def scenario() -> None:
        manager = build(scripted("a", HANG), observers=[heard.call_finished])
        task = asyncio.ensure_future(manager.process("x"))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await manager.aclose()

    run(scenario)
    (call,) = heard.calls
    assert isinstance(call.error, asyncio.CancelledError)
    assert [attempt.outcome for attempt in call.attempts] == [Outcome.CANCELLED]


def test_an_observer_that_breaks_fails_no_call_and_the_next_one_hears_it() -> None:
    def broken(call: Any) -> None:
        raise RuntimeError("no")

    heard = MemoryObserver()
    assert ask(build(scripted("a"), observers=[broken, heard.call_finished])).output == "a"
    assert len(heard.calls) == 1


def test_a_listener_that_breaks_keeps_no_circuit_from_changing() -> None:
    def broken(change: Any) -> None:
        raise RuntimeError("no")

    heard = MemoryObserver()
    manager = build(scripted("a"), state_observers=[broken, heard.state_changed])
    manager.force_open("a")
    assert manager.is_open("a")
    assert [change.new for change in heard.changes] == ["forced_open"]


def test_ids_of_calls_differ_within_a_manager_and_between_managers() -> None:
    first, second = build(scripted("a")), build(scripted("a"))
    results = [*ask_again_and_again(first, 2), ask(second)]
    assert len({result.call_id for result in results}) == 3


def test_a_result_handed_out_twice_is_copied_without_what_was_filled_in() -> None:
    class Keeping(ScriptedProvider):
        kept = ProviderResult("same", metadata={"page": 1})

        async def process(self, request: Any) -> ProviderResult[Any]:
            return self.kept

    manager = build(Keeping(["x"], name="a", price=Price(Decimal(2))))
    first, second = ask_again_and_again(manager, 2)
    assert second is not first
    assert first.metadata == {"page": 1}
    assert (second.output, second.cost, second.metadata) == ("same", Decimal(2), {})


# Many


def test_memory_stays_bounded_whatever_the_number_of_requests() -> None:
    """Requests are taken as places come free: never more than so many are out at a time."""
    out = 0
    most = 0

    def requests() -> Iterator[int]:
        nonlocal out, most
        for number in range(200):
            out += 1
            most = max(most, out)
            yield number

    async def scenario(ordered: bool) -> list[int]:
        nonlocal out
        found = []
        manager = build(scripted("a", lambda number: Delay((number * 7) % 5, number)), clock=VirtualClock())
        async for answer in manager.map(requests(), concurrency=3, ordered=ordered):
            out -= 1
            assert answer.result is not None
            assert answer.result.output == answer.request == answer.index
            found.append(answer.index)
        return found

    assert run(lambda: scenario(ordered=True)) == list(range(200))
    assert sorted(run(lambda: scenario(ordered=False))) == list(range(200))
    assert most == 3


def test_closing_before_the_end_cancels_what_is_under_way_at_once() -> None:
    async def scenario() -> None:
        manager = build(scripted("a", lambda number: Delay(number, number)), clock=VirtualClock())
        async with aclosing(manager.map([1, 50, 60], concurrency=3)) as answers:
            async for answer in answers:
                assert answer.index == 0
                break
        assert (manager.in_flight, manager.providers["a"].figures.in_flight) == (0, 0)
        assert manager.providers["a"].figures.outcomes == {Outcome.CANCELLED: 2}

    run(scenario)


def test_options_of_a_call_go_to_each_of_many() -> None:
    async def scenario() -> list[str]:
        manager = build(scripted("a"), scripted("b"))
        return [answer.result.provider async for answer in manager.map("xyz", exclude=["a"]) if answer.result]

    assert run(scenario) == ["b", "b", "b"]


# From ordinary code


class Table(SimpleProvider[Any, Any]):
    """Never waits for anything."""

    suspends = False
    loops: Any = ()

    async def process(self, request: Any) -> ProviderResult[Any]:
        self.loops = [*self.loops, asyncio._get_running_loop()]
        return ProviderResult(request)


def test_what_never_waits_is_answered_without_a_loop_and_without_a_thread() -> None:
    provider = Table(name="a")
    manager = build(provider, deadline=None)
    before = threading.active_count()
    assert manager.process_sync("x").output == "x"
    assert provider.loops == [None]
    assert threading.active_count() == before


def test_a_provider_that_promised_not_to_wait_and_does_is_named_as_defective() -> None:
    class Lying(Table):
        async def process(self, request: Any) -> ProviderResult[Any]:
            await asyncio.sleep(0)
            return ProviderResult(request)

    with pytest.raises(UsageError, match="suspends = False"):
        build(Lying(name="a"), deadline=None).process_sync("x")


def test_a_manager_is_closed_from_ordinary_code_too() -> None:
    manager = build(scripted("a"))
    assert manager.process_sync("x").output == "a"
    assert manager.in_flight == 0
    manager.close()
    with pytest.raises(UsageError, match="service is closed"):
        manager.process_sync("x")
    manager.close()
