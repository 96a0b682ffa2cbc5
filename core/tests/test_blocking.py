"""Providers whose work blocks a thread."""

import asyncio
import threading
from typing import Any

import attrs
import pytest
from switchgear import (
    BlockingProvider,
    Outcome,
    ProviderError,
    ProviderManager,
    ProviderResult,
    Rejected,
    Retry,
    current_call,
)
from switchgear.blocking import usable_cores

Manager = ProviderManager[Any, Any]


@attrs.define
class Engines(BlockingProvider[Any, Any]):
    """Answers with the name of its thread and the engine it used there."""

    made: list[str] = attrs.field(factory=list, init=False)
    closed: list[str] = attrs.field(factory=list, init=False)
    together: Any = attrs.field(default=None, init=False)

    def open_engine(self) -> str:
        self.made.append(threading.current_thread().name)
        return f"engine of {threading.current_thread().name}"

    def close_engine(self, engine: str) -> None:
        self.closed.append(engine)

    def process_blocking(self, request: Any) -> ProviderResult[Any]:
        if isinstance(request, Exception):
            raise request
        if self.together is not None:
            self.together.wait(5)
        return ProviderResult((threading.current_thread().name, self.engine))


def test_each_thread_has_one_engine_which_is_made_when_it_first_works_and_closed_at_the_end() -> None:
    async def main() -> None:
        provider = Engines(name="ocr", concurrency=2)
        assert provider.made == []
        provider.together = threading.Barrier(2)
        for _ in range(3):
            first, second = await asyncio.gather(provider.process(1), provider.process(2))
            assert {first.output, second.output} == {
                (f"switchgear-ocr-{number}", f"engine of switchgear-ocr-{number}") for number in range(2)
            }
        await provider.aclose()
        assert sorted(provider.made) == ["switchgear-ocr-0", "switchgear-ocr-1"]
        assert sorted(provider.closed) == ["engine of switchgear-ocr-0", "engine of switchgear-ocr-1"]
        await provider.aclose()
        assert len(provider.closed) == 2

    asyncio.run(main())


def test_one_after_the_other_needs_one_thread() -> None:
    async def main() -> None:
        provider = Engines(name="ocr", concurrency=3)
        threads = {(await provider.process(number)).output[0] for number in range(4)}
        assert threads == {"switchgear-ocr-0"}
        await provider.aclose()

    asyncio.run(main())


def test_without_a_bound_there_are_as_many_threads_as_cores() -> None:
    assert Engines().workers == usable_cores() >= 1
    assert Engines(concurrency=7).workers == 7


def test_one_that_was_never_used_has_nothing_to_close() -> None:
    asyncio.run(Engines().aclose())


def test_it_can_be_used_again_after_closing() -> None:
    async def main() -> None:
        provider = Engines(name="ocr", concurrency=1)
        for _ in range(2):
            await provider.process(1)
            await provider.aclose()
        assert len(provider.made) == len(provider.closed) == 2

    asyncio.run(main())


def test_what_the_thread_raises_comes_out_where_it_was_asked_for() -> None:
    async def main() -> None:
        provider = Engines(concurrency=1)
        with pytest.raises(ProviderError, match="smoke"):
            await provider.process(ProviderError("smoke"))
        assert (await provider.process(1)).output
        await provider.aclose()

    asyncio.run(main())


def test_an_engine_that_cannot_be_made_fails_its_request_only_and_is_tried_again() -> None:
    class Failing(Engines):
        def open_engine(self) -> str:
            if not self.made:
                self.made.append("once")
                raise ProviderError("no model")
            return super().open_engine()

    async def main() -> None:
        provider = Failing(concurrency=1)
        with pytest.raises(ProviderError, match="no model"):
            await provider.process(1)
        assert (await provider.process(1)).output
        await provider.aclose()

    asyncio.run(main())


def test_the_default_engine_is_none() -> None:
    class Plain(BlockingProvider[Any, Any]):
        def process_blocking(self, request: Any) -> ProviderResult[Any]:
            return ProviderResult(self.engine)

    async def main() -> None:
        provider = Plain()
        assert (await provider.process(1)).output is None
        await provider.aclose()

    asyncio.run(main())


def test_the_thread_knows_the_call_it_works_for() -> None:
    class Asking(BlockingProvider[Any, Any]):
        def process_blocking(self, request: Any) -> ProviderResult[Any]:
            call = current_call()
            assert call is not None
            return ProviderResult(call.id)

    manager: Manager = ProviderManager([Asking()])
    result = manager.process_sync("x")
    assert result.output == result.call_id
    manager.close()


@attrs.define
class Stuck(BlockingProvider[Any, Any]):
    release: threading.Event = attrs.field(factory=threading.Event, init=False)
    started: threading.Event = attrs.field(factory=threading.Event, init=False)

    def process_blocking(self, request: Any) -> ProviderResult[Any]:
        self.started.set()
        self.release.wait(5)
        return ProviderResult("late")


def test_with_every_thread_stuck_requests_are_turned_away_until_one_comes_back() -> None:
    async def main() -> None:
        provider = Stuck(concurrency=1)
        leaving = asyncio.ensure_future(provider.process(1))
        await asyncio.to_thread(provider.started.wait)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        left = provider.left_behind()
        assert left is not None
        assert provider.left_behind() is None
        with pytest.raises(Rejected, match="all 1 worker threads are stuck") as caught:
            await provider.process(2)
        assert caught.value.remedy == "raise the timeout, or look at why the engine hangs"
        provider.release.set()
        await asyncio.wrap_future(left)
        await asyncio.sleep(0)
        assert (await provider.process(3)).output == "late"
        await provider.aclose()

    asyncio.run(main())


def test_closing_waits_for_no_thread_that_is_stuck_and_a_closed_loop_is_not_told_of_it() -> None:
    provider = Stuck(concurrency=1)

    async def main() -> None:
        leaving = asyncio.ensure_future(provider.process(1))
        await asyncio.to_thread(provider.started.wait)
        leaving.cancel()
        await asyncio.wait([leaving])
        await provider.aclose()

    asyncio.run(main())
    left = provider.left_behind()
    assert left is not None
    provider.release.set()
    assert left.result(5).output == "late"


def test_a_request_that_is_cancelled_before_its_thread_is_free_never_starts() -> None:
    async def main() -> None:
        provider = Stuck(concurrency=1)
        first = asyncio.ensure_future(provider.process(1))
        await asyncio.to_thread(provider.started.wait)
        waiting = asyncio.ensure_future(provider.process(2))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert provider.left_behind() is None
        provider.release.set()
        assert (await first).output == "late"
        await provider.aclose()

    asyncio.run(main())


def test_behind_a_manager_an_engine_that_fails_is_an_outcome_like_any_other() -> None:
    manager: Manager = ProviderManager([Engines(name="a"), Engines(name="b")], retry=Retry(attempts=1))
    with pytest.raises(Exception, match="smoke"):
        manager.process_sync(ProviderError("smoke"))
    result = manager.process_sync(1)
    assert (result.provider, result.attempts[0].outcome) == ("a", Outcome.SUCCESS)
    manager.close()
