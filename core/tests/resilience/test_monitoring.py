"""Looking after providers that traffic says nothing about (S26)."""

import asyncio
import random
from contextlib import suppress
from typing import Any

import attrs
import pytest
from switchgear import (
    AllProvidersFailed,
    BadCredentials,
    Breaker,
    Health,
    ProviderError,
    ProviderManager,
    ProviderResult,
    ProviderStatus,
    Retry,
    SimpleProvider,
)
from switchgear.durations import Duration
from switchgear.testing import HANG, Delay, ScriptedProvider, VirtualClock

Manager = ProviderManager[Any, Any]
EVERY_TEN = Health(interval=Duration(10.0), timeout=Duration(2.0))
UP, DOWN = ProviderStatus.AVAILABLE, ProviderStatus.UNAVAILABLE


@attrs.define(eq=False)
class Checked(ScriptedProvider):
    """Its checks follow a script too: a status, an exception, or HANG; the last is repeated."""

    checks: list[Any] = attrs.field(factory=lambda: [UP], kw_only=True)
    moments: list[float] = attrs.field(factory=list, init=False)

    async def health_check(self) -> ProviderStatus:
        self.moments.append(asyncio.get_running_loop().time())
        step = self.checks[min(len(self.moments), len(self.checks)) - 1]
        if step is HANG:
            await HANG.wait()
        if isinstance(step, BaseException):
            raise step
        return step  # type: ignore[no-any-return]


def checked(name: str, *script: Any, checks: Any = (UP,), **options: Any) -> Checked:
    return Checked(list(script) or ["good"], name=name, checks=list(checks), **options)


def service_of(*providers: Any, **settings: Any) -> Manager:
    given = {"clock": VirtualClock(), "health": EVERY_TEN, "retry": Retry(attempts=1), "random": random.Random(4)}
    return ProviderManager(providers, **{**given, **settings})


async def test_s26_the_idle_are_checked_about_every_interval() -> None:
    idle = checked("idle")
    async with service_of(idle):
        await asyncio.sleep(1000)
    pauses = [later - earlier for earlier, later in zip([0.0, *idle.moments], idle.moments, strict=False)][1:]
    assert all(8 <= pause <= 12 for pause in pauses)
    assert len({round(pause, 3) for pause in pauses}) > 50, "jittered"


async def test_s26_the_busy_are_left_alone() -> None:
    busy, idle = checked("busy"), checked("idle")
    async with service_of(busy, idle) as service:
        for _ in range(200):
            await service.process("x")
            await asyncio.sleep(1)
    assert busy.moments == []
    assert len(idle.moments) > 10


async def test_s26_one_behind_a_circuit_that_is_not_closed_is_checked_though_it_has_traffic() -> None:
    first = checked("first", ProviderError("down"), checks=[ProviderStatus.DEGRADED])
    trips = Breaker(consecutive=1, open_for=Duration(1.0), open_cap=Duration(1.0))
    async with service_of(first, checked("second"), breaker=trips) as service:
        for _ in range(100):
            await service.process("x")
            await asyncio.sleep(1)
    assert len(first.moments) >= 8


async def test_s26_a_good_check_hastens_the_trial_and_only_real_work_closes_the_circuit() -> None:
    first = checked("first", ProviderError("down"), "good")
    trips = Breaker(consecutive=1, open_for=Duration(10_000.0), open_cap=Duration(10_000.0))
    async with service_of(first, checked("second"), breaker=trips) as service:
        await service.process("x")
        assert service.is_open("first")
        await asyncio.sleep(300)
        assert service._by_name["first"].circuit == "half_open", "hastened, by two dozen good checks, and not closed"
        assert (await service.process("x")).provider == "first"
        assert (await service.process("x")).provider == "first"
        assert service._by_name["first"].circuit == "closed"


async def test_s26_a_bad_check_keeps_the_provider_from_being_asked_until_a_good_one() -> None:
    first = checked("first", checks=[DOWN, DOWN, DOWN, UP])
    async with service_of(first, checked("second")) as service:
        await asyncio.sleep(25)
        assert first.status is DOWN
        assert (await service.process("x")).provider == "second"
        assert service.explain("x").rows[-1].reason == "unavailable"
        await asyncio.sleep(40)
        assert first.status is UP
        assert (await service.process("x")).provider == "first"


@pytest.mark.parametrize(
    "broken", [HANG, RuntimeError("down"), asyncio.CancelledError(), None, True, "fine"], ids=lambda step: repr(step)
)
async def test_s26_a_check_that_breaks_is_a_bad_one_and_the_next_is_made_all_the_same(broken: Any) -> None:
    """Never stuck: a check that hangs, raises whatever it may, or tells nonsense ends no watch."""
    first = checked("first", checks=[broken, broken, UP])
    async with service_of(first, checked("second")) as service:
        await asyncio.sleep(25)
        assert first.status is DOWN
        await asyncio.sleep(40)
        assert first.status is UP
        assert (await service.process("x")).provider == "first"
        assert service._home.timers.pending == 0


