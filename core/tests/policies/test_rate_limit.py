"""Requests within a provider's rate (S19), against a model that remembers every one of them."""

from collections import deque
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from switchgear.durations import Duration
from switchgear.policies.rate_limit import Rate, RateLimit
from switchgear.testing import FakeClock


def limit(calls: int, per: float = 1.0, burst: int = 1) -> RateLimit:
    return RateLimit(Rate(calls=calls, per=Duration(per), burst=burst))


def test_s19_requests_are_evenly_spread_over_the_time() -> None:
    one = limit(10)
    sent = [number for number in range(1000) if one.try_acquire(number / 100)]
    assert sent == list(range(0, 1000, 10))


def test_s19_a_burst_may_come_at_once_and_is_earned_back() -> None:
    one = limit(10, burst=5)
    assert sum(one.try_acquire(0.0) for _ in range(20)) == 5
    assert sum(one.try_acquire(0.3) for _ in range(20)) == 3
    assert sum(one.try_acquire(100.0) for _ in range(20)) == 5


def test_s19_what_was_turned_away_costs_no_slot() -> None:
    one = limit(1)
    assert one.try_acquire(0.0)
    assert not any(one.try_acquire(0.999) for _ in range(1000))
    assert one.try_acquire(1.0)


def test_s19_it_says_when_the_next_slot_comes_and_asking_takes_none() -> None:
    one = limit(4)
    assert one.allows(0.0)
    assert one.try_acquire(0.0)
    for _ in range(10):
        assert not one.allows(0.1)
        assert one.ready_at() == pytest.approx(0.25)
    assert one.allows(one.ready_at())
    assert one.try_acquire(one.ready_at())


def test_s19_with_a_burst_the_next_slot_comes_when_one_is_earned_back() -> None:
    one = limit(2, burst=3)
    assert all(one.try_acquire(0.0) for _ in range(3))
    assert one.ready_at() == pytest.approx(0.5)
    assert not one.allows(0.49)
    assert one.allows(0.5)


@given(st.integers(1, 1000), st.floats(0.01, 3600), st.floats(0, 1e9))
def test_s19_who_comes_at_the_very_moment_is_let_through_whatever_the_rounding(
    calls: int, per: float, start: float
) -> None:
    one, now = limit(calls, per), start
    for _ in range(20):
        assert one.try_acquire(now)
        now = one.ready_at()


class RateMachine(RuleBasedStateMachine):
    """A token bucket in exact fractions, and a list of all that was let through."""

    calls, per, burst = 3, 2, 4

    def __init__(self) -> None:
        super().__init__()
        self.limit = limit(self.calls, self.per, self.burst)
        self.clock = FakeClock()
        self.now = Fraction(0)
        self.tokens = Fraction(self.burst)
        self.sent: deque[Fraction] = deque()

    @rule(milliseconds=st.sampled_from([1, 10, 333, 667, 1000, 20000]))
    def time_passes(self, milliseconds: int) -> None:
        passed = Fraction(milliseconds, 1000)
        self.clock.advance(milliseconds / 1000)
        self.now += passed
        self.tokens = min(Fraction(self.burst), self.tokens + passed * self.calls / self.per)

    @rule(times=st.integers(1, 6))
    def requests(self, times: int) -> None:
        for _ in range(times):
            allowed = self.tokens >= 1
            assert self.limit.allows(self.clock.monotonic()) is allowed
            assert self.limit.try_acquire(self.clock.monotonic()) is allowed
            if allowed:
                self.tokens -= 1
                self.sent.append(self.now)

    @invariant()
    def no_stretch_of_time_saw_more_than_the_rate_and_one_burst(self) -> None:
        while self.sent and self.sent[0] <= self.now - 10:
            self.sent.popleft()
        for length in (1, 2, 10):
            recent = sum(moment > self.now - length for moment in self.sent)
            assert recent <= self.burst + Fraction(self.calls * length, self.per)


def check(**size: Any) -> None:
    run_state_machine_as_test(RateMachine, settings=settings(deadline=None, **size))


def test_the_limit_does_what_a_bucket_of_tokens_does() -> None:
    check(max_examples=60, stateful_step_count=50)


@pytest.mark.full
def test_the_limit_does_what_a_bucket_of_tokens_does_at_length() -> None:
    check(max_examples=1000, stateful_step_count=150)
