"""A vendor's bill beside the ledger: what each says of a provider and a period, and why they may differ."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import attrs

from switchgear.cost_sink import EVERYTHING, NOTHING, Readable, Selection, Total, usage_from
from switchgear.errors import UsageError
from switchgear.money import Charge, from_microseconds, rounded
from switchgear.periods import Period
from switchgear.reports.bill import Line
from switchgear.reports.calendar import Calendar
from switchgear.totals import regroup

CALLS = "calls"  # the unit of quantities that are no usage: attempts that were billed or are in doubt
_HALF = Decimal("0.5")


@attrs.frozen(kw_only=True)
class Pair:
    """What the ledger and the bill say of one provider and one period, which began at `start`.

    `ours` has attempts in doubt in it. Quantities are None where the bill has none. `reasons` are likely, the likeliest
    first; empty where both agree.
    """

    provider: str
    start: datetime
    ours: Decimal
    theirs: Decimal
    attempts: int
    in_doubt: Decimal
    unknown: int
    our_quantity: Decimal | None
    their_quantity: Decimal | None
    reasons: Sequence[str]

    @property
    def difference(self) -> Decimal:
        """Above 0 where the bill asks for more than the ledger knows of."""
        return self.theirs - self.ours


@attrs.frozen(kw_only=True)
class Terms:
    """How to compare: on whose `calendar`, in which `currency`, what `unit` quantities count.

    `names` are providers by what the bill calls them; `provider` is whom lines are from that name nobody.
    """

    calendar: Calendar
    currency: str
    names: Mapping[str, str] = attrs.Factory(dict)
    provider: str | None = None
    unit: str = CALLS


def reconcile(ledger: Readable, lines: Sequence[Line], terms: Terms, where: Selection = EVERYTHING) -> list[Pair]:
    """A pair for each provider on the bill, and each period from the bill's first to its last in which it has anything.

    Raises `UsageError` if nobody can tell whom a line is from.
    """
    if not lines:
        raise UsageError("the bill has no line with a date")
    known = sorted({total.key[0] for total in ledger.totals(("provider",), where) if total.attempts})
    theirs = _theirs(lines, terms, known)
    starts = [start for _, start in theirs]
    ours = _ours(ledger, terms, attrs.evolve(where, since=min(starts), until=terms.calendar.after(max(starts))))
    providers = {provider for provider, _ in theirs}
    places = sorted({*theirs, *(place for place in ours if place[0] in providers)})
    begins = {provider: _begin(ledger, provider, where) for provider in providers if provider in known}
    return [_Comparison(place, ours.get(place), theirs.get(place, []), terms, begins).pair() for place in places]


_Place = tuple[str, datetime]


@attrs.frozen(kw_only=True)
class _Ours:
    total: Total
    quantity: Decimal


def _theirs(lines: Iterable[Line], terms: Terms, known: Sequence[str]) -> dict[_Place, list[Line]]:
    names = {name.casefold(): name for name in known} | {
        name.casefold(): provider for name, provider in terms.names.items()
    }
    found: dict[_Place, list[Line]] = defaultdict(list)
    for line in lines:
        provider = names.get(line.provider.casefold(), line.provider) or terms.provider
        if not provider and len(known) == 1:
            provider = known[0]
        if not provider:
            problem = UsageError(f"line {line.number} of the bill names no provider")
            problem.remedy = f"Say whose bill it is: --provider NAME; the ledger has: {', '.join(known) or 'nobody'}"
            raise problem
        found[provider, line.start].append(line)
    return dict(found)


def _ours(ledger: Readable, terms: Terms, where: Selection) -> dict[_Place, _Ours]:
    by_usage = terms.unit != CALLS
    by = ("provider", "charge", *(["usage"] if by_usage else []), "slot")
    found = [each for each in ledger.totals(by, where) if each.currency == terms.currency]
    quantities: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)

    def place(total: Total) -> tuple[str, ...]:
        return total.key[0], terms.calendar.start(total.key[-1]).isoformat()

    for each in found:
        if each.key[1] != Charge.FREE.value:
            one = usage_from(each.key[2]).get(terms.unit, NOTHING) if by_usage else Decimal(1)
            quantities[place(each)] += one * each.attempts
    return {
        (total.key[0], datetime.fromisoformat(total.key[1])): _Ours(total=total, quantity=quantities[total.key])
        for total in regroup(found, place)
        if total.attempts
    }


def _begin(ledger: Readable, provider: str, where: Selection) -> datetime | None:
    """When the ledger's first record of a provider is from."""
    first = next(ledger.records(attrs.evolve(where, providers=(provider,))), None)
    return None if first is None else from_microseconds(first.at)


