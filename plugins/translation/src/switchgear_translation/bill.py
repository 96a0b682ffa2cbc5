"""What a document used and cost: the sum over everything that was sent for it."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from switchgear import Attempt, Outcome, ProviderResult

from switchgear_translation.output import TranslationOutput

# Answers, which are paid for; of anything else only what a provider says it charged.
ANSWERED = (Outcome.SUCCESS, Outcome.INVALID_RESULT)


class Bill:
    """Grows by one call after the other; an answer that a validator refused is paid for like any other."""

    def __init__(self) -> None:
        self.calls = 0
        self.billed: int | None = 0
        self._cost: Decimal | None = Decimal(0)
        self._usage: dict[str, Decimal] = {}
        self._attempts: list[Attempt] = []
        self._providers: dict[str, None] = {}
        self._confidence: float | None = 1.0

    def add(self, result: ProviderResult[TranslationOutput]) -> None:
        """A call that was answered, by a provider or from a cache."""
        self._providers[result.provider] = None
        self._add_attempts(result.attempts)
        said = result.output.billed_characters
        refused = any(attempt.outcome is Outcome.INVALID_RESULT for attempt in result.attempts)
        if result.attempts:
            self.billed = None if self.billed is None or said is None or refused else self.billed + said
        known = None not in (self._confidence, result.confidence)
        self._confidence = min(self._confidence or 0.0, result.confidence or 0.0) if known else None

    def add_failed(self, attempts: Iterable[Attempt]) -> None:
        """A call that nobody answered well."""
        attempts = tuple(attempts)
        self._add_attempts(attempts)
        if any(attempt.outcome is Outcome.INVALID_RESULT for attempt in attempts):
            self.billed = None

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        return tuple(self._attempts)

    def result(self, output: TranslationOutput, metadata: dict[str, Any]) -> ProviderResult[TranslationOutput]:
        return ProviderResult(
            output,
            usage=dict(self._usage),
            cost=self._cost,
            confidence=self._confidence if self._providers else None,
            provider=", ".join(self._providers),
            attempts=self.attempts,
            metadata=metadata,
        )

    def _add_attempts(self, attempts: Iterable[Attempt]) -> None:
        self.calls += 1
        for attempt in attempts:
            self._attempts.append(attempt)
            for unit, amount in (attempt.usage or {}).items():
                self._usage[unit] = self._usage.get(unit, Decimal(0)) + amount
            for cost in _charged(attempt):
                self._cost = None if self._cost is None or cost is None else self._cost + cost


def _charged(attempt: Attempt) -> Iterator[Decimal | None]:
    if attempt.outcome in ANSWERED or attempt.cost is not None:
        yield attempt.cost
