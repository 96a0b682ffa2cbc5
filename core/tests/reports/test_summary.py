"""Sums by group and period."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from switchgear.cost_sink import CostRecord, Ledger, Selection, Total
from switchgear.costs.sqlite import SqliteLedger
from switchgear.money import Charge
from switchgear.periods import Period
from switchgear.reports.calendar import Calendar, fitting
from switchgear.reports.summary import GROUPINGS, average, per_attempt, summarize
from switchgear.testing import MemoryLedger

BERLIN = ZoneInfo("Europe/Berlin")
PERIODS = [Period.HOUR, Period.DAY, Period.WEEK, Period.MONTH]
THREE_MONTHS = 1_790_000_000_000_000, 1_798_000_000_000_000  # with the night on which Berlin's summer time ends
FIGURES = ("attempts", "cost", "in_doubt", "doubts", "unknown", "saved", "hits")

names = st.sampled_from(["", "a", "b", "c, d", "é"])
amounts = st.decimals(min_value=0, max_value=10**6, places=9)


@st.composite
def cost_records(draw: st.DrawFn) -> list[CostRecord]:
    return [_drawn(draw, number) for number in range(draw(st.integers(0, 25)))]


def _drawn(draw: st.DrawFn, number: int) -> CostRecord:
    is_saving = draw(st.integers(0, 9)) == 0
    charge = draw(st.sampled_from(list(Charge)))
    cost = draw(st.none() | amounts)
    return CostRecord(
        id=f"c{number}.1",
        at=draw(st.integers(*THREE_MONTHS)),
        service=draw(names),
        capability=draw(names),
        provider=draw(names),
        kind="saved" if is_saving else draw(st.sampled_from(["first", "retry", "fallback", "hedge"])),
        charge=Charge.FREE if is_saving else charge,
        outcome=draw(st.sampled_from(["success", "timeout"])),
        currency=draw(st.sampled_from(["USD", "EUR"])),
        cost=None if is_saving else Decimal(0) if charge is Charge.FREE else cost,
        tenant=draw(st.none() | names),
        tags=tuple(draw(st.lists(names, max_size=3))),
        saved=draw(amounts) if is_saving else Decimal(0),
        hits=draw(st.integers(0, 1000)) if is_saving else 0,
    )


def summed(totals: list[Total]) -> dict[str, dict[str, Any]]:
    """Each figure added up, by currency."""
    found: dict[str, dict[str, Any]] = defaultdict(lambda: dict.fromkeys(FIGURES, 0))
    for total in totals:
        for name in FIGURES:
            found[total.currency][name] += getattr(total, name)
    return dict(found)


def check_sums(ledger: Ledger, records: list[CostRecord], by: list[str], per: Period | None, zone: ZoneInfo) -> None:
    report = summarize(ledger, by, per=per, zone=zone)
    whole = summed(list(ledger.totals()))
    assert summed([row.total for row in report.rows]) == whole
    assert summed([course.total for course in report.courses]) == whole
    assert summed(list(report.kinds)) == whole
    assert summed(list(report.totals)) == whole
    for total in report.totals:
        known = [
            each.cost for each in records if each.currency == total.currency and each.kind != "saved" and each.cost
        ]
        assert total.cost == sum(known, Decimal(0))
    for course in report.courses:
        assert sum(course.over_time, Decimal(0)) == course.total.cost


groupings = st.lists(st.sampled_from(GROUPINGS), unique=True, max_size=4)
periods = st.none() | st.sampled_from(PERIODS)
zones = st.sampled_from([ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "Asia/Kathmandu", "America/Sao_Paulo")])


@given(cost_records(), groupings, periods, zones)
@settings(deadline=None)
def test_the_sums_of_any_grouping_come_to_the_total_to_the_last_digit(
    records: list[CostRecord], by: list[str], per: Period | None, zone: ZoneInfo
) -> None:
    ledger = MemoryLedger()
    for each in records:
        ledger.cost_recorded(each)
    ledger.flush()
    check_sums(ledger, records, by, per, zone)


@given(cost_records(), groupings, periods, zones)
@settings(deadline=None, max_examples=25)
def test_the_sums_of_any_grouping_of_a_file_come_to_the_total_and_are_those_of_memory(
    records: list[CostRecord], by: list[str], per: Period | None, zone: ZoneInfo
) -> None:
    memory = MemoryLedger()
    with TemporaryDirectory() as folder:
        file = SqliteLedger(path=Path(folder) / "ledger.db")
        for each in records:
            memory.cost_recorded(each)
            file.cost_recorded(each)
        memory.flush()
        file.flush()
        check_sums(file, records, by, per, zone)
        assert summarize(file, by, per=per, zone=zone) == summarize(memory, by, per=per, zone=zone)
        file.close()


def test_groups_of_a_report_without_periods(record: Any, keep: Any) -> None:
    report = summarize(keep(record(), record(provider="good", tenant="acme"), record()), ("provider", "tenant"))
    assert [(row.total.key, row.total.cost) for row in report.rows] == [
        (("fast", ""), Decimal("0.02")),
        (("good", "acme"), Decimal("0.01")),
    ]
    assert {(row.start, row.label) for row in report.rows} == {(None, "")}


def test_a_group_that_is_none_is_refused(keep: Any) -> None:
    with pytest.raises(ValueError, match="unknown group 'slot'"):
        summarize(keep(), ["slot"])


def test_a_ledger_that_has_nothing_makes_an_empty_report(keep: Any) -> None:
    report = summarize(keep(), ["provider"], per=Period.DAY)
    assert (report.rows, report.totals, report.times) == ([], [], [])
    assert report.calls("USD") == 0


def test_days_are_those_of_the_zone(record: Any, keep: Any) -> None:
    ledger = keep(record("2026-11-24 22:59"), record("2026-11-24 23:00"))
    assert [row.label for row in summarize(ledger, per=Period.DAY, zone=BERLIN).rows] == ["2026-11-24", "2026-11-25"]
    assert [row.label for row in summarize(ledger, per=Period.DAY).rows] == ["2026-11-24"]


def test_quarters_of_hours_are_enough_for_every_zone(record: Any, keep: Any) -> None:
    ledger = keep(record("2026-11-24 18:14"), record("2026-11-24 18:15"))
    rows = summarize(ledger, per=Period.DAY, zone=ZoneInfo("Asia/Kathmandu")).rows
    assert [row.label for row in rows] == ["2026-11-24", "2026-11-25"]


def test_the_hour_that_comes_twice_is_two_hours(record: Any, keep: Any) -> None:
    hours = ["2026-10-25 00:30", "2026-10-25 01:30", "2026-10-25 02:30"]
    rows = summarize(keep(*map(record, hours)), per=Period.HOUR, zone=BERLIN).rows
    assert [row.label for row in rows] == [
        "2026-10-25 02:00",
        "2026-10-25 02:00+0100",
        "2026-10-25 03:00",
    ]


def test_the_day_on_which_summer_time_ends_has_25_hours() -> None:
    start = Calendar(Period.DAY, BERLIN).start_of(datetime(2026, 10, 25, 12, tzinfo=UTC))
    assert Calendar(Period.DAY, BERLIN).after(start) - start == timedelta(hours=25)
    hours = list(Calendar(Period.HOUR, BERLIN).through(start, start + timedelta(hours=25)))
    assert len(hours) == 26
    assert len({*hours}) == 26


def test_a_day_that_has_no_midnight_begins_where_the_one_before_ends() -> None:
    calendar = Calendar(Period.DAY, ZoneInfo("America/Sao_Paulo"))
    before = calendar.start_of(datetime(2018, 11, 3, 12, tzinfo=UTC))
    day = calendar.start_of(datetime(2018, 11, 4, 12, tzinfo=UTC))
    assert calendar.after(before) == day
    assert calendar.label(day) == "2018-11-04"


def test_times_have_the_periods_without_a_record_too(record: Any, keep: Any) -> None:
    report = summarize(keep(record("2026-11-01"), record("2026-11-04")), per=Period.DAY)
    assert [each.day for each in report.times] == [1, 2, 3, 4]
    cent = Decimal("0.01")
    assert report.courses[0].over_time == [cent, 0, 0, cent]


@pytest.mark.parametrize(
    ("days", "period"), [(0, Period.HOUR), (2, Period.HOUR), (30, Period.DAY), (200, Period.WEEK), (800, Period.MONTH)]
)
def test_without_a_period_one_is_taken_that_fits(days: int, period: Period) -> None:
    assert fitting(timedelta(days=days)) is period


def test_a_selection_is_kept_to(record: Any, keep: Any) -> None:
    ledger = keep(record(), record(provider="good"))
    assert [row.total.key for row in summarize(ledger, ["provider"], where=Selection(providers=("good",))).rows] == [
        ("good",)
    ]


def test_calls_are_counted_by_their_first_attempts(record: Any, keep: Any) -> None:
    ledger = keep(record(id="a.1"), record(id="a.2", kind="retry"), record(id="b.1"), record(currency="EUR"))
    report = summarize(ledger)
    assert (report.calls("USD"), report.calls("EUR")) == (2, 1)


def test_an_average_is_of_what_is_known(record: Any, keep: Any) -> None:
    (total,) = summarize(keep(record(), record(cost=None), record(cost=Decimal("0.03")))).totals
    assert per_attempt(total) == Decimal("0.02")
    assert average(Decimal(1), 3) == Decimal("0.333333333")
    assert average(Decimal(1), 0) is None
