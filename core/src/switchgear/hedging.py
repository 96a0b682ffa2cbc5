"""Two providers for one request, the second only when the first is slow; the loser is cancelled."""

import asyncio
from typing import Any

from switchgear.guarded import GuardedProvider
from switchgear.outcome import Outcome
from switchgear.policies.hedge import Hedge, HedgeBudget
from switchgear.results import Call, ProviderResult

Ask = ProviderResult[Any] | Outcome


class Hedger:
    """A service's hedging: when to ask a second one, and how often at the most."""

    def __init__(self, settings: Hedge) -> None:
        self._settings = settings
        self._budget = HedgeBudget(settings)

    def delay(self, first: GuardedProvider) -> float | None:
        """Seconds after which the first is unusually slow; None as long as too little is known."""
        latency = first.latency
        return latency.percentile(self._settings.percentile) if latency.samples >= self._settings.min_samples else None

    async def race(
        self, first: GuardedProvider, second: GuardedProvider, delay: float, request: Any, call: Call, left: int
    ) -> tuple[Ask, bool]:
        """The first good answer, or the last outcome; and whether the second was asked."""
        self._budget.earn()
        running = {asyncio.ensure_future(first.attempt(request, call, left)): first}
        try:
            done, _ = await asyncio.wait(running, timeout=delay)
            hedged = not done and not second.rejection(call.started) and self._budget.take()
            if hedged:
                running[asyncio.ensure_future(second.attempt(request, call, left))] = second
            pending = set(running)
            while True:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                answer = done.pop().result()
                if not isinstance(answer, Outcome) or not (pending or done):
                    return answer, hedged
                pending |= done
        finally:
            await _end(running, request, call)


async def _end(running: "dict[asyncio.Task[Ask], GuardedProvider]", request: Any, call: Call) -> None:
    losers = {task: candidate for task, candidate in running.items() if not task.done()}
    for task in losers:
        task.cancel()
    if not losers:
        return
    await asyncio.gather(*losers, return_exceptions=True)
    for candidate in losers.values():
        for attempt in call.attempts:
            # It was sent, so it may well be billed.
            if attempt.provider == candidate.name and attempt.outcome is Outcome.CANCELLED:
                attempt.cost = candidate.estimated_cost(request)
