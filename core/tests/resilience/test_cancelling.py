"""Cancellation and the end of the program (S2): never swallowed, never a failure, and nothing is left behind."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import attrs
import pytest
from switchgear import (
    BadCredentials,
    Breaker,
    Call,
    Effect,
    Hedge,
    NotSent,
    Outcome,
    Policies,
    ProviderError,
    ProviderManager,
    ProviderResult,
    Rate,
    Retry,
    SimpleProvider,
    SwitchgearError,
    Throttled,
    Unsupported,
)
from switchgear.durations import Duration
from switchgear.testing import HANG, Delay, ScriptedProvider, VirtualClock, cancel_at_every_await, run

Manager = ProviderManager[Any, Any]


def scripted(name: str, *script: Any, **options: Any) -> ScriptedProvider:
    return ScriptedProvider(list(script), name=name, **options)


def service_of(*providers: Any, **settings: Any) -> Manager:
    return ProviderManager(providers, clock=VirtualClock(), **settings)


def assert_nothing_is_taken(service: Manager) -> None:
    assert service.in_flight == 0
    for candidate in service._by_name.values():
        assert candidate.in_flight == 0, candidate.name
        if candidate.bulkhead is not None:
            assert (candidate.bulkhead.taken, candidate.bulkhead.waiting, candidate.bulkhead.held) == (0, 0, 0)
        if candidate.breaker is not None:
            assert candidate.breaker._trial == 0, "a trial's place was not given back"
    assert service._home.timers.pending == 0


async def cancelled(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_s2_a_thousand_cancelled_callers_change_no_figure_and_no_circuit() -> None:
    calls: list[Call] = []
    only = scripted("only", "good", HANG)
    service = service_of(only, observers=[calls.append])
    await service.process("x")
    before = only.figures.latency.average, only.figures.latency.samples, service.budget.tokens
    tasks = [asyncio.ensure_future(service.process("x")) for _ in range(1000)]
    await asyncio.sleep(1)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert all(task.cancelled() for task in tasks)
    assert (only.figures.latency.average, only.figures.latency.samples, service.budget.tokens) == before
    assert only.figures.success_rate == 1.0
    assert not service.is_open("only")
    breaker = service._by_name["only"].breaker
    assert breaker is not None
    assert breaker._window.calls == 1
    assert {call.attempts[0].outcome for call in calls[1:]} == {Outcome.CANCELLED}
    assert_nothing_is_taken(service)


async def test_s2_a_plugin_that_makes_an_error_of_it_does_not_hide_the_callers_cancellation() -> None:
    async def catches_everything(_: Any) -> Any:
        try:
            await HANG.wait()
        except BaseException as error:
            raise ProviderError("the client said: cancelled") from error

    second = scripted("second", "good")
    service = service_of(scripted("first", catches_everything), second)
    task = asyncio.ensure_future(service.process("x"))
    await asyncio.sleep(1)
    await cancelled(task)
    assert second.calls == 0
    assert not service.is_open("first")
    assert_nothing_is_taken(service)


async def test_s2_a_callers_own_timeout_ends_the_call_whatever_the_plugin_makes_of_it() -> None:
    async def catches_everything(_: Any) -> Any:
        try:
            await HANG.wait()
        except BaseException as error:
            raise ConnectionError from error

    second = scripted("second", "good")
    service = service_of(scripted("first", catches_everything), second, deadline=None)

    async def impatient() -> None:
        async with asyncio.timeout(3):
            await service.process("x")

    with pytest.raises(TimeoutError):
        await impatient()
    assert second.calls == 0


@pytest.mark.parametrize("deadline", [None, 60.0])
async def test_s2_a_cancellation_that_nobody_asked_for_is_the_plugins_defect(deadline: float | None) -> None:
    """A client that cancels its own inner task must not end the caller's."""

    async def awaits_what_was_cancelled(_: Any) -> Any:
        inner = asyncio.ensure_future(asyncio.sleep(10))
        asyncio.get_running_loop().call_later(1, inner.cancel)
        await inner

    service = service_of(scripted("first", awaits_what_was_cancelled), scripted("second", "good"), deadline=deadline)
    result = await service.process("x")
    assert result.provider == "second"
    assert [attempt.outcome for attempt in result.attempts] == [Outcome.PLUGIN_BUG, Outcome.SUCCESS]
    assert "StrayCancellation" in result.attempts[0].message


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("effect", [Effect.PURE, Effect.ONCE])
def test_s2_the_end_of_the_program_passes_through_and_leaves_everything_in_its_place(
    kind: type[BaseException], effect: Effect
) -> None:
    services: list[Manager] = []
    calls: list[Call] = []

    async def scenario() -> None:
        first = scripted("first", NotSent("refused"), kind("user said secret"), concurrency=1)
        trips = Breaker(consecutive=1, open_for=Duration(1.0))
        services.append(
            service_of(first, scripted("second", "good"), effect=effect, breaker=trips, observers=[calls.append])
        )
        await services[0].process("x")
        await asyncio.sleep(1)
        await services[0].process("x")

    with pytest.raises(kind):
        run(scenario)
    assert_nothing_is_taken(services[0])
    last = calls[-1].attempts[-1]
    assert last.outcome is (Outcome.IN_DOUBT if effect is Effect.ONCE else Outcome.CANCELLED)
    assert "secret" not in last.message
    assert isinstance(calls[-1].error, kind)


