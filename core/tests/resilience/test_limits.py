"""No more at a time, and no more in a time, than a provider can take (S19)."""

import asyncio
import random
from contextlib import suppress
from typing import Any

import pytest
from switchgear import AllProvidersFailed, Breaker, Policies, ProviderError, ProviderManager, Rate, Retry, Throttled
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


def at_once(service: Manager, number: int, **options: Any) -> "list[asyncio.Task[Any]]":
    return [asyncio.ensure_future(service.process(each, **options)) for each in range(number)]


async def test_s19_there_are_never_more_under_way_than_its_concurrency() -> None:
    most = under_way = 0

    async def busy(_: Any) -> str:
        nonlocal most, under_way
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(1)
        under_way -= 1
        return "good"

    service = service_of(scripted("only", busy, concurrency=3))
    await asyncio.gather(*at_once(service, 30))
    assert most == 3
    assert now() == pytest.approx(10)


async def test_s19_the_line_is_served_in_order_of_arrival() -> None:
    only = scripted("only", Delay(1, "good"), concurrency=1)
    await asyncio.gather(*at_once(service_of(only), 20))
    assert only.requests == list(range(20))


async def test_s19_beyond_its_queue_a_provider_is_passed_over_at_once() -> None:
    first = scripted("first", Delay(1, "good"), concurrency=1)
    service = service_of(first, scripted("second", "good"), policies={"first": Policies(queue=2)})
    results = await asyncio.gather(*at_once(service, 10))
    assert [result.provider for result in results] == ["first"] * 3 + ["second"] * 7


async def test_s19_who_would_wait_longer_than_its_share_is_turned_away_at_once() -> None:
    only = scripted("only", Delay(10, "good"), concurrency=1)
    service = service_of(only, deadline=25.0)
    await service.process("x")
    began = now()
    tasks = at_once(service, 4)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [task.done() for task in tasks] == [False, False, False, True], "10, 20 s fit; 30 s do not"
    with pytest.raises(AllProvidersFailed, match="full: 2 are waiting, about 30 s"):
        await tasks[3]
    await asyncio.wait(tasks)
    assert now() - began == pytest.approx(25, abs=0.05), "the third ran out of time in the provider, not in line"


async def test_s19_before_the_first_answer_nobody_can_say_and_everybody_waits() -> None:
    only = scripted("only", Delay(10, "good"), concurrency=1)
    tasks = at_once(service_of(only, deadline=25.0), 4)
    await asyncio.wait(tasks)
    assert [task.exception() is None for task in tasks] == [True, True, False, False]
    assert only.calls == 3


async def test_s19_the_rate_and_its_burst_are_kept() -> None:
    only = scripted("only", "good")
    policies = {"only": Policies(rate=Rate(calls=10, per=Duration(1.0), burst=5))}
    service = service_of(only, scripted("other", "other"), policies=policies)
    sent = []
    for moment in range(400):
        await asyncio.sleep(moment / 100 - now())
        if (await service.process("x")).provider == "only":
            sent.append(moment / 100)
    assert len(sent) == 5 + 39
    for start in sent:
        assert sum(start <= each < start + 1 for each in sent) <= 5 + 10


async def test_s19_alone_the_callers_wait_for_their_slots_and_all_get_one() -> None:
    service = service_of(scripted("only", "good"), policies={"only": Policies(rate=Rate(calls=2))})
    await asyncio.gather(*at_once(service, 20))
    assert now() == pytest.approx(9.5)


async def test_s19_a_slot_is_taken_when_the_request_is_sent_and_not_when_it_gets_in_line() -> None:
    """Else those in line would all be sent at once, however long the provider took over the first."""
    moments: list[float] = []

    async def note(_: Any) -> Delay:
        moments.append(now())
        return Delay(10.0 if len(moments) <= 2 else 0.0, "good")

    policies = {"only": Policies(rate=Rate(calls=1, per=Duration(1.0), burst=2))}
    service = service_of(scripted("only", note, concurrency=2), policies=policies)
    tasks = []
    for _ in range(8):
        tasks += at_once(service, 1)
        await asyncio.sleep(1.0)
    await asyncio.wait(tasks)
    assert all(task.exception() is None for task in tasks)
    assert len(moments) == 8
    for moment in moments:
        assert sum(moment <= each < moment + 0.999 for each in moments) <= 2


