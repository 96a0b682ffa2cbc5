"""Work that must happen once (S1): an unknown outcome stays unknown, and nobody else is ever asked."""

import asyncio
from typing import Any

import attrs
import pytest
from switchgear import (
    AllProvidersFailed,
    BadCredentials,
    Breaker,
    Call,
    Effect,
    InDoubt,
    InvalidResult,
    NotSent,
    Outcome,
    Policies,
    ProviderError,
    ProviderManager,
    ProviderResult,
    QuotaExceeded,
    Rate,
    Rejected,
    Retry,
    SimpleProvider,
    SwitchgearError,
    Throttled,
    Unsupported,
    current_call,
)
from switchgear.durations import Duration
from switchgear.testing import HANG, Delay, ScriptedProvider, VirtualClock

Manager = ProviderManager[Any, Any]
TIMES_OUT = HANG


def scripted(name: str, *script: Any, **options: Any) -> ScriptedProvider:
    return ScriptedProvider(list(script), name=name, **options)


def payments(*providers: Any, **settings: Any) -> Manager:
    return ProviderManager(providers, effect=Effect.ONCE, clock=VirtualClock(), **settings)


async def test_s1_nobody_else_is_asked_after_an_unknown_outcome() -> None:
    second = scripted("second", "paid twice")
    service = payments(scripted("first", TIMES_OUT, timeout=1.0), second)
    with pytest.raises(InDoubt, match="sent, outcome unknown"):
        await service.process("pay")
    assert second.calls == 0


async def test_s1_a_repetition_with_the_same_key_may_settle_the_doubt() -> None:
    first, second = scripted("first", TIMES_OUT, "paid", timeout=1.0), scripted("second", "paid twice")
    result = await payments(first, second).process("pay", idempotency_key="order-7")
    assert (result.output, result.provider, second.calls) == ("paid", "first", 0)
    assert [attempt.outcome for attempt in result.attempts] == [Outcome.IN_DOUBT, Outcome.SUCCESS]


