"""A picture of what was spent: over time by provider, and by outcome. Needs the extra `switchgear[plot]`."""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import attrs

from switchgear.cost_sink import EVERYTHING, NOTHING, Readable, Selection, Total
from switchgear.errors import UsageError
from switchgear.periods import Period
from switchgear.reports.summary import Course, Report, summarize
from switchgear.totals import regroup

# Okabe and Ito's colours, which stay apart for the colour-blind; hatches tell the same once more.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
_HATCHES = ("", "//", "..", "\\\\", "xx", "++", "oo")
_GREY = "#999999"
_SUFFIXES = (".png", ".svg")
_DAY = 86400.0


@attrs.frozen(kw_only=True)
class Picture:
    """What is drawn: `courses` by provider, `outcomes` by how the attempts ended; all in one currency."""

    report: Report
    courses: Sequence[Course]
    outcomes: Sequence[Total]
    currency: str
    left_out: Sequence[str]


def picture(
    ledger: Readable, *, per: Period | None, zone: tzinfo = UTC, where: Selection = EVERYTHING, currency: str
) -> Picture:
    """Read the ledger once. `left_out` are other currencies: amounts in them cannot stand on the same axis.

    Raises `UsageError` if there is nothing to draw.
    """
    report = summarize(ledger, ("provider", "outcome"), per=per, zone=zone, where=where)
    courses = [each for each in report.courses if each.total.currency == currency and each.total.attempts]
    if not courses:
        problem = UsageError(f"there is nothing to draw: no attempt of the selection has a cost in {currency}")
        problem.remedy = "Widen --since and --until, or drop filters"
        raise problem
    return Picture(
        report=report,
        courses=_by_provider(courses),
        outcomes=regroup([each.total for each in courses], lambda total: (total.key[1],)),
        currency=currency,
        left_out=sorted({each.currency for each in report.totals} - {currency}),
    )


def draw(what: Picture, file: Path) -> None:
    """Write a PNG or an SVG, by the file's suffix. Raises `UsageError` for another one, and without matplotlib."""
    if file.suffix.lower() not in _SUFFIXES:
        raise UsageError(f"{file.name}: a plot is a .png or a .svg")
    figure = _figure()
    over_time, outcomes = figure.subplots(2, 1, height_ratios=[3, 1 + 0.25 * len(what.outcomes)])
    _draw_courses(over_time, what)
    _draw_outcomes(outcomes, what)
    figure.savefig(file, dpi=120)


def _figure() -> Any:
    try:
        figure: Any = import_module("matplotlib.figure")
    except ImportError:
        problem = UsageError("a plot needs matplotlib, which is not installed")
        problem.remedy = "Run: pip install 'switchgear[plot]'"
        raise problem from None
    return figure.Figure(figsize=(10, 7), layout="constrained")


def _by_provider(courses: Sequence[Course]) -> list[Course]:
    """The most expensive first; those that have no colour of their own are one."""
    totals = regroup([each.total for each in courses], lambda total: (total.key[0],))
    ranked = sorted(totals, key=lambda total: (-total.cost, total.key))
    most = len(_COLOURS)
    named = {total.key[0]: total.key[0] for total in ranked[:most]}
    others = f"{len(ranked) - most} others"
    found = regroup([each.total for each in courses], lambda total: (named.get(total.key[0], others),))
    lines = {total.key[0]: [NOTHING] * len(courses[0].over_time) for total in found}
    for each in courses:
        line = lines[named.get(each.total.key[0], others)]
        line[:] = [a + b for a, b in zip(line, each.over_time, strict=True)]
    order = [*named, others]
    found.sort(key=lambda total: order.index(total.key[0]))
    return [Course(total=total, over_time=lines[total.key[0]]) for total in found]


def _draw_courses(axes: Any, what: Picture) -> None:
    dates: Any = import_module("matplotlib.dates")
    calendar = what.report.calendar
    starts = [dates.date2num(start) for start in what.report.times]
    widths = [0.92 * _days(start, calendar.after(start)) for start in what.report.times]
    floor = [0.0] * len(starts)
    for number, course in enumerate(what.courses):
        heights = [float(amount) for amount in course.over_time]
        axes.bar(
            starts,
            heights,
            widths,
            floor,
            align="edge",
            color=_COLOURS[number] if number < len(_COLOURS) else _GREY,
            hatch=_HATCHES[number] if number < len(_HATCHES) else "--",
            edgecolor="white",
            linewidth=0.3,
            label=f"{course.total.key[0]} ({_amount(course.total.cost)})",
        )
        floor = [a + b for a, b in zip(floor, heights, strict=True)]
    axes.set_ylim(0, 1.06 * max(floor) or 1.0)
    locator = dates.AutoDateLocator(tz=calendar.zone)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, tz=calendar.zone))
    axes.set_title(f"Cost by provider, per {calendar.per.value}", loc="left", fontweight="bold")
    axes.set_xlabel(f"time ({calendar.zone})")
    axes.set_ylabel(f"cost ({what.currency} per {calendar.per.value})")
    axes.legend(title=f"provider ({what.currency})", loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)
    _tidy(axes, "y")


def _draw_outcomes(axes: Any, what: Picture) -> None:
    totals = sorted(what.outcomes, key=lambda total: (total.cost, total.key))
    names = [f"{total.key[0]} ({total.attempts})" for total in totals]
    bars = axes.barh(names, [float(total.cost) for total in totals], color=_COLOURS[0], height=0.7)
    axes.bar_label(bars, [_amount(total.cost) for total in totals], padding=3)
    axes.set_title("Cost by outcome of the attempt", loc="left", fontweight="bold")
    axes.set_xlabel(f"cost ({what.currency})")
    axes.set_ylabel("outcome (attempts)")
    axes.margins(x=0.12)
    _tidy(axes, "x")


def _tidy(axes: Any, grid: str) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)
    axes.grid(axis="x" if grid == "x" else "y", color="#DDDDDD", linewidth=0.6)


def _days(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds() / _DAY


def _amount(amount: Decimal) -> str:
    """For a label: two places, more where that would leave nothing of it."""
    return f"{amount:,.2f}" if amount >= Decimal("0.01") or not amount else f"{amount.normalize():f}"
