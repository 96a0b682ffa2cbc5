"""One deadline covers everything of a call (S5)."""

import asyncio
from typing import Any

import attrs
import pytest
from switchgear import (
    AllProvidersFailed,
    Effect,
    InDoubt,
    Outcome,
    Policies,
    ProviderError,
    ProviderManager,
    ProviderResult,
    Rate,
    Retry,
    SimpleProvider,
    Throttled,
    UsageError,
    current_call,
)
from switchgear.durations import Duration
from switchgear.testing import HANG, Delay, ScriptedProvider, VirtualClock

Manager = ProviderManager[Any, Any]
NO_RETRY = Retry(attempts=1)


def scripted(name: str, *script: Any, **options: Any) -> ScriptedProvider:
    return ScriptedProvider(list(script), name=name, **options)


def service_of(*providers: Any, **settings: Any) -> Manager:
    return ProviderManager(providers, clock=VirtualClock(), **settings)


def now() -> float:
    return asyncio.get_running_loop().time()


async def fails_at(service: Manager, **options: Any) -> float:
    with pytest.raises(AllProvidersFailed):
        await service.process("x", **options)
    return now()


async def test_s5_sixty_seconds_are_the_default() -> None:
    assert await fails_at(service_of(scripted("only", HANG), retry=NO_RETRY)) == pytest.approx(60, abs=0.02)


async def test_s5_the_callers_deadline_stands_in_place_of_the_services() -> None:
    service = service_of(scripted("only", HANG), retry=NO_RETRY, deadline=10.0)
    assert await fails_at(service, deadline=2.0) == pytest.approx(2, abs=0.02)
    assert await fails_at(service, deadline=30.0) == pytest.approx(32, abs=0.04)


async def test_s5_without_a_deadline_a_call_waits_as_long_as_it_takes() -> None:
    service = service_of(scripted("only", Delay(10**6, "good")), deadline=None)
    assert (await service.process("x")).output == "good"


@pytest.mark.parametrize("count", [1, 2, 3, 4])
async def test_s5_those_that_hang_share_the_deadline_evenly(count: int) -> None:
    providers = [scripted(f"p{number}", HANG) for number in range(count)]
    service = service_of(*providers, retry=NO_RETRY, deadline=12.0)
    with pytest.raises(AllProvidersFailed) as caught:
        await service.process("x")
    shares = [attempt.latency for attempt in caught.value.attempts]
    assert shares == pytest.approx([12 / count] * count, abs=0.05)
    assert now() == pytest.approx(12, abs=0.05)


async def test_s5_what_a_quick_failure_leaves_over_goes_to_those_after_it() -> None:
    first, second = scripted("first", Delay(1, ProviderError("down"))), scripted("second", Delay(10.9, "good"))
    service = service_of(first, second, retry=NO_RETRY, deadline=12.0)
    assert (await service.process("x")).provider == "second"


async def test_s5_the_attempts_own_timeout_holds_where_it_is_shorter() -> None:
    first = scripted("first", HANG, timeout=2.0)
    result = await service_of(first, scripted("second", "good"), retry=NO_RETRY).process("x")
    assert result.attempts[0].latency == pytest.approx(2, abs=0.02)


async def test_s5_the_share_holds_where_the_timeout_is_longer() -> None:
    first = scripted("first", HANG, timeout=100.0)
    result = await service_of(first, scripted("second", "good"), retry=NO_RETRY, deadline=10.0).process("x")
    assert result.attempts[0].latency == pytest.approx(5, abs=0.02)


async def test_s5_retries_come_out_of_the_providers_own_share() -> None:
    first, second = scripted("first", HANG, timeout=4.0), scripted("second", Delay(4.5, "good"))
    result = await service_of(first, second, deadline=10.0).process("x")
    assert [attempt.provider for attempt in result.attempts] == ["first", "first", "second"]
    assert result.attempts[1].latency < 1.02


@pytest.mark.parametrize("deadline", [0.0, -1.0])
async def test_s5_expired_on_entry_nobody_is_called(deadline: float) -> None:
    first, second = scripted("first", "good"), scripted("second", "good")
    with pytest.raises(AllProvidersFailed, match="no time left") as caught:
        await service_of(first, second).process("x", deadline=deadline)
    assert (first.calls, second.calls, caught.value.attempts) == (0, 0, ())


async def test_s5_no_pause_begins_that_could_not_end_in_time() -> None:
    only = scripted("only", ProviderError("down"))
    slow = Retry(base=Duration(100.0), cap=Duration(100.0))
    assert await fails_at(service_of(only, retry=slow, deadline=0.05)) == 0.0
    assert only.calls == 1


class Longest:
    """Dice that always show the most, if there were such a throw."""

    def random(self) -> float:
        return 1.0


async def test_s5_nor_one_that_would_end_with_it() -> None:
    only = scripted("only", ProviderError("down"), "good")
    service = service_of(only, retry=Retry(base=Duration(1.0), cap=Duration(1.0)), random=Longest(), deadline=1.0)
    assert (await fails_at(service), only.calls) == (0.0, 1)