async def test_s26_with_every_check_bad_the_service_still_tries() -> None:
    """A broken health page must not take down what works."""
    only = checked("only", checks=[DOWN])
    async with service_of(only) as service:
        await asyncio.sleep(100)
        assert only.status is DOWN
        assert (await service.process("x")).output == "good"


async def test_s26_what_only_repeats_what_traffic_shows_is_not_checked() -> None:
    @attrs.define
    class Plain(SimpleProvider[Any, Any]):
        async def process(self, request: Any) -> ProviderResult[Any]:
            return ProviderResult("good")

    async with service_of(Plain(name="only")) as service:
        assert service._monitor is not None
        assert service._monitor._tasks == []


async def test_s26_closing_ends_the_watch() -> None:
    idle = checked("idle", checks=[HANG])
    service = service_of(idle)
    await service.open()
    await service.open()
    assert service._monitor is not None
    assert len(service._monitor._tasks) == 1
    await asyncio.sleep(25)
    await service.aclose()
    seen = len(idle.moments)
    await asyncio.sleep(100)
    assert len(idle.moments) == seen


async def test_s26_without_the_table_nobody_is_checked() -> None:
    idle = checked("idle")
    async with service_of(idle, health=None):
        await asyncio.sleep(1000)
    assert idle.moments == []


async def test_s26_checking_all_of_them_takes_ten_seconds_at_the_most_and_changes_nothing() -> None:
    stuck, well = checked("stuck", checks=[HANG]), checked("well")
    service = service_of(stuck, well)
    assert await service.health_check_all() == {"stuck": DOWN, "well": UP}
    assert asyncio.get_running_loop().time() == pytest.approx(10, abs=0.05)
    assert stuck.status is UP


async def test_s26_a_provider_that_takes_long_to_open_is_not_ill() -> None:
    loads: list[float] = []

    @attrs.define(eq=False)
    class Heavy(Checked):
        async def aopen(self) -> None:
            loads.append(asyncio.get_running_loop().time())
            await asyncio.sleep(20)

    heavy = Heavy(["good"], name="heavy")
    async with service_of(checked("first"), heavy):
        await asyncio.sleep(300)
        assert (len(loads), heavy.status) == (1, UP)


async def test_s26_one_that_cannot_be_opened_is() -> None:
    @attrs.define(eq=False)
    class Broken(Checked):
        async def aopen(self) -> None:
            raise OSError("no such engine")

    broken = Broken(["good"], name="broken")
    async with service_of(checked("first"), broken):
        await asyncio.sleep(30)
        assert broken.status is DOWN


async def test_s26_a_provider_is_degraded_while_its_circuit_is_half_open_and_while_its_load_grows_again() -> None:
    only = ScriptedProvider([ProviderError("down"), "good"], name="only")
    trips = Breaker(consecutive=1, open_for=Duration(4.0), ramp=Duration(10.0))
    service = ProviderManager([only], clock=VirtualClock(), retry=Retry(attempts=1), breaker=trips)
    seen = [only.status]
    with suppress(AllProvidersFailed):
        await service.process("x")
    seen.append(only.status)
    await asyncio.sleep(4)
    seen.append(only.status)
    for _ in range(2):
        await service.process("x")
    seen.append(only.status)
    await asyncio.sleep(10)
    seen.append(only.status)
    assert seen == [UP, DOWN, ProviderStatus.DEGRADED, ProviderStatus.DEGRADED, UP]


async def test_s26_a_provider_is_degraded_while_its_answers_are_slow() -> None:
    only = ScriptedProvider([Delay(1, "good")] * 5 + [Delay(30, "good")] * 8 + [Delay(1, "good")], name="only")
    slow = Breaker(slow_after=Duration(5.0), min_calls=100)
    service = ProviderManager([only], clock=VirtualClock(), breaker=slow)
    seen = []
    for _ in range(30):
        await service.process("x")
        seen.append(only.status is UP)
    assert seen[:5] == [True] * 5
    assert seen[8:13] == [False] * 5
    assert seen[-1]


async def test_s26_a_misconfigured_provider_is_unavailable() -> None:
    only = ScriptedProvider([BadCredentials("401")], name="only")
    service = ProviderManager([only], clock=VirtualClock())
    with suppress(AllProvidersFailed):
        await service.process("x")
    assert only.status is DOWN
