"""Worker threads that cannot be cancelled (S27): the caller leaves, the place stays taken, nothing gets lost."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import attrs
import pytest
from switchgear import (
    AllProvidersFailed,
    BlockingProvider,
    Outcome,
    Price,
    ProviderManager,
    ProviderResult,
    Retry,
    current_call,
)
from switchgear.testing import ScriptedProvider, run

Manager = ProviderManager[Any, Any]
NO_RETRY = Retry(attempts=1)


@attrs.define(eq=False)
class Engine(BlockingProvider[Any, Any]):
    """Calls what it is given, in one of its threads."""

    closed: list[Any] = attrs.field(factory=list, init=False)

    def open_engine(self) -> object:
        return object()

    def close_engine(self, engine: object) -> None:
        self.closed.append(engine)

    def process_blocking(self, request: Callable[[], Any]) -> ProviderResult[Any]:
        assert self.engine is not None
        result = request()
        return result if isinstance(result, ProviderResult) else ProviderResult(result)


def service_of(*providers: Any, **settings: Any) -> Manager:
    return ProviderManager(providers, **{"retry": NO_RETRY, **settings})


def bulkhead(service: Manager) -> Any:
    return service._by_name["engine"].bulkhead


async def until(condition: Callable[[], bool]) -> None:
    """Real threads know no virtual time."""
    for _ in range(5000):
        if condition():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it never happened")


@attrs.define
class Stuck:
    """Requests that hang in their threads until they are let go."""

    let_go: threading.Event = attrs.Factory(threading.Event)
    inside: threading.Semaphore = attrs.Factory(lambda: threading.Semaphore(0))
    result: Any = "late"

    def __call__(self) -> Any:
        self.inside.release()
        assert self.let_go.wait(30)
        return self.result


async def assert_closes(service: Manager, engine: Engine) -> None:
    before = {thread for thread in threading.enumerate() if "engine" in thread.name}
    await service.aclose()
    for thread in before:
        thread.join(10)
    assert not [thread for thread in threading.enumerate() if "engine" in thread.name]


async def test_s27_requests_run_in_as_many_threads_as_it_says_and_each_has_its_engine() -> None:
    engine = Engine(name="engine", concurrency=3)
    barrier = threading.Barrier(3)
    service = service_of(engine)
    seen: set[tuple[str, int]] = set()

    def note() -> str:
        barrier.wait(10)
        seen.add((threading.current_thread().name, id(engine.engine)))
        return "good"

    await asyncio.gather(*(service.process(note) for _ in range(12)))
    assert len(seen) == 3
    assert len({identity for _, identity in seen}) == 3
    await assert_closes(service, engine)
    assert len(engine.closed) == 3


async def test_s1_a_plugin_in_a_thread_knows_the_call_it_works_for() -> None:
    service = service_of(Engine(name="engine", concurrency=1))

    def key() -> Any:
        call = current_call()
        assert call is not None
        return call.idempotency_key

    assert (await service.process(key, idempotency_key="order-7")).output == "order-7"
    await service.aclose()


def test_s27_the_caller_leaves_at_once_and_the_place_stays_taken_until_the_thread_is_back() -> None:
    async def scenario() -> None:
        engine, stuck = Engine(name="engine", concurrency=2, timeout=0.05), Stuck()
        service = service_of(engine)
        with pytest.raises(AllProvidersFailed) as caught:
            await service.process(stuck)
        assert caught.value.attempts[0].outcome is Outcome.ATTEMPT_TIMEOUT
        assert (bulkhead(service).taken, bulkhead(service).held) == (1, 1)
        assert (await service.process(lambda: "good")).output == "good", "the other thread is free"
        stuck.let_go.set()
        await until(lambda: bulkhead(service).taken == 0)
        assert (bulkhead(service).held, engine.figures.late, engine.figures.in_flight) == (0, 1, 0)
        await assert_closes(service, engine)

    asyncio.run(scenario())


def test_s27_a_cancelled_caller_leaves_at_once_too() -> None:
    async def scenario() -> None:
        engine, stuck = Engine(name="engine", concurrency=1), Stuck()
        service = service_of(engine)
        call = asyncio.ensure_future(service.process(stuck))
        await until(lambda: stuck.inside.acquire(blocking=False))
        call.cancel()
        await asyncio.wait([call])
        assert call.cancelled()
        assert (bulkhead(service).taken, bulkhead(service).held) == (1, 1)
        stuck.let_go.set()
        await until(lambda: bulkhead(service).taken == 0)
        assert not service.is_open("engine")
        await assert_closes(service, engine)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("price", "result", "cost"),
    [
        (None, ProviderResult("late", cost=Decimal("0.25")), Decimal("0.25")),
        (
            Price(per_unit={"pages": Decimal("0.1")}),
            ProviderResult("late", usage={"pages": Decimal(3)}),
            Decimal("0.3"),
        ),
        (None, ProviderResult("late"), None),
        (Price(per_call=Decimal(1)), None, Decimal(1)),
    ],
)
def test_s27_a_late_answer_is_dropped_and_its_cost_recorded(price: Any, result: Any, cost: Decimal | None) -> None:
    async def scenario() -> None:
        engine, stuck = Engine(name="engine", concurrency=1, timeout=0.05, price=price), Stuck(result=result)
        service = service_of(engine)
        with pytest.raises(AllProvidersFailed) as caught:
            await service.process(stuck)
        attempt = caught.value.attempts[0]
        assert attempt.cost is None
        stuck.let_go.set()
        await until(lambda: engine.figures.late == 1)
        assert attempt.cost == cost
        assert attempt.outcome is Outcome.ATTEMPT_TIMEOUT
        assert engine.figures.successes == 0
        await assert_closes(service, engine)

    asyncio.run(scenario())


@attrs.define(eq=False)
class Careless(Engine):
    """Answers with whatever it is given back."""

    def process_blocking(self, request: Callable[[], Any]) -> ProviderResult[Any]:
        return request()  # type: ignore[no-any-return]


@pytest.mark.parametrize("raises", [False, True])
def test_s27_a_late_failure_or_nonsense_gives_the_place_back_all_the_same(raises: bool) -> None:
    async def scenario() -> None:
        engine, stuck = Careless(name="engine", concurrency=1, timeout=0.05), Stuck(result="no ProviderResult")
        service = service_of(engine)

        def late() -> Any:
            result = stuck()
            return result / 0 if raises else result

        with pytest.raises(AllProvidersFailed) as caught:
            await service.process(late)
        stuck.let_go.set()
        await until(lambda: bulkhead(service).taken == 0)
        assert caught.value.attempts[0].cost is None
        await assert_closes(service, engine)

    asyncio.run(scenario())


def test_s27_with_every_worker_stuck_requests_are_turned_away_and_those_in_line_too() -> None:
    async def scenario() -> None:
        engine, stuck = Engine(name="engine", concurrency=2, timeout=0.2), Stuck()
        service = service_of(engine, ScriptedProvider(["other"], name="other"))
        ends = [asyncio.ensure_future(service.process(stuck)) for _ in range(2)]
        await until(lambda: engine.figures.in_flight == 2)
        in_line = [asyncio.ensure_future(service.process(stuck)) for _ in range(3)]
        results = await asyncio.gather(*ends, *in_line)
        assert {result.provider for result in results} == {"other"}
        assert engine.figures.requests == 2
        result = await service.process(stuck)
        assert (result.provider, result.attempts[0].provider) == ("other", "other"), "full is no attempt"
        with pytest.raises(AllProvidersFailed, match="engine: full"):
            await service.process(stuck, only=["engine"])
        stuck.let_go.set()
        await until(lambda: bulkhead(service).taken == 0)
        assert (await service.process(lambda: "good")).provider == "engine"
        await assert_closes(service, engine)

    asyncio.run(scenario())


def test_s27_somebody_in_line_does_not_get_the_place_of_a_thread_that_hangs() -> None:
    async def scenario() -> None:
        engine, stuck = Engine(name="engine", concurrency=2), Stuck()
        service = service_of(engine)
        first, second = (asyncio.ensure_future(service.process(stuck, deadline=0.1)) for _ in range(2))
        await until(lambda: engine.figures.in_flight == 2)
        other = Stuck()
        waiting = asyncio.ensure_future(service.process(other))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first])
        assert bulkhead(service).taken == 2
        assert not other.inside.acquire(blocking=False)
        stuck.let_go.set()
        other.let_go.set()
        assert (await waiting).output == "late"
        await asyncio.wait([second])
        await assert_closes(service, engine)

    asyncio.run(scenario())


def test_s27_closing_does_not_wait_for_a_thread_that_hangs() -> None:
    async def scenario() -> None:
        engine, stuck = Engine(name="engine", concurrency=2), Stuck()
        service = service_of(engine, deadline=None)
        call = asyncio.ensure_future(service.process(stuck))
        await until(lambda: stuck.inside.acquire(blocking=False))
        loop = asyncio.get_running_loop()
        began = loop.time()
        await service.aclose(drain=0.1)
        assert loop.time() - began < 5
        with pytest.raises(AllProvidersFailed):
            await call
        assert engine.closed == [], "an engine in use must not be closed under its thread"
        stuck.let_go.set()
        await until(lambda: not [each for each in threading.enumerate() if "engine" in each.name])

    asyncio.run(scenario())


def test_s27_a_request_that_had_not_begun_leaves_nothing_behind() -> None:
    async def scenario() -> None:
        engine = Engine(name="engine", concurrency=1)
        process = asyncio.ensure_future(engine.process(threading.Event().wait))
        process.cancel()
        await asyncio.wait([process])
        assert engine.left_behind() is None
        await engine.aclose()

    asyncio.run(scenario())


@pytest.mark.waits
def test_s27_a_thread_that_hangs_does_not_keep_the_program_from_ending() -> None:
    script = """