async def test_s5_no_wait_begins_for_a_throttle_or_a_rate_that_ends_too_late() -> None:
    throttled = scripted("throttled", Throttled("wait", retry_after=5.0), "good")
    assert await fails_at(service_of(throttled, deadline=5.0)) == 0.0
    policies = {"limited": Policies(rate=Rate(calls=1, per=Duration(10.0)))}
    service = service_of(scripted("limited", "good"), policies=policies, deadline=10.0)
    await service.process("x")
    assert await fails_at(service) == 0.0


async def test_s5_standing_in_line_counts() -> None:
    only = scripted("only", HANG, concurrency=1)
    service = service_of(only, retry=NO_RETRY, deadline=3.0)
    first = asyncio.ensure_future(fails_at(service, deadline=60.0))
    await asyncio.sleep(1)
    assert await fails_at(service) == pytest.approx(4, abs=0.02)
    assert only.calls == 1
    assert await first == pytest.approx(60, abs=0.02)


async def test_s5_who_gets_a_place_when_the_time_is_over_is_not_called() -> None:
    only = scripted("only", Delay(3.0, "good"), concurrency=1)
    service = service_of(only)
    first = asyncio.ensure_future(service.process("x"))
    await asyncio.sleep(0)
    # The place comes free between the deadline and the next ring of the coarse timer.
    assert await fails_at(service, deadline=2.9995) == pytest.approx(3.0, abs=0.02)
    assert only.calls == 1
    await first


async def test_s5_opening_the_provider_counts() -> None:
    @attrs.define(eq=False)
    class Slow(ScriptedProvider):
        async def aopen(self) -> None:
            await asyncio.sleep(100)

    service = service_of(Slow(["good"], name="first"), scripted("second", "good"), retry=NO_RETRY, deadline=10.0)
    result = await service.process("x")
    assert (result.provider, result.attempts[0].outcome) == ("second", Outcome.ATTEMPT_TIMEOUT)
    assert now() == pytest.approx(5, abs=0.02)


@attrs.define
class Nested(SimpleProvider[Any, Any]):
    """Asks another service, and notes when that call ends at the latest."""

    inner: Manager
    deadline: float | None = None
    ends: list[float | None] = attrs.field(factory=list, init=False)

    async def process(self, request: Any) -> ProviderResult[Any]:
        return await self.inner.process(self._note, deadline=self.deadline)

    def _note(self, _: Any) -> str:
        call = current_call()
        assert call is not None
        self.ends.append(call.ends)
        return "good"


def runs_the_request() -> ScriptedProvider:
    return scripted("inner", lambda request: request(None))


@pytest.mark.parametrize(
    ("outer", "inner", "ends"), [(10.0, 60.0, 10.0), (60.0, 10.0, 10.0), (10.0, None, 10.0), (None, 10.0, 10.0)]
)
async def test_s5_a_nested_call_has_the_earlier_of_the_two_deadlines(
    outer: float | None, inner: float | None, ends: float
) -> None:
    nested = Nested(name="outer", inner=service_of(runs_the_request(), deadline=inner))
    await service_of(nested, deadline=outer).process("x")
    assert nested.ends == [ends]


async def test_s5_a_nested_call_after_the_outer_ones_time_is_not_made() -> None:
    only = scripted("inner", "good")
    inner = service_of(only)

    async def too_late(_: Any) -> Any:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(0)
            with pytest.raises(AllProvidersFailed, match="no time left"):
                await inner.process("x")

    assert await fails_at(service_of(scripted("outer", too_late), deadline=1.0, retry=NO_RETRY)) < 1.1
    assert only.calls == 0


async def test_s5_an_outer_call_that_is_over_limits_nobody() -> None:
    nested = Nested(name="outer", inner=service_of(runs_the_request(), deadline=20.0))
    service = service_of(nested, deadline=1.0)
    await service.process("x")
    assert current_call() is None
    assert now() == 0
    await nested.inner.process(nested._note)
    assert nested.ends == [1.0, 20.0]


@pytest.mark.parametrize("effect", Effect)
async def test_s5_a_deadline_that_ends_an_answer_is_that_attempts_outcome(effect: Effect) -> None:
    service = service_of(scripted("only", HANG), effect=effect, deadline=1.0, retry=NO_RETRY)
    with pytest.raises(Exception, match="no answer within 1"):
        await service.process("x")
    assert service._home.timers.pending == 0


@attrs.frozen
class Late:
    """The clock of a loop that is busy: who sleeps comes back a little late."""

    _clock: VirtualClock
    _by: float = 0.2

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def utc(self) -> Any:
        return self._clock.utc()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds + self._by)


@pytest.mark.parametrize(
    "step", [ProviderError("down"), Throttled("wait", retry_after=0.1)], ids=["retry", "throttled"]
)
@pytest.mark.parametrize("effect", [Effect.PURE, Effect.ONCE])
async def test_s5_nothing_is_sent_after_the_deadline_because_the_loop_was_late(step: Any, effect: Effect) -> None:
    only = scripted("only", step, "good")
    service = ProviderManager([only], clock=Late(VirtualClock()), deadline=0.15, effect=effect)
    with pytest.raises((AllProvidersFailed, InDoubt)):
        await service.process("x", idempotency_key="k")
    assert only.calls == 1
    assert service.budget.tokens == 100, "the retry that was not made is not paid for"


async def test_a_deadline_that_is_no_number_is_the_callers_mistake() -> None:
    with pytest.raises(UsageError, match="no number"):
        await service_of(scripted("only", "good")).process("x", deadline=float("nan"))
