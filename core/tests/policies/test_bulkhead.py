"""Places and the line for them (S19): in order, bounded, none lost and none granted twice."""

import asyncio
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from switchgear.policies.bulkhead import Bulkhead
from switchgear.testing import VirtualLoop


def full(limit: int = 1, queue: int = 10) -> Bulkhead:
    one = Bulkhead(limit, queue)
    while one.try_acquire():
        pass
    return one


def in_line(one: Bulkhead) -> "asyncio.Task[bool]":
    return asyncio.ensure_future(one.acquire())


async def test_s19_there_are_as_many_places_as_it_says() -> None:
    one = Bulkhead(3, 0)
    assert [one.try_acquire() for _ in range(4)] == [True, True, True, False]
    one.release()
    assert one.try_acquire()


async def test_s19_places_go_to_whoever_has_waited_longest() -> None:
    one, served = full(), []

    async def wait(name: int) -> None:
        assert await one.acquire()
        served.append(name)
        one.release()

    waiting = [asyncio.ensure_future(wait(name)) for name in range(10)]
    await asyncio.sleep(0)
    one.release()
    await asyncio.gather(*waiting)
    assert served == list(range(10))
    assert (one.taken, one.waiting) == (0, 0)


async def test_s19_nobody_overtakes_the_line() -> None:
    one = full()
    first = in_line(one)
    await asyncio.sleep(0)
    one.release()
    assert not one.try_acquire(), "the place was promised to the first in line"
    assert await first


async def test_s19_it_is_full_when_neither_a_place_nor_room_in_the_line_is_left() -> None:
    one = Bulkhead(2, 1)
    seen = [one.is_full]
    for _ in range(2):
        one.try_acquire()
        seen.append(one.is_full)
    first = in_line(one)
    await asyncio.sleep(0)
    seen.append(one.is_full)
    one.release()
    seen.append(one.is_full)
    assert await first
    assert seen == [False, False, False, True, False]
    assert not Bulkhead(2, 0).is_full


async def test_s19_it_is_full_when_nothing_but_stuck_threads_have_its_places() -> None:
    one = full(limit=2, queue=5)
    one.hold()
    assert not one.is_full
    one.hold()
    assert one.is_full
    one.let_go()
    assert not one.is_full


async def test_s19_a_full_line_turns_away_at_once() -> None:
    one = full(queue=2)
    waiting = [in_line(one) for _ in range(2)]
    await asyncio.sleep(0)
    assert await one.acquire() is False
    for each in waiting:
        each.cancel()
    await asyncio.wait(waiting)
    assert one.waiting == 0


async def test_s19_cancelled_in_the_tick_it_is_granted_the_place_goes_to_the_next() -> None:
    one = full()
    first, second = in_line(one), in_line(one)
    await asyncio.sleep(0)
    one.release()
    first.cancel()
    assert await second
    assert first.cancelled()
    one.release()
    assert one.taken == 0


async def test_s19_granted_in_the_tick_it_is_cancelled_the_place_goes_to_the_next() -> None:
    one = full()
    first, second = in_line(one), in_line(one)
    await asyncio.sleep(0)
    first.cancel()
    one.release()
    assert await second
    assert first.cancelled()
    one.release()
    assert one.taken == 0


async def test_s19_the_only_one_in_line_is_cancelled_as_the_place_comes_free() -> None:
    """The line must not be asked to remove who is already gone from it: that error would hide the cancellation."""
    one = full()
    only = in_line(one)
    await asyncio.sleep(0)
    only.cancel()
    one.release()
    await asyncio.wait([only])
    assert only.cancelled()
    assert (one.taken, one.waiting) == (0, 0)


async def test_s19_one_whose_coroutine_is_closed_leaves_the_line() -> None:
    one = full()
    waiting = one.acquire()
    waiting.send(None)
    assert one.waiting == 1
    waiting.close()
    assert (one.waiting, one.taken) == (0, 1)


async def test_s27_a_place_that_is_held_is_nobody_elses() -> None:
    one = full(limit=2)
    waiting = in_line(one)
    await asyncio.sleep(0)
    one.hold()
    await asyncio.sleep(0)
    assert not waiting.done()
    assert (one.taken, one.held) == (2, 1)
    one.let_go()
    assert await waiting
    assert (one.taken, one.held) == (2, 0)


