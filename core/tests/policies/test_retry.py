"""How long to wait before asking again (S6), and how often a service may (S8)."""

import random
from fractions import Fraction
from itertools import islice
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from switchgear.durations import Duration
from switchgear.policies.retry import Retry, RetryBudget


@attrs.frozen
class Fixed:
    """Dice that always show the same."""

    value: float

    def random(self) -> float:
        return self.value


def pauses(dice: float, count: int, throttled: bool = False, **given: Any) -> list[float]:
    return list(islice(Retry(**given).pauses(Fixed(dice), throttled=throttled), count))


def test_s6_the_longest_pauses_double_from_a_tenth_of_a_second_up_to_the_cap() -> None:
    assert pauses(1.0, 10) == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 20.0, 20.0])


def test_s6_after_throttling_they_start_at_a_second() -> None:
    assert pauses(1.0, 6, throttled=True) == pytest.approx([1, 2, 4, 8, 16, 20])


def test_s6_jitter_is_full_from_nothing_to_the_longest() -> None:
    assert pauses(0.0, 5) == [0.0] * 5
    assert pauses(0.5, 3) == pytest.approx([0.05, 0.1, 0.2])


def test_s6_pauses_come_from_the_injected_dice_and_spread_over_the_whole_range() -> None:
    dice = random.Random(7)
    first = [next(Retry().pauses(dice)) for _ in range(2000)]
    assert 0 <= min(first) < 0.005
    assert 0.095 < max(first) <= 0.1
    assert sum(first) / len(first) == pytest.approx(0.05, rel=0.05)
    assert [next(Retry().pauses(random.Random(7))) for _ in range(2)] == [first[0]] * 2


def test_s6_base_and_cap_are_what_the_configuration_says() -> None:
    assert pauses(1.0, 4, base=Duration(1.0), cap=Duration(3.0)) == pytest.approx([1, 2, 3, 3])


def test_s6_each_call_begins_with_the_shortest_pause() -> None:
    retry = Retry()
    list(islice(retry.pauses(Fixed(1.0)), 8))
    assert next(retry.pauses(Fixed(1.0))) == pytest.approx(0.1)


@settings(deadline=None)
@given(st.floats(0.01, 10), st.floats(0.01, 100), st.floats(0, 1), st.integers(1, 40))
def test_s6_no_pause_is_ever_longer_than_the_cap(base: float, cap: float, dice: float, count: int) -> None:
    assert all(0 <= pause <= cap for pause in pauses(dice, count, base=Duration(base), cap=Duration(cap)))


def test_s8_a_hundred_retries_in_a_burst_then_one_for_ten_successes() -> None:
    budget = RetryBudget(Retry())
    assert sum(budget.withdraw(1.0) for _ in range(500)) == 100
    retried = 0
    for _ in range(1000):
        budget.deposit()
        retried += budget.withdraw(1.0)
    assert retried == 100


def test_s8_a_timeout_costs_two_and_what_never_left_nothing() -> None:
    budget = RetryBudget(Retry(budget=5.0))
    assert [budget.withdraw(2.0) for _ in range(3)] == [True, True, False]
    assert budget.withdraw(1.0)
    assert not budget.withdraw(1.0)
    assert all(budget.withdraw(0.0) for _ in range(100))


def test_s8_successes_fill_it_to_its_capacity_and_no_further() -> None:
    budget = RetryBudget(Retry(budget=3.0))
    for _ in range(1000):
        budget.deposit()
    assert sum(budget.withdraw(1.0) for _ in range(10)) == 3


def test_s8_without_a_budget_there_is_no_retry() -> None:
    assert not RetryBudget(Retry(budget=0.0, earn=0.0)).withdraw(1.0)


class BudgetMachine(RuleBasedStateMachine):
    """The budget against exact fractions: rounding must neither lose a retry nor give one away."""

    def __init__(self) -> None:
        super().__init__()
        self.budget = RetryBudget(Retry(budget=10.0, earn=0.1))
        self.tokens = Fraction(10)

    @rule(times=st.integers(1, 30))
    def successes(self, times: int) -> None:
        for _ in range(times):
            self.budget.deposit()
            self.tokens = min(Fraction(10), self.tokens + Fraction(1, 10))

    @rule(tokens=st.sampled_from([0, 1, 2]))
    def a_retry_is_scheduled(self, tokens: int) -> None:
        allowed = tokens <= self.tokens
        assert self.budget.withdraw(float(tokens)) is allowed
        self.tokens -= tokens if allowed else 0

    @invariant()
    def it_stays_between_nothing_and_its_capacity(self) -> None:
        assert 0.0 <= self.budget.tokens <= 10.0


def check(**size: Any) -> None:
    run_state_machine_as_test(BudgetMachine, settings=settings(deadline=None, **size))


def test_the_budget_does_what_exact_arithmetic_does() -> None:
    check(max_examples=60, stateful_step_count=60)


@pytest.mark.full
def test_the_budget_does_what_exact_arithmetic_does_at_length() -> None:
    check(max_examples=1000, stateful_step_count=200)


def test_s8_a_retry_that_is_not_made_after_all_is_given_back_and_no_more() -> None:
    budget = RetryBudget(Retry(budget=10.0))
    assert budget.withdraw(2.0)
    budget.give_back(2.0)
    assert budget.tokens == 10.0
    budget.give_back(2.0)
    assert budget.tokens == 10.0
    assert budget.withdraw(7.0)
    budget.give_back(2.0)
    assert budget.tokens == pytest.approx(5.0)
