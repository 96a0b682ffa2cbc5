"""The conformance suite of result validators: a good one passes, planted faults are found."""

from collections.abc import Sequence
from typing import Any

import attrs
import pytest
from switchgear import InvalidResult, ProviderResult
from switchgear.testing import ValidatorSuite


@attrs.frozen
class MinLength:
    length: int = 3

    def check(self, request: Any, result: ProviderResult[Any]) -> None:
        if len(result.output) < self.length:
            raise InvalidResult("too short", score=len(result.output) / self.length)


class TestMinLength(ValidatorSuite):
    def make(self) -> Any:
        return MinLength()

    def good(self) -> Sequence[tuple[Any, ProviderResult[Any]]]:
        return [("request", ProviderResult("long enough"))]

    def bad(self) -> Sequence[tuple[Any, ProviderResult[Any]]]:
        return [("request", ProviderResult("no")), ("request", ProviderResult(""))]


class Misspelled(MinLength):
    def checks(self) -> None:
        """Nobody calls it."""


class WantsMore(MinLength):
    def check(self, request: Any, result: Any, mood: Any = None, *, weather: Any) -> None:  # type: ignore[override]
        pass


class Never(MinLength):
    def check(self, request: Any, result: Any) -> None:
        raise InvalidResult("never")


class Always(MinLength):
    def check(self, request: Any, result: Any) -> None:
        pass


class Asserting(MinLength):
    def check(self, request: Any, result: Any) -> None:
        assert len(result.output) > 3, "too short"


class Percent(MinLength):
    def check(self, request: Any, result: Any) -> None:
        raise InvalidResult("too short", score=93)


class Mute(MinLength):
    def check(self, request: Any, result: Any) -> None:
        raise InvalidResult


class Moody(MinLength):
    def check(self, request: Any, result: Any) -> None:
        MOODS.append("fine")
        if len(MOODS) % 2:
            raise InvalidResult("not today")


MOODS: list[str] = []


class Improving(MinLength):
    def check(self, request: Any, result: Any) -> None:
        result.output += "!"


@pytest.mark.parametrize(
    ("planted", "check", "message"),
    [
        (WantsMore, "test_it_keeps_to_the_contract_of_validators", "weather"),
        (Misspelled, "test_it_keeps_to_the_contract_of_validators", "did you mean check"),
        (Never, "test_it_lets_good_answers_pass", "turned good answer 0 down"),
        (Always, "test_it_turns_bad_answers_down_with_a_reason_and_a_score", "let bad answer 0 pass"),
        (Asserting, "test_it_turns_bad_answers_down_with_a_reason_and_a_score", "with InvalidResult"),
        (Percent, "test_it_turns_bad_answers_down_with_a_reason_and_a_score", "score is 93"),
        (Mute, "test_it_turns_bad_answers_down_with_a_reason_and_a_score", "does not say why"),
        (Moody, "test_it_says_the_same_twice", "first InvalidResult"),
        (Improving, "test_it_changes_no_answer", "changed what it looked at"),
    ],
)
def test_a_planted_fault_is_found(planted: type[Any], check: str, message: str) -> None:
    class Suite(TestMinLength):
        def make(self) -> Any:
            return planted()

    with pytest.raises(AssertionError, match=message):
        getattr(Suite(), check)()


def test_a_suite_without_answers_says_so() -> None:
    class Suite(TestMinLength):
        def bad(self) -> Sequence[tuple[Any, ProviderResult[Any]]]:
            return []

    with pytest.raises(AssertionError, match="bad\\(\\) has to give"):
        Suite().test_it_turns_bad_answers_down_with_a_reason_and_a_score()
