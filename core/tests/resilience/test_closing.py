"""The end of a service (S27): it waits, says what is stuck, and leaves nothing behind."""

import asyncio
import threading
from typing import Any

import attrs
import pytest
from loguru import logger
from switchgear import (
    AllProvidersFailed,
    Capability,
    Hedge,
    Outcome,
    ProviderError,
    ProviderManager,
    ProviderResult,
    Rejected,
    Retry,
    SimpleProvider,
    Switchgear,
    Throttled,
    UsageError,
)
from switchgear.durations import Duration
from switchgear.home import Home
from switchgear.testing import HANG, Delay, ScriptedProvider, VirtualClock, VirtualLoop, settle

Manager = ProviderManager[Any, Any]


def scripted(name: str, *script: Any, **options: Any) -> ScriptedProvider:
    return ScriptedProvider(list(script), name=name, **options)


def service_of(*providers: Any, **settings: Any) -> Manager:
    return ProviderManager(providers, clock=VirtualClock(), **settings)


def now() -> float:
    return asyncio.get_running_loop().time()


async def assert_nothing_is_left(service: Manager) -> None:
    assert service.in_flight == 0
    assert not await settle()
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    assert loop.timers == 0


@attrs.define(eq=False)
class Closed(ScriptedProvider):
    """Counts how often it was opened and closed."""

    opened: int = attrs.field(default=0, init=False)
    closed: int = attrs.field(default=0, init=False)

    async def aopen(self) -> None:
        self.opened += 1

    async def aclose(self) -> None:
        self.closed += 1


async def test_s27_an_idle_service_closes_at_once_and_takes_no_more_calls() -> None:
    provider = Closed(["good"], name="only")
    service = service_of(provider)
    await service.process("x")
    await service.aclose()
    assert (now(), provider.opened, provider.closed) == (0, 1, 1)
    with pytest.raises(UsageError, match="is closed"):
        await service.process("x")
    await service.aclose()
    assert provider.closed == 1
    await assert_nothing_is_left(service)


async def test_s27_one_that_was_never_asked_is_not_closed_either() -> None:
    provider = Closed(["good"], name="only")
    await service_of(provider).aclose()
    assert (provider.opened, provider.closed) == (0, 0)


async def test_s27_calls_under_way_get_their_time_to_end() -> None:
    provider = Closed([Delay(3, ProviderError("down")), Delay(1, "good")], name="only")
    service = service_of(provider)
    call = asyncio.ensure_future(service.process("x"))
    await asyncio.sleep(0.5)
    await service.aclose(drain=60.0)
    assert call.result().output == "good"
    assert now() == pytest.approx(4, abs=0.2)
    assert provider.closed == 1
    await assert_nothing_is_left(service)


STUCK: dict[str, dict[str, Any]] = {
    "in the provider": {"script": [HANG]},
    "in the provider without a deadline": {"script": [HANG], "deadline": None},
    "in line": {"script": [HANG], "concurrency": 1, "calls": 3},
    "in line without a deadline": {"script": [HANG], "concurrency": 1, "calls": 3, "deadline": None},
    "in a pause": {
        "script": [ProviderError("down")],
        "retry": Retry(base=Duration(1e9), cap=Duration(1e9)),  # full jitter: even an unlucky draw is a long pause
        "deadline": 1e10,
    },
    "throttled": {"script": [Throttled("wait", retry_after=1000.0)], "deadline": 10**6},
    "throttled without a deadline": {"script": [Throttled("wait", retry_after=1000.0)], "deadline": None},
    "in a race": {"script": ["good", HANG], "hedge": Hedge(min_samples=1, share=1.0), "calls": 2},
}


