"""What was spent, by groups and by periods. The sums of any grouping come to the total, to the last digit."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal

import attrs

from switchgear.cost_sink import EVERYTHING, NOTHING, Readable, Selection, Total
from switchgear.money import rounded
from switchgear.periods import Period
from switchgear.reports.calendar import Calendar, fitting
from switchgear.totals import regroup

# What reports group by: `usage` and `slot` are for machines.
GROUPINGS = ("service", "provider", "capability", "tenant", "tags", "kind", "charge", "outcome")


@attrs.frozen(kw_only=True)
class Row:
    """What a group cost in a period: `total.key` has the groups. Without periods, `start` is None, `label` empty."""

    total: Total
    start: datetime | None = None
    label: str = ""


@attrs.frozen(kw_only=True)
class Course:
    """What a group cost all in all, and `over_time`: in each of the report's `times`."""

    total: Total
    over_time: Sequence[Decimal]


@attrs.frozen(kw_only=True)
class Report:
    """`rows` are by period (if there are any) and group, `courses` by group, `kinds` by why an attempt was made.

    `totals` has one total for each currency, and `times` begins every period from the first record to the last one;
    without a `per`, a fitting one is taken for them.
    """

    by: tuple[str, ...]
    per: Period | None
    calendar: Calendar
    rows: Sequence[Row]
    courses: Sequence[Course]
    kinds: Sequence[Total]
    totals: Sequence[Total]
    times: Sequence[datetime]

    def calls(self, currency: str) -> int:
        """How many calls the attempts belong to: each has one that is no retry, fallback or hedge."""
        return sum(total.attempts for total in self.kinds if total.key == ("first",) and total.currency == currency)


def summarize(
    ledger: Readable,
    by: Sequence[str] = (),
    *,
    per: Period | None = None,
    zone: tzinfo = UTC,
    where: Selection = EVERYTHING,
) -> Report:
    """Read the ledger once. Raises `ValueError` for a group that is none of `GROUPINGS`."""
    for group in by:
        if group not in GROUPINGS:
            raise ValueError(f"unknown group {group!r}")
    found: Iterable[Total] = ledger.totals((*by, "kind", "slot"), where)
    if per is None:
        found = list(found)
    calendar = Calendar(per or _fitting(found), zone)
    # Once over all quarters of hours, of which there can be very many; the rest is made of what that leaves.
    finest = regroup(found, lambda total: (calendar.start(total.key[-1]).isoformat(), *total.key[:-1]))
    by_period = regroup(finest, lambda total: total.key[:-1])
    by_group = regroup(by_period, lambda total: total.key[1:])
    times = _times(by_period, calendar)
    return Report(
        by=tuple(by),
        per=per,
        calendar=calendar,
        rows=[_row(total, calendar) for total in by_period] if per else [Row(total=total) for total in by_group],
        courses=_courses(by_group, by_period, times),
        kinds=regroup(finest, lambda total: total.key[-1:]),
        totals=regroup(by_group, lambda total: ()),
        times=times,
    )


def average(cost: Decimal, count: int) -> Decimal | None:
    """Rounded to the billionth; None of nothing."""
    return rounded(cost / count).normalize() + 0 if count else None


def per_attempt(total: Total) -> Decimal | None:
    """The average cost of the attempts whose cost is known."""
    return average(total.cost, total.attempts - total.unknown)


def _row(total: Total, calendar: Calendar) -> Row:
    start = datetime.fromisoformat(total.key[0])
    return Row(total=attrs.evolve(total, key=total.key[1:]), start=start, label=calendar.label(start))


def _courses(by_group: Sequence[Total], by_period: Sequence[Total], times: Sequence[datetime]) -> list[Course]:
    place = {time.isoformat(): number for number, time in enumerate(times)}
    over_time = {(total.key, total.currency): [NOTHING] * len(times) for total in by_group}
    for total in by_period:
        over_time[total.key[1:], total.currency][place[total.key[0]]] += total.cost
    return [Course(total=total, over_time=over_time[total.key, total.currency]) for total in by_group]


def _times(by_period: Sequence[Total], calendar: Calendar) -> list[datetime]:
    if not by_period:
        return []
    first, last = (datetime.fromisoformat(total.key[0]) for total in (by_period[0], by_period[-1]))
    return list(calendar.through(first, last))


def _fitting(found: Iterable[Total]) -> Period:
    slots = [int(total.key[-1]) for total in found]
    length = max(slots) - min(slots) if slots else 0
    return fitting(timedelta(microseconds=length))
