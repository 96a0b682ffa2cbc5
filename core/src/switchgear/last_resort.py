"""What is left to do when every candidate has failed or may not be asked: probe, or wait for the first that may."""

import math
from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal

from switchgear.clock import Clock
from switchgear.guarded import GuardedProvider
from switchgear.outcome import Outcome
from switchgear.results import Call, ProviderResult

AllDown = Literal["probe", "least_bad", "fail_fast"]


async def last_resort(
    blocked: Sequence[GuardedProvider], request: Any, call: Call, mode: AllDown, clock: Clock, attempts: int
) -> AsyncIterator[ProviderResult[Any] | Outcome]:
    """Answers of those who were not asked, in the order in which it makes sense; the caller stops at a good one.

    `blocked` were rejected or told us to wait. `attempts`: how many the whole call may make.
    """
    for candidate in _behind_open_circuits(blocked, mode):
        if _over(call, clock, attempts):
            return
        yield await candidate.attempt(request, call, 1, probe=mode == "probe", force=mode == "least_bad")
    while not _over(call, clock, attempts):
        now = clock.monotonic()
        waiting = [
            (moment, candidate) for candidate in blocked if (moment := _worth_waiting(candidate, now)) is not None
        ]
        if not waiting:
            return
        moment, candidate = min(waiting, key=lambda pair: pair[0])
        # Nothing sleeps that cannot finish.
        if call.ends is not None and moment >= call.ends:
            return
        await clock.sleep(max(0.0, moment - now))
        yield await candidate.attempt(request, call, 1)


def soonest(candidates: Sequence[GuardedProvider], now: float) -> float | None:
    """Seconds until one of them may be asked again; None if that is now, or never known."""
    moments = [moment for candidate in candidates if math.isfinite(moment := candidate.ready_at(now))]
    return min(moments) - now if moments and min(moments) > now else None


def _behind_open_circuits(blocked: Sequence[GuardedProvider], mode: AllDown) -> list[GuardedProvider]:
    behind = [each for each in blocked if each.is_shut]
    if mode == "probe":
        return sorted(behind, key=lambda each: each.breaker.retry_at if each.breaker else 0.0)
    if mode == "least_bad":
        return sorted(behind, key=lambda each: -(each.success_rate or 0.0))[:1]
    return []


def _worth_waiting(candidate: GuardedProvider, now: float) -> float | None:
    """When it may be asked again, if it is only the rate, or its own wish, that keeps it from being asked."""
    paused = now < candidate.pause.until
    limited = candidate.rate is not None and now < candidate.rate.ready_at()
    if not (paused or limited) or (paused and not candidate.pause.worth_waiting):
        return None
    if candidate.is_shut:
        return None
    return candidate.ready_at(now)


def _over(call: Call, clock: Clock, attempts: int) -> bool:
    return len(call.attempts) >= attempts or (call.ends is not None and clock.monotonic() >= call.ends)
