"""What goes wrong with simulated providers, and when: `tests/scenarios` judges it, `tests/bench` draws it.

Requests arrive on their own account, answered or not.
"""

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from random import Random
from statistics import NormalDist
from typing import Any

import attrs
from switchgear import Breaker, ProviderError, ProviderManager
from switchgear.durations import Duration
from switchgear.testing import HANG, Brownout, Fault, Flapping, Outage, Report, Throttle, World, simulate
from switchgear.testing.providers import ChaosRule
from switchgear.testing.simulator import Arrivals

WATCHED = "first"
FAST, SLOW = 0.1, 0.2  # seconds that the first provider and the second usually take
SPREAD = 0.3
JUMPS = {30.0: 3_600.0, 90.0: -86_400.0, 150.0: 31_536_000.0, 210.0: -7_200.0}  # when, and by how much, in seconds

Settings = Mapping[str, Any]
Build = Callable[[World, Settings], ProviderManager[Any, Any]]


@attrs.frozen(eq=False)
class Scenario:
    """What goes wrong with the provider `first` from `start` until `end`, in seconds; `ours`: settings beside the
    defaults that we run with."""

    name: str
    title: str
    build: Build
    start: float = 60.0
    end: float = 180.0
    seconds: float = 420.0
    ours: Settings = attrs.Factory(dict)

    def run(self, settings: Settings, rate: float, *, seed: int = 7, arrivals: Arrivals = "poisson") -> Report:
        return simulate(
            lambda world: self.build(world, settings), rate=rate, seconds=self.seconds, arrivals=arrivals, seed=seed
        )


@attrs.frozen
class ColdStart:
    """From `at` on it is cold: it takes `rate` requests a second, and `growth` more with each second since the first
    of them; what exceeds that fails."""

    at: float
    rate: float
    growth: float

    def rule(self, draw: Callable[[], float]) -> ChaosRule:
        taken: list[float] = []
        first: list[float] = []

        def overloaded(now: float) -> bool:
            if now < self.at:
                return False
            if not first:
                first.append(now)
            taken[:] = [moment for moment in taken if moment > now - 1.0]
            taken.append(now)
            return len(taken) > self.rate + self.growth * (now - first[0])

        return ChaosRule(ProviderError("overloaded"), when=overloaded)


def about(seconds: float) -> Callable[[Random], float]:
    """Latencies that are mostly near `seconds`, and sometimes twice that."""
    return lambda dice: seconds * dice.lognormvariate(0.0, SPREAD)


def latency_about(seconds: float, share: float) -> float:
    """What this share of the latencies `about` so many seconds does not exceed."""
    return seconds * math.exp(SPREAD * NormalDist().inv_cdf(share))


def two(*faults: Fault, second: Sequence[Fault] = (), timeout: float = 5.0) -> Build:
    """The usual pair: a fast provider that has the faults, and one that takes twice as long."""

    def build(world: World, settings: Settings) -> ProviderManager[Any, Any]:
        providers = [
            world.provider(WATCHED, about(FAST), faults, priority=1, timeout=timeout),
            world.provider("second", about(SLOW), second, priority=2, timeout=timeout),
        ]
        return world.manager(providers, deadline=20.0, **settings)

    return build


def black_hole(world: World, settings: Settings) -> ProviderManager[Any, Any]:
    """Three alike, and whoever has the fewest requests under way is asked: who fails at once always has."""
    faults = [Outage(60.0, 180.0)]
    providers = [world.provider(name, about(SLOW), faults * (name == WATCHED)) for name in (WATCHED, "second", "third")]
    return world.manager(providers, "least-busy", deadline=20.0, **settings)


def jumping(world: World, settings: Settings) -> ProviderManager[Any, Any]:
    loop = asyncio.get_running_loop()
    for moment, seconds in JUMPS.items():
        loop.call_later(moment, world.clock.step_utc, seconds)
    return OUTAGE.build(world, settings)


OUTAGE = Scenario("outage", "Outage: the first provider fails at once", two(Outage(60.0, 180.0)))
HANGING = Scenario("hanging", "Outage: the first provider never answers", two(Outage(60.0, 180.0, HANG), timeout=1.0))
BROWN_OUT = Scenario(
    "brown-out",
    "Brown-out: ten times slower, slow_after = 0.5 s",
    two(Brownout(60.0, 180.0, 10.0)),
    ours={"breaker": Breaker(slow_after=Duration(0.5))},
)
BROWN_OUT_SPEED = Scenario(
    "brown-out-speed",
    "Brown-out: ten times slower, strategy speed",
    two(Brownout(60.0, 180.0, 10.0)),
    ours={"strategy": "speed"},
)
FLAPPING = Scenario("flapping", "Flapping: down for 5 s of every 13 s", two(Flapping(60.0, 180.0, 13.0, down=5 / 13)))
BLACK_HOLE = Scenario("black-hole", "Fast-failing black hole under least-busy", black_hole)
THROTTLING = Scenario(
    "throttling", "Throttling: half turned away, Retry-After 5 s", two(Throttle(60.0, 180.0, 5.0, 0.5))
)
RECOVERY_HERD = Scenario(
    "recovery-herd",
    "Recovery: back at 180 s, but cold: takes 4/s at first, 2/s more each second",
    two(Outage(60.0, 180.0), ColdStart(180.0, 4.0, 2.0)),
)
ALL_DOWN = Scenario(
    "all-down",
    "All down, the second back at 120 s, the first at 180 s",
    two(Outage(60.0, 180.0), second=[Outage(60.0, 120.0)]),
)
CLOCK_JUMPS = Scenario("clock-jumps", "The same outage while the calendar jumps by an hour, a day, a year", jumping)

SCENARIOS = [
    OUTAGE,
    HANGING,
    BROWN_OUT,
    BROWN_OUT_SPEED,
    FLAPPING,
    BLACK_HOLE,
    THROTTLING,
    RECOVERY_HERD,
    ALL_DOWN,
    CLOCK_JUMPS,
]


@attrs.frozen
class Figures:
    """What callers saw of a scenario, in seconds and shares (0-1): latencies and amplification during the fault.

    `detected`: until the provider at fault gets less than a tenth of the calls; `returned`: from the end of the fault
    until it answers half as large a share as before; both in whole seconds, None: never.
    """

    answered: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    amplification: float | None
    detected: float | None
    returned: float | None


def figures_of(scenario: Scenario, report: Report) -> Figures:
    span = scenario.start, scenario.end
    return Figures(
        report.success_rate(),
        *(report.latency(share, *span) for share in (0.5, 0.95, 0.99)),
        report.amplification(WATCHED, *span),
        report.time_to_detect(WATCHED, scenario.start),
        _seconds_to_return(scenario, report),
    )


def _seconds_to_return(scenario: Scenario, report: Report) -> float | None:
    answers, arrivals = report.answers(WATCHED), report.arrivals()
    start, end = round(scenario.start), round(scenario.end)
    usual = sum(answers[:start]) / sum(arrivals[:start])
    for moment in range(end, len(answers)):
        if arrivals[moment] and answers[moment] / arrivals[moment] >= usual / 2:
            return float(moment - end)
    return None
