"""A scenario run once for all that is asked of it, and how long the rules let things take."""

import asyncio
import math
from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any

import attrs
from scenarios import WATCHED, Figures, Scenario, figures_of
from switchgear import StateChange
from switchgear.testing import Report, Served
from switchgear.testing.simulator import Arrivals

RATE = 10.0  # calls a second
ARRIVAL = 1.6  # seconds in which five calls arrive, in all but one of two thousand cases
SAMPLED = 1.15  # the percentiles of a thousand samples are at most so many times the true ones
STEP = 1.0  # seconds: times to detect and to return are read in whole ones
LATE = 0.01  # seconds that a timeout may come late (S2)
RESERVE, EARN = 100.0, 0.1  # retries, and those that each success earns (S8)

# S14, in seconds
OPEN_FOR = 5.0
OPEN_CAP = 300.0
RAMP = 10.0


@attrs.frozen(eq=False, slots=False)
class Run:
    """What became of a scenario; `opened`: when the circuit of the provider at fault opened."""

    scenario: Scenario
    report: Report
    opened: list[float]

    @property
    def figures(self) -> Figures:
        return figures_of(self.scenario, self.report)

    @property
    def trips(self) -> int:
        return len(self.opened)

    @property
    def retries(self) -> int:
        """Requests to the provider at fault, during the fault, beyond the first of each call."""
        sent = self.asked(self.scenario.start, self.scenario.end)
        return len(sent) - len(set(sent))

    @property
    def stragglers(self) -> list[Served]:
        """Calls sent to the provider before its fault that it answered during it: each ends a row of failures."""
        start = self.scenario.start
        answered = [call for call in self.report.calls if call.provider == WATCHED and call.started < start]
        return [call for call in answered if call.started + call.latency >= start]

    @property
    def amplified_within_budget(self) -> bool:
        """S8: are there at most 1.1 requests for each call that reached the provider at fault, and the reserve?"""
        sent = self.asked(self.scenario.start, self.scenario.end)
        return len(sent) <= (1.0 + EARN) * len(set(sent)) + RESERVE

    def asked(self, start: float, end: float = math.inf, provider: str = WATCHED) -> list[int]:
        """The numbers of the calls for which the provider got each of its requests in this time."""
        return [sent.call for sent in self.report.sent[provider] if start <= sent.time < end]

    def added_latency(self, share: float, start: float, end: float) -> float:
        """What this share of the calls begun in this time did not exceed in seconds before the request that was
        answered was sent: trying others, and pauses."""
        calls = [(number, call) for number, call in enumerate(self.report.calls) if start <= call.started < end]
        added = sorted(self._sent_last[call.provider, number] - call.started for number, call in calls)
        return added[max(0, math.ceil(share * len(added)) - 1)]

    @cached_property
    def _sent_last(self) -> dict[tuple[str | None, int], float]:
        return {(provider, sent.call): sent.time for provider, sents in self.report.sent.items() for sent in sents}

    def first_answered(self, provider: str, since: float) -> Served:
        """The first call begun since then that this provider answered."""
        return next(call for call in self.report.calls if call.started >= since and call.provider == provider)


@cache
def run_of(scenario: Scenario, seed: int, rate: float = RATE, arrivals: Arrivals = "poisson") -> Run:
    return run_with(scenario, scenario.ours, seed, rate, arrivals)


def run_with(
    scenario: Scenario, settings: Mapping[str, Any], seed: int, rate: float = RATE, arrivals: Arrivals = "poisson"
) -> Run:
    opened: list[float] = []

    def note(change: StateChange) -> None:
        if change.provider == WATCHED and change.new == "open":
            opened.append(asyncio.get_running_loop().time())

    report = scenario.run({**settings, "state_observers": [note]}, rate, seed=seed, arrivals=arrivals)
    return Run(scenario, report, opened)


def open_time(trips: int) -> float:
    """The longest that a circuit stays open after so many trips (S14)."""
    return min(OPEN_CAP, OPEN_FOR * 2.0 ** (trips - 1))


def most_trips(seconds: float) -> int:
    """In an outage so long (S14): at least half of each open time is certain, so that the n-th trip comes no sooner
    than 2.5 * (2^(n - 1) - 1) seconds after the first."""
    return 1 + math.floor(math.log2(1.0 + seconds / (OPEN_FOR / 2)))


def fewest_trips(seconds: float) -> int:
    """In an outage so long that is tried whenever it may (S14): the n-th open time ends 5 * (2^n - 1) seconds after
    the first trip at the latest."""
    return math.ceil(math.log2(1.0 + seconds / OPEN_FOR))