@pytest.mark.parametrize("kind", STUCK)
async def test_s27_what_is_stuck_is_ended_and_no_request_follows(kind: str) -> None:
    settings = dict(STUCK[kind])
    script, calls = settings.pop("script"), settings.pop("calls", 1)
    first = Closed(script, name="first", concurrency=settings.pop("concurrency", None))
    others = [Closed([HANG], name="second")] if "hedge" in settings else []
    service = service_of(first, *others, **settings)
    if others:
        await service.process("x")
    tasks = [asyncio.ensure_future(service.process(number)) for number in range(calls)]
    await asyncio.sleep(1)
    sent, began = first.calls, now()
    await service.aclose(drain=2.0)
    assert now() - began == pytest.approx(2, abs=0.3)
    assert all(task.done() for task in tasks)
    assert {type(task.exception()) for task in tasks} == {AllProvidersFailed}
    assert (first.calls, first.opened, first.closed) == (sent, 1, 1)
    await assert_nothing_is_left(service)


async def test_s27_a_call_that_is_ended_does_not_go_on_to_the_next_provider() -> None:
    second = Closed(["good"], name="second")
    service = service_of(scripted("first", HANG), second, deadline=None)
    call = asyncio.ensure_future(service.process("x"))
    await asyncio.sleep(1)
    await service.aclose(drain=0.0)
    with pytest.raises(AllProvidersFailed, match="second: closed") as caught:
        await call
    assert [each.outcome for each in caught.value.attempts] == [Outcome.ATTEMPT_TIMEOUT]
    assert (second.calls, second.opened) == (0, 0)


async def test_s27_it_says_what_is_stuck() -> None:
    lines: list[str] = []
    logger.enable("switchgear")
    sink = logger.add(lines.append, format="{message}")
    try:
        service = service_of(scripted("fast", "good"), scripted("slow", HANG), service="scans", deadline=None)
        call = asyncio.ensure_future(service.process("x", only=["slow"]))
        await asyncio.sleep(1)
        await service.aclose(drain=1.0)
    finally:
        logger.remove(sink)
        logger.disable("switchgear")
    assert "scans: closing with 1 calls under way, stuck in slow" in "".join(lines)
    await asyncio.wait([call])
    call.exception()


async def test_s27_a_plugin_that_does_not_heed_it_keeps_nobody_from_closing() -> None:
    async def deaf(_: Any) -> str:
        for _ in range(100):
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                continue
        return "at last"

    service = service_of(scripted("only", deaf), deadline=None)
    call = asyncio.ensure_future(service.process("x"))
    await asyncio.sleep(1)
    began = now()
    await service.aclose(drain=1.0)
    assert now() - began < 3
    assert (await call).output == "at last"


async def test_s27_one_provider_that_cannot_close_does_not_keep_the_others_open() -> None:
    @attrs.define(eq=False)
    class Broken(Closed):
        async def aclose(self) -> None:
            raise OSError("no")

    broken, well = Broken(["good"], name="broken"), Closed(["good"], name="well")
    service = service_of(broken, well)
    for name in ("broken", "well"):
        await service.process("x", only=[name])
    await service.aclose()
    assert well.closed == 1


async def test_s27_closing_one_service_of_a_home_leaves_the_calls_of_the_others_alone() -> None:
    home = Home(VirtualClock())
    one, other = (ProviderManager([scripted("only", Delay(20, "good"))], home=home) for _ in range(2))
    ended, left = asyncio.ensure_future(one.process("x")), asyncio.ensure_future(other.process("x"))
    await asyncio.sleep(1)
    await one.aclose(drain=1.0)
    with pytest.raises(AllProvidersFailed):
        await ended
    assert (await left).output == "good"


def test_s27_closing_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    service: Manager = ProviderManager([scripted("only", "good")])
    assert service.process_sync("x").output == "good"
    assert len(set(threading.enumerate()) - before) == 1
    service.close()
    assert set(threading.enumerate()) == before


