"""The one class that turns our own cancellation into a timeout (S2)."""

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable
from contextvars import ContextVar, copy_context
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from switchgear.policies.deadline import NEVER, DeadlineScope, StrayCancellation, Timers
from switchgear.testing import VirtualClock, VirtualLoop, run


def timers() -> Timers:
    return Timers(asyncio.get_running_loop(), VirtualClock())


def now() -> float:
    return asyncio.get_running_loop().time()


def cancelling() -> int:
    task = asyncio.current_task()
    assert task is not None
    return task.cancelling()


def timers_set() -> int:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop.timers


async def hang() -> None:
    await asyncio.get_running_loop().create_future()


async def bounded(scopes: Timers, when: float, work: Callable[[], Awaitable[Any]]) -> Any:
    with DeadlineScope(scopes, when):
        return await work()


async def test_s2_our_own_cancellation_comes_out_as_a_timeout() -> None:
    with pytest.raises(TimeoutError):
        await bounded(timers(), 1.0, hang)
    assert cancelling() == 0
    await asyncio.sleep(1)


async def test_s2_work_that_ends_in_time_is_left_alone() -> None:
    scopes = timers()
    with DeadlineScope(scopes, 1.0):
        await asyncio.sleep(0.9)
    assert scopes.pending == 0
    await asyncio.sleep(10)


async def test_s2_an_error_of_the_work_passes_through() -> None:
    async def breaks() -> None:
        await asyncio.sleep(0.5)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await bounded(timers(), 1.0, breaks)


@settings(max_examples=300, deadline=None)
@given(st.floats(0, 1000), st.floats(0, 1e6))
def test_s2_it_rings_at_most_ten_milliseconds_late_and_never_early(length: float, start: float) -> None:
    async def scenario() -> None:
        await asyncio.sleep(start)
        when = now() + length
        with pytest.raises(TimeoutError):
            await bounded(timers(), when, hang)
        assert when <= now() <= when + 0.01 + 1e-6

    run(scenario)


async def test_s2_a_moment_that_has_passed_ends_the_first_wait() -> None:
    await asyncio.sleep(5)
    with pytest.raises(TimeoutError):
        await bounded(timers(), 1.0, hang)
    assert now() == 5.0


async def test_s2_the_callers_cancellation_passes_through() -> None:
    task = asyncio.ensure_future(bounded(timers(), 10.0, hang))
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


@pytest.mark.parametrize("caller_first", [True, False])
async def test_s2_when_both_happen_at_once_the_caller_wins(caller_first: bool) -> None:
    scopes = timers()
    task = asyncio.ensure_future(bounded(scopes, 10.0, hang))
    await asyncio.sleep(1)
    if caller_first:
        task.cancel()
    scopes.expire_all()
    if not caller_first:
        task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_s2_the_callers_own_timeout_stays_the_callers() -> None:
    async def impatient() -> None:
        async with asyncio.timeout(1):
            try:
                await bounded(timers(), 10.0, hang)
            except TimeoutError:
                pytest.fail("the scope has taken it for its own")

    with pytest.raises(TimeoutError):
        await impatient()
    assert cancelling() == 0


async def test_s2_a_timeout_inside_a_task_that_was_cancelled_before_is_still_a_timeout() -> None:
    outcome: list[str] = []

    async def cleans_up_slowly() -> None:
        try:
            await hang()
        finally:
            try:
                await bounded(timers(), now() + 1.0, hang)
            except TimeoutError:
                outcome.append("timeout")

    task = asyncio.ensure_future(cleans_up_slowly())
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.wait([task])
    assert outcome == ["timeout"]
    assert task.cancelled()


@pytest.mark.parametrize(("outer", "inner", "expected"), [(1.0, 5.0, "outer"), (5.0, 1.0, "inner")])
async def test_s2_of_nested_scopes_the_one_whose_time_is_over_ends(outer: float, inner: float, expected: str) -> None:
    scopes, ended = timers(), ""
    try:
        with DeadlineScope(scopes, outer):
            try:
                await bounded(scopes, inner, hang)
            except TimeoutError:
                ended = "inner"
    except TimeoutError:
        ended = "outer"
    assert ended == expected
    assert cancelling() == 0
    assert scopes.pending == 0


