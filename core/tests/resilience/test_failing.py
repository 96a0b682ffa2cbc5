"""When nobody could answer: what the error tells (S3)."""

import asyncio
from typing import Any

import pytest
from switchgear import (
    AllProvidersFailed,
    AttemptTimeout,
    BadCredentials,
    Breaker,
    Call,
    Outcome,
    PluginBug,
    ProviderError,
    ProviderManager,
    Retry,
    Throttled,
    Unsupported,
)
from switchgear.testing import HANG, Delay, ScriptedProvider, VirtualClock

Manager = ProviderManager[Any, Any]
NO_RETRY = Retry(attempts=1)


def scripted(name: str, *script: Any, **options: Any) -> ScriptedProvider:
    return ScriptedProvider(list(script), name=name, **options)


def service_of(*providers: Any, **settings: Any) -> Manager:
    return ProviderManager(providers, clock=VirtualClock(), **settings)


async def failure(service: Manager, **options: Any) -> AllProvidersFailed:
    with pytest.raises(AllProvidersFailed) as caught:
        await service.process("x", **options)
    return caught.value


async def test_s3_it_carries_every_attempt_in_order_with_its_figures() -> None:
    calls: list[Call] = []
    slow = scripted("slow", Delay(2, ProviderError("HTTP 503")))
    service = service_of(slow, scripted("stuck", HANG, timeout=3.0), retry=Retry(attempts=2), observers=[calls.append])
    error = await failure(service)
    assert [(each.provider, each.number, each.outcome) for each in error.attempts] == [
        ("slow", 1, Outcome.TRANSIENT),
        ("slow", 2, Outcome.TRANSIENT),
        ("stuck", 3, Outcome.ATTEMPT_TIMEOUT),
        ("stuck", 4, Outcome.ATTEMPT_TIMEOUT),
    ]
    assert [each.latency for each in error.attempts] == pytest.approx([2, 2, 3, 3], abs=0.02)
    assert [each.message[:18] for each in error.attempts] == ["HTTP 503"] * 2 + ["no answer within 3"] * 2
    assert error.attempts == tuple(calls[0].attempts)
    assert calls[0].error is error
    assert error.call_id == calls[0].id


async def test_s3_its_cause_is_the_last_real_error() -> None:
    last = BadCredentials("HTTP 401")
    error = await failure(service_of(scripted("first", ProviderError("HTTP 503")), scripted("second", last)))
    assert error.__cause__ is last


async def test_s3_our_own_refusals_are_no_cause_and_stand_in_the_message() -> None:
    first, second = scripted("first", ProviderError("HTTP 503")), scripted("second", "good")
    service = service_of(first, second, retry=NO_RETRY)
    service.force_open("second")
    error = await failure(service)
    assert str(error.__cause__) == "HTTP 503"
    assert "second: circuit open" in str(error)
    service.force_open("first")
    error = await failure(service)
    assert error.__cause__ is None
    assert error.attempts == ()


async def test_s3_a_timeout_keeps_what_caused_it() -> None:
    error = await failure(service_of(scripted("only", HANG, timeout=1.0), retry=NO_RETRY))
    assert isinstance(error.__cause__, AttemptTimeout)
    assert isinstance(error.__cause__.__cause__, TimeoutError)


async def test_s3_a_plugins_defect_keeps_the_exception_itself() -> None:
    bug = ZeroDivisionError("secret")
    error = await failure(service_of(scripted("only", bug), retry=NO_RETRY))
    assert isinstance(error.__cause__, PluginBug)
    assert error.__cause__.__cause__ is bug


async def test_s3_it_says_when_the_first_may_be_asked_again() -> None:
    service = service_of(
        scripted("first", Throttled("slow down", retry_after=500.0)),
        scripted("second", Throttled("slow down", retry_after=100.0)),
    )
    assert (await failure(service)).retry_after == pytest.approx(100)
    await asyncio.sleep(30)
    assert (await failure(service)).retry_after == pytest.approx(70)


async def test_s3_who_may_be_asked_at_once_makes_it_unknown() -> None:
    service = service_of(scripted("first", Throttled("wait", retry_after=500.0)), scripted("second", Unsupported("no")))
    assert (await failure(service)).retry_after is None


async def test_s3_it_speaks_of_those_that_the_caller_wanted() -> None:
    service = service_of(scripted("first", Throttled("wait", retry_after=500.0)), scripted("second", "good"))
    assert (await failure(service, only=["first"])).retry_after == pytest.approx(500)


async def test_s3_forced_open_there_is_no_known_time() -> None:
    service = service_of(scripted("only", "good"))
    service.force_open("only")
    assert (await failure(service)).retry_after is None


async def test_s3_open_circuits_say_when_the_first_trial_is_due() -> None:
    trips = Breaker(consecutive=1)
    service = service_of(scripted("only", ProviderError("down")), breaker=trips, retry=NO_RETRY, all_down="fail_fast")
    await failure(service)
    error = await failure(service)
    assert error.retry_after is not None
    assert 2.5 <= error.retry_after <= 5
    await asyncio.sleep(error.retry_after)
    assert len((await failure(service)).attempts) == 1, "by then it is asked again"


async def test_s3_every_call_has_its_own_error_and_record() -> None:
    service = service_of(scripted("only", ProviderError("down")), breaker=Breaker(enabled=False))
    first, second = await asyncio.gather(failure(service), failure(service))
    assert first.call_id != second.call_id
    assert {each.call_id for each in first.attempts} == {first.call_id}
    assert {each.call_id for each in second.attempts} == {second.call_id}
