"""The circuit breaker against a model that keeps every call in a list and every permit by its story (S10 to S14)."""

from typing import Any

import attrs
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from switchgear.durations import Duration
from switchgear.policies.breaker import Breaker, CircuitBreaker
from switchgear.testing import FakeClock

SETTINGS = Breaker(
    ratio=0.4,
    min_calls=4,
    window=Duration(3.0),
    consecutive=3,
    slow_after=Duration(1.0),
    slow_ratio=0.5,
    open_for=Duration(2.0),
    open_cap=Duration(9.0),
    successes=2,
    lease=Duration(5.0),
)
WIDTH = 0.3  # of a bucket: a tenth of the window


class Highest:
    """Dice that draw the longest open time."""

    def random(self) -> float:
        return 1.0


@attrs.define
class Model:
    """What the rules say, without a thought for speed."""

    state: str = "closed"
    period: int = 0  # counts the changes of state: an ordinary permit is good for one
    trial: int | None = None  # the number of the one under way
    trial_until: float = 0.0
    trials: int = 0
    lost: set[int] = attrs.Factory(set)  # whose lease ended before they came back
    good: int = 0
    row: int = 0
    calls: list[tuple[int, bool, bool]] = attrs.Factory(list)
    until: float = 0.0
    trips: float = 0.0
    closed_at: float = float("-inf")

    def enter(self, state: str) -> None:
        self.state, self.trial, self.lost = state, None, set()
        self.period += 1

    def lets_through(self, now: float, probe: bool) -> bool:
        if self.state in ("closed", "disabled"):
            return True
        if self.state == "open":
            return probe or now >= self.until
        return self.state == "half_open" and (self.trial is None or now >= self.trial_until)

    def acquire(self, now: float) -> tuple[str, int]:
        if self.state in ("closed", "disabled"):
            return ("ordinary", self.period)
        if self.state == "open":
            self.good = 0
            self.enter("half_open")
        if self.trial is not None:
            self.lost.add(self.trial)
        self.trials += 1
        self.trial, self.trial_until = self.trials, now + SETTINGS.lease
        return ("trial", self.trials)

    def settle(self, permit: tuple[str, int], now: float, good: bool, slow: bool) -> None:
        if permit == ("ordinary", self.period) and self.state == "closed":
            self.row = 0 if good else self.row + 1
            self.calls.append((int(now / WIDTH), not good, slow))
            if (not good or slow) and self.is_due(now):
                self.trip(now)
        elif permit == ("trial", self.trial) or (good and not slow and permit[0] == "trial" and permit[1] in self.lost):
            if permit[1] == self.trial:
                self.trial = None
            self.lost.discard(permit[1])
            if not good or slow:
                self.trip(now)
                return
            self.good += 1
            if self.good == SETTINGS.successes:
                self.close(now)

    def is_due(self, now: float) -> bool:
        recent = [call for call in self.calls if call[0] > int(now / WIDTH) - 10]
        failed, slow = sum(call[1] for call in recent), sum(call[2] for call in recent)
        shares = len(recent) >= SETTINGS.min_calls and (
            failed / len(recent) >= SETTINGS.ratio or slow / len(recent) >= SETTINGS.slow_ratio
        )
        return self.row >= SETTINGS.consecutive or shares

    def trip(self, now: float) -> None:
        if self.state == "closed":
            self.trips = max(0.0, self.trips - (now - self.closed_at) / SETTINGS.window)
        if self.state == "closed" or now >= self.until:
            length = SETTINGS.open_for * 2**self.trips
            self.until = now + min(length, SETTINGS.open_cap)
            self.trips += length < SETTINGS.open_cap
        self.enter("open")

    def close(self, moment: float) -> None:
        self.row, self.calls, self.closed_at = 0, [], moment
        self.enter("closed")


