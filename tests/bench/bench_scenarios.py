"""What callers see when providers misbehave: simulated traffic in virtual time, in figures and, with `--plots`, drawn.

Each scenario runs twice: as Switchgear comes, and as a loop around the clients does it, with retries and fallback but
no circuit breaker and no retry budget. Requests arrive on their own account, answered or not. `detected`: seconds until
the provider at fault gets less than a tenth of the calls; `back`: from the end of the fault until it answers half as
large a share as before.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import attrs
from figures import Row, Section, parser, show
from switchgear import Breaker, ProviderError, ProviderManager, Retry
from switchgear.durations import Duration
from switchgear.testing import HANG, Brownout, Fault, Flapping, Outage, Report, Throttle, World, simulate
from switchgear.testing.providers import ChaosRule

SECONDS = 420.0
WATCHED = "first"
OURS, LOOP = "switchgear", "plain loop"
ALONE: dict[str, Any] = {"breaker": Breaker(enabled=False), "retry": Retry(budget=1e9)}
JUMPS = {30.0: 3_600.0, 90.0: -86_400.0, 150.0: 31_536_000.0, 210.0: -7_200.0}  # when, and by how much, in seconds

Settings = Mapping[str, Any]
Build = Callable[[World, Settings], ProviderManager[Any, Any]]


@attrs.frozen
class Scenario:
    """What goes wrong with the provider `first` from `start` until `end`, in seconds; `ours`: settings beside the
    defaults that we run with."""

    name: str
    title: str
    build: Build
    start: float = 60.0
    end: float = 180.0
    ours: Settings = attrs.Factory(dict)

    def run(self, settings: Settings, rate: float) -> Report:
        return simulate(
            lambda world: self.build(world, settings), rate=rate, seconds=SECONDS, arrivals="poisson", seed=7
        )

    def both(self, rate: float) -> dict[str, Report]:
        return {OURS: self.run(self.ours, rate), LOOP: self.run(ALONE, rate)}


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
    return lambda dice: seconds * dice.lognormvariate(0.0, 0.3)


def two(*faults: Fault, second: Sequence[Fault] = (), timeout: float = 5.0) -> Build:
    """The usual pair: a fast provider that has the faults, and one that takes twice as long."""

    def build(world: World, settings: Settings) -> ProviderManager[Any, Any]:
        providers = [
            world.provider(WATCHED, about(0.1), faults, priority=1, timeout=timeout),
            world.provider("second", about(0.2), second, priority=2, timeout=timeout),
        ]
        return world.manager(providers, deadline=20.0, **settings)

    return build


def black_hole(world: World, settings: Settings) -> ProviderManager[Any, Any]:
    """Three alike, and whoever has the fewest requests under way is asked: who fails at once always has."""
    faults = [Outage(60.0, 180.0)]
    providers = [world.provider(name, about(0.2), faults * (name == WATCHED)) for name in (WATCHED, "second", "third")]
    return world.manager(providers, "least-busy", deadline=20.0, **settings)


def jumping(world: World, settings: Settings) -> ProviderManager[Any, Any]:
    loop = asyncio.get_running_loop()
    for moment, seconds in JUMPS.items():
        loop.call_later(moment, world.clock.step_utc, seconds)
    return OUTAGE.build(world, settings)


OUTAGE = Scenario("outage", "Outage: the first provider fails at once", two(Outage(60.0, 180.0)))
JUMPING = Scenario("clock-jumps", "The same outage while the calendar jumps by an hour, a day, a year", jumping)
SCENARIOS = [
    OUTAGE,
    Scenario("hanging", "Outage: the first provider never answers", two(Outage(60.0, 180.0, HANG), timeout=1.0)),
    Scenario(
        "brown-out",
        "Brown-out: ten times slower, slow_after = 0.5 s",
        two(Brownout(60.0, 180.0, 10.0)),
        ours={"breaker": Breaker(slow_after=Duration(0.5))},
    ),
    Scenario(
        "brown-out-speed",
        "Brown-out: ten times slower, strategy speed",
        two(Brownout(60.0, 180.0, 10.0)),
        ours={"strategy": "speed"},
    ),
    Scenario("flapping", "Flapping: down for 5 s of every 13 s", two(Flapping(60.0, 180.0, 13.0, down=5 / 13))),
    Scenario("black-hole", "Fast-failing black hole under least-busy", black_hole),
    Scenario("throttling", "Throttling: half turned away, Retry-After 5 s", two(Throttle(60.0, 180.0, 5.0, 0.5))),
    Scenario(
        "recovery-herd",
        "Recovery: back at 180 s, but cold: takes 4/s at first, 2/s more each second",
        two(Outage(60.0, 180.0), ColdStart(180.0, 4.0, 2.0)),
    ),
    Scenario(
        "all-down",
        "All down, the second back at 120 s, the first at 180 s",
        two(Outage(60.0, 180.0), second=[Outage(60.0, 120.0)]),
    ),
    JUMPING,
]


def rows(scenario: Scenario, reports: Mapping[str, Report]) -> list[Row]:
    return [{"scenario": scenario.name, "how": how, **_figures(scenario, report)} for how, report in reports.items()]


def seconds_to_return(scenario: Scenario, report: Report) -> float | None:
    """From the fault's end until the first provider answers half as large a share of the calls as before the fault."""
    answers, arrivals = report.answers(WATCHED), report.arrivals()
    start, end = round(scenario.start), round(scenario.end)
    usual = sum(answers[:start]) / sum(arrivals[:start])
    for moment in range(end, len(answers)):
        if arrivals[moment] and answers[moment] / arrivals[moment] >= usual / 2:
            return float(moment - end)
    return None


def _figures(scenario: Scenario, report: Report) -> Row:
    span = scenario.start, scenario.end
    reached = sum(scenario.start <= sent.time < scenario.end for sent in report.sent[WATCHED])
    return {
        "answered": report.success_rate(),
        "in fault": report.success_rate(*span),
        "after": report.success_rate(scenario.end),
        "p50 s": report.latency(0.5, *span),
        "p95 s": report.latency(0.95, *span),
        "p99 s": report.latency(0.99, *span),
        "requests": reached,
        "per call": report.amplification(WATCHED, *span),
        "detected s": report.time_to_detect(WATCHED, scenario.start),
        "back s": seconds_to_return(scenario, report),
    }


def jumps_changed_nothing(reports: Mapping[str, Mapping[str, Report]]) -> Section:
    same = reports[OUTAGE.name][OURS] == reports[JUMPING.name][OURS]
    return Section("Clock jumps", [{"every call went as without the jumps": "yes" if same else "NO"}])


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--plots", type=Path, metavar="DIR", help="draw each scenario into this folder")
    chosen = options.parse_args()
    rate = 10.0 if chosen.quick else 20.0
    reports = {scenario.name: scenario.both(rate) for scenario in SCENARIOS}
    table = [row for scenario in SCENARIOS for row in rows(scenario, reports[scenario.name])]
    title = (
        f"{rate:g} calls a second for {SECONDS:g} s; latencies, and requests to the provider at fault, during the fault"
    )
    show([Section(title, table), jumps_changed_nothing(reports)], chosen.json)
    if chosen.plots is not None:
        from scenario_plots import draw

        chosen.plots.mkdir(parents=True, exist_ok=True)
        for scenario in SCENARIOS:
            spans = (scenario.start, scenario.end)
            draw(scenario.title, spans, reports[scenario.name], chosen.plots / f"{scenario.name}.png")


if __name__ == "__main__":
    main()
