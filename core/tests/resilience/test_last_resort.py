"""When nobody is left to ask: whom the call probes, whom it waits for, and when it gives up (S2, S5, S16)."""

import asyncio
from contextlib import suppress
from typing import Any

import attrs
import pytest
from switchgear import (
    AllProvidersFailed,
    BadCredentials,
    Breaker,
    Call,
    Outcome,
    Policies,
    ProviderError,
    ProviderManager,
    ProviderResult,
    ProviderStatus,
    Rate,
    Retry,
    Throttled,
)
from switchgear.durations import Duration
from switchgear.testing import HANG, Delay, ScriptedProvider, VirtualClock

Manager = ProviderManager[Any, Any]
DOWN = ProviderError("down")
NO_RETRY = Retry(attempts=1)
TRIPS = Breaker(consecutive=1, open_for=Duration(1000.0), open_cap=Duration(1000.0))


@attrs.frozen
class Fixed:
    """Dice that always show the same."""

    value: float

    def random(self) -> float:
        return self.value


def scripted(name: str, *script: Any, **options: Any) -> ScriptedProvider:
    return ScriptedProvider(list(script), name=name, **options)


def service_of(*providers: Any, **settings: Any) -> Manager:
    return ProviderManager(providers, **{"clock": VirtualClock(), "retry": NO_RETRY, "breaker": TRIPS, **settings})


def limited(seconds: float, **others: Any) -> Policies:
    """One request in so many seconds."""
    return Policies(**{"rate": Rate(calls=1, per=Duration(seconds)), "breaker": TRIPS, "retry": Retry(), **others})


def now() -> float:
    return asyncio.get_running_loop().time()


async def fails(service: Manager, **options: Any) -> AllProvidersFailed:
    with pytest.raises(AllProvidersFailed) as caught:
        await service.process("x", **options)
    return caught.value


def noting(moments: list[float], step: Any) -> Any:
    def note(_: Any) -> Any:
        moments.append(round(now(), 6))
        return step

    return note


async def test_s16_probes_keep_to_the_attempts_of_a_call() -> None:
    providers = [scripted(f"p{number}", DOWN) for number in range(9)]
    service = service_of(*providers)
    await fails(service)
    assert len((await fails(service)).attempts) == 6


async def test_s16_without_a_deadline_everybody_is_probed() -> None:
    service = service_of(scripted("first", DOWN), scripted("second", DOWN), deadline=None)
    await fails(service)
    assert len((await fails(service)).attempts) == 2


async def test_s5_s16_a_probe_that_hangs_leaves_the_next_its_share_of_the_time() -> None:
    """Else callers that come one after another would never find out that the second is back."""
    first, second = scripted("first", DOWN, HANG), scripted("second", DOWN, "good")
    service = service_of(first, second, random=Fixed(0.5))
    await fails(service)
    result = await service.process("x", deadline=10.0)
    assert [(each.provider, each.outcome) for each in result.attempts] == [
        ("first", Outcome.ATTEMPT_TIMEOUT),
        ("second", Outcome.SUCCESS),
    ]
    assert 5.0 <= now() <= 5.02


async def test_s5_once_the_time_is_over_nobody_else_is_probed() -> None:
    def stall(_: Any) -> Any:
        asyncio.get_running_loop()._jump_to(now() + 5.0)  # type: ignore[attr-defined]
        return DOWN

    first, second = scripted("first", DOWN, stall), scripted("second", DOWN)
    service = service_of(first, second, random=Fixed(0.5))
    await fails(service)
    error = await fails(service, deadline=5.0)
    assert [attempt.provider for attempt in error.attempts] == ["first"]


async def test_s5_s16_probes_share_what_is_left_of_the_deadline_evenly() -> None:
    first, second, third = (scripted(name, DOWN, HANG) for name in ("first", "second", "third"))
    service = service_of(first, second, third, random=Fixed(0.5))
    await fails(service)
    error = await fails(service, deadline=9.0)
    assert [attempt.latency for attempt in error.attempts] == pytest.approx([3.0] * 3, abs=0.03)


