"""Which period of a time zone's calendar a ledger's quarter of an hour lies in."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo

import attrs

from switchgear.money import from_microseconds
from switchgear.periods import Period


@attrs.define
class Calendar:
    """Starts of periods are moments in UTC: the hour that comes twice when summer time ends is two of them."""

    per: Period
    zone: tzinfo = UTC
    _starts: dict[str, datetime] = attrs.field(factory=dict, init=False)

    def start(self, slot: str) -> datetime:
        """When the period began that holds a slot, which is a key of the ledger's group `slot`."""
        found = self._starts.get(slot)
        if found is None:
            found = self._starts[slot] = self.start_of(from_microseconds(int(slot)))
        return found

    def start_of(self, moment: datetime) -> datetime:
        """When the period began that holds a moment."""
        return self.per.start(moment.astimezone(UTC), self.zone).astimezone(UTC)

    def after(self, start: datetime) -> datetime:
        """When the next period begins."""
        end = self.per.end(start, self.zone)
        return datetime.max.replace(tzinfo=UTC) if end is None else end.astimezone(UTC)

    def label(self, start: datetime) -> str:
        """As people write it."""
        return self.per.label(start, self.zone)

    def through(self, first: datetime, last: datetime) -> Iterator[datetime]:
        """The starts of all periods from the one of `first` to the one of `last`, also of those without a record."""
        start = self.start_of(first)
        while start <= last:
            yield start
            start = self.after(start)


def fitting(length: timedelta) -> Period:
    """The period that cuts a stretch of time into a readable number of pieces."""
    if length <= timedelta(days=2):
        return Period.HOUR
    if length <= timedelta(days=45):
        return Period.DAY
    return Period.WEEK if length <= timedelta(weeks=45) else Period.MONTH
