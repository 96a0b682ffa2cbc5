"""Identical requests at the same time, and answers that are past their time: who waits, who pays, who is told what."""

import asyncio
import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from switchgear import (
    AllProvidersFailed,
    Breaker,
    CachedProviderManager,
    CacheSettings,
    InvalidInput,
    Price,
    ProviderError,
    Retry,
    UsageError,
)
from switchgear.durations import Duration
from switchgear.testing import (
    HANG,
    Delay,
    MemoryObserver,
    ScriptedCache,
    ScriptedProvider,
    VirtualClock,
    cancel_at_every_await,
    run,
    settle,
)

Manager = CachedProviderManager[Any, Any]


def priced(*script: Any, name: str = "a", **options: Any) -> ScriptedProvider:
    return ScriptedProvider(list(script), name=name, price=Price(per_call=Decimal("0.5")), **options)


def manager(*providers: Any, **options: Any) -> Manager:
    numbers = {key: Duration(options.pop(key, 0.0)) for key in ("stale_while_revalidate", "stale_if_error")}
    caching = CacheSettings(ttl=Duration(60.0), jitter=0.0, **numbers)
    off = {"retry": Retry(attempts=1), "breaker": Breaker(enabled=False), "clock": VirtualClock()}
    return CachedProviderManager(providers, caching=caching, random=random.Random(0), **{**off, **options})


def states(observer: MemoryObserver) -> list[str]:
    return [call.result.cache if call.result else type(call.error).__name__ for call in observer.calls]


@pytest.mark.parametrize("cache", [None, ScriptedCache(delay=0.01)], ids=["at hand", "far"])
async def test_a_thousand_identical_requests_at_once_reach_the_provider_once(cache: Any) -> None:
    provider, heard = priced(Delay(1.0, "answer")), MemoryObserver()
    service = manager(provider, cache=cache, observers=[heard.call_finished])
    results = await asyncio.gather(*(service.process("request", tags=[str(n)]) for n in range(1000)))
    assert provider.calls == 1
    assert {result.output for result in results} == {"answer"}
    assert [result.cache for result in results] == ["miss", *["shared"] * 999]
    assert sum(result.cost for result in results) == Decimal("0.5")
    assert {result.metadata["saved"] for result in results[1:]} == {Decimal("0.5")}
    assert len({result.call_id for result in results}) == len(heard.calls) == 1000
    assert sum(len(call.attempts) for call in heard.calls) == 1
    assert [call.tags for call in heard.calls if call.attempts] == [["0"]]
    assert service.cache_figures.shared == 999


@settings(max_examples=25, deadline=None)
@given(leavers=st.sets(st.integers(0, 19)), moment=st.floats(0.01, 0.99))
def test_cancelling_any_of_them_changes_nothing_for_the_rest(leavers: set[int], moment: float) -> None:
    async def scenario() -> None:
        provider, heard = priced(Delay(1.0, "answer")), MemoryObserver()
        service = manager(provider, observers=[heard.call_finished])
        tasks = [asyncio.ensure_future(service.process("request")) for _ in range(20)]
        await asyncio.sleep(moment)
        for number in leavers:
            tasks[number].cancel()
        await asyncio.wait(tasks)
        stayed = [task for number, task in enumerate(tasks) if number not in leavers]
        assert all(task.cancelled() for number, task in enumerate(tasks) if number in leavers)
        assert all(task.result().output == "answer" for task in stayed)
        assert provider.calls <= 1
        assert service.in_flight == 0
        assert len(service._flights) == 0
        # One record for each, and one more for the work that went on after its leader had left.
        assert len(heard.calls) == 20 + (0 in leavers)
        assert sum(len(call.attempts) for call in heard.calls) == 1

    run(scenario)


async def test_the_flight_ends_when_its_last_waiter_leaves_and_the_next_request_starts_anew() -> None:
    provider = priced(HANG, "answer")
    service = manager(provider)
    tasks = [asyncio.ensure_future(service.process("request")) for _ in range(3)]
    await asyncio.sleep(1.0)
    for task in tasks:
        task.cancel()
    assert (await service.process("request")).output == "answer"
    await asyncio.wait(tasks)
    assert provider.calls == 2