async def test_s5_so_do_those_that_are_waited_for() -> None:
    first = scripted("first", Throttled("wait", retry_after=1.0), HANG)
    second = scripted("second", Throttled("wait", retry_after=2.0), "good")
    result = await service_of(first, second, deadline=11.0, retry=Retry(attempts=2)).process("x")
    assert [(each.provider, each.outcome) for each in result.attempts[2:]] == [
        ("first", Outcome.ATTEMPT_TIMEOUT),
        ("second", Outcome.SUCCESS),
    ]
    assert now() == pytest.approx(6.0, abs=0.03), "half of the ten seconds that were left"


async def test_s2_nobody_waits_for_a_rate_that_is_not_what_keeps_it_from_being_asked() -> None:
    only = scripted("only", Delay(100, "good"), concurrency=1)
    service = service_of(only, policies={"only": limited(1.0, queue=1)}, deadline=None)
    others = [asyncio.ensure_future(service.process("x")) for _ in range(2)]
    await asyncio.sleep(50)
    await fails(service)
    assert now() == 50, "its place is taken, and no slot of its rate brings that back"
    await asyncio.wait(others)


async def test_s16_the_least_bad_may_be_asked_again_as_usual() -> None:
    first = scripted("first", DOWN, DOWN, "good")
    service = service_of(first, all_down="least_bad", retry=Retry(attempts=2), random=Fixed(0.5))
    await fails(service)
    assert [each.kind for each in (await service.process("x")).attempts] == ["first", "retry"]


# Ready again by the time that the others have failed


async def of_two(first: ScriptedProvider, seconds: float, **settings: Any) -> ProviderResult[Any]:
    """A second call, in which the second provider, asked in place of the first, takes so many seconds to fail."""
    service = service_of(first, scripted("second", "good", Delay(seconds, DOWN)), **settings)
    await service.process("x")
    return await service.process("x")


READY_AGAIN = [("second", Outcome.TRANSIENT, "first"), ("first", Outcome.SUCCESS, "fallback")]


def told(result: ProviderResult[Any]) -> list[Any]:
    return [(each.provider, each.outcome, each.kind) for each in result.attempts]


@pytest.mark.parametrize("mode", ["probe", "least_bad", "fail_fast"])
async def test_s2_s16_who_was_throttled_is_asked_when_its_time_has_come_while_another_failed(mode: Any) -> None:
    first = scripted("first", Throttled("wait", retry_after=1.0), "good")
    assert told(await of_two(first, 3.0, all_down=mode)) == READY_AGAIN


@pytest.mark.parametrize("mode", ["probe", "least_bad", "fail_fast"])
async def test_s2_s16_so_is_one_whose_open_time_is_over(mode: Any) -> None:
    trips = Breaker(consecutive=1, open_for=Duration(5.0))
    assert told(await of_two(scripted("first", DOWN, "good"), 10.0, breaker=trips, all_down=mode)) == READY_AGAIN


async def test_s2_so_is_one_whose_rate_has_room_again() -> None:
    service = service_of(
        scripted("first", "good"), scripted("second", Delay(3, DOWN)), policies={"first": limited(2.0)}
    )
    await service.process("x")
    assert told(await service.process("x")) == READY_AGAIN


async def test_s2_so_is_one_that_has_a_place_again() -> None:
    first = scripted("first", Delay(1, "good"), concurrency=1)
    policies = {"first": Policies(queue=0, retry=NO_RETRY)}
    service = service_of(first, scripted("second", Delay(3, DOWN)), policies=policies)
    other = asyncio.ensure_future(service.process("x"))
    await asyncio.sleep(0.1)
    assert told(await service.process("x")) == READY_AGAIN
    assert (await other).provider == "first"


async def test_s2_one_that_is_ready_again_is_asked_as_usual_and_not_as_a_trial() -> None:
    first = scripted("first", Throttled("wait", retry_after=1.0), DOWN, "good")
    result = await of_two(first, 3.0, retry=Retry(attempts=2), breaker=Breaker())
    assert [each.provider for each in result.attempts][-2:] == ["first", "first"]