async def test_s2_nested_scopes_of_the_same_moment_end_as_the_outer_ones_timeout() -> None:
    scopes, inside = timers(), []

    async def inner() -> None:
        try:
            await bounded(scopes, 1.0, hang)
        except BaseException as error:
            inside.append(type(error))
            raise

    with pytest.raises(TimeoutError):
        await bounded(scopes, 1.0, inner)
    assert inside == [asyncio.CancelledError]
    assert cancelling() == 0


async def translates_everything() -> None:
    try:
        await hang()
    except BaseException as error:
        raise ConnectionError("cancelled, said the client") from error


async def test_s2_a_client_that_makes_an_error_of_our_cancellation_has_timed_out_all_the_same() -> None:
    with pytest.raises(TimeoutError):
        await bounded(timers(), 1.0, translates_everything)


async def test_s2_a_client_that_makes_an_error_of_the_callers_cancellation_does_not_hide_it() -> None:
    """Else the call would go on to the next provider for a caller that has left."""
    task = asyncio.ensure_future(bounded(timers(), 10.0, translates_everything))
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_s2_an_answer_that_came_in_spite_of_our_cancellation_counts() -> None:
    async def answers_anyway() -> str:
        try:
            await hang()
        except asyncio.CancelledError:
            return "done"
        return "never"

    assert await bounded(timers(), 1.0, answers_anyway) == "done"
    assert cancelling() == 0


async def test_s2_a_cancellation_that_nobody_asked_for_is_an_error_of_the_work() -> None:
    async def broken() -> None:
        raise asyncio.CancelledError

    with pytest.raises(StrayCancellation):
        await bounded(timers(), 1.0, broken)
    assert cancelling() == 0


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
async def test_s2_the_end_of_the_program_passes_through(kind: type[BaseException]) -> None:
    scopes = timers()
    with pytest.raises(kind), DeadlineScope(scopes, 1.0):
        raise kind
    assert scopes.pending == 0


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
async def test_s2_so_does_the_end_that_comes_when_its_time_is_over_or_it_is_cancelled(
    kind: type[BaseException],
) -> None:
    async def ends() -> None:
        try:
            await hang()
        except asyncio.CancelledError:
            raise kind from None

    async def call() -> None:
        with pytest.raises(kind):
            await bounded(timers(), 1.0, ends)

    await call()
    assert cancelling() == 0
    cancelled = asyncio.ensure_future(call())
    await asyncio.sleep(0)
    cancelled.cancel()
    await cancelled


async def test_one_timer_serves_them_all_and_none_is_left() -> None:
    scopes = timers()
    tasks = [asyncio.ensure_future(bounded(scopes, number / 7, hang)) for number in range(1, 500)]
    await asyncio.sleep(0)
    assert timers_set() == 1
    assert scopes.pending == 499
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(each, TimeoutError) for each in done)
    assert (scopes.pending, timers_set()) == (0, 0)


async def test_one_timer_serves_them_all_also_when_the_nearer_deadline_comes_later() -> None:
    scopes = timers()
    tasks = [asyncio.ensure_future(bounded(scopes, when, hang)) for when in (50.0, 20.0, 5.0)]
    await asyncio.sleep(0)
    assert timers_set() == 1
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_after_it_has_rung_the_next_deadline_rings_too() -> None:
    scopes = timers()
    for when in (0.5, 1.0, 70.0):
        with pytest.raises(TimeoutError):
            await bounded(scopes, when, hang)
        assert when <= now() <= when + 0.01


async def test_after_all_were_ended_the_next_deadline_rings_too() -> None:
    scopes = timers()
    with DeadlineScope(scopes, 0.5):
        pass
    scopes.expire_all()
    assert timers_set() == 0
    for when in (0.5, 0.6):  # the first for the very moment of the one that ended
        with pytest.raises(TimeoutError):
            await bounded(scopes, when, hang)
        assert when <= now() <= when + 0.01


async def test_a_deadline_for_a_moment_that_has_rung_already_rings_at_once() -> None:
    scopes = timers()
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await bounded(scopes, 0.5, hang)
    assert now() == pytest.approx(0.51)


