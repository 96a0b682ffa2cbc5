"""When a circuit opens, whom it lets through meanwhile, and how it closes (S10 to S14)."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import pytest
from switchgear.durations import Duration
from switchgear.policies.breaker import Breaker, CircuitBreaker, State, Window
from switchgear.testing import FakeClock


@attrs.frozen
class Fixed:
    """Dice that always show the same."""

    value: float = 1.0

    def random(self) -> float:
        return self.value


@attrs.define
class Circuit:
    """A breaker with the clock it lives by."""

    clock: FakeClock
    breaker: CircuitBreaker
    changes: list[tuple[str, str]]

    @property
    def state(self) -> str:
        return self.breaker.state.value

    def fail(self, times: int = 1) -> None:
        for _ in range(times):
            self.breaker.record_failure(self.breaker.acquire())

    def succeed(self, times: int = 1, latency: float = 0.0) -> None:
        for _ in range(times):
            self.breaker.record_success(self.breaker.acquire(), latency=latency)

    def open(self) -> None:
        self.fail(self.breaker.settings.consecutive)
        assert self.state == "open"

    def half_open(self) -> None:
        self.open()
        self.clock.advance(self.breaker.settings.open_cap)
        assert self.state == "half_open"

    def open_seconds(self) -> float:
        return self.breaker.retry_at - self.clock.monotonic()

    def fail_a_trial(self) -> None:
        self.clock.advance(self.open_seconds())
        self.fail()


def circuit(dice: float = 1.0, **settings: Any) -> Circuit:
    clock, changes = FakeClock(start=1000.0), []
    durations = {"window", "slow_after", "open_for", "open_cap", "lease", "ramp"}
    given: dict[str, Any] = {key: Duration(value) if key in durations else value for key, value in settings.items()}
    breaker = CircuitBreaker(
        Breaker(**given), clock, Fixed(dice), on_change=lambda old, new: changes.append((old.value, new.value))
    )
    return Circuit(clock, breaker, changes)


# S11: tripping


def test_s11_it_opens_at_half_failed_once_ten_calls_are_in_the_window() -> None:
    one = circuit(consecutive=99)
    for _ in range(4):
        one.fail()
        one.succeed()
    one.succeed()
    assert one.state == "closed"
    one.fail()
    assert one.state == "open"


def test_s11_nine_failures_are_too_few_for_the_share_to_count() -> None:
    one = circuit(consecutive=99)
    one.fail(9)
    assert one.state == "closed"
    one.fail()
    assert one.state == "open"


def test_s11_it_opens_at_five_failures_in_a_row_whatever_the_share() -> None:
    one = circuit()
    one.succeed(1000)
    one.fail(4)
    one.succeed()
    one.fail(4)
    assert one.state == "closed"
    one.fail()
    assert one.state == "open"


def test_s11_it_opens_at_the_slow_share_though_every_call_went_well() -> None:
    one = circuit(slow_after=2.0)
    one.succeed(2, latency=0.1)
    one.succeed(7, latency=2.1)
    assert one.state == "closed"
    one.succeed(1, latency=2.1)
    assert one.state == "open"


def test_s11_an_answer_of_exactly_the_threshold_is_not_slow() -> None:
    one = circuit(slow_after=2.0)
    one.succeed(100, latency=2.0)
    assert one.state == "closed"


def test_s11_timeouts_count_as_slow_and_as_failed() -> None:
    one = circuit(consecutive=99, ratio=1.0, slow_ratio=0.5)
    one.succeed(5)
    for _ in range(5):
        one.breaker.record_failure(one.breaker.acquire(), slow=True)
    assert one.state == "open"


def test_s11_failures_leave_the_window_with_time() -> None:
    one = circuit(consecutive=99)
    one.fail(9)
    one.clock.advance(30.1)
    one.fail(9)
    assert one.state == "closed"


def test_s11_a_failure_late_in_the_window_counts_with_one_at_its_beginning() -> None:
    one = circuit(consecutive=99)
    one.fail(9)
    one.clock.advance(26.9)
    one.fail()
    assert one.state == "open"


def test_s11_after_closing_the_window_starts_empty() -> None:
    one = circuit()
    one.half_open()
    one.succeed(2)
    one.fail(4)
    assert one.state == "closed"


# S10, S12: half-open


def test_s10_asking_whether_it_is_open_changes_nothing() -> None:
    one = circuit()
    one.half_open()
    seen = len(one.changes)
    for _ in range(100):
        assert not one.breaker.is_open()
        assert one.state == "half_open"
        assert one.breaker.admits_probe()
    assert len(one.changes) == seen
    assert one.breaker.acquire()
    assert one.breaker.is_open()


def test_s12_of_a_hundred_callers_one_is_let_through() -> None:
    one = circuit()
    one.half_open()
    assert sum(bool(one.breaker.acquire()) for _ in range(100)) == 1


@contextmanager
def switching_threads_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def at_once(threads: int, work: Callable[[], object]) -> list[Any]:
    """What each of the threads got, all let off together."""
    start, got = threading.Barrier(threads), []

    def one() -> None:
        start.wait()
        got.append(work())

    running = [threading.Thread(target=one) for _ in range(threads)]
    with switching_threads_often():
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
    return got


def test_s12_of_many_threads_one_is_let_through() -> None:
    for _ in range(20):
        one = circuit()
        one.half_open()
        permits = at_once(16, one.breaker.acquire)
        assert sum(map(bool, permits)) == 1
        assert one.changes[-1] == ("open", "half_open")
        assert one.changes.count(("open", "half_open")) == 1


def test_threads_that_fail_together_open_it_once() -> None:
    for _ in range(10):
        one = circuit(consecutive=8)
        permits = [one.breaker.acquire() for _ in range(16)]
        at_once(16, lambda one=one, permits=permits: one.breaker.record_failure(permits.pop()))  # type: ignore[misc]
        assert one.changes == [("closed", "open")]
        assert one.open_seconds() == pytest.approx(5.0)


def test_counts_of_threads_in_a_race_heal_within_a_bucket() -> None:
    one = circuit(window=1.0, consecutive=10**9, min_calls=10**9)
    window = one.breaker._window

    def work() -> None:
        for _ in range(300):
            one.breaker.record_success(one.breaker.acquire())
            one.clock._now += 0.0005

    at_once(8, work)
    one.clock.advance(2.0)
    one.succeed()
    assert (window.calls, window.failures, window.slow) == (1, 0, 0)


def test_s12_two_good_trials_close_it() -> None:
    one = circuit()
    one.half_open()
    one.succeed()
    assert one.state == "half_open"
    one.succeed()
    assert one.state == "closed"
    assert one.changes == [("closed", "open"), ("open", "half_open"), ("half_open", "closed")]


def test_s12_the_first_failed_trial_opens_it_again() -> None:
    one = circuit()
    one.half_open()
    one.succeed()
    one.fail()
    assert one.state == "open"
    one.clock.advance(one.open_seconds())
    one.succeed()
    assert one.state == "half_open", "the good trial before the failure must not count"


def test_s12_a_trial_that_says_nothing_gives_its_place_back() -> None:
    one = circuit()
    one.half_open()
    for _ in range(50):
        permit = one.breaker.acquire()
        assert permit
        assert not one.breaker.acquire()
        one.breaker.release(permit)
    assert one.state == "half_open"
    one.succeed(2)
    assert one.state == "closed"


def test_s12_a_trial_that_gets_lost_loses_its_place_after_its_lease() -> None:
    one = circuit(lease=60.0)
    one.half_open()
    lost = one.breaker.acquire()
    one.clock.advance(59.9)
    assert not one.breaker.acquire()
    one.clock.advance(0.1)
    second = one.breaker.acquire()
    assert second
    one.breaker.record_failure(lost)
    one.breaker.release(lost)
    assert one.state == "half_open"
    assert not one.breaker.acquire(), "the second trial is still under way"
    one.breaker.record_success(second)
    one.succeed()
    assert one.state == "closed"


def test_s12_where_answers_take_longer_than_the_lease_the_circuit_closes_all_the_same() -> None:
    one = circuit(lease=60.0, successes=2)
    one.half_open()
    late = []
    for _ in range(3):
        late.append(one.breaker.acquire())
        one.clock.advance(60)
    one.breaker.record_success(late[0], latency=150)
    one.breaker.record_success(late[0], latency=150)
    assert one.state == "half_open", "one answer counts once"
    one.breaker.record_success(late[1], latency=150)
    assert one.state == "closed"


def test_s13_a_lost_trial_of_before_the_circuit_opened_again_changes_nothing() -> None:
    one = circuit(lease=60.0, successes=1)
    one.half_open()
    lost = one.breaker.acquire()
    one.clock.advance(60)
    one.breaker.record_failure(one.breaker.acquire())
    one.breaker.record_success(lost)
    assert one.state == "open"
    one.clock.advance(600)
    assert one.breaker.acquire()
    one.breaker.record_success(lost)
    assert one.state == "half_open"


def test_s12_a_lost_trial_that_nobody_has_replaced_still_counts_when_it_comes_back() -> None:
    one = circuit(lease=60.0, successes=1)
    one.half_open()
    permit = one.breaker.acquire()
    one.clock.advance(100)
    one.breaker.record_success(permit)
    assert one.state == "closed"


# S13: generations


@pytest.mark.parametrize("good", [True, False])
def test_s13_a_straggler_from_before_it_opened_decides_no_trial(good: bool) -> None:
    one = circuit()
    stragglers = [one.breaker.acquire() for _ in range(20)]
    one.half_open()
    trial = one.breaker.acquire()
    for permit in stragglers:
        (one.breaker.record_success if good else one.breaker.record_failure)(permit)
        one.breaker.release(permit)
    assert one.state == "half_open"
    assert not one.breaker.acquire(), "the trial keeps its place"
    one.breaker.record_success(trial)


def test_s13_a_straggler_that_fails_after_it_closed_opens_nothing() -> None:
    one = circuit()
    stragglers = [one.breaker.acquire() for _ in range(20)]
    one.half_open()
    one.succeed(2)
    for permit in stragglers:
        one.breaker.record_failure(permit)
    assert one.state == "closed"


def test_s13_a_straggler_that_fails_while_it_is_open_prolongs_nothing() -> None:
    one = circuit()
    stragglers = [one.breaker.acquire() for _ in range(20)]
    one.open()
    before = one.breaker.retry_at
    one.clock.advance(1)
    for permit in stragglers:
        one.breaker.record_failure(permit)
    assert one.breaker.retry_at == before


def test_s13_settling_a_trial_twice_counts_once() -> None:
    one = circuit()
    one.half_open()
    permit = one.breaker.acquire()
    for _ in range(5):
        one.breaker.record_success(permit)
    assert one.state == "half_open"


# S14: for how long


def test_s14_each_trip_doubles_the_open_time_up_to_the_cap() -> None:
    one = circuit()
    one.open()
    lengths = [one.open_seconds()]
    for _ in range(8):
        one.fail_a_trial()
        lengths.append(one.open_seconds())
    assert lengths == pytest.approx([5, 10, 20, 40, 80, 160, 300, 300, 300])


@pytest.mark.parametrize(("dice", "length"), [(0.0, 2.5), (0.5, 3.75), (1.0, 5.0)])
def test_s14_half_of_the_open_time_is_certain_and_half_is_drawn(dice: float, length: float) -> None:
    one = circuit(dice)
    one.open()
    assert one.open_seconds() == pytest.approx(length)


def test_s14_time_spent_closed_pays_trips_off_and_does_not_wipe_them_out() -> None:
    one = circuit(window=30.0)
    one.open()
    for _ in range(3):
        one.fail_a_trial()
    assert one.open_seconds() == pytest.approx(40)
    one.clock.advance(40)
    one.succeed(2)
    one.clock.advance(60)
    one.open()
    assert one.open_seconds() == pytest.approx(20), "four trips, two of them paid off: 5 s * 2^2"


def test_s14_a_long_outage_is_forgotten_as_soon_as_a_short_one() -> None:
    one = circuit(window=30.0)
    one.open()
    for _ in range(1000):
        one.fail_a_trial()
    assert one.open_seconds() == pytest.approx(300)
    one.clock.advance(300)
    one.succeed(2)
    one.clock.advance(10 * 30)
    one.open()
    assert one.open_seconds() == pytest.approx(5)


def test_s14_at_a_cap_that_is_reached_exactly_nothing_is_added_either() -> None:
    one = circuit(window=30.0, open_cap=40.0)
    one.open()
    for _ in range(10):
        one.fail_a_trial()
    one.clock.advance(40)
    one.succeed(2)
    one.clock.advance(3 * 30)
    one.open()
    assert one.open_seconds() == pytest.approx(5)


def test_s14_after_closing_the_share_grows_from_a_tenth_to_all() -> None:
    one = circuit(ramp=10.0)
    one.half_open()
    one.succeed(2)
    now = one.clock.monotonic()
    assert one.breaker.ramps_until == now + 10
    shares = [one.breaker.ramp_share(now + seconds) for seconds in (0, 1, 5, 9, 10, 100)]
    assert shares == pytest.approx([0.1, 0.1, 0.5, 0.9, 1.0, 1.0])


def test_s14_a_circuit_that_was_never_open_or_was_closed_by_hand_does_not_ramp() -> None:
    one = circuit()
    assert one.breaker.ramp_share(one.clock.monotonic()) == 1.0
    one.open()
    one.breaker.reset()
    assert one.breaker.ramp_share(one.clock.monotonic()) == 1.0
    assert one.breaker.ramps_until < one.clock.monotonic()


# Probing an open circuit


def test_a_probe_is_let_through_before_the_time_is_over_but_one_at_a_time() -> None:
    one = circuit()
    one.open()
    assert not one.breaker.acquire()
    assert one.breaker.acquire(probe=True)
    assert not one.breaker.admits_probe()
    assert sum(bool(one.breaker.acquire(probe=True)) for _ in range(100)) == 0


def test_probes_that_fail_neither_double_the_open_time_nor_prolong_it() -> None:
    """Else a total outage under traffic would keep the preferred provider out for minutes after its end."""
    one = circuit()
    one.open()
    until = one.breaker.retry_at
    for _ in range(50):
        one.breaker.record_failure(one.breaker.acquire(probe=True))
        assert one.state == "open"
        one.clock.advance(0.05)
    assert one.breaker.retry_at == until
    one.fail_a_trial()
    assert one.open_seconds() == pytest.approx(10)


def test_good_probes_close_it() -> None:
    one = circuit()
    one.open()
    for _ in range(2):
        one.breaker.record_success(one.breaker.acquire(probe=True))
    assert one.state == "closed"


# By hand


def test_s10_forced_open_lets_nobody_through_until_it_is_reset() -> None:
    one = circuit()
    one.breaker.force_open()
    one.clock.advance(10**6)
    assert one.breaker.is_open()
    assert not one.breaker.acquire()
    assert not one.breaker.acquire(probe=True)
    assert not one.breaker.admits_probe()
    assert one.breaker.retry_at == float("inf")
    one.breaker.record_success()
    one.breaker.hasten()
    assert one.state == "forced_open"
    one.breaker.reset()
    assert one.breaker.acquire()


def test_s10_disabled_lets_everybody_through_and_counts_nothing() -> None:
    one = circuit()
    one.open()
    one.breaker.disable()
    assert not one.breaker.is_open()
    one.fail(100)
    assert one.state == "disabled"
    one.breaker.reset()
    assert one.state == "closed"
    one.fail(4)
    assert one.state == "closed"


def test_reset_closes_it_and_forgets_its_trips() -> None:
    one = circuit()
    one.open()
    for _ in range(5):
        one.fail_a_trial()
    one.breaker.reset()
    assert not one.breaker.is_open()
    one.open()
    assert one.open_seconds() == pytest.approx(5)


def test_s26_a_good_check_hastens_the_trial_and_closes_nothing() -> None:
    one = circuit()
    one.open()
    one.breaker.hasten()
    assert one.state == "half_open"
    one.fail()
    assert one.state == "open"
    assert one.open_seconds() == pytest.approx(10), "it was a trial like any other"


@pytest.mark.parametrize("state", ["closed", "half_open", "forced_open", "disabled"])
def test_s26_a_good_check_changes_nothing_but_an_open_circuit(state: str) -> None:
    one = circuit()
    {
        "closed": lambda: None,
        "half_open": one.half_open,
        "forced_open": one.breaker.force_open,
        "disabled": one.breaker.disable,
    }[state]()
    one.breaker.hasten()
    assert one.state == state


# S15: who listens


def test_s15_a_listener_hears_of_the_change_after_it() -> None:
    clock, seen = FakeClock(), []
    breaker = CircuitBreaker(Breaker(consecutive=1), clock, Fixed(), on_change=lambda *_: seen.append(breaker.state))
    breaker.record_failure()
    assert seen == [State.OPEN]


@pytest.mark.parametrize(("action", "let_through"), [("force_open", False), ("reset", True), ("disable", True)])
def test_a_listener_that_changes_the_circuit_decides_about_the_very_trial(action: str, let_through: bool) -> None:
    clock = FakeClock()

    def react(old: State, new: State) -> None:
        if new is State.HALF_OPEN:
            getattr(breaker, action)()

    breaker = CircuitBreaker(Breaker(consecutive=1), clock, Fixed(), on_change=react)
    breaker.record_failure()
    clock.advance(5)
    assert bool(breaker.acquire()) is let_through


def test_s13_a_permit_given_while_the_trial_was_announced_is_of_the_circuit_that_was_closed_meanwhile() -> None:
    clock, given = FakeClock(), []

    def react(old: State, new: State) -> None:
        if new is State.HALF_OPEN:
            breaker.reset()
            given.append(breaker.acquire())

    breaker = CircuitBreaker(Breaker(consecutive=1), clock, Fixed(), on_change=react)
    breaker.record_failure()
    clock.advance(5)
    assert breaker.acquire()
    breaker.record_failure(given[0])
    assert breaker.state is State.OPEN


# Without permits, as a program that protects something of its own uses it


def test_s10_used_without_permits_it_opens_recovers_and_closes() -> None:
    one = circuit()
    for _ in range(5):
        assert not one.breaker.is_open()
        one.breaker.record_failure()
    assert one.breaker.is_open()
    one.breaker.record_success()
    assert one.breaker.is_open(), "what went well nobody was let through for"
    one.clock.advance(5)
    assert not one.breaker.is_open()
    one.breaker.record_success()
    one.breaker.record_success()
    assert one.state == "closed"
    one.open()


def test_s10_used_without_permits_a_failed_trial_opens_it_again() -> None:
    one = circuit()
    one.half_open()
    assert not one.breaker.is_open()
    one.breaker.record_failure()
    assert one.breaker.is_open()


def test_a_trial_whose_permit_was_thrown_away_is_settled_by_the_next_record() -> None:
    one = circuit(successes=1)
    one.half_open()
    assert one.breaker.acquire()
    one.breaker.record_success()
    assert one.state == "closed"


def test_so_is_one_that_failed() -> None:
    one = circuit()
    one.half_open()
    assert one.breaker.acquire()
    one.breaker.record_failure()
    assert one.state == "open"


def test_without_a_latency_nothing_was_slow() -> None:
    one = circuit(slow_after=0.001)
    for _ in range(100):
        one.breaker.record_success()
    assert one.state == "closed"


@pytest.mark.parametrize("state", ["open", "forced_open"])
def test_what_is_told_without_a_permit_decides_nothing_while_nobody_is_let_through(state: str) -> None:
    one = circuit()
    one.open()
    if state == "forced_open":
        one.breaker.force_open()
    length = one.open_seconds()
    for _ in range(5):
        one.breaker.record_success()
        one.breaker.record_failure()
        one.breaker.record_success()
    assert one.state == state
    assert one.open_seconds() == length


def test_nobody_has_to_listen() -> None:
    breaker = CircuitBreaker(Breaker(consecutive=1), FakeClock(), Fixed())
    breaker.record_failure()
    breaker.reset()
    assert not breaker.is_open()


# What it shows of itself


def test_closed_or_disabled_it_passes_everything_and_its_next_call_is_due() -> None:
    one = circuit()
    assert (one.breaker.passing, one.breaker.retry_at) == (True, 0.0)
    one.open()
    assert not one.breaker.passing
    one.breaker.disable()
    assert (one.breaker.passing, one.breaker.retry_at) == (True, 0.0)


def test_without_a_ramp_it_gets_all_of_the_load_in_the_moment_it_closes() -> None:
    one = circuit(ramp=0.0)
    one.half_open()
    one.succeed(2)
    assert one.breaker.ramp_share(one.clock.monotonic()) == 1.0


def test_s11_a_call_at_the_very_end_of_a_bucket_belongs_to_the_next() -> None:
    window = Window(10.0)
    window.add(999.5, False, False)
    window.add(1000.0, True, False)
    window.add(1009.5, False, False)
    assert (window.calls, window.failures, window.slow) == (2, 1, 0)


def test_an_empty_window_has_counted_nothing() -> None:
    window = Window(10.0)
    assert (window.calls, window.failures, window.slow) == (0, 0, 0)
    window.add(1.0, True, True)
    assert (window.calls, window.failures, window.slow) == (1, 1, 1)
    window.clear()
    assert (window.calls, window.failures, window.slow) == (0, 0, 0)


def test_s12_a_trial_whose_answer_is_slow_reopens_the_circuit() -> None:
    """Else a provider in a brown-out would be let back in again and again."""
    one = circuit(slow_after=2.0, successes=1)
    one.half_open()
    permit = one.breaker.acquire()
    one.breaker.record_success(permit, latency=2.1)
    assert one.state == "open"
    one.clock.advance(600)
    one.breaker.record_success(one.breaker.acquire(), latency=2.0)
    assert one.state == "closed"


def test_s12_a_lost_trial_whose_answer_is_slow_counts_for_nothing() -> None:
    one = circuit(slow_after=2.0, successes=1, lease=60.0)
    one.half_open()
    lost = one.breaker.acquire()
    one.clock.advance(60)
    assert one.breaker.acquire()
    one.breaker.record_success(lost, latency=60.0)
    assert one.state == "half_open"


def test_s12_a_refused_answer_is_ignored_unless_that_is_switched_off() -> None:
    assert not Breaker().count_invalid


def test_s13_a_slow_answer_without_a_permit_changes_nothing_while_the_circuit_is_open() -> None:
    one = circuit(slow_after=2.0)
    one.breaker.force_open()
    one.breaker.record_success(latency=3.0)
    assert one.state == "forced_open"