@attrs.define
class SlowToOpen(SimpleProvider[Any, Any]):
    """Takes a second to get ready."""

    opened: int = attrs.field(default=0, init=False)

    async def aopen(self) -> None:
        await asyncio.sleep(1)
        self.opened += 1

    async def process(self, request: Any) -> ProviderResult[Any]:
        return ProviderResult("good")


Scenario = Callable[[list[Manager]], Coroutine[Any, Any, None]]


async def success(services: list[Manager]) -> None:
    services[:] = [service_of(scripted("first", Delay(1, "good"), concurrency=1))]
    await services[0].process("x")


async def retries(services: list[Manager]) -> None:
    down = Delay(1, ProviderError("down"))
    services[:] = [service_of(scripted("first", down, down, "good", concurrency=1))]
    await services[0].process("x")


async def fallback(services: list[Manager]) -> None:
    first = scripted("first", Delay(1, Unsupported("no")), concurrency=1)
    services[:] = [service_of(first, scripted("second", Delay(1, "good"), concurrency=1))]
    await services[0].process("x")


async def waits_in_line(services: list[Manager]) -> None:
    services[:] = [service_of(scripted("first", Delay(1, "good"), concurrency=2))]
    await among_others(services[0], 5)


async def waits_in_line_among_others_who_leave(services: list[Manager]) -> None:
    services[:] = [service_of(scripted("first", Delay(1, "good"), concurrency=1))]
    await among_others(services[0], 3, leaving=1.0)


async def among_others(service: Manager, number: int, leaving: float | None = None) -> None:
    others = [asyncio.ensure_future(service.process(each)) for each in range(number)]
    leaves = None if leaving is None else asyncio.get_running_loop().call_later(leaving, others[1].cancel)
    try:
        await asyncio.sleep(0)
        await service.process("x")
    finally:
        if leaves is not None:
            leaves.cancel()
        for other in others:
            other.cancel()
        await asyncio.wait(others)


async def hedges(services: list[Manager]) -> None:
    first = scripted("first", "good", Delay(5, "late"), concurrency=1)
    second = scripted("second", Delay(1, "good"), concurrency=1)
    services[:] = [service_of(first, second, hedge=Hedge(min_samples=1, share=1.0))]
    await services[0].process("x")
    await services[0].process("x")


async def hedges_in_vain(services: list[Manager]) -> None:
    first = scripted("first", "good", Delay(5, Unsupported("no")), concurrency=1)
    second = scripted("second", Delay(1, Unsupported("no")), concurrency=1)
    third = scripted("third", Delay(1, "good"), concurrency=1)
    services[:] = [service_of(first, second, third, hedge=Hedge(min_samples=1, share=1.0))]
    await services[0].process("x")
    await services[0].process("x")


