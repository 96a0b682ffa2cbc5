"""Circuits in their place between callers and providers (S12 to S17)."""

import asyncio
import random
import threading
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from switchgear import (
    AllProvidersFailed,
    Breaker,
    Outcome,
    Policies,
    ProviderError,
    ProviderManager,
    ProviderStatus,
    Rate,
    Retry,
    StateChange,
    Throttled,
    Unsupported,
)
from switchgear.durations import Duration
from switchgear.policies.breaker import State
from switchgear.testing import HANG, Delay, Outage, ScriptedProvider, VirtualClock, simulate

Manager = ProviderManager[Any, Any]
NO_RETRY = Retry(attempts=1)
TRIPS = Breaker(consecutive=1)
DOWN = ProviderError("down")


def scripted(name: str, *script: Any, **options: Any) -> ScriptedProvider:
    return ScriptedProvider(list(script), name=name, **options)


def service_of(*providers: Any, **settings: Any) -> Manager:
    return ProviderManager(providers, **{"clock": VirtualClock(), "retry": NO_RETRY, **settings})


def state(service: Manager, name: str) -> str:
    return service._by_name[name].circuit


async def fails(service: Manager) -> AllProvidersFailed:
    with pytest.raises(AllProvidersFailed) as caught:
        await service.process("x")
    return caught.value


async def answered_by(service: Manager, times: int) -> Counter[str]:
    return Counter([(await service.process("x")).provider for _ in range(times)])


# S12: one trial


async def test_s12_of_a_hundred_tasks_one_is_the_trial() -> None:
    first = scripted("first", DOWN, Delay(1, "good"))
    service = service_of(first, scripted("second", "good"), breaker=TRIPS)
    await service.process("x")
    await asyncio.sleep(5)
    results = await asyncio.gather(*(service.process(number) for number in range(100)))
    assert Counter(result.provider for result in results) == {"second": 99, "first": 1}
    assert state(service, "first") == "half_open"


def test_s12_of_a_hundred_threads_one_is_the_trial() -> None:
    under_way = threading.Semaphore(0)
    let_go = threading.Event()

    async def slow(_: Any) -> str:
        under_way.release()
        while not let_go.is_set():  # noqa: ASYNC110 - set by a thread
            await asyncio.sleep(0.001)
        return "good"

    first = scripted("first", DOWN, slow)
    breaker = Breaker(consecutive=1, open_for=Duration(0.001), open_cap=Duration(0.001))
    service: Manager = ProviderManager([first, scripted("second", "good")], retry=NO_RETRY, breaker=breaker)
    assert service.process_sync("x").provider == "second"
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(service.process_sync("x").provider)) for _ in range(100)]
    for thread in threads:
        thread.start()
    assert under_way.acquire(timeout=30)
    # The ninety-nine others are turned away meanwhile, and are done without it.
    for thread in threads:
        thread.join(0.2 if len(answers) >= 99 else 30 / len(threads))
        if len(answers) == 99:
            break
    let_go.set()
    for thread in threads:
        thread.join()
    service.close()
    assert Counter(answers) == {"second": 99, "first": 1}
    assert first.calls == 2


@pytest.mark.parametrize("trial", [Throttled("wait", retry_after=0.001), Unsupported("no")])
async def test_s12_a_trial_that_says_nothing_leaves_the_place_to_the_next(trial: Exception) -> None:
    first = scripted("first", DOWN, trial, "good", "good")
    service = service_of(first, scripted("second", "good"), breaker=TRIPS)
    await service.process("x")
    await asyncio.sleep(5)
    assert (await service.process("x")).provider == "second"
    await asyncio.sleep(0.1)
    assert await answered_by(service, 2) == {"first": 2}
    assert state(service, "first") == "closed"


async def test_s12_a_trial_that_never_comes_back_is_replaced_after_its_lease() -> None:
    first = scripted("first", DOWN, HANG, "good")
    breaker = Breaker(consecutive=1, lease=Duration(20.0))
    service = service_of(first, scripted("second", "good"), breaker=breaker, deadline=None)
    await service.process("x")
    await asyncio.sleep(5)
    lost = asyncio.ensure_future(service.process("x"))
    await asyncio.sleep(19.9)
    assert (await service.process("x")).provider == "second"
    await asyncio.sleep(0.2)
    assert await answered_by(service, 2) == {"first": 2}
    assert state(service, "first") == "closed"
    lost.cancel()
    await asyncio.wait([lost])
    assert state(service, "first") == "closed"