import threading
from switchgear import AllProvidersFailed, BlockingProvider, ProviderManager, Retry
class Engine(BlockingProvider):
    def process_blocking(self, request):
        threading.Event().wait()
service = ProviderManager([Engine(name="engine", timeout=0.05, concurrency=1)], retry=Retry(attempts=1))
try:
    service.process_sync("x")
except AllProvidersFailed:
    pass
service.close(drain=0)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_s27_idle_threads_keep_no_request_and_no_answer() -> None:
    import gc
    import weakref

    class Page:
        pass

    page = Page()
    gone = weakref.ref(page)

    async def scenario(page: Page) -> None:
        engine = Engine(name="engine", concurrency=1)
        service = service_of(engine)
        await service.process(lambda: type(page).__name__)
        await asyncio.sleep(0.05)
        await service.aclose()

    asyncio.run(scenario(page))
    del page
    gc.collect()
    assert gone() is None


def test_time_stands_still_while_a_thread_works() -> None:
    """In virtual time, too, a thread is waited for: the deadline does not ring before the work is done."""

    async def scenario() -> None:
        service = service_of(Engine(name="engine", concurrency=1), deadline=0.001)
        assert (await service.process(lambda: "good")).output == "good"
        await service.aclose()

    run(scenario)


def test_s27_an_answer_that_comes_in_the_moment_of_the_timeout_is_dropped_and_its_cost_recorded() -> None:
    calls: list[Any] = []

    async def main() -> None:
        engine = Engine(name="engine", timeout=0.2, concurrency=1, price=Price(per_call=Decimal("0.5")))
        service = service_of(engine, observers=[calls.append])
        returned = threading.Event()

        def work() -> str:
            returned.set()
            return "late"

        asking = asyncio.ensure_future(service.process(work))
        await asyncio.sleep(0)
        assert returned.wait(30)
        busy_until = time.monotonic() + 0.4  # while the thread has returned and the timer falls due
        while time.monotonic() < busy_until:
            pass
        with suppress(AllProvidersFailed):
            await asking
        await until(lambda: bulkhead(service).taken == 0)
        assert engine.figures.late + engine.figures.successes == 1
        await service.aclose()

    asyncio.run(main())
    assert calls[0].attempts[0].cost == Decimal("0.5")
