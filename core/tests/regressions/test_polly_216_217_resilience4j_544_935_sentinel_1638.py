"""Stale results decided a half-open circuit (Polly #216, #217); a trial's place leaked and it stayed half-open for ever
(resilience4j #544, #935, Sentinel #1638).

Here a permit belongs to its generation, and a trial has its place by a lease.
"""

import asyncio
from typing import Any

import pytest
from switchgear import Breaker, InvalidInput, ProviderError, ProviderManager, Retry, Throttled, Unsupported
from switchgear.durations import Duration
from switchgear.testing import HANG, Delay, ScriptedProvider, VirtualClock

DOWN = ProviderError("down")


def service_of(*script: Any, **breaker: Any) -> ProviderManager[Any, Any]:
    first = ScriptedProvider(list(script), name="first")
    second = ScriptedProvider(["other"], name="second")
    return ProviderManager(
        [first, second],
        retry=Retry(attempts=1),
        breaker=Breaker(**{"consecutive": 1, **breaker}),
        deadline=1000.0,
        clock=VirtualClock(),
    )


def circuit(service: ProviderManager[Any, Any]) -> str:
    return service._by_name["first"].circuit


async def trip(service: ProviderManager[Any, Any]) -> None:
    await service.process("x")
    assert circuit(service) == "open"
    await asyncio.sleep(5)
    assert circuit(service) == "half_open"


@pytest.mark.parametrize("late", ["good", DOWN], ids=["a success", "a failure"])
async def test_a_result_of_before_the_outage_decides_no_trial(late: Any) -> None:
    service = service_of(Delay(6, late), DOWN, Delay(10, "good"), "good")
    old = asyncio.ensure_future(service.process("old"))
    await asyncio.sleep(0.1)
    await trip(service)
    trial = asyncio.ensure_future(service.process("trial"))
    await asyncio.wait([old])
    assert circuit(service) == "half_open"
    assert (await service.process("x")).provider == "second", "the trial is still the only one"
    assert (await trial).provider == "first"
    await service.process("x")
    assert circuit(service) == "closed"


@pytest.mark.parametrize(
    "says_nothing", [Unsupported("no"), InvalidInput("no"), Throttled("wait", retry_after=0.1)], ids=repr
)
async def test_trials_that_say_nothing_do_not_leave_it_half_open_for_ever(says_nothing: Exception) -> None:
    service = service_of(DOWN, *[says_nothing] * 30, "good")
    await trip(service)
    for _ in range(30):
        await asyncio.gather(service.process("x"), return_exceptions=True)
        await asyncio.sleep(0.2)
    for _ in range(2):
        assert (await service.process("x")).provider == "first"
    assert circuit(service) == "closed"


async def test_a_trial_that_nobody_settles_does_not_leave_it_half_open_for_ever() -> None:
    service = service_of(DOWN, HANG, "good", lease=Duration(30.0))
    await trip(service)
    lost = asyncio.ensure_future(service.process("lost"))
    await asyncio.sleep(31)
    for _ in range(2):
        assert (await service.process("x")).provider == "first"
    assert circuit(service) == "closed"
    lost.cancel()
    await asyncio.wait([lost])
