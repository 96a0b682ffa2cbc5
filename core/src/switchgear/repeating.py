"""Decides whether the same provider is asked once more, and waits until it may be."""

from collections.abc import Iterator

from switchgear.outcome import Outcome
from switchgear.outcome import Retry as Rule
from switchgear.policies.retry import Retry
from switchgear.results import Call
from switchgear.service import Service


class Repeater:
    """The retry policy of one provider, with the service's budget behind it."""

    def __init__(self, policy: Retry, service: Service) -> None:
        self._policy = policy
        self._service = service

    @property
    def waits(self) -> bool:
        return self._policy.attempts > 1

    def pauses(self, *, throttled: bool = False) -> Iterator[float]:
        """The pauses of one call at this provider, in seconds; made at its first failure."""
        return self._policy.pauses(self._service.random, throttled=throttled)

    async def again(
        self, outcome: Outcome, call: Call, provider: str, pauses: Iterator[float], ends: float | None, untried: int
    ) -> bool:
        """True, after a pause, if another attempt helps, is allowed, and can still finish before `ends`.

        `untried` candidates each keep one of the call's attempts: retries must not use up their turn.
        """
        if not self._within_caps(call, provider, untried) or not _helps(outcome, call, provider):
            return False
        pause, service, tokens = next(pauses), self._service, outcome.rule.withdraw
        if self._is_late(ends, pause) or not service.budget.withdraw(tokens):
            return False
        if await service.pause(pause) and not self._is_late(ends):
            return True
        service.budget.give_back(tokens)
        return False

    def once_more(self, call: Call, provider: str) -> bool:
        """Whether a provider may be asked now that nobody else is left; if it was asked before, that is a retry."""
        asked = _asked(call, provider)
        if not asked:
            return True
        return self._within_caps(call, provider, 0) and self._service.budget.withdraw(asked[-1].rule.withdraw)

    def _is_late(self, ends: float | None, pause: float = 0.0) -> bool:
        return ends is not None and self._service.home.clock.monotonic() + pause >= ends

    def _within_caps(self, call: Call, provider: str, untried: int) -> bool:
        policy = self._policy
        return len(call.attempts) + untried < policy.call_attempts and len(_asked(call, provider)) < policy.attempts


def _helps(outcome: Outcome, call: Call, provider: str) -> bool:
    rule = outcome.rule.retry
    if rule is Rule.ALWAYS:
        # It never left, so repeating is safe and free, but a dead address stays dead: once.
        return len(_asked(call, provider)) == 1
    return rule is Rule.REPEATABLE or (rule is Rule.SAME_KEY and call.idempotency_key is not None)


def _asked(call: Call, provider: str) -> list[Outcome]:
    """How each of the call's attempts at this provider ended."""
    return [attempt.outcome for attempt in call.attempts if attempt.provider == provider]