async def test_s13_stragglers_of_before_the_outage_decide_nothing_after_it() -> None:
    slow = [Delay(30, DOWN)] * 20
    first = scripted("first", *slow, DOWN, "good")
    service = service_of(first, scripted("second", "good"), breaker=TRIPS, deadline=300.0)
    stragglers = [asyncio.ensure_future(service.process("x")) for _ in range(20)]
    await asyncio.sleep(1)
    await service.process("x")
    await asyncio.sleep(5)
    assert await answered_by(service, 2) == {"first": 2}
    assert state(service, "first") == "closed"
    await asyncio.wait(stragglers)
    assert state(service, "first") == "closed", "they failed, but of a time that is over"


# S14: how long, and what comes after


async def test_s14_while_a_provider_is_down_it_is_tried_less_and_less_often() -> None:
    first = scripted("first", DOWN)
    service = service_of(first, scripted("second", "good"), breaker=TRIPS)
    moments: list[int] = []
    for second in range(1200):
        before = first.calls
        await service.process("x")
        if first.calls > before:
            moments.append(second)
        await asyncio.sleep(1)
    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert 5 <= len(pauses) <= 12
    assert pauses[0] <= 6
    assert max(pauses) <= 301
    assert pauses[-1] > 60


async def test_s14_after_closing_its_share_grows_and_the_rest_goes_elsewhere() -> None:
    first = scripted("first", DOWN, "good")
    breaker = Breaker(consecutive=1, ramp=Duration(100.0))
    service = service_of(first, scripted("second", "good"), breaker=breaker, random=random.Random(5))
    await service.process("x")
    await asyncio.sleep(5)
    await answered_by(service, 2)
    shares = []
    for _ in range(11):
        shares.append((await answered_by(service, 400))["first"] / 400)
        await asyncio.sleep(10)
    expected = [0.1, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    assert shares == pytest.approx(expected, abs=0.08)
    assert service.providers["first"].status is ProviderStatus.AVAILABLE


class Zero:
    """Dice that hold nobody back."""

    def random(self) -> float:
        return 0.0


async def test_s14_while_its_share_grows_it_is_not_asked_twice_by_a_call_that_has_others_to_ask() -> None:
    """Repetitions would be more than its share, and a cold provider has a hard enough start."""
    first = scripted("first", DOWN, DOWN, DOWN, "good", "good", DOWN, DOWN, "good")
    breaker = Breaker(consecutive=3, ramp=Duration(10.0))
    service = service_of(first, scripted("second", "good"), breaker=breaker, retry=Retry(attempts=3), random=Zero())
    await service.process("x")
    await asyncio.sleep(5)
    await answered_by(service, 2)
    asked = [attempt.provider for attempt in (await service.process("x")).attempts]
    assert asked == ["first", "second"]
    await asyncio.sleep(10)
    asked = [attempt.provider for attempt in (await service.process("x")).attempts]
    assert asked == ["first", "first"]


async def test_s14_a_provider_that_is_alone_gets_all_of_the_load_at_once() -> None:
    service = service_of(scripted("only", DOWN, "good"), breaker=TRIPS)
    await fails(service)
    await asyncio.sleep(5)
    assert await answered_by(service, 100) == {"only": 100}


async def test_s14_closed_by_hand_it_gets_all_of_the_load_at_once() -> None:
    first = scripted("first", "good")
    service = service_of(first, scripted("second", "good"))
    service.force_open("first")
    assert await answered_by(service, 5) == {"second": 5}
    service.close_circuit("first")
    assert await answered_by(service, 50) == {"first": 50}
    assert first.status is ProviderStatus.AVAILABLE


# S15: the permit comes last, and who hears of it


async def test_s15_who_stands_in_line_does_not_hold_the_trials_place() -> None:
    """With a permit taken before the place, the trial would wait behind the very calls it is to decide about."""
    first = scripted("first", Delay(30, DOWN), DOWN, "good", concurrency=2)
    service = service_of(first, scripted("second", "good"), breaker=TRIPS, deadline=1000.0)
    slow = asyncio.ensure_future(service.process("slow"))
    await asyncio.sleep(1)
    await service.process("x")
    await asyncio.sleep(5)
    waiting = [asyncio.ensure_future(service.process(number)) for number in range(10)]
    await asyncio.wait(waiting)
    assert state(service, "first") in ("half_open", "closed")
    await slow


async def test_s15_in_line_when_the_circuit_opens_they_go_elsewhere_without_a_request() -> None:
    first = scripted("first", Delay(1, DOWN), concurrency=1)
    service = service_of(first, scripted("second", "good"), breaker=TRIPS)
    results = await asyncio.gather(*(service.process(number) for number in range(20)))
    assert {result.provider for result in results} == {"second"}
    assert first.calls == 1
    bulkhead = service._by_name["first"].bulkhead
    assert bulkhead is not None
    assert bulkhead.taken == 0


async def test_s15_what_the_circuit_turns_away_costs_no_slot_of_the_rate() -> None:
    first = scripted("first", DOWN, "good")
    policies = {"first": Policies(rate=Rate(calls=1, per=Duration(5.0)), breaker=TRIPS, retry=NO_RETRY)}
    service = service_of(first, scripted("second", "good"), policies=policies)
    await service.process("x")
    for _ in range(49):
        await asyncio.sleep(0.1)
        await service.process("x")
    await asyncio.sleep(0.2)
    assert (await service.process("x")).provider == "first", "the slot of five seconds later is still there"


async def test_s15_listeners_are_told_in_order_after_the_change_and_their_errors_are_contained() -> None:
    heard: list[tuple[str, str]] = []
    service: Manager

    def breaks(change: StateChange) -> None:
        raise ZeroDivisionError

    def notes(change: StateChange) -> None:
        heard.append((change.new, state(service, change.provider)))

    first = scripted("first", DOWN, "good")
    service = service_of(first, scripted("second", "good"), breaker=TRIPS, state_observers=[breaks, notes])
    await service.process("x")
    await asyncio.sleep(5)
    await answered_by(service, 2)
    assert heard == [("open", "open"), ("half_open", "half_open"), ("closed", "closed")]


async def test_s15_a_change_that_a_listener_causes_is_told_after_the_one_it_heard_of() -> None:
    heard: list[tuple[str, str]] = []
    service: Manager

    def closes_at_once(change: StateChange) -> None:
        if change.new == "open":
            service.close_circuit("first")

    def notes(change: StateChange) -> None:
        heard.append((change.old, change.new))

    first = scripted("first", DOWN)
    service = service_of(first, scripted("second", "good"), breaker=TRIPS, state_observers=[closes_at_once, notes])
    await service.process("x")
    assert heard == [("closed", "open"), ("open", "closed")]
    assert (await service.process("x")).attempts[0].provider == "first"


# S16: everybody is down


async def test_s16_probing_asks_each_provider_once_in_each_call() -> None:
    first, second = scripted("first", DOWN), scripted("second", DOWN)
    service = service_of(first, second, breaker=TRIPS, retry=Retry(attempts=3))
    await fails(service)
    before = first.calls, second.calls
    for _ in range(10):
        error = await fails(service)
        assert sorted(attempt.provider for attempt in error.attempts) == ["first", "second"]
    assert (first.calls - before[0], second.calls - before[1]) == (10, 10)


async def test_s16_each_provider_gets_one_trial_at_a_time_whoever_asks() -> None:
    first, second = scripted("first", Delay(1, DOWN)), scripted("second", Delay(1, DOWN))
    service = service_of(first, second, breaker=TRIPS)
    await fails(service)
    before = first.calls, second.calls
    calls = [asyncio.ensure_future(service.process(number)) for number in range(100)]
    await asyncio.sleep(0.5)
    assert (first.calls - before[0], second.calls - before[1]) == (1, 1)
    assert sum(call.done() for call in calls) == 98, "those who may try nobody know at once"
    await asyncio.wait(calls)
    assert all(isinstance(call.exception(), AllProvidersFailed) for call in calls)


async def test_s16_the_one_that_may_be_asked_soonest_is_probed_first() -> None:
    early, late = scripted("late", DOWN), scripted("early", DOWN)
    long = Policies(breaker=Breaker(consecutive=1, open_for=Duration(300.0)), retry=NO_RETRY)
    service = service_of(early, late, breaker=TRIPS, policies={"late": long})
    await fails(service)
    error = await fails(service)
    assert [attempt.provider for attempt in error.attempts] == ["early", "late"]


async def test_s16_the_first_that_is_back_is_found_by_the_next_call() -> None:
    script = [DOWN] * 30
    service = service_of(scripted("first", *script, "good"), scripted("second", *script, "good"), breaker=TRIPS)
    for _ in range(30):
        await fails(service)
    assert (await service.process("x")).output == "good"


def test_s16_an_outage_under_traffic_does_not_keep_the_preferred_one_away_afterwards() -> None:
    """Failed probes add nothing to the open time: both were down for a minute, both are back within seconds of it."""

    def build(world: Any) -> Any:
        both = [world.provider(name, faults=[Outage(10, 70)], priority=number) for number, name in enumerate("ab")]
        return world.manager(both, breaker=TRIPS, retry=NO_RETRY)

    report = simulate(build, rate=10, seconds=300)
    assert report.success_rate(80) == 1.0
    back = report.time_to_return("a", 70)
    assert back is not None
    assert back <= 100


async def test_s16_least_bad_asks_one_whatever_its_circuit_says() -> None:
    good_once, never = scripted("was good", "good", DOWN, "good"), scripted("never was", DOWN)
    service = service_of(never, good_once, breaker=TRIPS, all_down="least_bad")
    assert (await service.process("x")).provider == "was good"
    await fails(service)
    assert {state(service, "was good"), state(service, "never was")} == {"open"}
    before = never.calls
    assert await answered_by(service, 5) == {"was good": 5}
    assert never.calls == before


@pytest.mark.parametrize("mode", ["probe", "least_bad", "fail_fast"])
async def test_s16_what_was_taken_out_by_hand_stays_out_in_every_mode(mode: Any) -> None:
    only = scripted("only", "good")
    service = service_of(only, all_down=mode)
    service.force_open("only")
    await fails(service)
    assert only.calls == 0


async def test_s16_failing_fast_asks_nobody_and_says_when_it_may_be_worth_it() -> None:
    first, second = scripted("first", DOWN, "good"), scripted("second", DOWN, "good")
    service = service_of(first, second, breaker=TRIPS, all_down="fail_fast")
    await fails(service)
    error = await fails(service)
    assert (first.calls, second.calls, error.attempts) == (1, 1, ())
    assert error.retry_after is not None
    assert 2.5 <= error.retry_after <= 5
    await asyncio.sleep(error.retry_after)
    assert (await service.process("x")).output == "good"


@pytest.mark.parametrize("mode", ["probe", "least_bad", "fail_fast"])
async def test_s16_return_to_the_preferred_provider_is_automatic_in_every_mode(mode: Any) -> None:
    first = scripted("first", *[DOWN] * 5, "good")
    service = service_of(first, scripted("second", "good"), breaker=TRIPS, all_down=mode, random=random.Random(1))
    for _ in range(400):
        await service.process("x")
        await asyncio.sleep(1)
    assert state(service, "first") == "closed"
    assert await answered_by(service, 20) == {"first": 20}


async def test_s26_one_that_its_check_found_unavailable_is_probed_when_nobody_else_is_left() -> None:
    only = scripted("only", "good")
    service = service_of(only)
    only.status = ProviderStatus.UNAVAILABLE
    assert (await service.process("x")).output == "good"


# The switch by hand, from anywhere


def test_s27_circuits_are_switched_from_other_threads_than_the_home_loops() -> None:
    changes: list[tuple[str, str]] = []
    threads: set[str] = set()

    def notes(change: StateChange) -> None:
        threads.add(threading.current_thread().name)
        changes.append((change.old, change.new))

    service: Manager = ProviderManager([scripted("only", "good")], state_observers=[notes])
    service.force_open("only")
    service.close_circuit("only")
    assert service.process_sync("x").output == "good"
    threads.clear()
    for _ in range(50):
        service.force_open("only")
        assert service.is_open("only")
        service.disable_circuit("only")
        service.close_circuit("only")
        assert not service.is_open("only")
    assert threads == {"switchgear-home"}, "state changes at home only"
    assert (
        changes
        == [("closed", "forced_open"), ("forced_open", "closed")]
        + [
            ("closed", "forced_open"),
            ("forced_open", "disabled"),
            ("disabled", "closed"),
        ]
        * 50
    )
    service.close()


async def test_s10_disabled_it_lets_everything_through_and_counts_nothing() -> None:
    only = scripted("only", DOWN)
    service = service_of(only, breaker=TRIPS)
    service.disable_circuit("only")
    for _ in range(20):
        assert [attempt.outcome for attempt in (await fails(service)).attempts] == [Outcome.TRANSIENT]
    assert service._by_name["only"].circuit == State.DISABLED.value
