"""Cancelling a scenario at each of its awaits."""

import asyncio
from typing import Any

import pytest
from switchgear import ProviderError, ProviderManager
from switchgear.testing import Deadlock, Delay, ScriptedProvider, VirtualClock, cancel_at_every_await


class Gauge:
    """Something to take and to give back, as carefully as `careful` says."""

    def __init__(self, *, careful: bool) -> None:
        self.careful = careful
        self.taken = 0

    async def use(self) -> None:
        self.taken += 1
        try:
            await asyncio.sleep(1)
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.taken -= self.careful
            raise
        self.taken -= 1


def test_it_counts_the_suspensions() -> None:
    async def scenario() -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(5)
        await asyncio.gather(asyncio.sleep(1), asyncio.sleep(2))

    assert cancel_at_every_await(scenario) == 3


def test_a_scenario_that_never_waits_is_run_once() -> None:
    runs = []

    async def scenario() -> None:
        runs.append(1)

    assert cancel_at_every_await(scenario) == 0
    assert runs == [1]


def test_each_suspension_is_cut_and_checked_in_both_ways() -> None:
    ends: list[str] = []

    async def scenario() -> None:
        try:
            for _ in range(3):
                await asyncio.sleep(1)
            ends.append("ran")
        except asyncio.CancelledError:
            ends.append(f"cut at {asyncio.get_running_loop().time():.0f}")
            raise

    checks: list[int] = []
    cancel_at_every_await(scenario, lambda: checks.append(len(ends)))
    assert ends == ["ran", "cut at 0", "cut at 1", "cut at 1", "cut at 2", "cut at 2", "cut at 3"]
    assert checks == [1, 2, 3, 4, 5, 6, 7]


def test_a_careful_gauge_passes() -> None:
    gauges: list[Gauge] = []

    async def scenario() -> None:
        gauges.append(Gauge(careful=True))
        await gauges[-1].use()

    def check() -> None:
        assert gauges[-1].taken == 0

    assert cancel_at_every_await(scenario, check) == 2


def test_a_planted_leak_is_found_with_its_place() -> None:
    gauges: list[Gauge] = []

    async def scenario() -> None:
        gauges.append(Gauge(careful=False))
        await gauges[-1].use()

    def check() -> None:
        assert gauges[-1].taken == 0

    with pytest.raises(AssertionError) as found:
        cancel_at_every_await(scenario, check)
    assert "cancelled at suspension 1, as it waits, in tasks.py" in found.value.__notes__[0]


def test_a_slot_lost_in_the_tick_it_is_granted_is_found() -> None:
    """The waiter has been handed its slot, and is cancelled before it wakes: waiting alone never shows that."""
    held: list[int] = []

    async def scenario() -> None:
        held[:] = [0]
        granted = asyncio.get_running_loop().create_future()

        def grant() -> None:
            if not granted.done():
                held[0] += 1
                granted.set_result(None)

        timer = asyncio.get_running_loop().call_later(1, grant)
        try:
            await granted
            held[0] -= 1
        finally:
            timer.cancel()

    def check() -> None:
        assert held == [0]

    with pytest.raises(AssertionError) as found:
        cancel_at_every_await(scenario, check)
    assert "suspension 1, as it is granted" in found.value.__notes__[0]


def test_a_task_left_behind_is_found() -> None:
    async def scenario() -> None:
        task = asyncio.ensure_future(asyncio.sleep(100))
        await asyncio.sleep(1)
        await task

    with pytest.raises(AssertionError, match="1 left behind"):
        cancel_at_every_await(scenario)


def test_a_timer_left_behind_is_found() -> None:
    async def scenario() -> None:
        timer = asyncio.get_running_loop().call_later(100, print)
        await asyncio.sleep(1)
        timer.cancel()

    with pytest.raises(AssertionError, match="1 timers are still set"):
        cancel_at_every_await(scenario)


def test_a_swallowed_cancellation_is_found() -> None:
    async def scenario() -> str:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            return "what?"
        return "ok"

    with pytest.raises(AssertionError, match="swallowed the cancellation and returned"):
        cancel_at_every_await(scenario)


def test_a_cancellation_turned_into_an_error_is_found() -> None:
    async def scenario() -> None:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            raise ProviderError("closed") from None

    with pytest.raises(AssertionError, match="swallowed the cancellation and raised ProviderError"):
        cancel_at_every_await(scenario)


def test_an_error_of_the_scenario_itself_comes_out() -> None:
    async def scenario() -> None:
        await asyncio.sleep(1)
        raise KeyError("planted")

    with pytest.raises(KeyError, match="planted"):
        cancel_at_every_await(scenario)


@pytest.mark.waits
def test_a_clean_up_that_hangs_is_a_deadlock_with_its_place() -> None:
    async def scenario() -> None:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            await asyncio.Event().wait()

    with pytest.raises(Deadlock) as found:
        cancel_at_every_await(scenario)
    assert "suspension 1" in found.value.__notes__[0]


def test_what_others_throw_into_the_scenario_arrives() -> None:
    async def scenario() -> None:
        async with asyncio.timeout(1):
            await asyncio.sleep(2)

    with pytest.raises(TimeoutError):
        cancel_at_every_await(scenario)


def test_a_manager_can_be_cancelled_anywhere() -> None:
    made: list[ProviderManager[Any, Any]] = []

    async def scenario() -> None:
        providers = [
            ScriptedProvider([Delay(1.0, ProviderError("down"))], name="first", priority=1),
            ScriptedProvider([Delay(2.0, "ok")], name="second", priority=2),
        ]
        made.append(ProviderManager(providers, clock=VirtualClock()))
        await made[-1].process("x")

    async def check() -> None:
        assert made[-1].in_flight == 0
        assert all(provider.figures.in_flight == 0 for provider in made[-1].providers.values())
        await made[-1].aclose()

    assert cancel_at_every_await(scenario, check) >= 2