async def test_s27_when_every_place_is_held_the_line_is_sent_away_and_nobody_joins_it() -> None:
    one = full(limit=2)
    waiting = [in_line(one) for _ in range(3)]
    await asyncio.sleep(0)
    one.hold()
    one.hold()
    assert await asyncio.gather(*waiting) == [False] * 3
    assert await one.acquire() is False
    one.let_go()
    assert one.try_acquire()


class BulkheadMachine(RuleBasedStateMachine):
    """Callers in and out of line, cancelled at the worst moments, and workers that hang."""

    limit, queue = 2, 3

    def __init__(self) -> None:
        super().__init__()
        self.loop = VirtualLoop()
        self.bulkhead = Bulkhead(self.limit, self.queue)
        self.inside = self.held = 0
        self.line: list[asyncio.Task[bool]] = []

    def teardown(self) -> None:
        for task in self.line:
            task.cancel()
        self.settle()
        self.loop.close()

    def settle(self) -> None:
        async def turns() -> None:
            for _ in range(5):
                await asyncio.sleep(0)

        self.loop.run_until_complete(turns())

    def place_comes_free(self) -> None:
        if self.line:
            assert self.line.pop(0).result() is True, "the first in line gets it"
        else:
            self.inside -= 1

    @rule()
    def somebody_comes(self) -> None:
        free = self.inside + self.held < self.limit and not self.line
        assert self.bulkhead.try_acquire() is free
        if free:
            self.inside += 1
            return
        task = self.loop.create_task(self.bulkhead.acquire())
        self.settle()
        if len(self.line) >= self.queue or self.held >= self.limit:
            assert task.result() is False
        else:
            assert not task.done()
            self.line.append(task)

    @precondition(lambda self: self.inside)
    @rule()
    def somebody_leaves(self) -> None:
        self.bulkhead.release()
        self.settle()
        self.place_comes_free()

    @precondition(lambda self: self.line)
    @rule(which=st.integers(0, 2))
    def somebody_gives_up(self, which: int) -> None:
        task = self.line.pop(which % len(self.line))
        task.cancel()
        self.settle()
        assert task.cancelled()

    @precondition(lambda self: self.line and self.inside)
    @rule(cancelled_first=st.booleans())
    def the_first_gives_up_as_a_place_comes_free(self, cancelled_first: bool) -> None:
        first = self.line.pop(0)
        if cancelled_first:
            first.cancel()
        self.bulkhead.release()
        if not cancelled_first:
            first.cancel()
        self.settle()
        assert first.cancelled()
        self.place_comes_free()

    @precondition(lambda self: self.inside)
    @rule()
    def a_worker_hangs(self) -> None:
        self.bulkhead.hold()
        self.inside, self.held = self.inside - 1, self.held + 1
        self.settle()
        if self.held == self.limit:
            assert [task.result() for task in self.line] == [False] * len(self.line)
            self.line.clear()

    @precondition(lambda self: self.held)
    @rule()
    def a_worker_comes_back(self) -> None:
        self.bulkhead.let_go()
        self.held, self.inside = self.held - 1, self.inside + 1
        self.settle()
        self.place_comes_free()

    @invariant()
    def no_place_is_lost_and_none_granted_twice(self) -> None:
        assert self.bulkhead.taken == self.inside + self.held <= self.limit
        assert self.bulkhead.held == self.held
        assert self.bulkhead.waiting == len(self.line)
        assert not any(task.done() for task in self.line)

    @invariant()
    def nobody_waits_for_a_place_that_is_free(self) -> None:
        assert not self.line or self.inside + self.held == self.limit


def check(**size: Any) -> None:
    run_state_machine_as_test(BulkheadMachine, settings=settings(deadline=None, **size))


def test_the_bulkhead_does_what_the_model_does() -> None:
    check(max_examples=50, stateful_step_count=40)


@pytest.mark.full
def test_the_bulkhead_does_what_the_model_does_at_length() -> None:
    check(max_examples=600, stateful_step_count=100)