class _Comparison:
    """One pair in the making."""

    def __init__(
        self,
        place: _Place,
        ours: _Ours | None,
        lines: Sequence[Line],
        terms: Terms,
        begins: Mapping[str, datetime | None],
    ) -> None:
        self.provider, self.start = place
        self.ours = ours.total if ours else Total(key=place[:1], currency=terms.currency, attempts=0, cost=NOTHING)
        self.lines = lines
        self.terms = terms
        self.begins = begins
        self.theirs = sum((line.amount for line in lines), NOTHING)
        counted = [line.quantity for line in lines if line.quantity is not None]
        self.their_quantity = sum(counted, NOTHING) if counted else None
        self.our_quantity = (ours.quantity if ours else NOTHING) if counted else None

    def pair(self) -> Pair:
        return Pair(
            provider=self.provider,
            start=self.start,
            ours=self.ours.cost,
            theirs=self.theirs,
            attempts=self.ours.attempts,
            in_doubt=self.ours.in_doubt,
            unknown=self.ours.unknown,
            our_quantity=self.our_quantity,
            their_quantity=self.their_quantity,
            reasons=self._reasons(),
        )

    def _reasons(self) -> list[str]:
        difference = self.theirs - self.ours.cost
        if not difference:
            return []
        if abs(difference) <= self._rounding():
            return [f"rounding: the bill has {_counted(len(self.lines), 'amount')} of {self._places()} decimals"]
        found = [*self._missing_here(), *self._missing_there(difference), *self._unknown_prices(difference)]
        if not (difference < 0 and -difference <= self.ours.in_doubt + self._rounding()):
            found += self._quantities()
        return found or ["not explained by anything in the ledger"]

    def _rounding(self) -> Decimal:
        """The most that rounding can come to."""
        return sum((_HALF.scaleb(-line.places) for line in self.lines), NOTHING)

    def _places(self) -> int:
        return max(line.places for line in self.lines)

    def _missing_here(self) -> list[str]:
        if self.provider not in self.begins:
            return [f"the ledger has no provider of this name: give it one with --name {self.provider!r}=PROVIDER"]
        begin = self.begins[self.provider]
        if begin is not None and begin >= self.terms.calendar.after(self.start):
            return [f"missing period: the ledger begins at {begin:%Y-%m-%d %H:%M} UTC"]
        if not self.ours.attempts:
            return ["missing period: the ledger has no attempt in it"]
        late = begin is not None and _day_of(begin, self.terms.calendar) > self.start and self.theirs > self.ours.cost
        return [f"the ledger begins within the period, at {begin:%Y-%m-%d %H:%M} UTC"] if late else []

    def _missing_there(self, difference: Decimal) -> list[str]:
        reasons = [] if self.lines else ["missing period: the bill has no line for it"]
        if self.ours.doubts and difference < 0:
            doubts = f"{_counted(self.ours.doubts, 'attempt')} in doubt, {self.ours.in_doubt:f} {self.terms.currency},"
            enough = -difference <= self.ours.in_doubt + self._rounding()
            reasons.append(f"{doubts} {'may not have been billed' if enough else 'explain a part of it'}")
        return reasons

    def _unknown_prices(self, difference: Decimal) -> list[str]:
        if self.ours.unknown and difference > 0:
            return [f"unknown prices: what {_counted(self.ours.unknown, 'attempt')} cost is not in the ledger"]
        return []

    def _quantities(self) -> list[str]:
        ours, theirs = self.our_quantity, self.their_quantity
        if ours is None or theirs is None or not ours:
            return []
        if ours != theirs:
            return [f"another quantity: {theirs:f} {self.terms.unit} on the bill, {ours:f} in the ledger"]
        each = [f"{rounded(amount / ours).normalize():f}" for amount in (self.theirs, self.ours.cost)]
        return [f"another price: {each[0]} each on the bill, {each[1]} in the ledger"]


def _day_of(moment: datetime, calendar: Calendar) -> datetime:
    """The beginning of a moment's day on a calendar: a ledger that begins later on a period's first day is in time."""
    return Calendar(Period.DAY, calendar.zone).start_of(moment)


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
