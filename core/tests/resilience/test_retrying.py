"""Asking the same provider again (S6 to S8), and in which order things are tried (S2)."""

import asyncio
from typing import Any

import attrs
import pytest
from switchgear import (
    AllProvidersFailed,
    Breaker,
    Outcome,
    Policies,
    ProviderError,
    ProviderManager,
    Rate,
    Retry,
    Throttled,
    Unsupported,
)
from switchgear.durations import Duration
from switchgear.testing import HANG, Delay, ScriptedProvider, VirtualClock

Manager = ProviderManager[Any, Any]
NO_BREAKER = Breaker(enabled=False)


@attrs.frozen
class Fixed:
    """Dice that always show the same."""

    value: float

    def random(self) -> float:
        return self.value


def scripted(name: str, *script: Any, **options: Any) -> ScriptedProvider:
    return ScriptedProvider(list(script), name=name, **options)


def service_of(*providers: Any, **settings: Any) -> Manager:
    return ProviderManager(providers, clock=VirtualClock(), **settings)


def now() -> float:
    return asyncio.get_running_loop().time()


def when_asked(moments: list[float], *script: Any) -> list[Any]:
    """A script that notes the time of each request."""

    def noting(step: Any) -> Any:
        def note(_: Any) -> Any:
            moments.append(round(now(), 6))
            return step

        return note

    return [noting(step) for step in script]


DOWN = ProviderError("down")


async def test_s2_first_the_same_provider_again_then_the_next() -> None:
    result = await service_of(scripted("first", DOWN), scripted("second", DOWN, "good")).process("x")
    assert [attempt.provider for attempt in result.attempts] == ["first"] * 3 + ["second"] * 2


async def test_s2_who_is_throttled_or_turned_away_makes_room_for_the_next_at_once() -> None:
    throttled, limited = scripted("throttled", Throttled("wait", retry_after=1.0)), scripted("limited", "good")
    policies = {"limited": Policies(rate=Rate(calls=1, per=Duration(100.0)))}
    service = service_of(throttled, limited, scripted("last", "good"), policies=policies)
    assert (await service.process("x")).provider == "limited"
    assert (await service.process("x")).provider == "last"
    assert now() == 0


async def test_s2_only_when_nobody_is_left_the_call_waits_for_the_soonest() -> None:
    late, soon = Throttled("wait", retry_after=20.0), Throttled("wait", retry_after=5.0)
    service = service_of(scripted("late", late, "good"), scripted("soon", soon, "good"), scripted("no", Unsupported()))
    result = await service.process("x")
    assert result.provider == "soon"
    assert now() == pytest.approx(5)


async def test_s2_it_goes_on_waiting_for_the_next_soonest_after_one_has_failed() -> None:
    late, soon = Throttled("wait", retry_after=20.0), Throttled("wait", retry_after=5.0)
    service = service_of(scripted("late", late, "good"), scripted("soon", soon, Unsupported("no")))
    assert (await service.process("x")).provider == "late"
    assert now() == pytest.approx(20)


@pytest.mark.parametrize("dice", [0.0, 0.25, 1.0])
async def test_s6_pauses_are_a_random_share_of_doubling_lengths(dice: float) -> None:
    moments: list[float] = []
    script = when_asked(moments, DOWN, DOWN, DOWN, DOWN, "good")
    retry = Retry(attempts=5, call_attempts=9)
    await service_of(scripted("only", *script), random=Fixed(dice), retry=retry, breaker=NO_BREAKER).process("x")
    expected = [0.0, 0.1, 0.3, 0.7, 1.5]
    assert moments == pytest.approx([dice * moment for moment in expected])


async def test_s6_each_provider_of_a_call_has_pauses_of_its_own() -> None:
    moments: list[float] = []
    first = scripted("first", *when_asked(moments, DOWN, DOWN, DOWN))
    second = scripted("second", *when_asked(moments, DOWN, DOWN, "good"))
    await service_of(first, second, random=Fixed(1.0)).process("x")
    assert moments == pytest.approx([0.0, 0.1, 0.3, 0.3, 0.4, 0.6])


async def test_s6_three_attempts_per_provider_and_six_per_call() -> None:
    providers = [scripted(f"p{number}", DOWN) for number in range(3)]
    with pytest.raises(AllProvidersFailed) as caught:
        await service_of(*providers, breaker=NO_BREAKER).process("x")
    assert len(caught.value.attempts) == 6
    assert [each.calls for each in providers] == [3, 2, 1]


