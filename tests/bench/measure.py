"""CPU time of many calls: the best of many short rounds, all cases in turn, so that noise hits them alike."""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import attrs

Case = Callable[[int], Awaitable[None]]

MICRO = 1e6
WARM_UP = 20


@attrs.frozen
class Effort:
    """How long to measure: CPU seconds for one round of one case, and how many rounds."""

    seconds: float = 0.015
    rounds: int = 40

    @classmethod
    def of(cls, quick: bool) -> "Effort":
        return cls(seconds=0.004, rounds=8) if quick else cls()

    def calls(self, seconds_each: float) -> int:
        """How many calls make up a round."""
        return max(1, round(self.seconds / max(seconds_each, 1e-9)))


def calling(function: Callable[[Any], Awaitable[Any]], request: Any = "request") -> Case:
    """A case that awaits `function(request)`, one after the other."""

    async def case(calls: int) -> None:
        for _ in range(calls):
            await function(request)

    return case


def cpu_us(
    cases: Mapping[str, Case], effort: Effort, close: Callable[[], Awaitable[None]] | None = None
) -> dict[str, float]:
    """Microseconds of CPU per call by case, on one loop, all threads counted; `close` is awaited there at the end."""

    async def run() -> dict[str, float]:
        try:
            return await _cpu_us(cases, effort)
        finally:
            if close is not None:
                await close()

    return asyncio.run(run())


async def _cpu_us(cases: Mapping[str, Case], effort: Effort) -> dict[str, float]:
    calls = {name: effort.calls(await _warm_up(case)) for name, case in cases.items()}
    # What has been imported must not be walked again and again: that would charge one case for another's packages.
    gc.collect()
    gc.freeze()
    best = dict.fromkeys(cases, float("inf"))
    for _ in range(effort.rounds):
        for name, case in cases.items():
            best[name] = min(best[name], await _seconds_each(case, calls[name]))
            await asyncio.sleep(0.001)  # what a case leaves to the background is not the next one's
    gc.unfreeze()
    return {name: seconds * MICRO for name, seconds in best.items()}


async def _warm_up(case: Case) -> float:
    await case(WARM_UP)
    return await _seconds_each(case, WARM_UP)


async def _seconds_each(case: Case, calls: int) -> float:
    started = time.process_time()
    await case(calls)
    return (time.process_time() - started) / calls


def plain_us(function: Callable[[], Any], effort: Effort) -> float:
    """Microseconds of CPU per call of an ordinary function, the loop around it taken off."""
    return max(0.0, _best_of(function, effort) - _best_of(_nothing, effort)) * MICRO


def _best_of(function: Callable[[], Any], effort: Effort) -> float:
    calls = effort.calls(2e-7)
    best = float("inf")
    for _ in range(effort.rounds):
        started = time.process_time()
        for _ in range(calls):
            function()
        best = min(best, time.process_time() - started)
    return best / calls


def _nothing() -> None:
    pass