async def test_deadlines_of_the_same_ten_milliseconds_share_a_bucket_and_no_others_do() -> None:
    scopes = timers()
    bucket = scopes.bucket(0.505)
    assert (scopes.latest, scopes.latest_from, scopes.latest_until) == (bucket, 0.5, 0.51)
    late = asyncio.ensure_future(bounded(scopes, 0.505, hang))
    early = asyncio.ensure_future(bounded(scopes, 0.495, hang))
    await asyncio.wait([early])
    assert now() == pytest.approx(0.5)
    assert not late.done()
    await asyncio.wait([late])


async def test_the_timer_keeps_nothing_of_the_call_that_set_it() -> None:
    class Request:
        pass

    scopes = timers()
    variable: ContextVar[Request] = ContextVar("request")

    def call() -> "weakref.ref[Request]":
        request = Request()
        variable.set(request)
        scopes.bucket(3600.0)
        return weakref.ref(request)

    request = copy_context().run(call)
    gc.collect()
    assert timers_set() == 1
    assert request() is None


async def test_the_timer_goes_away_by_itself_once_calls_have_ended() -> None:
    scopes = timers()
    for number in range(200):
        with DeadlineScope(scopes, 60.0 + number):
            pass
    assert timers_set() == 1
    await asyncio.sleep(61)
    assert timers_set() == 0
    assert (scopes._ticks, scopes._buckets) == ([], {})


async def test_far_deadlines_of_calls_that_have_ended_do_not_pile_up() -> None:
    scopes = timers()
    with DeadlineScope(scopes, 3600.0):
        for number in range(100_000):
            with DeadlineScope(scopes, 7200.0 + number / 100):
                pass
        assert len(scopes._buckets) == len(scopes._ticks) <= 5000
        assert scopes.pending == 1
    scopes.expire_all()
    assert timers_set() == 0


async def test_with_many_calls_in_flight_they_are_looked_through_when_there_are_twice_as_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scopes, swept = timers(), []
    sweep = scopes._sweep
    monkeypatch.setattr(scopes, "_sweep", lambda: (swept.append(len(scopes._ticks)), sweep()))
    for number in range(10_000):
        scopes.bucket(100.0 + number / 50).add(DeadlineScope(scopes, 0.0))
    assert swept == [4096, 8192]
    scopes._buckets.clear()
    scopes.expire_all()


async def test_a_nearer_deadline_rings_first_whenever_it_was_set() -> None:
    scopes, ended = timers(), []

    async def note(when: float) -> None:
        with pytest.raises(TimeoutError):
            await bounded(scopes, when, hang)
        ended.append(when)

    await asyncio.gather(*map(note, [50.0, 1.0, 20.0, 0.5, 20.04]))
    assert ended == [0.5, 1.0, 20.0, 20.04, 50.0]


async def test_a_scope_without_a_deadline_sets_no_timer_and_ends_when_all_do() -> None:
    scopes = timers()
    task = asyncio.ensure_future(bounded(scopes, NEVER, hang))
    await asyncio.sleep(10**6)
    assert not task.done()
    assert (scopes.pending, timers_set()) == (1, 0)
    scopes.expire_all()
    with pytest.raises(TimeoutError):
        await task
    assert scopes.pending == 0


async def test_ending_one_owners_scopes_leaves_the_others_alone() -> None:
    scopes, mine, others = timers(), object(), object()

    async def owned(owner: object, when: float) -> None:
        with DeadlineScope(scopes, when, owner):
            await hang()

    tasks = [asyncio.ensure_future(owned(owner, when)) for owner in (mine, others) for when in (5.0, 5.0, 9.0, NEVER)]
    await asyncio.sleep(1)
    scopes.expire_all(mine)
    await asyncio.wait(tasks[:4])
    assert [task.done() for task in tasks] == [True] * 4 + [False] * 4
    assert scopes.pending == 4
    await asyncio.wait(tasks[4:7])
    assert now() == pytest.approx(9.01)
    scopes.expire_all()
    await asyncio.wait(tasks[7:])
    assert all(isinstance(task.exception(), TimeoutError) for task in tasks)


async def test_a_scope_needs_a_task_to_end() -> None:
    scopes, refused = timers(), asyncio.Event()

    def outside_of_any_task() -> None:
        with pytest.raises(RuntimeError, match="task"), DeadlineScope(scopes, 1.0):
            pass
        refused.set()

    asyncio.get_running_loop().call_soon(outside_of_any_task)
    await refused.wait()
    assert scopes.pending == 0
