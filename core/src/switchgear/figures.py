"""A provider's live figures: how often it was asked, how it went, how long it took."""

import math

import attrs

from switchgear.outcome import Outcome, Sample

_NEWEST = 0.2  # weight of the newest sample in the moving average
_MEMORY = 1024  # samples after which the older half of the histogram fades
_SLOW = 0.95  # the percentile that decides when to ask a second provider, so failures must not lower it
_SHORTEST = 1e-9  # seconds: what took no time at all still needs a bucket


@attrs.define(slots=True)
class Latency:
    """Seconds per answer: a moving average, and percentiles over the last few hundred `samples`.

    `peak` is an average that follows slower answers at once and faster ones slowly (Finagle's Peak EWMA).

    Buckets split each power of two in four, as in HdrHistogram; a percentile is the middle of one, right within 13 %.
    """

    average: float | None = None
    peak: float = 0.0
    _buckets: dict[int, int] = attrs.field(factory=dict, repr=False)
    samples: int = 0

    def add(self, seconds: float) -> None:
        average = self.average
        self.average = seconds if average is None else average + _NEWEST * (seconds - average)
        peak = self.peak
        self.peak = seconds if seconds > peak else peak + _NEWEST * (seconds - peak)
        mantissa, exponent = math.frexp(seconds or _SHORTEST)  # as in _bucket_of, which would cost a call
        bucket = exponent * 4 + int(mantissa * 8)
        buckets = self._buckets
        buckets[bucket] = buckets.get(bucket, 0) + 1
        self.samples += 1
        if self.samples > _MEMORY:
            self._fade()

    def add_failure(self, seconds: float) -> None:
        """How long a failure took: it counts in each figure that it makes slower, and in none that it makes faster."""
        average, peak, slow = self.average, self.peak, self._bucket_at(_SLOW)
        if slow is None or _bucket_of(seconds) >= slow:
            self.add(seconds)
        self.average = seconds if average is None else average + _NEWEST * max(0.0, seconds - average)
        self.peak = max(peak, seconds)

    def percentile(self, share: float) -> float | None:
        """The latency in seconds that this share (0-1) of the remembered answers stayed below; None without any."""
        bucket = self._bucket_at(share)
        if bucket is None:
            return None
        exponent, eighth = divmod(bucket - 4, 4)
        return math.ldexp((eighth + 4.5) / 8, exponent)

    def _bucket_at(self, share: float) -> int | None:
        buckets = sorted(self._buckets.items())
        wanted = share * sum(count for _, count in buckets)
        seen = 0
        for bucket, count in buckets:
            seen += count
            if seen >= wanted:
                return bucket
        return None

    def _fade(self) -> None:
        self._buckets = {bucket: count // 2 for bucket, count in self._buckets.items() if count > 1}
        self.samples = sum(self._buckets.values())


def _bucket_of(seconds: float) -> int:
    mantissa, exponent = math.frexp(seconds or _SHORTEST)
    return exponent * 4 + int(mantissa * 8)


@attrs.define(slots=True)
class Figures:
    """Counts since the process started, to read from any thread.

    `requests` were sent to the provider, `successes` of them answered well, `fallbacks` are calls that had to go on to
    somebody else after it, `in_flight` is being asked right now, `late` answers came when nobody waited any more,
    `outcomes` counts what was not a success.
    """

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

    def record_success(self, latency: float) -> None:
        self.successes += 1
        self.latency.add(latency)

    def record_failure(self, outcome: Outcome, latency: float) -> None:
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        sample, average = outcome.rule.sample, self.latency.average
        if outcome is Outcome.INVALID_RESULT:
            self.latency.add(latency)  # it did answer, only not well enough
        elif sample is Sample.YES or (sample is Sample.IF_SLOWER and average is not None and latency > average):
            self.latency.add_failure(latency)