async def test_s2_nor_by_force_so_that_it_is_done_with_once_its_circuit_has_opened() -> None:
    first = scripted("first", Throttled("wait", retry_after=1.0), DOWN)
    with pytest.raises(AllProvidersFailed):
        await of_two(first, 3.0, retry=Retry(attempts=3), all_down="least_bad")
    assert first.calls == 2


async def test_s2_one_that_is_as_full_as_before_is_not_tried_again() -> None:
    first = scripted("first", Delay(100, "good"), concurrency=1)
    policies = {"first": Policies(queue=0, retry=NO_RETRY)}
    service = service_of(first, scripted("second", Delay(3, DOWN)), policies=policies, deadline=None)
    other = asyncio.ensure_future(service.process("x"))
    await asyncio.sleep(0.1)
    await fails(service)
    assert first.calls == 1
    await other


async def test_s2_one_that_was_asked_after_all_is_not_among_those_passed_over() -> None:
    calls: list[Call] = []
    first = scripted("first", Throttled("wait", retry_after=1.0), "good")
    await of_two(first, 3.0, observers=[calls.append])
    assert [(each.provider, each.kept) for each in calls[-1].candidates] == [("first", True), ("second", True)]


# One trial at a time


async def test_s16_of_a_hundred_callers_one_tries_a_provider_that_its_health_check_has_taken_out() -> None:
    only = scripted("only", Delay(1.0, "good"))
    service = service_of(only)
    only.status = ProviderStatus.UNAVAILABLE
    ends = await asyncio.gather(*(service.process("x") for _ in range(100)), return_exceptions=True)
    assert only.calls == 1
    assert sum(isinstance(each, ProviderResult) for each in ends) == 1


async def test_s16_misconfigured_providers_get_a_trial_now_and_then_when_nobody_else_is_left() -> None:
    """One 404 of a proxy must not fail everything for five minutes."""
    only = scripted("only", BadCredentials("404"), BadCredentials("404"), "good")
    service = service_of(only)
    asked = []
    for _ in range(100):
        with suppress(AllProvidersFailed):
            await service.process("x")
        asked.append((now(), only.calls))
        await asyncio.sleep(1)
    assert [next(moment for moment, calls in asked if calls >= number) for number in (1, 2, 3)] == [0, 30, 60]
    assert only.calls == 3 + 39, "since a trial went well, it is asked as usual"


async def test_s16_not_by_two_at_a_time_and_not_where_another_one_answers() -> None:
    first = scripted("first", BadCredentials("401"), Delay(1.0, "good"))
    service = service_of(first, scripted("second", "good"))
    await service.process("x")
    await asyncio.sleep(31)
    await service.process("x")
    assert first.calls == 1
    ends = await asyncio.gather(*(service.process("x", only=["first"]) for _ in range(50)), return_exceptions=True)
    assert (first.calls, sum(isinstance(each, ProviderResult) for each in ends)) == (2, 1)


async def test_s5_a_probe_may_take_all_the_time_that_is_left() -> None:
    service = service_of(scripted("only", DOWN, HANG))
    await fails(service)
    await fails(service, deadline=10.0)
    assert 10.0 <= now() <= 10.02


async def test_s5_so_may_the_one_that_was_waited_for() -> None:
    service = service_of(scripted("only", Throttled("wait", retry_after=2.0), HANG), retry=Retry())
    error = await fails(service, deadline=10.0)
    assert [round(attempt.latency, 1) for attempt in error.attempts] == [0.0, 8.0]


async def test_s5_a_wait_that_would_end_with_the_deadline_is_not_begun() -> None:
    service = service_of(scripted("only", Throttled("wait", retry_after=5.0)), retry=Retry())
    await fails(service, deadline=5.0)
    assert now() == 0.0


async def test_s6_who_waits_for_a_guessed_moment_comes_back_at_one_of_its_own_after_it() -> None:
    asked: list[float] = []
    only = scripted("only", noting(asked, Throttled("slow down")), noting(asked, "good"))
    await service_of(only, retry=Retry(), random=Fixed(0.5)).process("x")
    assert asked == [0.0, 1.5]


async def test_s6_but_for_a_moment_that_would_be_too_late() -> None:
    asked: list[float] = []
    only = scripted("only", noting(asked, Throttled("slow down")), noting(asked, "good"))
    await service_of(only, retry=Retry(), random=Fixed(1.0), deadline=2.0).process("x")
    assert asked == [0.0, 1.0]