class BreakerMachine(RuleBasedStateMachine):
    """Callers that come, go well, fail, are cancelled or get lost, and people who turn the switch."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock(start=100.0)
        self.heard: list[str] = []
        self.breaker = CircuitBreaker(
            SETTINGS, self.clock, Highest(), on_change=lambda old, new: self.heard.append(new.value)
        )
        self.model = Model()
        self.permits: list[tuple[int, tuple[str, int]]] = []

    @property
    def now(self) -> float:
        return self.clock.monotonic()

    def a_permit(self, which: float) -> tuple[int, tuple[str, int]]:
        return self.permits[int(which * len(self.permits))]

    @rule(probe=st.booleans())
    def acquire(self, probe: bool) -> None:
        expected = self.model.lets_through(self.now, probe)
        permit = self.breaker.acquire(probe=probe)
        assert bool(permit) is expected
        if expected:
            self.permits.append((permit, self.model.acquire(self.now)))

    @precondition(lambda self: self.permits)
    @rule(which=st.floats(0, 1, exclude_max=True), slow=st.booleans())
    def goes_well(self, which: float, slow: bool) -> None:
        permit, known = self.a_permit(which)
        self.breaker.record_success(permit, latency=1.5 if slow else 0.5)
        self.model.settle(known, self.now, True, slow)

    @precondition(lambda self: self.permits)
    @rule(which=st.floats(0, 1, exclude_max=True), slow=st.booleans())
    def fails(self, which: float, slow: bool) -> None:
        permit, known = self.a_permit(which)
        self.breaker.record_failure(permit, slow=slow)
        self.model.settle(known, self.now, False, slow)

    @precondition(lambda self: self.permits)
    @rule(times=st.integers(1, 4), good=st.booleans())
    def latest_settles(self, times: int, good: bool) -> None:
        """Most calls end soon after they began; without this hardly any trial would."""
        for _ in range(times):
            permit, known = self.permits[-1]
            (self.breaker.record_success if good else self.breaker.record_failure)(permit)
            self.model.settle(known, self.now, good, False)

    @rule(traffic=st.lists(st.tuples(st.sampled_from("gggfs"), st.sampled_from([0.0, 0.1, 0.35, 1.0])), max_size=15))
    def calls_come_one_after_another(self, traffic: list[tuple[str, float]]) -> None:
        """Good, failed and slow ones over the whole window: else rows trip it long before any share does."""
        for kind, pause in traffic:
            self.clock.advance(pause)
            if not self.model.lets_through(self.now, False):
                return
            self.acquire(False)
            permit, known = self.permits.pop()
            if kind == "f":
                self.breaker.record_failure(permit)
            else:
                self.breaker.record_success(permit, latency=1.5 if kind == "s" else 0.5)
            self.model.settle(known, self.now, kind != "f", kind == "s")
            assert self.breaker.state.value == self.model.state

    @precondition(lambda self: self.permits)
    @rule(which=st.floats(0, 1, exclude_max=True))
    def is_cancelled(self, which: float) -> None:
        permit, known = self.a_permit(which)
        self.breaker.release(permit)
        if known == ("trial", self.model.trial):
            self.model.trial = None

    @rule(seconds=st.sampled_from([0.01, 0.3, 1.0, 2.0, 3.1, 5.0, 9.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def check_goes_well(self) -> None:
        self.breaker.hasten()
        if self.model.state == "open":
            self.model.until = min(self.model.until, self.now)

    @rule(hand=st.sampled_from(["force_open", "disable", "reset", "reset"]))
    def somebody_turns_the_switch(self, hand: str) -> None:
        getattr(self.breaker, hand)()
        if hand == "reset":
            self.model.trips = 0.0
            self.model.close(float("-inf"))
        else:
            self.model.enter({"force_open": "forced_open", "disable": "disabled"}[hand])

    @invariant()
    def both_say_the_same(self) -> None:
        due = self.model.state == "open" and self.now >= self.model.until
        assert self.breaker.state.value == ("half_open" if due else self.model.state)
        assert self.breaker.is_open() is not self.model.lets_through(self.now, False)
        assert self.breaker.admits_probe() is self.model.lets_through(self.now, True)

    @invariant()
    def listeners_know_the_state(self) -> None:
        assert (self.heard or ["closed"])[-1] == self.model.state

    @invariant()
    def it_is_never_stuck(self) -> None:
        """Unless somebody forced it open, there is a moment at which it lets the next one through."""
        if self.model.state != "forced_open":
            assert self.breaker.retry_at < float("inf")


def check(**size: Any) -> None:
    run_state_machine_as_test(BreakerMachine, settings=settings(deadline=None, **size))


def test_the_breaker_does_what_the_model_does() -> None:
    check(max_examples=60, stateful_step_count=50)


@pytest.mark.full
def test_the_breaker_does_what_the_model_does_at_length() -> None:
    check(max_examples=1000, stateful_step_count=100)
