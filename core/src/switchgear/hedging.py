"""Two providers for one request, the second only when the first is slow; the loser is cancelled."""

import asyncio
from typing import Any

from switchgear.clock import Clock
from switchgear.guarded import GuardedProvider
from switchgear.outcome import Outcome
from switchgear.policies.hedge import Hedge, HedgeBudget
from switchgear.results import Call, ProviderResult

Failed = list[tuple[GuardedProvider, Outcome]]
_Running = dict["asyncio.Task[ProviderResult[Any] | Outcome]", GuardedProvider]

_PATIENCE = 1.0  # seconds that a cancelled loser may take to end, while the winner's answer waits


class Hedger:
    """A service's hedging: when to ask a second one, and how often at the most."""

    def __init__(self, settings: Hedge, clock: Clock) -> None:
        self._settings = settings
        self._budget = HedgeBudget(settings)
        self._monotonic = clock.monotonic

    def delay(self, first: GuardedProvider) -> float | None:
        """Seconds after which the first is unusually slow; None as long as too little is known."""
        latency = first.latency
        return latency.percentile(self._settings.percentile) if latency.samples >= self._settings.min_samples else None

    async def race(
        self, first: GuardedProvider, second: GuardedProvider, delay: float, request: Any, call: Call, left: int
    ) -> tuple[ProviderResult[Any] | None, Failed]:
        """The first good answer, if there is one, and who was asked in vain, in the order in which that turned out.

        An outcome that ends the call ends the race.
        """
        self._budget.earn()
        running: _Running = {asyncio.ensure_future(first.attempt(request, call, left, self._monotonic())): first}
        failed: Failed = []
        try:
            done, pending = await asyncio.wait(running, timeout=delay)
            if not done and not second.rejection(self._monotonic()) and self._budget.take():
                running[asyncio.ensure_future(second.attempt(request, call, left - 1, self._monotonic()))] = second
                pending = set(running)
            while True:
                for task in [task for task in running if task in done]:
                    answer = task.result()
                    if not isinstance(answer, Outcome):
                        return answer, failed
                    failed.append((running[task], answer))
                    if not answer.rule.falls_over:
                        return None, failed
                if not pending:
                    return None, failed
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _end(running, request, call)


async def _end(running: _Running, request: Any, call: Call) -> None:
    losers = {task: candidate for task, candidate in running.items() if not task.done()}
    for task in losers:
        task.cancel()
    if not losers:
        return
    await asyncio.wait(losers, timeout=_PATIENCE)
    for task, candidate in losers.items():
        for attempt in call.attempts:
            if attempt.provider != candidate.name:
                continue
            if not task.done() and attempt is _last_of(candidate, call):
                attempt.outcome = Outcome.CANCELLED  # it does not heed its cancellation, and its record is needed now
            # It was sent, so it may well be billed.
            if attempt.outcome is Outcome.CANCELLED and attempt.cost is None:
                attempt.cost = candidate.estimated_cost(request)


def _last_of(candidate: GuardedProvider, call: Call) -> Any:
    return [attempt for attempt in call.attempts if attempt.provider == candidate.name][-1]
