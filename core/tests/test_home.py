"""The one loop on which plugins are called, and the ways there."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from switchgear import UsageError
from switchgear.home import Home
from switchgear.policies.deadline import DeadlineScope


@pytest.fixture
def home() -> Iterator[Home]:
    found = Home()
    yield found
    found.close()


async def where() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def in_a_thread(work: Callable[[], Any]) -> Any:
    """What the work gives, or raises, in a thread of its own."""
    answer: Future[Any] = Future()

    def run() -> None:
        try:
            answer.set_result(work())
        except BaseException as error:
            answer.set_exception(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return answer.result()


def test_the_first_loop_that_awaits_is_home(home: Home) -> None:
    async def main() -> None:
        assert await home.enter(where) is asyncio.get_running_loop() is home.loop

    asyncio.run(main())


def test_without_a_loop_home_is_a_thread_of_its_own(home: Home) -> None:
    before = set(threading.enumerate())
    loop = home.run(where)
    assert home.run(where) is loop is home.loop
    assert [thread.name for thread in {*threading.enumerate()} - before] == ["switchgear-home"]
    home.close()
    assert loop.is_closed()
    assert not {*threading.enumerate()} - before


def test_calls_from_other_loops_and_threads_are_handed_over(home: Home) -> None:
    loop = home.run(where)
    assert asyncio.run(home.enter(where)) is loop
    assert in_a_thread(lambda: home.run(where)) is loop


def test_what_is_raised_at_home_is_raised_where_it_was_asked_for(home: Home) -> None:
    async def fail() -> None:
        raise LookupError("no")

    with pytest.raises(LookupError):
        home.run(fail)
    with pytest.raises(LookupError):
        asyncio.run(home.enter(fail))


def test_ctrl_c_while_waiting_cancels_what_nobody_waits_for_any_more(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, cancelled = threading.Event(), threading.Event()

    async def hang() -> None:
        started.set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    home.run(where)
    patience = Future.result

    def interrupted(future: Future[Any], timeout: float | None = None) -> Any:
        monkeypatch.setattr(Future, "result", patience)
        started.wait(5)
        raise KeyboardInterrupt

    monkeypatch.setattr(Future, "result", interrupted)
    with pytest.raises(KeyboardInterrupt):
        home.run(hang)
    assert cancelled.wait(5)


def test_a_loop_in_this_thread_would_be_stopped_by_a_blocking_call(home: Home) -> None:
    async def main() -> None:
        for way in (home.run, home.run_in_place):
            with pytest.raises(UsageError, match="await process"):
                way(where)

    asyncio.run(main())


def test_what_never_waits_runs_in_place_also_inside_of_itself(home: Home) -> None:
    async def inner() -> str:
        return threading.current_thread().name

    async def outer() -> str:
        return home.run_in_place(inner)

    assert home.run_in_place(outer) == threading.current_thread().name
    assert home.loop is None


def test_state_is_changed_at_home_whoever_asks(home: Home) -> None:
    seen: list[str] = []

    def change() -> None:
        seen.append(threading.current_thread().name)

    home.change(change)  # nobody is at home yet
    home.run(where)
    home.change(change)
    in_a_thread(lambda: home.change(change))

    async def from_home() -> None:
        home.change(change)

    home.run(from_home)
    assert seen == [threading.current_thread().name, "switchgear-home", "switchgear-home", "switchgear-home"]


def test_a_change_that_fails_fails_where_it_was_asked_for(home: Home) -> None:
    def fail() -> None:
        raise LookupError("no")

    home.run(where)
    with pytest.raises(LookupError):
        home.change(fail)


def test_a_change_after_the_loop_has_ended_is_made_at_once(home: Home) -> None:
    asyncio.run(home.enter(where))
    seen: list[int] = []
    home.change(lambda: seen.append(1))
    assert seen == [1]


def test_a_loop_that_has_ended_is_no_home_any_more(home: Home) -> None:
    asyncio.run(home.enter(where))
    with pytest.raises(UsageError, match=r"keep to one asyncio\.run"):
        home.run(where)
    with pytest.raises(UsageError, match=r"keep to one asyncio\.run"):
        asyncio.run(home.enter(where))


def test_after_closing_the_next_call_finds_a_new_home(home: Home) -> None:
    first = home.run(where)
    home.close()
    home.close()
    assert home.run(where) is not first


def test_timers_belong_to_an_open_home() -> None:
    with pytest.raises(UsageError, match="nothing has been opened yet"):
        _ = Home().timers


def test_closing_rings_for_everybody_and_leaves_no_timer(home: Home) -> None:
    async def main() -> None:
        await home.enter(where)

        async def wait() -> None:
            with DeadlineScope(home.timers, home.clock.monotonic() + 1000):
                await asyncio.get_running_loop().create_future()

        waiting = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        home.close()
        with pytest.raises(TimeoutError):
            await waiting

    asyncio.run(main())


def test_closing_the_thread_ends_the_tasks_that_still_run_on_it(home: Home) -> None:
    ended = threading.Event()

    async def start() -> None:
        async def linger() -> None:
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                ended.set()

        keep.append(asyncio.ensure_future(linger()))
        await asyncio.sleep(0)

    keep: list[Any] = []
    home.run(start)
    home.close()
    assert ended.is_set()


def test_a_validator_thread_that_hangs_keeps_nobody_from_closing(home: Home) -> None:
    release = threading.Event()

    async def start() -> None:
        asyncio.get_running_loop().run_in_executor(None, lambda: release.wait(5))

    home.run(start)
    home.close()
    release.set()