async def test_s19_what_found_no_place_has_taken_no_slot() -> None:
    first = scripted("first", Delay(5, "good"), concurrency=1)
    policies = {"first": Policies(rate=Rate(calls=1, per=Duration(4.0)), queue=0)}
    service = service_of(first, scripted("second", "good"), policies=policies)
    slow = at_once(service, 1)
    await asyncio.sleep(4.5)
    for _ in range(10):
        assert (await service.process("x")).provider == "second"
    await asyncio.wait(slow)
    assert (await service.process("x")).provider == "first", "the slot of four seconds is still there"


async def test_s19_in_line_a_timeout_of_ones_own_and_the_callers_cancellation_both_leave_it() -> None:
    only = scripted("only", HANG, concurrency=1)
    service = service_of(only, retry=NO_RETRY, deadline=100.0)
    first = at_once(service, 1)
    await asyncio.sleep(1)
    late, cancelled = at_once(service, 1, deadline=2.0), at_once(service, 1)
    await asyncio.sleep(1)
    bulkhead = service._by_name["only"].bulkhead
    assert bulkhead is not None
    assert bulkhead.waiting == 2
    cancelled[0].cancel()
    await asyncio.wait(late + cancelled)
    assert (bulkhead.taken, bulkhead.waiting) == (1, 0)
    assert cancelled[0].cancelled()
    with pytest.raises(AllProvidersFailed, match="no place came free in time"):
        await late[0]
    await asyncio.wait(first)
    assert bulkhead.taken == 0


async def test_s19_a_failing_provider_gives_each_place_back() -> None:
    only = scripted("only", Delay(0.1, ProviderError("down")), concurrency=2)
    service = service_of(only, breaker=Breaker(enabled=False))
    tasks = at_once(service, 50)
    await asyncio.wait(tasks)
    bulkhead = service._by_name["only"].bulkhead
    assert bulkhead is not None
    assert (bulkhead.taken, bulkhead.waiting) == (0, 0)


async def test_s19_who_waits_for_a_rate_wakes_once_and_the_others_are_turned_away_at_once() -> None:
    only = scripted("only", "good")
    service = service_of(only, policies={"only": Policies(rate=Rate(calls=1, per=Duration(1.0)))}, deadline=5.0)
    ends: dict[float, int] = {}

    async def one() -> None:
        with suppress(AllProvidersFailed):
            await service.process("x")
        ends[round(now())] = ends.get(round(now()), 0) + 1

    await asyncio.gather(*(one() for _ in range(100)))
    assert ends == {0: 96, 1: 1, 2: 1, 3: 1, 4: 1}, "95 of them could not be served in time, and know it at once"
    assert only.calls == 5


async def test_s19_no_more_wait_for_a_rate_than_its_queue_holds() -> None:
    policies = {"only": Policies(rate=Rate(calls=1, per=Duration(1.0)), queue=3)}
    service = service_of(scripted("only", "good"), policies=policies)
    tasks = at_once(service, 10)
    await asyncio.sleep(0.5)
    assert sum(not task.done() for task in tasks) == 3
    await asyncio.wait(tasks)
    assert now() == pytest.approx(3.0)


async def test_s19_a_place_in_the_line_for_a_rate_that_is_given_up_is_not_lost() -> None:
    only = scripted("only", "good")
    service = service_of(only, policies={"only": Policies(rate=Rate(calls=1, per=Duration(1.0)))}, deadline=5.0)
    tasks = at_once(service, 5)
    await asyncio.sleep(0.5)
    for task in tasks[1:]:
        task.cancel()
    await asyncio.wait(tasks)
    await service.process("x")
    assert now() == pytest.approx(1.0), "the next slot is the next one's"


async def test_s7_those_who_wait_for_the_moment_that_a_provider_named_do_not_all_come_back_in_it() -> None:
    moments: list[float] = []

    def throttles(_: Any) -> Any:
        moments.append(now())
        return Throttled("wait", retry_after=5.0) if now() < 5.0 else "good"

    service = service_of(scripted("only", throttles), random=random.Random(4))
    results = await asyncio.gather(*at_once(service, 50))
    assert {result.output for result in results} == {"good"}
    later = sorted(moment for moment in moments if moment > 0.0)
    assert later[0] == 5.0, "the first comes when it was told to"
    assert len(set(later)) == 50
    assert later[-1] < 6.1