async def test_a_leaders_failure_is_everybodys_and_nobody_tries_again() -> None:
    provider, heard = priced(Delay(1.0, ProviderError("down")), "later"), MemoryObserver()
    service = manager(provider, observers=[heard.call_finished])
    errors = await asyncio.gather(*(service.process("request") for _ in range(50)), return_exceptions=True)
    assert provider.calls == 1
    assert {type(error) for error in errors} == {AllProvidersFailed}
    assert len({error.call_id for error in errors}) == len(heard.calls) == 50
    assert all(len(error.attempts) == 1 and error.__cause__ for error in errors)
    assert (await service.process("request")).output == "later"


async def test_each_waiter_keeps_its_own_deadline_and_the_flight_has_the_latest() -> None:
    provider = priced(Delay(10.0, "answer"))
    service = manager(provider)
    clock = service._home.clock

    async def timed(deadline: float) -> tuple[str, float]:
        try:
            return (await service.process("request", deadline=deadline)).output, clock.monotonic()
        except AllProvidersFailed as error:
            return str(error), clock.monotonic()

    first = asyncio.ensure_future(timed(30.0))
    await asyncio.sleep(0)
    short, long = await asyncio.gather(timed(2.0), timed(20.0))
    assert "no answer in time" in short[0]
    assert short[1] == pytest.approx(2.0, abs=0.05)
    assert long[0] == (await first)[0] == "answer"


async def test_a_short_deadline_of_the_leader_does_not_cut_those_short_who_joined() -> None:
    hanging, good = priced(HANG, name="hanging", priority=1), priced("answer", name="good", priority=2)
    service = manager(hanging, good)
    leader = asyncio.ensure_future(service.process("request", deadline=2.0))
    await asyncio.sleep(0.5)
    assert (await service.process("request", deadline=20.0)).output == "answer"
    assert (await leader).output == "answer"
    assert hanging.calls == good.calls == 1


async def test_alone_with_a_deadline_it_falls_back_in_time_as_without_a_cache() -> None:
    hanging, good = priced(HANG, name="hanging", priority=1), priced("answer", name="good", priority=2)
    assert (await manager(hanging, good).process("request", deadline=2.0)).provider == "good"


async def test_a_stale_answer_is_given_at_once_while_a_new_one_is_fetched() -> None:
    provider, heard = priced("old", Delay(5.0, "new")), MemoryObserver()
    service = manager(provider, stale_while_revalidate=600.0, observers=[heard.call_finished])
    await service.process("request")
    await asyncio.sleep(100.0)
    started = service._home.clock.monotonic()
    results = [await service.process("request") for _ in range(3)]
    assert [(result.output, result.cache) for result in results] == [("old", "stale")] * 3
    assert service._home.clock.monotonic() == started
    await asyncio.sleep(6.0)
    assert (await service.process("request")).output == "new"
    assert provider.calls == 2
    assert states(heard) == ["miss", "stale", "stale", "stale", "miss", "fresh"]
    assert len({call.id for call in heard.calls}) == 6
    assert service.cache_figures.refreshes == 1


async def test_a_refresh_that_fails_is_nobodys_error_and_is_tried_again() -> None:
    provider = priced("old", ProviderError("down"), "new")
    service = manager(provider, stale_while_revalidate=600.0)
    await service.process("request")
    await asyncio.sleep(100.0)
    assert (await service.process("request")).output == "old"
    await settle()
    assert (await service.process("request")).output == "old"
    await settle()
    assert (await service.process("request")).output == "new"


async def test_after_its_grace_nobody_gets_the_stale_answer_any_more() -> None:
    service = manager(priced("old", "new"), stale_while_revalidate=10.0)
    await service.process("request")
    await asyncio.sleep(70.0)
    assert (await service.process("request")).output == "new"


@pytest.mark.parametrize("trouble", [ProviderError("down"), HANG])
async def test_a_stale_answer_is_better_than_none(trouble: Any) -> None:
    provider, heard = priced("old", trouble), MemoryObserver()
    service = manager(provider, stale_if_error=600.0, observers=[heard.call_finished])
    await service.process("request")
    await asyncio.sleep(100.0)
    results = await asyncio.gather(*(service.process("request", deadline=5.0) for _ in range(3)))
    assert [(result.output, result.cache, result.cost) for result in results] == [("old", "stale_on_error", 0)] * 3
    assert provider.calls == 2
    assert states(heard) == ["miss", *["stale_on_error"] * 3]
    assert [len(call.attempts) for call in heard.calls[1:]] == [1, 0, 0]
    await asyncio.sleep(700.0)
    with pytest.raises(AllProvidersFailed):
        await service.process("request", deadline=5.0)


