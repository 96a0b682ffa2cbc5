"""What is left to do when every candidate has failed or may not be asked: probe, or wait for the first that may."""

import math
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Literal

import attrs

from switchgear.guarded import GuardedProvider, Service
from switchgear.outcome import Outcome
from switchgear.policies.breaker import State
from switchgear.results import Call, ProviderResult

AllDown = Literal["probe", "least_bad", "fail_fast"]


async def last_resort(
    blocked: Sequence[GuardedProvider], request: Any, call: Call, mode: AllDown, service: Service, attempts: int
) -> AsyncIterator[ProviderResult[Any] | Outcome]:
    """Answers of those who were not asked, in the order in which it makes sense; the caller stops at a good one.

    `blocked` were rejected or told us to wait. `attempts`: how many the whole call may make.
    """
    resort = _LastResort(call, service, attempts)
    for candidate in _behind_open_circuits(blocked, mode):
        if resort.is_over:
            return
        if candidate.repeater.once_more(call, candidate.name):
            now, probe, force = resort.now(), mode == "probe", mode == "least_bad"
            yield await candidate.attempt(request, call, 1, now, probe, force)
    while not resort.is_over:
        first = await resort.wait_for_first(blocked)
        if first is None:
            return
        # Others were sooner, and it has told them to wait longer: no retry was made, and none is paid for.
        now = resort.now()
        if first.rejection(now):
            continue
        if not first.repeater.once_more(call, first.name):
            return
        yield await first.attempt(request, call, 1, now)


def soonest(candidates: Sequence[GuardedProvider], now: float) -> float | None:
    """Seconds until one of them may be asked again; None if that is now, or never known."""
    moments = [moment for candidate in candidates if math.isfinite(moment := candidate.ready_at(now))]
    return min(moments) - now if moments and min(moments) > now else None


@attrs.define
class _LastResort:
    """One call that has nobody left to ask at once."""

    _call: Call
    _service: Service
    _attempts: int
    _jitter: dict[str, Iterator[float]] = attrs.Factory(dict)

    @property
    def is_over(self) -> bool:
        call = self._call
        return len(call.attempts) >= self._attempts or (call.ends is not None and self.now() >= call.ends)

    async def wait_for_first(self, blocked: Sequence[GuardedProvider]) -> GuardedProvider | None:
        """Wait until the first of them may be asked; None if that would never be, or too late."""
        now = self.now()
        waiting = [
            (moment, candidate) for candidate in blocked if (moment := _worth_waiting(candidate, now)) is not None
        ]
        if not waiting:
            return None
        moment, candidate = min(waiting, key=lambda pair: pair[0])
        ends = math.inf if self._call.ends is None else self._call.ends
        # Nothing sleeps that cannot finish.
        if moment >= ends:
            return None
        if now < candidate.pause.until and candidate.pause.guessed:
            # Everybody who waits for this provider made the same guess, and must not come back at once.
            spread = next(self._jitter.setdefault(candidate.name, candidate.repeater.pauses(throttled=True)))
            moment = moment + spread if moment + spread < ends else moment
        return candidate if await self._service.pause(max(0.0, moment - now)) else None

    def now(self) -> float:
        return self._service.home.clock.monotonic()


def _behind_open_circuits(blocked: Sequence[GuardedProvider], mode: AllDown) -> list[GuardedProvider]:
    behind = [each for each in blocked if each.is_shut and each.circuit != State.FORCED_OPEN.value]
    if mode == "probe":
        return sorted(behind, key=lambda each: each.breaker.retry_at if each.breaker else 0.0)
    if mode == "least_bad":
        return sorted(behind, key=lambda each: -(each.success_rate or 0.0))[:1]
    return []


def _worth_waiting(candidate: GuardedProvider, now: float) -> float | None:
    """When it may be asked again, if it is only the rate, or its own wish, that keeps it from being asked."""
    paused = now < candidate.pause.until
    limited = candidate.rate is not None and not candidate.rate.allows(now)
    if not (paused or limited) or (paused and not candidate.pause.worth_waiting):
        return None
    if candidate.is_shut:
        return None
    return candidate.ready_at(now)
