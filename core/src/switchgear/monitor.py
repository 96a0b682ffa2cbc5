"""Looks after providers that traffic says nothing about: idle ones, and those behind a circuit that is not closed."""

import asyncio
from collections.abc import Sequence

from switchgear.guarded import GuardedProvider
from switchgear.home import Home
from switchgear.logs import report_defect
from switchgear.policies.breaker import State
from switchgear.policies.deadline import DeadlineScope
from switchgear.policies.health import Health
from switchgear.provider import ProviderStatus, SimpleProvider
from switchgear.strategy import Random


class HealthMonitor:
    """Checks each provider about every interval; a good check hastens the trial call, it never closes a circuit."""

    def __init__(self, settings: Health, candidates: Sequence[GuardedProvider], home: Home, random: Random) -> None:
        self._settings = settings
        self._candidates = candidates
        self._home = home
        self._random = random
        self._tasks: list[asyncio.Task[None]] = []
        self._seen: dict[str, int] = {}

    def start(self) -> None:
        if not self._tasks:
            self._tasks = [
                asyncio.ensure_future(self._look_after(each)) for each in self._candidates if _can_tell(each)
            ]

    async def stop(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look_after(self, candidate: GuardedProvider) -> None:
        while True:
            await self._home.clock.sleep(self._settings.pause(self._random))
            if self._needs_a_look(candidate):
                status = await self._check(candidate)
                candidate.provider.status = status
                if status is ProviderStatus.AVAILABLE and candidate.breaker is not None:
                    candidate.breaker.hasten()

    async def _check(self, candidate: GuardedProvider) -> ProviderStatus:
        # Foreign code. It may take its time: what loads slowly is not ill.
        try:
            await candidate.open()
        except Exception as error:
            report_defect(f"{candidate.name}: opening", error)
            return ProviderStatus.UNAVAILABLE
        return await check(candidate, self._home, self._settings.timeout)

    def _needs_a_look(self, candidate: GuardedProvider) -> bool:
        """Traffic is the better check: only who had none since the last look, or is shut off from it, is checked."""
        idle = self._seen.get(candidate.name) == candidate.requests
        self._seen[candidate.name] = candidate.requests
        shut_off = candidate.breaker is not None and candidate.breaker.state is not State.CLOSED
        return idle or shut_off or candidate.provider._reported is not ProviderStatus.AVAILABLE


def _can_tell(candidate: GuardedProvider) -> bool:
    """Whether its check asks the service: one that repeats what traffic shows has nothing to add."""
    return type(candidate.provider).health_check is not SimpleProvider.health_check


async def check(candidate: GuardedProvider, home: Home, timeout: float) -> ProviderStatus:
    """Ask one provider how it is, within `timeout` seconds; UNAVAILABLE if it cannot say."""
    # Foreign code: a check that fails is the answer, whatever it raised.
    try:
        with DeadlineScope(home.timers, home.clock.monotonic() + timeout):
            await candidate.open()
            return ProviderStatus(await candidate.provider.health_check())
    except Exception as error:
        report_defect(f"{candidate.name}: health check", error)
        return ProviderStatus.UNAVAILABLE