async def test_a_caller_out_of_time_gets_the_stale_answer_while_others_wait_for_a_new_one() -> None:
    service = manager(priced("old", Delay(10.0, "new")), stale_if_error=600.0)
    await service.process("request")
    await asyncio.sleep(100.0)
    patient = asyncio.ensure_future(service.process("request", deadline=30.0))
    await asyncio.sleep(0)
    hurried = await service.process("request", deadline=1.0)
    assert (hurried.output, hurried.cache) == ("old", "stale_on_error")
    assert (await patient).output == "new"


async def test_a_wrong_request_gets_its_error_and_no_stale_answer() -> None:
    service = manager(priced("old", InvalidInput("no page")), stale_if_error=600.0)
    await service.process("request")
    await asyncio.sleep(100.0)
    with pytest.raises(InvalidInput):
        await service.process("request")


async def test_what_was_being_fetched_when_everything_was_forgotten_is_not_kept() -> None:
    service = manager(priced(Delay(1.0, "old"), "new"))
    waiting = asyncio.ensure_future(service.process("request"))
    await asyncio.sleep(0.5)
    await service.invalidate()
    assert (await waiting).output == "old"
    assert (await service.process("request")).output == "new"


async def test_closing_gives_those_who_wait_their_time_and_ends_what_nobody_waits_for() -> None:
    service = manager(priced("old", HANG), stale_while_revalidate=600.0)
    await service.process("request")
    await asyncio.sleep(100.0)
    await service.process("request")
    await service.aclose(drain=1.0)
    slow = manager(priced(Delay(1.0, "answer")))
    waiting = asyncio.ensure_future(slow.process("request"))
    await asyncio.sleep(0.5)
    await slow.aclose(drain=5.0)
    assert (await waiting).output == "answer"
    with pytest.raises(UsageError, match="closed"):
        await slow.process("request")


async def test_a_nested_calls_short_deadline_is_not_the_flights() -> None:
    """The flight goes on for others after the call that it was first made for."""
    inner = manager(priced(Delay(5.0, "answer")))

    class Outer(ScriptedProvider):
        async def process(self, request: Any) -> Any:
            return await inner.process(request)

    outer = manager(Outer([], name="outer"))
    hurried = asyncio.ensure_future(outer.process("request", deadline=1.0))
    await asyncio.sleep(0.1)
    patient = asyncio.ensure_future(inner.process("request"))
    with pytest.raises(AllProvidersFailed):
        await hurried
    assert (await patient).output == "answer"


@pytest.mark.parametrize("cache", [None, "far"])
def test_cancelled_anywhere_it_leaves_nothing_behind(cache: str | None) -> None:
    services: list[Manager] = []

    async def scenario() -> None:
        far = None if cache is None else ScriptedCache(delay=0.1)
        service = manager(priced(Delay(1.0, "old"), Delay(1.0, "new")), cache=far, stale_while_revalidate=60.0)
        services.append(service)
        await asyncio.gather(service.process("request"), service.process("request"))
        await asyncio.sleep(70.0)
        await service.process("request")
        await service.aclose()

    async def check() -> None:
        await services[-1].aclose()
        assert services[-1].in_flight == 0
        assert len(services[-1]._flights) == 0

    assert cancel_at_every_await(scenario, check) >= 3


async def test_many_at_once_look_once_and_if_the_one_who_looks_leaves_the_next_one_does() -> None:
    far = ScriptedCache(delay=0.1)
    provider = priced("answer")
    service = manager(provider, cache=far)
    await service.process("request")
    far.asked = 0
    tasks = [asyncio.ensure_future(service.process("request")) for _ in range(100)]
    await asyncio.sleep(0.05)
    tasks[0].cancel()
    results = await asyncio.gather(*tasks[1:])
    assert {result.cache for result in results} == {"fresh"}
    assert (far.asked, provider.calls) == (2, 1)
