"""Traffic in virtual time, where the figures are known beforehand."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from switchgear import ProviderManager, Throttled
from switchgear.policies.breaker import Breaker
from switchgear.policies.retry import Retry
from switchgear.testing import (
    HANG,
    Brownout,
    ChaosProvider,
    FakeClock,
    Fault,
    Flapping,
    Outage,
    Throttle,
    VirtualClock,
    World,
    run,
    simulate,
)

Build = Callable[[World], ProviderManager[Any, Any]]
BARE = {"retry": Retry(attempts=1), "breaker": Breaker(enabled=False)}


def alone(latency: Any = 0.1, *faults: Fault, **settings: Any) -> Build:
    return lambda world: world.manager([world.provider("a", latency, faults)], **{**BARE, **settings})


def test_an_even_stream_of_good_calls_has_known_figures() -> None:
    report = simulate(alone(0.25), rate=10, seconds=60)
    assert len(report.calls) == 600
    assert report.success_rate() == 1.0
    assert [report.p50, report.p95, report.p99] == pytest.approx([0.25] * 3)
    assert report.attempts("a") == report.answers("a") == report.arrivals() == [10] * 60
    assert report.amplification("a") == 1.0


def test_an_hour_of_traffic_passes_in_virtual_time() -> None:
    assert len(simulate(alone(), rate=1, seconds=3600).calls) == 3600


def test_the_loop_is_open_so_slow_answers_hold_no_call_back() -> None:
    report = simulate(alone(30.0), rate=5, seconds=10)
    assert report.arrivals() == [5] * 10
    assert report.success_rate() == 1.0


def test_poisson_arrivals_have_their_rate_and_spread() -> None:
    report = simulate(alone(), rate=20, seconds=500, arrivals="poisson", seed=3)
    counts = report.arrivals()
    mean = sum(counts) / len(counts)
    assert mean == pytest.approx(20, rel=0.05)
    assert sum((count - mean) ** 2 for count in counts) / len(counts) == pytest.approx(20, rel=0.3)


def test_the_same_seed_gives_the_same_report() -> None:
    def once(seed: int) -> Any:
        latency = lambda dice: dice.expovariate(10)  # noqa: E731
        return simulate(alone(latency, Throttle(2, 8, rate=0.5)), rate=20, seconds=10, arrivals="poisson", seed=seed)

    assert once(1) == once(1) != once(2)


def test_latency_can_be_drawn_from_a_distribution() -> None:
    report = simulate(alone(lambda dice: dice.expovariate(1 / 0.2)), rate=100, seconds=50)
    assert report.p50 == pytest.approx(0.2 * 0.693, rel=0.1)
    assert report.p99 == pytest.approx(0.2 * 4.605, rel=0.2)


def test_an_outage_fails_exactly_the_calls_within_it() -> None:
    report = simulate(alone(0.1, Outage(20, 40)), rate=10, seconds=60)
    assert [report.success_rate(0, 20), report.success_rate(20, 40), report.success_rate(40)] == [1.0, 0.0, 1.0]
    assert report.success_rate() == pytest.approx(2 / 3)


def test_retries_amplify_as_the_sum_of_the_failure_rates_powers() -> None:
    """Half of all attempts fail: of 1 call, 1/2 is sent a second time, 1/4 a third."""
    retry = Retry(attempts=3, budget=1e9)
    report = simulate(alone(0.01, Outage(0, 1e9, rate=0.5), retry=retry), rate=50, seconds=100)
    assert report.amplification("a") == pytest.approx(1 + 1 / 2 + 1 / 4, rel=0.03)
    assert report.success_rate() == pytest.approx(1 - 1 / 8, rel=0.03)


def test_a_breaker_and_a_fallback_keep_an_outage_from_the_callers() -> None:
    def build(world: World) -> ProviderManager[Any, Any]:
        first = world.provider("first", 0.1, [Outage(30, 60)], priority=1)
        return world.manager([first, world.provider("second", 0.3, priority=2)])

    report = simulate(build, rate=20, seconds=180)
    assert report.success_rate() == 1.0
    assert report.time_to_detect("first", 30) == 1.0
    returned = report.time_to_return("first", 60)
    assert returned is not None
    assert returned < 60
    assert report.answers("second")[31:60] == [20] * 29


def test_a_brownout_adds_to_the_usual_latency() -> None:
    report = simulate(alone(0.1, Brownout(10, 20, factor=5)), rate=10, seconds=30)
    assert report.latency(0.5, 0, 10) == pytest.approx(0.1)
    assert report.latency(0.5, 10, 20) == pytest.approx(0.5)
    assert report.latency(0.5, 20) == pytest.approx(0.1)


def test_a_flapping_provider_is_down_for_the_first_part_of_each_period() -> None:
    report = simulate(alone(0.0, Flapping(0, 8, period=4, down=0.25)), rate=10, seconds=10)
    assert report.answers("a") == [0, 10, 10, 10, 0, 10, 10, 10, 10, 10]


def test_throttling_says_when_to_come_back() -> None:
    provider = ChaosProvider("ok", [Throttle(0, 5, retry_after=7.0).rule(float)], clock=FakeClock())
    with pytest.raises(Throttled) as found:
        asyncio.run(provider.process("x"))
    assert found.value.retry_after == 7.0


def test_a_black_hole_uses_up_the_callers_time() -> None:
    report = simulate(alone(0.1, Outage(0, 100, step=HANG), deadline=2.0), rate=1, seconds=10)
    assert report.success_rate() == 0.0
    assert report.p50 == pytest.approx(2.0, abs=0.011)


def test_requests_can_be_anything() -> None:
    seen: list[Any] = []

    def note(request: Any) -> str:
        seen.append(request)
        return "ok"

    def build(world: World) -> ProviderManager[Any, Any]:
        return world.manager([world.provider("a", answer=note)])

    simulate(build, rate=1, seconds=3, request=lambda number: {"page": number})
    assert seen == [{"page": 0}, {"page": 1}, {"page": 2}]


def test_a_bug_in_the_program_comes_out() -> None:
    def broken(number: int) -> Any:
        raise KeyError(number)

    with pytest.raises(ExceptionGroup) as found:
        simulate(alone(), rate=1, seconds=3, request=broken)
    assert found.group_contains(KeyError)


def test_everybody_has_dice_of_their_own() -> None:
    async def main() -> list[float]:
        world = World(VirtualClock(), seed=1)
        return [world.dice("a").random(), world.dice("b").random(), world.dice("a").random()]

    first, other, again = run(main)
    assert first == again != other
