"""One picture of a scenario: who got an answer, how long it took, and who was asked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from switchgear.testing import Report

STEP = 3.0  # seconds a point stands for
SHORTEST = 0.05  # seconds
# Okabe and Ito's colours, which stay apart for the colour-blind; line styles tell the same once more.
COLOURS = ["#0072B2", "#D55E00"]
STYLES = ["-", "--"]
PROVIDERS = {"first": "#000000", "second": "#009E73", "third": "#CC79A7"}
FAULT = "#E8E8E8"


def draw(title: str, fault: tuple[float, float], reports: Mapping[str, Report], file: Path) -> None:
    """Four panels over time; `reports` are the ways of doing it, the first one ours."""
    series = {how: attrs.evolve(report, bucket=STEP).series() for how, report in reports.items()}
    figure = Figure(figsize=(9, 10), layout="constrained")
    panels = figure.subplots(4, 1, sharex=True)
    figure.suptitle(title, fontsize=13, fontweight="bold")
    for panel in panels:
        panel.axvspan(*fault, color=FAULT, zorder=0)
        panel.grid(axis="y", color="#CCCCCC", linewidth=0.6)
        panel.spines[["top", "right"]].set_visible(False)
        panel.margins(x=0)
    _success(panels[0], series)
    _latency(panels[1], series)
    _asked(panels[2], series)
    _answered(panels[3], next(iter(series)), next(iter(series.values())))
    panels[0].annotate(
        "fault", (sum(fault) / 2, 0.02), xycoords=("data", "axes fraction"), ha="center", color="#555555"
    )
    panels[-1].set_xlabel("time (s)")
    figure.savefig(file, dpi=110)


def _success(panel: Axes, series: Mapping[str, Any]) -> None:
    for (how, columns), colour, style in zip(series.items(), COLOURS, STYLES, strict=True):
        shares = [None if share is None else 100 * share for share in columns["success_rate"]]
        panel.plot(columns["time"], shares, style, color=colour, label=how)
    panel.set_ylim(-3, 105)
    panel.set_ylabel("answered calls (%)")
    _legend(panel)


def _latency(panel: Axes, series: Mapping[str, Any]) -> None:
    for (how, columns), colour, style in zip(series.items(), COLOURS, STYLES, strict=True):
        for percentile, width in (("p50", 2.0), ("p99", 1.0)):
            label = f"{how}, {percentile}"
            panel.plot(
                columns["time"], _at_least(columns[percentile]), style, color=colour, linewidth=width, label=label
            )
    panel.set_yscale("log")
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    panel.yaxis.set_minor_formatter(NullFormatter())
    panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panel.set_ylabel("latency of calls (s)")
    _legend(panel)


def _asked(panel: Axes, series: Mapping[str, Any]) -> None:
    arrivals = [count / STEP for count in next(iter(series.values()))["arrivals"]]
    panel.plot(next(iter(series.values()))["time"], arrivals, ":", color="#777777", label="calls that arrive")
    for (how, columns), colour, style in zip(series.items(), COLOURS, STYLES, strict=True):
        sent = [count / STEP for count in columns["attempts.first"]]
        panel.plot(columns["time"], sent, style, color=colour, label=how)
    panel.set_ylim(bottom=0)
    panel.set_ylabel("requests to the\nfirst provider (1/s)")
    _legend(panel)


def _answered(panel: Axes, how: str, columns: Mapping[str, Any]) -> None:
    names = [column.partition(".")[2] for column in columns if column.startswith("answers.")]
    shares = [[count / STEP for count in columns[f"answers.{name}"]] for name in names]
    for name, share, style in zip(names, shares, ["-", "--", "-."], strict=False):
        panel.plot(columns["time"], share, style, color=PROVIDERS[name], label=f"{name} provider")
    panel.set_ylim(bottom=0)
    panel.set_ylabel(f"answers with\n{how} (1/s)")
    _legend(panel)


def _at_least(latencies: Sequence[float | None]) -> list[float | None]:
    """What is turned away at once takes no time, which a logarithm cannot show."""
    return [None if each is None else max(each, SHORTEST) for each in latencies]


def _legend(panel: Axes) -> None:
    """In one row above the panel, where no line is."""
    handles, labels = panel.get_legend_handles_labels()
    panel.legend(handles, labels, loc="lower left", bbox_to_anchor=(0, 0.98), frameon=False, ncols=4, fontsize="small")
