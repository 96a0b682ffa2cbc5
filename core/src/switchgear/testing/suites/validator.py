"""The conformance suite of result validators."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from switchgear.errors import InvalidResult
from switchgear.results import ProviderResult
from switchgear.testing.suites.checks import check_plugin, raised_by

Answered = tuple[Any, ProviderResult[Any]]


class ValidatorSuite:
    """Checks a validator on pairs of a request and its `ProviderResult`::

    class TestMine(ValidatorSuite):
        def make(self): return Mine(threshold=0.9)
        def good(self): return [(request, ProviderResult("a whole page"))]
        def bad(self): return [(request, ProviderResult(""))]
    """

    def make(self) -> Any:
        """A new validator."""
        raise NotImplementedError

    def good(self) -> Sequence[Answered]:
        """Answers that it lets pass; at least one."""
        raise NotImplementedError

    def bad(self) -> Sequence[Answered]:
        """Answers that it turns down; at least one."""
        raise NotImplementedError

    def test_it_keeps_to_the_contract_of_validators(self) -> None:
        check_plugin("validators", self.make())

    def test_it_lets_good_answers_pass(self) -> None:
        for number, pair in enumerate(_some(self.good(), "good()")):
            error = raised_by(partial(self.make().check, *pair))
            assert error is None, f"it turned good answer {number} down: {error!r}"

    def test_it_turns_bad_answers_down_with_a_reason_and_a_score(self) -> None:
        for number, pair in enumerate(_some(self.bad(), "bad()")):
            error = raised_by(partial(self.make().check, *pair))
            assert error is not None, f"it let bad answer {number} pass"
            assert isinstance(error, InvalidResult), f"it raised {error!r}; turn an answer down with InvalidResult"
            assert 0 <= error.score <= 1, f"the score is {error.score}; it runs from 0 to 1"
            assert str(error), f"it does not say why it turned bad answer {number} down"

    def test_it_says_the_same_twice(self) -> None:
        validator = self.make()
        for pair in (*self.good(), *self.bad()):
            first, second = raised_by(partial(validator.check, *pair)), raised_by(partial(validator.check, *pair))
            assert repr(first) == repr(second), f"first {first!r}, then {second!r}"

    def test_it_changes_no_answer(self) -> None:
        for pair in (*self.good(), *self.bad()):
            before = repr(pair)
            raised_by(partial(self.make().check, *pair))
            assert repr(pair) == before, "check() changed what it looked at"


def _some(pairs: Sequence[Answered], hook: str) -> Sequence[Answered]:
    assert pairs, f"{hook} has to give at least one pair of a request and a result"
    return pairs
