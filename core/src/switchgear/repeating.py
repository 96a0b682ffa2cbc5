"""Decides whether the same provider is asked once more, and waits until it may be."""

from collections.abc import Iterator

from switchgear.clock import Clock
from switchgear.outcome import Outcome
from switchgear.outcome import Retry as Rule
from switchgear.policies.retry import Retry, RetryBudget
from switchgear.results import Call
from switchgear.strategy import Random


class Repeater:
    """The retry policy of one provider, with the service's budget behind it."""

    def __init__(self, policy: Retry, budget: RetryBudget, random: Random, clock: Clock) -> None:
        self._policy = policy
        self._budget = budget
        self._random = random
        self._clock = clock

    @property
    def waits(self) -> bool:
        return self._policy.attempts > 1

    def pauses(self) -> Iterator[float]:
        """The pauses of one call at this provider, in seconds; made at its first failure."""
        return self._policy.pauses(self._random)

    async def again(
        self, outcome: Outcome, call: Call, tries: int, pauses: Iterator[float], ends: float | None, untried: int
    ) -> bool:
        """True, after a pause, if another attempt helps, is allowed, and can still finish before `ends`.

        `untried` candidates each keep one of the call's attempts: retries must not use up their turn.
        """
        policy = self._policy
        if tries >= policy.attempts or len(call.attempts) + untried >= policy.call_attempts:
            return False
        if not _helps(outcome, call, tries):
            return False
        pause = next(pauses)
        if ends is not None and self._clock.monotonic() + pause >= ends:
            return False
        if not self._budget.withdraw(outcome.rule.withdraw):
            return False
        await self._clock.sleep(pause)
        return True


def _helps(outcome: Outcome, call: Call, tries: int) -> bool:
    rule = outcome.rule.retry
    if rule is Rule.ALWAYS:
        # It never left, so repeating is safe and free, but a dead address stays dead: once.
        return tries == 1
    return rule is Rule.REPEATABLE or (rule is Rule.SAME_KEY and call.idempotency_key is not None)