def test_s27_closing_ends_the_threads_of_validators_and_a_hanging_one_keeps_nobody_waiting() -> None:
    release = threading.Event()

    class Hangs:
        blocking = True

        def check(self, request: Any, result: ProviderResult[Any]) -> None:
            release.wait(30)

    before = set(threading.enumerate())
    service: Manager = ProviderManager(
        [scripted("only", "good", timeout=0.05)], validators=[Hangs()], retry=Retry(attempts=1)
    )
    with pytest.raises(AllProvidersFailed):
        service.process_sync("x")
    service.close(drain=0.0)
    release.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    assert set(threading.enumerate()) == before


async def test_s27_a_provider_that_hangs_while_it_closes_is_named_and_keeps_nobody_open() -> None:
    @attrs.define(eq=False)
    class Hanging(Closed):
        async def aclose(self) -> None:
            await asyncio.Event().wait()

    hanging, other = Hanging(["good"], name="hanging"), Closed(["good"], name="other")
    service = service_of(hanging, other)
    await service.open("hanging", "other")
    lines: list[str] = []
    logger.enable("switchgear")
    sink = logger.add(lines.append, format="{message}")
    await service.aclose()
    logger.remove(sink)
    logger.disable("switchgear")
    assert [line.strip() for line in lines] == ["service: hanging has not closed within 5 s"]
    assert other.closed == 1
    assert 5.0 <= now() <= 5.02


@pytest.mark.parametrize("seconds", [2.0, 60.0])
async def test_s27_one_that_is_just_being_opened_is_closed_as_well(seconds: float) -> None:
    @attrs.define(eq=False)
    class Slow(Closed):
        async def aopen(self) -> None:
            self.opened += 1
            await asyncio.sleep(seconds)

    slow = Slow(["good"], name="slow")
    service = service_of(slow)
    opening = asyncio.ensure_future(service.open("slow"))
    await asyncio.sleep(1)
    await service.aclose(drain=0)
    await asyncio.wait([opening])
    assert (slow.opened, slow.closed) == (1, 1)
    with pytest.raises(Rejected, match="closed while it was being opened"):
        await opening
    await assert_nothing_is_left(service)


async def test_what_a_provider_starts_when_it_opens_does_not_end_with_the_call_that_came_first() -> None:
    inner = service_of(scripted("inner", "good"))
    answers: list[Any] = []

    @attrs.define(eq=False)
    class Refreshing(Closed):
        task: Any = attrs.field(default=None, init=False)

        async def aopen(self) -> None:
            self.task = asyncio.ensure_future(self.refresh())

        async def refresh(self) -> None:
            for _ in range(5):
                await asyncio.sleep(50)
                answers.append((await inner.process("x")).output)

        async def aclose(self) -> None:
            await self.task

    service = service_of(Refreshing(["good"], name="refreshing"), deadline=60.0)
    await service.process("x")
    await asyncio.sleep(251)
    await service.aclose()
    assert answers == ["good"] * 5


class Work(Capability[Any, Any]):
    name = "work"
    request_type = str
    output_type = str


@attrs.define(eq=False)
class Hangs(SimpleProvider[Any, Any]):
    async def process(self, request: Any) -> ProviderResult[Any]:
        await HANG.wait()
        raise AssertionError


async def test_s27_a_board_gives_all_its_services_the_same_time_at_once() -> None:
    def tables(name: str) -> Any:
        return {"capability": "work", "deadline": "none", "providers": {name: {"type": "hangs"}}}

    board = Switchgear.compose(
        {"services": {name: tables(name) for name in "abc"}},
        extra=[("capabilities", "work", Work), ("providers", "work.hangs", Hangs)],
        clock=VirtualClock(),
    )
    calls = [asyncio.ensure_future(board[name].process("x")) for name in "abc"]
    await asyncio.sleep(0)
    await board.aclose(drain=7.0)
    assert 7.0 <= now() <= 8.1
    await asyncio.wait(calls)
    assert [type(call.exception()) for call in calls] == [AllProvidersFailed] * 3
