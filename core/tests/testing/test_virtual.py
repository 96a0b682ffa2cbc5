"""The event loop whose time jumps."""

import asyncio
import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from switchgear.testing import Deadlock, LeftBehind, Livelock, VirtualClock, VirtualLoop, run, virtual
from switchgear.testing.virtual import settle


def now() -> float:
    return asyncio.get_running_loop().time()


async def forever() -> None:
    await asyncio.Event().wait()


def test_ten_hours_pass_in_a_moment() -> None:
    async def main() -> float:
        for _ in range(10 * 60):
            await asyncio.sleep(60)
        return now()

    started = time.perf_counter()
    assert run(main) == 36_000
    assert time.perf_counter() - started < 2


def test_a_coroutine_is_as_good_as_a_function() -> None:
    assert run(asyncio.sleep(1, "done")) == "done"


def test_timers_ring_exactly_at_their_moment() -> None:
    rung: list[float] = []

    async def main() -> None:
        for moment in (0.3, 0.1, 0.1 + 0.2, 7.7):
            asyncio.get_running_loop().call_at(moment, lambda: rung.append(now()))
        await asyncio.sleep(10)

    run(main)
    assert rung == [0.1, 0.3, 0.1 + 0.2, 7.7]


def test_timers_of_the_same_moment_ring_in_the_order_they_were_set() -> None:
    rung: list[int] = []

    async def main() -> None:
        for number in range(100):
            asyncio.get_running_loop().call_at(1.0 if number % 3 else 2.0, rung.append, number)
        await asyncio.sleep(3)

    run(main)
    assert rung == [n for n in range(100) if n % 3] + [n for n in range(100) if not n % 3]


def test_timers_far_from_zero_still_ring() -> None:
    loop = VirtualLoop(start=1e12)
    loop.run_until_complete(asyncio.sleep(0.001))
    assert loop.time() == pytest.approx(1e12 + 0.001)
    loop.close()


def test_a_cancelled_timer_moves_no_time() -> None:
    async def main() -> float:
        asyncio.get_running_loop().call_later(1000, print).cancel()
        await asyncio.sleep(1)
        return now()

    assert run(main) == 1


def test_timers_are_counted_without_the_cancelled() -> None:
    async def main() -> list[int]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        kept, cancelled = loop.call_later(1, print), loop.call_later(2, print)
        cancelled.cancel()
        counts = [loop.timers]
        kept.cancel()
        return [*counts, loop.timers]

    assert run(main) == [1, 0]


def test_timeouts_of_asyncio_are_virtual_too() -> None:
    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3600):
                await forever()
        return now()

    assert run(main) == 3600


def test_waiting_for_ever_is_a_deadlock_that_names_who_waits() -> None:
    with pytest.raises(Deadlock, match=r"no timer is set; waiting: .* at locks\.py:\d+ in wait"):
        run(forever, patience=0)


def test_a_deadlock_is_seen_after_timers_have_run_out() -> None:
    async def main() -> None:
        await asyncio.sleep(100)
        await forever()

    with pytest.raises(Deadlock):
        run(main, patience=0)


def test_a_timer_that_sets_itself_again_at_once_is_a_livelock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual, "_TURNS", 1000)

    async def main() -> None:
        def again() -> None:
            asyncio.get_running_loop().call_later(0, again)

        await asyncio.sleep(2)
        again()
        await forever()

    with pytest.raises(Livelock, match=r"time moving on from 2\.0 s"):
        run(main)


def test_a_task_left_behind_is_an_error_that_says_where_it_waits() -> None:
    async def main() -> None:
        task = asyncio.create_task(forever(), name="stray")
        await asyncio.sleep(1)
        assert not task.done()

    with pytest.raises(LeftBehind, match=r"1 left behind: stray at locks\.py"):
        run(main)


def test_a_cancelled_task_gets_a_moment_to_end() -> None:
    async def main() -> None:
        task = asyncio.create_task(forever())
        await asyncio.sleep(1)
        task.cancel()

    run(main)


def test_settling_lets_happen_what_can_and_no_time_pass() -> None:
    async def main() -> tuple[int, bool, float]:
        quick = asyncio.create_task(asyncio.sleep(0))
        slow = asyncio.create_task(asyncio.sleep(1))
        left = await settle()
        await slow
        return len(left), quick.done(), now()

    assert run(main) == (1, True, 1)


def test_an_error_of_the_main_task_comes_out_and_hides_nothing() -> None:
    async def main() -> None:
        asyncio.create_task(forever())  # noqa: RUF006
        raise KeyError("planted")

    with pytest.raises(KeyError, match="planted"):
        run(main)


def test_the_same_seed_rolls_the_same_dice() -> None:
    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        return [loop.random.random() for _ in range(3)]

    assert run(main, seed=7) == run(main, seed=7) != run(main, seed=8)


@pytest.fixture
def release() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_time_stands_still_while_a_thread_works() -> None:
    async def main() -> tuple[str, float]:
        async with asyncio.timeout(0.001):
            answer = await asyncio.to_thread(threading.current_thread)
        return answer.name[:7], now()

    assert run(main) == ("asyncio", 0.0)


def test_a_thread_that_hangs_is_given_up_and_time_goes_on(release: threading.Event) -> None:
    async def main() -> float:
        work = asyncio.ensure_future(asyncio.to_thread(release.wait))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3600):
                await asyncio.shield(work)
        for _ in range(1000):
            await asyncio.sleep(1)
        release.set()
        await work
        return now()

    started = time.perf_counter()
    assert run(main, patience=0.05) == 4600
    assert time.perf_counter() - started < 2


def test_the_end_of_a_run_waits_for_its_threads() -> None:
    started, ended = threading.Event(), []

    def work() -> None:
        started.set()
        threading.Event().wait(0.05)
        ended.append(True)

    async def main() -> None:
        future = asyncio.get_running_loop().run_in_executor(None, work)
        started.wait()
        future.cancel()

    run(main)
    assert ended == [True]


def test_another_thread_may_call_in() -> None:
    async def main() -> str:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str] = loop.create_future()
        thread = threading.Thread(target=lambda: loop.call_soon_threadsafe(answer.set_result, "called"))
        thread.start()
        try:
            return await answer
        finally:
            thread.join()

    assert run(main) == "called"


def test_the_clock_reads_the_time_of_its_loop() -> None:
    async def main() -> tuple[float, timedelta]:
        clock = VirtualClock()
        before = clock.utc()
        await clock.sleep(90)
        return clock.monotonic(), clock.utc() - before

    assert run(main) == (90, timedelta(seconds=90))


def test_stepping_the_calendar_rings_no_timer() -> None:
    async def main() -> tuple[float, timedelta]:
        clock = VirtualClock()
        before = clock.utc()
        clock.step_utc(86_400)
        await asyncio.sleep(1)
        return clock.monotonic(), clock.utc() - before

    assert run(main) == (1, timedelta(days=1, seconds=1))