async def test_s6_the_cap_per_provider_holds_for_all_ways_of_asking_it_again() -> None:
    throttled = scripted("only", Throttled("wait", retry_after=1.0))
    with pytest.raises(AllProvidersFailed):
        await service_of(throttled).process("x")
    assert throttled.calls == 3
    mixed = scripted("only", Throttled("wait", retry_after=1.0), DOWN)
    with pytest.raises(AllProvidersFailed):
        await service_of(mixed).process("x")
    assert mixed.calls == 3


async def test_s6_a_provider_may_have_a_policy_of_its_own() -> None:
    first, second = scripted("first", DOWN), scripted("second", DOWN, DOWN, DOWN, "good")
    policies = {"first": Policies(retry=Retry(attempts=1)), "second": Policies(retry=Retry(attempts=4))}
    result = await service_of(first, second, policies=policies).process("x")
    assert (first.calls, second.calls, result.output) == (1, 4, "good")


async def test_s7_retry_after_that_fits_is_waited_for_when_nobody_else_is_left() -> None:
    moments: list[float] = []
    script = when_asked(moments, Throttled("wait", retry_after=7.0), Throttled("wait", retry_after=3.0), "good")
    await service_of(scripted("only", *script)).process("x")
    assert moments == pytest.approx([0, 7, 10])


async def test_s7_retry_after_that_does_not_fit_is_not_waited_for() -> None:
    only = scripted("only", Throttled("wait", retry_after=61.0))
    with pytest.raises(AllProvidersFailed) as caught:
        await service_of(only).process("x")
    assert (only.calls, now(), caught.value.retry_after) == (1, 0.0, 61.0)


async def test_s7_other_calls_skip_a_throttled_provider_until_it_said() -> None:
    first = scripted("first", Throttled("wait", retry_after=10.0), "good")
    service = service_of(first, scripted("second", "good"))
    for _ in range(20):
        assert (await service.process("x")).provider == "second"
        await asyncio.sleep(0.49)
    assert first.calls == 1
    await asyncio.sleep(0.5)
    assert (await service.process("x")).provider == "first"


async def test_s7_calls_in_line_skip_it_as_well() -> None:
    first = scripted("first", Delay(1, Throttled("wait", retry_after=10.0)), "good", concurrency=1)
    service = service_of(first, scripted("second", "good"))
    results = await asyncio.gather(*(service.process(number) for number in range(5)))
    assert {result.provider for result in results} == {"second"}
    assert first.calls == 1


@pytest.mark.parametrize("garbage", [-5.0, float("nan"), float("inf"), float("-inf"), 0.0])
async def test_s7_garbage_is_ignored_and_shuts_nobody_off_for_ever(garbage: float) -> None:
    first = scripted("first", Throttled("wait", retry_after=garbage), "good")
    service = service_of(first, scripted("second", "good"))
    assert (await service.process("x")).provider == "second"
    assert (await service.process("x")).provider == "second"
    await asyncio.sleep(1.1)
    assert (await service.process("x")).provider == "first"


async def test_s6_throttled_without_a_time_callers_come_back_at_different_moments_a_second_on() -> None:
    moments: list[float] = []
    script = when_asked(moments, *[Delay(0.5, Throttled("slow down"))] * 50, *["good"] * 50)
    service = service_of(scripted("only", *script))
    await asyncio.gather(*(service.process(number) for number in range(50)))
    later = moments[50:]
    assert len(set(later)) == 50
    assert 1.5 <= min(later) <= max(later) <= 2.5


async def test_s8_a_call_that_must_wait_longer_because_of_others_pays_for_no_retry_meanwhile() -> None:
    service = service_of(scripted("only", *[Throttled("slow down")] * 20, "good"), deadline=600.0)
    calls = [asyncio.ensure_future(service.process(number)) for number in range(40)]
    await asyncio.wait(calls)
    attempts = sum(len(call.result().attempts) for call in calls if call.exception() is None)
    assert attempts >= 20
    assert 100 - service.budget.tokens <= 20 + 1e-6


async def test_s6_throttled_again_the_pauses_double() -> None:
    moments: list[float] = []
    script = when_asked(moments, Throttled("slow down"), Throttled("slow down"), "good")
    await service_of(scripted("only", *script), random=Fixed(1.0)).process("x")
    assert moments == pytest.approx([0, 1 + 1, 2 + 1 + 2])


