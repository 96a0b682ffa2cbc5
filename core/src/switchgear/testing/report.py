"""What came of a simulation, in figures and in series to plot."""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter

import attrs

_ROUNDING = 1e-9  # 0.3 / 0.1 is a little less than 3, and still belongs to the fourth bucket


@attrs.frozen
class Served:
    """One simulated call: when it began, how long it took, and who answered; None: nobody did."""

    started: float
    latency: float
    provider: str | None


@attrs.frozen
class Sent:
    """One request as a provider saw it: when, and for which call (its number, from 0)."""

    time: float
    call: int


@attrs.frozen
class Report:
    """All times are virtual seconds since the beginning, all shares run from 0 to 1.

    `calls` are in the order they began; `sent` maps each provider to what reached it; series and times to detect and to
    return are read in steps of `bucket` seconds, a call counting for the bucket it began in.
    """

    calls: Sequence[Served]
    sent: Mapping[str, Sequence[Sent]]
    seconds: float
    bucket: float = 1.0

    def success_rate(self, start: float = 0.0, end: float = math.inf) -> float | None:
        """The share of the calls begun from `start` until before `end` that were answered; None without any."""
        calls = self._begun(start, end)
        return sum(call.provider is not None for call in calls) / len(calls) if calls else None

    def latency(self, share: float, start: float = 0.0, end: float = math.inf) -> float | None:
        """The latency that this share of the calls, failed ones too, did not exceed (nearest rank)."""
        latencies = sorted(call.latency for call in self._begun(start, end))
        return latencies[max(0, math.ceil(share * len(latencies)) - 1)] if latencies else None

    @property
    def p50(self) -> float | None:
        return self.latency(0.5)

    @property
    def p95(self) -> float | None:
        return self.latency(0.95)

    @property
    def p99(self) -> float | None:
        return self.latency(0.99)

    @property
    def buckets(self) -> int:
        """How many there are; what happens after the last call began is in none."""
        return math.ceil(self.seconds / self.bucket - _ROUNDING)

    def attempts(self, provider: str) -> list[int]:
        """How many requests reached the provider in each bucket."""
        return self._counted(sent.time for sent in self.sent[provider])

    def answers(self, provider: str) -> list[int]:
        """How many of the calls begun in each bucket the provider answered."""
        return self._counted(call.started for call in self.calls if call.provider == provider)

    def arrivals(self) -> list[int]:
        """How many calls began in each bucket."""
        return self._counted(call.started for call in self.calls)

    def amplification(self, provider: str, start: float = 0.0, end: float = math.inf) -> float | None:
        """Requests that the provider got, for each call that reached it; None if none did."""
        calls = [sent.call for sent in self.sent[provider] if start <= sent.time < end]
        return len(calls) / len(set(calls)) if calls else None

    def time_to_detect(self, provider: str, fault_start: float, *, below: float = 0.1) -> float | None:
        """Seconds from the fault to the first bucket in which the provider got less than this share of the calls.

        None if that never happened.
        """
        return self._first_bucket(fault_start, self.attempts(provider), lambda share: share < below)

    def time_to_return(self, provider: str, fault_end: float) -> float | None:
        """Seconds from the fault's end to the first bucket in which the provider answered most calls; None: never."""
        return self._first_bucket(fault_end, self.answers(provider), lambda share: share > 0.5)

    def series(self) -> dict[str, list[float | None]]:
        """Columns to plot, a value for each bucket: `time`, `arrivals`, `success_rate`, `p50`, `p95`, `p99` and, by
        provider, `attempts.<name>` and `answers.<name>`.
        """
        starts = [number * self.bucket for number in range(self.buckets)]
        spans = [(start, start + self.bucket) for start in starts]
        columns: dict[str, list[float | None]] = {"time": [*starts], "arrivals": [*self.arrivals()]}
        columns["success_rate"] = [self.success_rate(*span) for span in spans]
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
            columns[name] = [self.latency(share, *span) for span in spans]
        for provider in self.sent:
            columns[f"attempts.{provider}"] = [*self.attempts(provider)]
            columns[f"answers.{provider}"] = [*self.answers(provider)]
        return columns

    def _begun(self, start: float, end: float) -> Sequence[Served]:
        first, last = (bisect_left(self.calls, moment, key=attrgetter("started")) for moment in (start, end))
        return self.calls[first:last]

    def _counted(self, times: Iterable[float]) -> list[int]:
        counts = [0] * self.buckets
        for time in times:
            number = math.floor(time / self.bucket + _ROUNDING)
            if number < len(counts):
                counts[number] += 1
        return counts

    def _first_bucket(self, since: float, counts: Sequence[int], holds: Callable[[float], bool]) -> float | None:
        arrivals = self.arrivals()
        for number in range(math.ceil(since / self.bucket - _ROUNDING), self.buckets):
            if arrivals[number] and holds(counts[number] / arrivals[number]):
                return number * self.bucket - since
        return None
