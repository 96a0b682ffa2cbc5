"""What callers see when providers misbehave: simulated traffic in virtual time, in figures and, with `--plots`, drawn.

Each scenario runs twice: as Switchgear comes, and as a loop around the clients does it, with retries and fallback but
no circuit breaker and no retry budget. Requests arrive on their own account, answered or not. `detected`: seconds until
the provider at fault gets less than a tenth of the calls; `back`: from the end of the fault until it answers half as
large a share as before.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from figures import Row, Section, parser, show
from switchgear import Breaker, Retry
from switchgear.testing import Report

sys.path.insert(0, str(Path(__file__).parents[1] / "scenarios"))

from scenarios import (
    CLOCK_JUMPS,
    OUTAGE,
    SCENARIOS,
    WATCHED,
    Scenario,
    figures_of,
)

OURS, LOOP = "switchgear", "plain loop"
ALONE: dict[str, Any] = {"breaker": Breaker(enabled=False), "retry": Retry(budget=1e9)}


def both(scenario: Scenario, rate: float) -> dict[str, Report]:
    return {OURS: scenario.run(scenario.ours, rate), LOOP: scenario.run(ALONE, rate)}


def rows(scenario: Scenario, reports: Mapping[str, Report]) -> list[Row]:
    return [{"scenario": scenario.name, "how": how, **_figures(scenario, report)} for how, report in reports.items()]


def _figures(scenario: Scenario, report: Report) -> Row:
    span = scenario.start, scenario.end
    figures = figures_of(scenario, report)
    return {
        "answered": figures.answered,
        "in fault": report.success_rate(*span),
        "after": report.success_rate(scenario.end),
        "p50 s": figures.p50,
        "p95 s": figures.p95,
        "p99 s": figures.p99,
        "requests": sum(scenario.start <= sent.time < scenario.end for sent in report.sent[WATCHED]),
        "per call": figures.amplification,
        "detected s": figures.detected,
        "back s": figures.returned,
    }


def jumps_changed_nothing(reports: Mapping[str, Mapping[str, Report]]) -> Section:
    same = reports[OUTAGE.name][OURS] == reports[CLOCK_JUMPS.name][OURS]
    return Section("Clock jumps", [{"every call went as without the jumps": "yes" if same else "NO"}])


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--plots", type=Path, metavar="DIR", help="draw each scenario into this folder")
    chosen = options.parse_args()
    rate = 10.0 if chosen.quick else 20.0
    reports = {scenario.name: both(scenario, rate) for scenario in SCENARIOS}
    table = [row for scenario in SCENARIOS for row in rows(scenario, reports[scenario.name])]
    traffic = f"{rate:g} calls a second for {OUTAGE.seconds:g} s"
    title = f"{traffic}; latencies, and requests to the provider at fault, during the fault"
    show([Section(title, table), jumps_changed_nothing(reports)], chosen.json)
    if chosen.plots is not None:
        from scenario_plots import draw

        chosen.plots.mkdir(parents=True, exist_ok=True)
        for scenario in SCENARIOS:
            spans = (scenario.start, scenario.end)
            draw(scenario.title, spans, reports[scenario.name], chosen.plots / f"{scenario.name}.png")


if __name__ == "__main__":
    main()
