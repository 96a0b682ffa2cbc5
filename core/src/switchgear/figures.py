"""A provider's live figures: how often it was asked, how it went, how long it took."""

import math
from collections import deque

import attrs

from switchgear.outcome import Outcome, Sample
from switchgear.rules import differing

_NEWEST = 0.2  # weight of the newest sample in the moving average, at least
_FADES = 30.0  # seconds: after a silence of so long, the newest sample has the weight that is not left to the old ones
_FRESH = -_FADES * math.log(1.0 - _NEWEST)  # a silence that makes no difference yet
_MEMORY = 512  # answers that percentiles are taken from
_SHORTEST = 1e-9  # seconds: what took no time at all still needs a bucket
_SLOW = 0.95  # the percentile that decides when to ask a second provider, so failures must not lower it


@attrs.define(slots=True, eq=False)
class Latency:
    """Seconds per answer: a moving average, and percentiles of the last few hundred `samples`.

    `peak` is an average that follows slower answers at once and faster ones slowly (Finagle's Peak EWMA). What was
    measured fades with time too: who was slow an hour ago and is asked rarely since must not need a dozen answers to
    show that it is quick again.

    Percentiles are the middle of a bucket, four to each power of two as in HdrHistogram: right within 13 %.
    """

    __repr__ = differing

    average: float | None = None
    peak: float = 0.0
    _at: float = attrs.field(default=0.0, repr=False)
    _recent: deque[float] = attrs.field(factory=lambda: deque(maxlen=_MEMORY), repr=False)
    _ranked: list[float] = attrs.field(factory=list, repr=False)
    _added: int = attrs.field(default=0, repr=False)
    _rank_at: int = attrs.field(default=0, repr=False)

    @property
    def samples(self) -> int:
        return len(self._recent)

    def add(self, seconds: float, now: float | None = None) -> None:
        """An answer took this long; `now`, on the monotonic clock, tells how old the figures are that it joins."""
        weight = _NEWEST
        if now is not None:
            silence = now - self._at
            self._at = now
            if silence > _FRESH:
                weight = 1.0 - math.exp(-silence / _FADES)
        average = self.average
        self.average = seconds if average is None else average + weight * (seconds - average)
        peak = self.peak
        self.peak = seconds if seconds > peak else peak + weight * (seconds - peak)
        self._added += 1
        self._recent.append(seconds)

    def add_failure(self, seconds: float) -> None:
        """How long a failure took: it counts in each figure that it makes slower, and in none that it makes faster."""
        average, peak, slow = self.average, self.peak, self._ranked_at(_SLOW)
        if slow is None or _bucket_of(seconds) >= _bucket_of(slow):
            self.add(seconds)
        self.average = seconds if average is None else average + _NEWEST * max(0.0, seconds - average)
        self.peak = max(peak, seconds)

    def percentile(self, share: float) -> float | None:
        """The latency in seconds that this share (0-1) of the remembered answers stayed below; None without any."""
        seconds = self._ranked_at(share)
        if seconds is None:
            return None
        exponent, eighth = divmod(_bucket_of(seconds) - 4, 4)
        return math.ldexp((eighth + 4.5) / 8, exponent)

    def _ranked_at(self, share: float) -> float | None:
        if self._added >= self._rank_at:
            # Ranked anew when there is a twentieth more: who asks at each call must not sort at each.
            self._ranked = sorted(self._recent)
            self._rank_at = self._added + 1 + len(self._ranked) // 20
        ranked = self._ranked
        return ranked[max(0, math.ceil(share * len(ranked)) - 1)] if ranked else None


def _bucket_of(seconds: float) -> int:
    mantissa, exponent = math.frexp(seconds or _SHORTEST)
    return exponent * 4 + int(mantissa * 8)


@attrs.define(slots=True, eq=False)
class Figures:
    """Counts since the process started, to read from any thread.

    `requests` were sent to the provider, `successes` of them answered well, `fallbacks` are calls that had to go on to
    somebody else after it, `in_flight` is being asked right now, `late` answers came when nobody waited any more,
    `outcomes` counts what was not a success.
    """

    __repr__ = differing

    requests: int = 0
    successes: int = 0
    fallbacks: int = 0
    in_flight: int = 0
    late: int = 0
    latency: Latency = attrs.Factory(Latency)
    outcomes: dict[Outcome, int] = attrs.Factory(dict)

    @property
    def success_rate(self) -> float | None:
        """Share of finished requests that ended well, 0-1; None before the first. Cancelled ones count for nothing."""
        finished = self.requests - self.in_flight - self.outcomes.get(Outcome.CANCELLED, 0)
        return self.successes / finished if finished > 0 else None

    @property
    def quality(self) -> float | None:
        """Share of its answers that no validator turned down, 0-1; None before the first."""
        answers = self.successes + self.outcomes.get(Outcome.INVALID_RESULT, 0)
        return self.successes / answers if answers else None

    def record_success(self, latency: float) -> None:
        self.successes += 1
        self.latency.add(latency)

    def record_failure(self, outcome: Outcome, latency: float, now: float | None = None) -> None:
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        sample, average = outcome.rule.sample, self.latency.average
        if outcome is Outcome.INVALID_RESULT:
            self.latency.add(latency, now)  # it did answer, only not well enough
        elif sample is Sample.YES or (sample is Sample.IF_SLOWER and average is not None and latency > average):
            self.latency.add_failure(latency)
