"""Calendar periods: when the hour, day, week or month that a moment lies in began, and when it ends."""

from datetime import UTC, datetime, timedelta, tzinfo
from enum import Enum


class Period(Enum):
    """A stretch of the calendar, or all time. Weeks begin on Monday (ISO 8601)."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOTAL = "total"

    def start(self, moment: datetime, zone: tzinfo = UTC) -> datetime:
        """The beginning of the period that holds `moment`, on the zone's own calendar; `TOTAL` began in 1970."""
        if self is Period.TOTAL:
            return datetime(1970, 1, 1, tzinfo=UTC)
        local = moment.astimezone(zone)
        if self is Period.HOUR:
            # By the absolute clock: where summer time ends, the hour that comes twice is two.
            return moment - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        day = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        if self is Period.WEEK:
            return day - timedelta(days=day.weekday())
        return day.replace(day=1) if self is Period.MONTH else day

    def end(self, moment: datetime, zone: tzinfo = UTC) -> datetime | None:
        """The beginning of the next one; None for `TOTAL`."""
        if self is Period.TOTAL:
            return None
        start = self.start(moment, zone)
        if self is Period.HOUR:
            return start + timedelta(hours=1)
        if self is Period.DAY:
            return start + timedelta(days=1)
        if self is Period.WEEK:
            return start + timedelta(days=7)
        return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)

    def label(self, moment: datetime, zone: tzinfo = UTC) -> str:
        """The period as people write it: `2026-11-24 13:00`, `2026-11-24`, `2026-W48`, `2026-11`, `all`."""
        start = self.start(moment, zone)
        if self is Period.TOTAL:
            return "all"
        if self is Period.WEEK:
            return f"{start:%G-W%V}"
        local = start.astimezone(zone)
        # The hour that comes twice is two.
        return f"{local:{_FORMS[self]}}{local:%z}" if local.fold and self is Period.HOUR else f"{local:{_FORMS[self]}}"


_FORMS = {Period.HOUR: "%Y-%m-%d %H:00", Period.DAY: "%Y-%m-%d", Period.MONTH: "%Y-%m"}