@pytest.mark.parametrize("start", [1.0, 5.0])
async def test_s6_a_guess_that_is_over_delays_nobody_who_waits_for_the_rate(start: float) -> None:
    asked: list[float] = []
    only = scripted("only", noting(asked, Throttled("slow down")), noting(asked, "good"))
    service = service_of(only, policies={"only": limited(10.0)}, random=Fixed(1.0))
    await fails(service, deadline=0.5)
    await asyncio.sleep(start - now())
    await service.process("x")
    assert asked == [0.0, 10.0]


async def test_s6_the_last_attempt_of_a_call_may_be_one_that_was_waited_for() -> None:
    only = scripted("only", Throttled("wait", retry_after=1.0), Throttled("wait", retry_after=1.0), "good")
    error = await fails(service_of(only, retry=Retry(call_attempts=2)))
    assert len(error.attempts) == 2


@pytest.mark.parametrize(("attempts", "waits"), [(1, False), (2, True)])
async def test_s6_who_asks_once_never_waits_to_ask_again(attempts: int, waits: bool) -> None:
    service = service_of(scripted("only", "good"), retry=Retry(attempts=attempts))
    assert service._by_name["only"].repeater.waits is waits


async def test_s2_of_two_that_may_be_asked_in_the_same_moment_the_first_is() -> None:
    first = scripted("first", Throttled("wait", retry_after=3.0), "good")
    second = scripted("second", Throttled("wait", retry_after=3.0), "good")
    result = await service_of(first, second, retry=Retry()).process("x")
    assert (result.provider, second.calls) == ("first", 1)


async def test_s2_nobody_waits_for_credentials_to_become_right() -> None:
    only = scripted("only", BadCredentials("HTTP 401"))
    service = service_of(only, deadline=10_000.0)
    await fails(service)
    await fails(service)
    assert (now(), only.calls) == (0.0, 1)


async def test_s2_but_for_the_rate_of_one_whose_cool_down_is_over() -> None:
    only = scripted("only", BadCredentials("HTTP 401"), "good")
    service = service_of(only, policies={"only": limited(10.0, cool_down=5.0)}, deadline=100.0)
    await fails(service)
    await asyncio.sleep(6)
    assert (await service.process("x")).output == "good"
    assert now() == pytest.approx(10.0)


async def test_s16_failing_fast_waits_for_no_rate_behind_an_open_circuit() -> None:
    only = scripted("only", DOWN)
    service = service_of(only, policies={"only": limited(50.0)}, all_down="fail_fast", deadline=10_000.0)
    await fails(service)
    await fails(service)
    assert now() == 0.0


async def test_s19_nobody_waits_for_a_rate_that_is_not_what_turned_them_away() -> None:
    policies = limited(0.001, queue=0)
    service = service_of(scripted("only", Delay(60, "good"), concurrency=1), policies={"only": policies})
    busy = asyncio.ensure_future(service.process("x"))
    await asyncio.sleep(1)
    assert "full" in str(await fails(service))
    assert now() == 1.0
    await busy


async def test_s16_least_bad_is_the_best_of_those_that_nobody_took_out() -> None:
    best, other = scripted("best", "good", "good", DOWN, "good"), scripted("other", DOWN, "good")
    service = service_of(best, other, all_down="least_bad")
    await service.process("x")
    await service.process("x")
    await fails(service)
    service.force_open("best")
    assert (await service.process("x")).provider == "other"


async def test_s16_least_bad_asks_one_and_no_second_when_that_fails() -> None:
    service = service_of(scripted("first", DOWN), scripted("second", DOWN), all_down="least_bad")
    await fails(service)
    assert len((await fails(service)).attempts) == 1


async def test_s16_least_bad_asks_one_also_if_nobody_was_ever_asked() -> None:
    first, second = scripted("first", "good"), scripted("second", "good")
    first.status = second.status = ProviderStatus.UNAVAILABLE
    assert (await service_of(first, second, all_down="least_bad").process("x")).provider == "first"