async def is_the_trial(services: list[Manager]) -> None:
    first = scripted("first", ProviderError("down"), Delay(1, "good"), concurrency=1)
    breaker = Breaker(consecutive=1, open_for=Duration(1.0))
    services[:] = [service_of(first, scripted("second", "good"), breaker=breaker)]
    await services[0].process("x")
    await asyncio.sleep(1.5)
    await services[0].process("x")
    await services[0].process("x")


async def probes(services: list[Manager]) -> None:
    script = [Delay(1, ProviderError("down")), Delay(1, ProviderError("down")), Delay(1, "good")]
    breaker = Breaker(consecutive=1)
    services[:] = [service_of(scripted("first", *script, concurrency=1), breaker=breaker, retry=Retry(attempts=1))]
    for _ in range(2):
        try:
            await services[0].process("x")
        except Exception:
            continue
    await services[0].process("x")


async def waits_out_a_throttle(services: list[Manager]) -> None:
    first = scripted("first", Throttled("slow down", retry_after=5.0), Throttled("slow down"), Delay(1, "good"))
    services[:] = [service_of(first, scripted("second", BadCredentials("HTTP 401")))]
    await services[0].process("x")


async def waits_for_its_rate(services: list[Manager]) -> None:
    policies = {"first": Policies(rate=Rate(calls=1, per=Duration(5.0)))}
    services[:] = [service_of(scripted("first", Delay(1, "good"), concurrency=1), policies=policies)]
    await services[0].process("x")
    await services[0].process("x")


async def times_out(services: list[Manager]) -> None:
    first = scripted("first", HANG, timeout=1.0, concurrency=1)
    services[:] = [service_of(first, scripted("second", Delay(1, "good")))]
    await services[0].process("x")


async def opens(services: list[Manager]) -> None:
    services[:] = [service_of(SlowToOpen(name="first", concurrency=1))]
    await services[0].process("x")


async def nests(services: list[Manager]) -> None:
    inner = service_of(scripted("inner", Delay(1, ProviderError("down")), Delay(1, "good"), concurrency=1))

    async def asks_another(request: Any) -> Any:
        return (await inner.process(request)).output

    services[:] = [service_of(scripted("outer", asks_another, concurrency=1)), inner]
    await services[0].process("x")


async def pays(services: list[Manager]) -> None:
    first = scripted("first", Delay(1, ProviderError("down")), Delay(1, "paid"), concurrency=1)
    services[:] = [service_of(first, effect=Effect.ONCE)]
    await services[0].process("x", idempotency_key="order-7")


async def maps(services: list[Manager]) -> None:
    services[:] = [service_of(scripted("first", Delay(1, "good"), concurrency=2))]
    async for _ in services[0].map(range(5), concurrency=3):
        pass


SCENARIOS = [
    success,
    retries,
    fallback,
    waits_in_line,
    waits_in_line_among_others_who_leave,
    hedges,
    hedges_in_vain,
    is_the_trial,
    probes,
    waits_out_a_throttle,
    waits_for_its_rate,
    times_out,
    opens,
    nests,
    pays,
    maps,
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_s29_cancelled_at_any_await_it_leaves_nothing_behind_and_the_service_works_on(scenario: Scenario) -> None:
    services: list[Manager] = []

    async def check() -> None:
        for service in services:
            assert_nothing_is_taken(service)
            # Whatever it was cancelled in: once the rest of the script is over, everybody is answered again.
            for _ in range(3):
                await asyncio.sleep(400)
                with suppress(SwitchgearError):
                    await service.process("next")
            assert (await service.process("last")).output in ("good", "paid", "late")
            assert_nothing_is_taken(service)
        for service in services:
            await service.aclose()

    assert cancel_at_every_await(lambda: scenario(services), check) >= 1