async def test_s8_in_an_outage_each_call_reaches_the_provider_once_and_a_reserve_is_retried() -> None:
    only = scripted("only", DOWN)
    service = service_of(only, breaker=NO_BREAKER)
    for _ in range(1000):
        with pytest.raises(AllProvidersFailed) as caught:
            await service.process("x")
    assert only.calls == 1000 + 100
    assert len(caught.value.attempts) == 1
    assert str(caught.value.__cause__) == "down"


async def test_s8_throttled_retries_come_out_of_the_budget_too() -> None:
    only = scripted("only", Throttled("wait", retry_after=1.0))
    service = service_of(only, retry=Retry(budget=10.0))
    for _ in range(200):
        with pytest.raises(AllProvidersFailed):
            await service.process("x")
        await asyncio.sleep(2)
    assert only.calls == 200 + 10


async def test_s8_a_fallbacks_first_attempt_is_no_retry() -> None:
    first, second = scripted("first", DOWN), scripted("second", "good")
    service = service_of(first, second, retry=Retry(budget=0.0, earn=0.0), breaker=NO_BREAKER)
    for _ in range(100):
        assert (await service.process("x")).provider == "second"
    assert first.calls == 100


async def test_s8_nor_is_the_first_attempt_at_one_that_had_to_wait_for_its_rate() -> None:
    policies = {"only": Policies(rate=Rate(calls=1, per=Duration(1.0)))}
    service = service_of(scripted("only", "good"), retry=Retry(budget=0.0, earn=0.0), policies=policies)
    for _ in range(5):
        await service.process("x")
    assert now() == pytest.approx(4)


async def test_s8_retries_in_their_pause_have_been_paid_for() -> None:
    only = scripted("only", DOWN)
    slow = Retry(budget=10.0, base=Duration(30.0), cap=Duration(30.0))
    service = service_of(only, retry=slow, breaker=NO_BREAKER, deadline=1000.0)
    calls = [asyncio.ensure_future(service.process(number)) for number in range(100)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert service.budget.tokens == 0.0
    assert sum(not call.done() for call in calls) == 10, "the others must not wait for what they cannot have"
    await asyncio.wait(calls)
    assert only.calls == 110


async def test_a_circuit_that_the_failure_opened_is_not_waited_for() -> None:
    first = scripted("first", DOWN)
    slow = Retry(base=Duration(10.0), cap=Duration(10.0))
    service = service_of(first, scripted("second", "good"), retry=slow, breaker=Breaker(consecutive=1))
    result = await service.process("x")
    assert [attempt.provider for attempt in result.attempts] == ["first", "second"]
    assert now() == 0
    assert service.budget.tokens == 100, "no retry was made, so none was paid for"
    assert first.figures.fallbacks == 1


async def test_a_call_that_saw_a_circuit_open_does_not_probe_the_provider_that_failed_it() -> None:
    first, second = scripted("first", DOWN), scripted("second", DOWN)
    with pytest.raises(AllProvidersFailed):
        await service_of(first, second, breaker=Breaker(consecutive=1)).process("x")
    assert (first.calls, second.calls) == (1, 1)


async def test_a_retry_that_its_rate_forbids_comes_as_soon_as_it_may() -> None:
    moments: list[float] = []
    only = scripted("only", *when_asked(moments, DOWN, "good"))
    policies = {"only": Policies(rate=Rate(calls=1, per=Duration(5.0)))}
    result = await service_of(only, policies=policies).process("x")
    assert result.output == "good"
    assert moments == pytest.approx([0, 5])


async def test_s1_a_timeout_is_retried_while_its_share_of_the_deadline_lasts() -> None:
    only = scripted("only", HANG, timeout=4.0)
    with pytest.raises(AllProvidersFailed) as caught:
        await service_of(only, deadline=10.0).process("x")
    assert [attempt.outcome for attempt in caught.value.attempts] == [Outcome.ATTEMPT_TIMEOUT] * 3
    assert now() == pytest.approx(10, abs=0.05)


async def test_s8_a_retry_that_a_limit_keeps_from_being_made_is_paid_for_once() -> None:
    policies = {"only": Policies(rate=Rate(calls=1, per=Duration(5.0)))}
    service = service_of(scripted("only", DOWN, "good"), policies=policies)
    await service.process("x")
    assert service.budget.tokens == pytest.approx(99.1), "one for the retry, a tenth back for the success"
