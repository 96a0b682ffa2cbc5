"""How long a circuit should stay open at the most: the cap of `open_cap`, over outages of several lengths.

A short cap finds out sooner that the provider is back, and asks a dead one more often. `noticed`: from the end of the
outage to the first good answer; `trials`: requests that the dead provider got once its circuit had opened, and how many
that is in an hour. Medians over the seeds, and the worst. `health`: with the `health` table, at a provider that tells
its state for nothing.
"""

import sys
from pathlib import Path
from statistics import median
from typing import Any

import attrs
from figures import Row, Section, parser, show
from switchgear import Breaker, Health, ProviderManager, ProviderStatus
from switchgear.durations import Duration
from switchgear.testing import Outage, ScriptedProvider, World, simulate

sys.path.insert(0, str(Path(__file__).parents[1] / "scenarios"))

from scenarios import WATCHED, about

START = 60.0
OPENED = 10.0  # seconds by which the circuit has opened
CASES = ((30.0, False), (60.0, False), (120.0, False), (300.0, False), (300.0, True))  # cap in seconds, health checks
LENGTHS = (30.0, 120.0, 600.0, 3600.0)
RATE = 1.0  # calls a second: enough that a circuit does not wait for one


@attrs.define(eq=False)
class Tells(ScriptedProvider):
    """Well, as far as it knows, but from `start` to `end`."""

    start: float = attrs.field(kw_only=True)
    end: float = attrs.field(kw_only=True)

    async def health_check(self) -> ProviderStatus:
        down = self.start <= self.clock.monotonic() < self.end
        return ProviderStatus.UNAVAILABLE if down else ProviderStatus.AVAILABLE


def outage(cap: float, health: bool, length: float, seed: int) -> tuple[float, float]:
    """Seconds from the end of the outage to the first good answer, and the trials before it."""
    end = START + length

    def build(world: World) -> ProviderManager[Any, Any]:
        inner = Tells(["ok"], clock=world.clock, start=START, end=end)
        first = world.provider(WATCHED, about(0.1), [Outage(START, end)], answer=inner, priority=1)
        second = world.provider("second", about(0.2), priority=2)
        settings = {"health": Health()} if health else {}
        return world.manager([first, second], breaker=Breaker(open_cap=Duration(cap)), **settings)

    report = simulate(build, rate=RATE, seconds=end + cap + 30.0, arrivals="poisson", seed=seed)
    noticed = min(call.started for call in report.calls if call.started >= end and call.provider == WATCHED) - end
    return noticed, sum(START + OPENED <= sent.time < end for sent in report.sent[WATCHED])


def row(cap: float, health: bool, length: float, seeds: int) -> Row:
    noticed, trials = zip(*(outage(cap, health, length, seed) for seed in range(seeds)), strict=True)
    return {
        "outage s": length,
        "cap s": cap,
        "health": "checked" if health else "",
        "noticed s": median(noticed),
        "worst": max(noticed),
        "trials": median(trials),
        "an hour": median(trials) / (length - OPENED) * 3600.0,
    }


def main() -> None:
    options = parser(__doc__).parse_args()
    seeds, lengths = (3, LENGTHS[:2]) if options.quick else (12, LENGTHS)
    rows = [row(cap, health, length, seeds) for length in lengths for cap, health in CASES]
    show([Section(f"The longest open time, {seeds} seeds, {RATE:g} call a second", rows)], options.json)


if __name__ == "__main__":
    main()
