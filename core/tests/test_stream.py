"""Many at a time, but never more than so many."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from switchgear import UsageError
from switchgear.stream import stream
from switchgear.testing import run


async def collected(results: AsyncIterator[Any]) -> list[Any]:
    return [each async for each in results]


async def nap(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return seconds


@given(
    delays=st.lists(st.integers(0, 5), max_size=12),
    concurrency=st.integers(1, 4),
    ordered=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_everything_is_done_once_and_never_more_than_so_many_at_a_time(
    delays: list[int], concurrency: int, ordered: bool
) -> None:
    under_way = most = 0

    async def work(item: tuple[int, int]) -> tuple[int, int]:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(item[1])
        under_way -= 1
        return item

    found = run(lambda: collected(stream(enumerate(delays), work, concurrency=concurrency, ordered=ordered)))
    assert (found if ordered else sorted(found)) == list(enumerate(delays))
    assert most <= concurrency


def test_results_come_as_they_are_ready_or_in_order() -> None:
    assert run(lambda: collected(stream([3, 1, 2], nap, concurrency=3))) == [1, 2, 3]
    assert run(lambda: collected(stream([3, 1, 2], nap, concurrency=3, ordered=True))) == [3, 1, 2]


def test_items_are_taken_as_places_come_free() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    async def scenario() -> None:
        async with aclosing(stream(items(), nap, concurrency=2, ordered=True)) as results:
            async for number in results:
                assert len(taken) <= number + 2
                if number == 5:
                    return

    run(scenario)
    assert len(taken) == 7


def test_leaving_early_cancels_what_is_under_way() -> None:
    cancelled: list[float] = []

    async def work(seconds: float) -> float:
        try:
            return await nap(seconds)
        except asyncio.CancelledError:
            cancelled.append(seconds)
            raise

    async def scenario() -> None:
        async with aclosing(stream([1, 50, 60], work, concurrency=3)) as results:
            async for _ in results:
                return

    run(scenario)
    assert cancelled == [50, 60]


def test_what_the_work_raises_ends_the_stream_and_the_rest_of_it() -> None:
    ended: list[float] = []

    async def work(seconds: float) -> float:
        if seconds == 2:
            raise ValueError("two")
        try:
            return await nap(seconds)
        finally:
            ended.append(seconds)

    async def scenario() -> None:
        with pytest.raises(ValueError, match="two"):
            await collected(stream([1, 50, 2], work, concurrency=2))

    run(scenario)
    assert ended == [1, 50]


def test_what_the_items_raise_ends_the_stream_too() -> None:
    def items() -> Iterator[float]:
        yield 50
        raise ValueError("no more")

    async def scenario() -> None:
        with pytest.raises(ValueError, match="no more"):
            await collected(stream(items(), nap, concurrency=2))

    run(scenario)


def test_nothing_to_do_ends_at_once() -> None:
    assert run(lambda: collected(stream([], nap, concurrency=2))) == []


def test_an_item_may_be_anything_also_none() -> None:
    async def same(item: Any) -> Any:
        return item

    assert run(lambda: collected(stream([None, False, ...], same, concurrency=1))) == [None, False, ...]


@pytest.mark.parametrize("concurrency", [0, -1])
def test_no_place_at_all_is_an_error_and_not_an_empty_answer(concurrency: int) -> None:
    async def scenario() -> None:
        with pytest.raises(UsageError, match=f"concurrency must be at least 1, not {concurrency}"):
            await collected(stream([1], nap, concurrency=concurrency))

    run(scenario)
