"""What is left to do when every candidate has failed or may not be asked: probe, or wait for the first that may."""

import math
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Literal

import attrs

from switchgear.guarded import GuardedProvider
from switchgear.outcome import Outcome
from switchgear.policies.breaker import State
from switchgear.results import Call, ProviderResult
from switchgear.service import Service

AllDown = Literal["probe", "least_bad", "fail_fast"]


async def last_resort(
    blocked: Sequence[GuardedProvider], request: Any, call: Call, mode: AllDown, service: Service, attempts: int
) -> AsyncIterator[ProviderResult[Any] | Outcome]:
    """Answers of those who were not asked, in the order in which it makes sense; the caller stops at a good one.

    `blocked` were rejected or told us to wait. `attempts`: how many the whole call may make.
    """
    resort = _LastResort(call, service, attempts)
    # While others were asked, what kept these from being asked may have passed.
    ready = [each for each in blocked if not each.obstacle(request, resort.now())]
    behind = _behind_open_circuits([each for each in blocked if each not in ready], mode)
    left = len(ready) + len(behind)
    for candidate in (*ready, *behind):
        if resort.is_over:
            return
        if candidate.repeater.once_more(call, candidate.name):
            now, shut = resort.now(), candidate not in ready
            yield await candidate.attempt(
                request, call, left, now, probe=shut and mode == "probe", force=shut and mode == "least_bad"
            )
        left -= 1
    while not resort.is_over:
        first, left = await resort.wait_for_first(blocked)
        if first is None or resort.is_over:
            return
        # Others were sooner, and it has told them to wait longer: no retry was made, and none is paid for.
        now = resort.now()
        if first.rejection(now):
            continue
        if not first.repeater.once_more(call, first.name):
            return
        yield await first.attempt(request, call, left, now)


def soonest(candidates: Sequence[GuardedProvider], now: float) -> float | None:
    """Seconds until one of them may be asked again; None if that is now, or never known."""
    moments = [moment for candidate in candidates if math.isfinite(moment := candidate.ready_at(now))]
    return min(moments) - now if moments and min(moments) > now else None


@attrs.define(eq=False, repr=False)
class _LastResort:
    """One call that has nobody left to ask at once."""

    _call: Call
    _service: Service
    _attempts: int
    _promised: set[str] = attrs.Factory(set)  # who was to be asked at a moment, and has not been
    _jitter: dict[str, Iterator[float]] = attrs.Factory(dict)

    @property
    def is_over(self) -> bool:
        call = self._call
        return len(call.attempts) >= self._attempts or (call.ends is not None and self.now() >= call.ends)

    async def wait_for_first(self, blocked: Sequence[GuardedProvider]) -> tuple[GuardedProvider | None, int]:
        """Wait until the first of them may be asked; None if that would never be, or too late.

        With it the number of those who share what then remains of the deadline.
        """
        now = self.now()
        ends = math.inf if self._call.ends is None else self._call.ends
        # Nothing sleeps that cannot finish.
        waiting = [
            (moment, candidate)
            for candidate in blocked
            if (moment := self._worth_waiting(candidate, now)) is not None and moment < ends
        ]
        if not waiting:
            return None, 0
        moment, candidate = min(waiting, key=lambda pair: pair[0])
        if now < candidate.pause.until and (candidate.pause.guessed or candidate.waiting):
            # Everybody who waits for this provider knows the same moment, and must not come back in it at once.
            spread = next(self._jitter.setdefault(candidate.name, candidate.repeater.pauses(throttled=True)))
            moment = moment + spread if moment + spread < ends else moment
        self._promised.discard(candidate.name)
        candidate.waiting += 1
        try:
            return (candidate if await self._service.pause(max(0.0, moment - now)) else None), len(waiting)
        finally:
            candidate.waiting -= 1

    def _worth_waiting(self, candidate: GuardedProvider, now: float) -> float | None:
        """When it may be asked again; now, if that moment came while somebody else was asked."""
        moment = _ready_again(candidate, now)
        if moment is not None:
            self._promised.add(candidate.name)
        elif candidate.name in self._promised:
            moment = now
        return moment

    def now(self) -> float:
        return self._service.home.clock.monotonic()


def _behind_open_circuits(blocked: Sequence[GuardedProvider], mode: AllDown) -> list[GuardedProvider]:
    behind = [each for each in blocked if each.is_shut and each.circuit != State.FORCED_OPEN.value]
    if mode == "probe":
        return sorted(behind, key=lambda each: each.breaker.retry_at if each.breaker else 0.0)
    if mode == "least_bad":
        return sorted(behind, key=lambda each: -(each.success_rate or 0.0))[:1]
    return []


def _ready_again(candidate: GuardedProvider, now: float) -> float | None:
    """When it may be asked again, if it is only the rate, or its own wish, that keeps it from being asked."""
    paused = now < candidate.pause.until
    limited = candidate.rate is not None and not candidate.rate.allows(now)
    if not (paused or limited) or (paused and not candidate.pause.worth_waiting):
        return None
    if candidate.is_shut or candidate.waiting >= candidate.queue:
        return None
    # Those who wait already come first, one slot each.
    line = 0.0 if candidate.rate is None else candidate.waiting * candidate.rate.every
    return candidate.ready_at(now) + line
