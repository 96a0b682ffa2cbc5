"""Calendar periods: each moment lies in one, and they follow each other without a gap, whatever the clocks do."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from switchgear.periods import Period

BERLIN = ZoneInfo("Europe/Berlin")
# Half and quarter hours, a day that was left out, clocks that change at midnight, and one whose noon is another's.
ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Africa/Cairo", "America/Havana",
    "Pacific/Apia", "Pacific/Kiritimati", "America/St_Johns", "Asia/Beirut", "Pacific/Chatham",
]  # fmt: skip
moments = st.integers(0, 47 * 365 * 86_400_000).map(
    lambda milliseconds: datetime(1990, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
)
zones = st.sampled_from(ZONES).map(ZoneInfo)
calendar = st.sampled_from([period for period in Period if period is not Period.TOTAL])


@given(calendar, moments, zones)
@example(Period.DAY, datetime(2011, 12, 29, 20, tzinfo=UTC), ZoneInfo("Pacific/Apia"))
@example(Period.DAY, datetime(2026, 4, 23, 23, tzinfo=UTC), ZoneInfo("Africa/Cairo"))
@example(Period.HOUR, datetime(2026, 10, 25, 1, 30, tzinfo=UTC), BERLIN)
def test_every_moment_lies_in_its_period_and_the_next_begins_where_it_ends(
    period: Period, moment: datetime, zone: ZoneInfo
) -> None:
    start, end = period.start(moment, zone), period.end(moment, zone)
    assert end is not None
    # In UTC: of one zone, Python compares the hands of the clocks.
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    assert start <= moment < end
    assert period.start(start, zone).astimezone(UTC) == start
    assert period.start(end, zone).astimezone(UTC) == end
    assert period.start(end - timedelta(microseconds=1), zone).astimezone(UTC) == start


@given(calendar, moments, moments, zones)
def test_two_moments_have_the_same_label_if_they_lie_in_the_same_period(
    period: Period, one: datetime, other: datetime, zone: ZoneInfo
) -> None:
    together = period.start(one, zone).astimezone(UTC) == period.start(other, zone).astimezone(UTC)
    assert (period.label(one, zone) == period.label(other, zone)) is together


@pytest.mark.parametrize(
    ("period", "label", "start"),
    [
        (Period.HOUR, "2026-11-24 00:00", "2026-11-23 23:00"),
        (Period.DAY, "2026-11-24", "2026-11-23 23:00"),
        (Period.WEEK, "2026-W48", "2026-11-22 23:00"),
        (Period.MONTH, "2026-11", "2026-10-31 23:00"),
        (Period.TOTAL, "all", "1970-01-01 00:00"),
    ],
)
def test_periods_follow_the_zones_own_calendar(period: Period, label: str, start: str) -> None:
    moment = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    assert period.label(moment, BERLIN) == label
    assert f"{period.start(moment, BERLIN).astimezone(UTC):%Y-%m-%d %H:%M}" == start


def test_all_time_has_no_end() -> None:
    assert Period.TOTAL.end(datetime(2026, 1, 1, tzinfo=UTC)) is None


def test_a_day_on_which_the_clocks_change_is_as_long_as_it_is() -> None:
    def hours(day: int, month: int) -> float:
        moment = datetime(2026, month, day, 12, tzinfo=UTC)
        end = Period.DAY.end(moment, BERLIN)
        assert end is not None
        return (end.astimezone(UTC) - Period.DAY.start(moment, BERLIN).astimezone(UTC)) / timedelta(hours=1)

    assert (hours(28, 3), hours(29, 3), hours(25, 10)) == (24, 23, 25)


def test_the_hour_that_comes_twice_is_two() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    second = first + timedelta(hours=1)
    assert Period.HOUR.label(first, BERLIN) == "2026-10-25 02:00"
    assert Period.HOUR.label(second, BERLIN) == "2026-10-25 02:00+0100"
    assert Period.HOUR.label(second + timedelta(hours=1), BERLIN) == "2026-10-25 03:00"


@pytest.mark.parametrize(("day", "label"), [("2027-01-03", "2026-W53"), ("2024-12-30", "2025-W01")])
def test_weeks_belong_to_the_year_of_their_thursday(day: str, label: str) -> None:
    assert Period.WEEK.label(datetime.fromisoformat(f"{day}T12:00Z")) == label


def test_a_fixed_offset_is_a_zone_too() -> None:
    zone = timezone(timedelta(hours=5, minutes=45))
    assert Period.DAY.start(datetime(2026, 1, 1, 18, 15, tzinfo=UTC), zone) == datetime(2026, 1, 2, tzinfo=zone)