@pytest.mark.parametrize(
    "then",
    [
        Throttled("HTTP 429", retry_after=0.5),
        NotSent("refused"),
        Unsupported("HTTP 415"),
        BadCredentials("HTTP 401"),
        QuotaExceeded("HTTP 402"),
        Rejected("no room"),
        InvalidResult("empty"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_s1_what_the_repetition_meets_does_not_lift_the_doubt(then: SwitchgearError) -> None:
    """A 429 for the second request says nothing about the first, which may have been paid."""
    first, second = scripted("first", TIMES_OUT, then, timeout=1.0), scripted("second", "paid twice")
    with pytest.raises(InDoubt):
        await payments(first, second).process("pay", idempotency_key="order-7")
    assert (first.calls, second.calls) == (2, 0)


async def test_s1_a_circuit_that_opens_before_the_repetition_does_not_lift_the_doubt() -> None:
    first, second = scripted("first", TIMES_OUT, timeout=1.0), scripted("second", "paid twice")
    service = payments(first, second, breaker=Breaker(consecutive=1))
    with pytest.raises(InDoubt):
        await service.process("pay", idempotency_key="order-7")
    assert (first.calls, second.calls) == (1, 0)


async def test_s1_a_provider_taken_out_by_hand_before_the_repetition_does_not_lift_the_doubt() -> None:
    first, second = scripted("first", TIMES_OUT, timeout=1.0), scripted("second", "paid twice")
    long = Retry(base=Duration(1e9), cap=Duration(1e9))  # full jitter: even an unlucky draw is a long pause
    service = payments(first, second, retry=long, deadline=1e10)
    call = asyncio.ensure_future(service.process("pay", idempotency_key="order-7"))
    await asyncio.sleep(1.02)
    service.force_open("first")
    with pytest.raises(InDoubt):
        await call
    assert (first.calls, second.calls) == (1, 0)


async def test_s1_a_rate_limit_before_the_repetition_does_not_lift_the_doubt() -> None:
    first, second = scripted("first", TIMES_OUT, timeout=1.0), scripted("second", "paid twice")
    slow = Policies(rate=Rate(calls=1, per=Duration(3600.0)))
    with pytest.raises(InDoubt):
        await payments(first, second, policies={"first": slow}).process("pay", idempotency_key="order-7")
    assert (first.calls, second.calls) == (1, 0)


async def test_s1_no_room_for_the_repetition_does_not_lift_the_doubt() -> None:
    first, second = scripted("first", TIMES_OUT, timeout=1.0, concurrency=1), scripted("second", "paid twice")
    long = Retry(base=Duration(20.0), cap=Duration(20.0))
    service = payments(first, second, policies={"first": Policies(queue=0, retry=long)}, deadline=300.0)
    call = asyncio.ensure_future(service.process("pay", idempotency_key="order-7"))
    await asyncio.sleep(1.02)
    others = [asyncio.ensure_future(service.process("pay", only=["first"])) for _ in range(1)]
    while not call.done():
        await asyncio.sleep(0.9)
        others.append(asyncio.ensure_future(service.process("pay", only=["first"])))
    with pytest.raises(InDoubt):
        await call
    assert second.calls == 0
    await asyncio.wait(others)


async def test_s1_what_never_left_is_repeated_once_and_then_falls_over() -> None:
    first, second = scripted("first", NotSent("refused")), scripted("second", "paid")
    result = await payments(first, second).process("pay")
    assert (result.provider, first.calls) == ("second", 2)


async def test_s1_a_provider_that_cannot_be_opened_was_sent_nothing() -> None:
    @attrs.define(eq=False)
    class Broken(ScriptedProvider):
        async def aopen(self) -> None:
            raise ImportError("no engine here")

    first, second = Broken(["paid"], name="first"), scripted("second", "paid")
    result = await payments(first, second).process("pay")
    assert result.provider == "second"
    assert first.calls == 0
    assert result.attempts[0].outcome is Outcome.PLUGIN_BUG


async def test_s1_one_that_hangs_while_it_is_opened_was_sent_nothing() -> None:
    @attrs.define(eq=False)
    class Slow(ScriptedProvider):
        async def aopen(self) -> None:
            await HANG.wait()

    second = scripted("second", "paid")
    assert (await payments(Slow(["paid"], name="first", timeout=1.0), second).process("pay")).provider == "second"


async def test_s1_a_cancelled_payment_is_in_doubt_in_the_record_and_nobodys_failure() -> None:
    calls: list[Call] = []
    first, second = scripted("first", "paid", HANG), scripted("second", "paid twice")
    service = payments(first, second, observers=[calls.append])
    await service.process("pay")
    average = first.figures.latency.average
    task = asyncio.ensure_future(service.process("pay"))
    await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert [attempt.outcome for attempt in calls[-1].attempts] == [Outcome.IN_DOUBT]
    assert isinstance(calls[-1].error, asyncio.CancelledError)
    assert (first.figures.latency.average, first.figures.latency.samples) == (average, 1)
    assert first.figures.success_rate == 1.0
    breaker = service._by_name["first"].breaker
    assert breaker is not None
    assert breaker._window.failures == 0
    assert second.calls == 0


async def test_s1_a_payment_cancelled_in_line_was_never_sent() -> None:
    calls: list[Call] = []
    service = payments(scripted("only", Delay(5, "paid"), concurrency=1), observers=[calls.append])
    first = asyncio.ensure_future(service.process("pay"))
    await asyncio.sleep(1)
    second = asyncio.ensure_future(service.process("pay"))
    await asyncio.sleep(1)
    second.cancel()
    await asyncio.wait([second])
    assert calls[-1].attempts == []
    await first


async def test_s1_a_payment_under_way_when_the_service_is_closed_is_in_doubt() -> None:
    second = scripted("second", "paid twice")
    service = payments(scripted("first", HANG), second, deadline=None)
    call = asyncio.ensure_future(service.process("pay", idempotency_key="order-7"))
    await asyncio.sleep(1)
    await service.aclose(drain=1.0)
    with pytest.raises(InDoubt):
        await call
    assert second.calls == 0


@attrs.define
class Keyed(SimpleProvider[Any, Any]):
    """Notes the key of each attempt; fails twice."""

    keys: list[str | None] = attrs.field(factory=list, init=False)

    async def process(self, request: Any) -> ProviderResult[Any]:
        call = current_call()
        assert call is not None
        self.keys.append(call.idempotency_key)
        if len(self.keys) < 3:
            raise ProviderError("down")
        return ProviderResult("done")


@pytest.mark.parametrize("effect", Effect)
async def test_s1_the_callers_key_is_the_same_in_every_attempt(effect: Effect) -> None:
    provider = Keyed(name="only")
    service: Manager = ProviderManager([provider], effect=effect, clock=VirtualClock())
    await service.process("x", idempotency_key="order-7")
    assert provider.keys == ["order-7"] * 3
    assert current_call() is None


async def test_s1_without_one_each_call_has_a_key_of_its_own_but_work_to_be_done_once_has_none() -> None:
    provider = Keyed(name="only")
    service: Manager = ProviderManager([provider], effect=Effect.IDEMPOTENT, clock=VirtualClock())
    first, second = await service.process("x"), await service.process("x")
    assert provider.keys == [first.call_id] * 3 + [second.call_id]
    assert first.call_id != second.call_id
    once = Keyed(name="only")
    with pytest.raises(InDoubt):
        await payments(once).process("pay")
    assert once.keys == [None]


async def test_s1_nobody_is_probed_after_a_doubt() -> None:
    first, second = scripted("first", TIMES_OUT, timeout=1.0), scripted("second", ProviderError("down"))
    service = payments(second, breaker=Breaker(consecutive=1))
    with pytest.raises(InDoubt):
        await service.process("pay")
    both = payments(first, scripted("second", "paid twice"))
    both.force_open("second")
    with pytest.raises(InDoubt):
        await both.process("pay")


async def test_s1_a_plain_failure_of_everybody_is_no_doubt() -> None:
    service = payments(scripted("first", Unsupported("no")), scripted("second", NotSent("refused")))
    with pytest.raises(AllProvidersFailed):
        await service.process("pay")
