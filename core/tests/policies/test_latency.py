"""A provider's figures: what a percentile is worth, and whom a failure may make look better: nobody (S17)."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from switchgear.figures import Figures, Latency
from switchgear.outcome import Outcome

seconds = st.floats(1e-6, 1e4)
SHARES = (0.1, 0.5, 0.9, 0.95, 0.99)


def latency(*samples: float) -> Latency:
    found = Latency()
    for sample in samples:
        found.add(sample)
    return found


def nearest_rank(samples: list[float], share: float) -> float:
    return sorted(samples)[max(0, math.ceil(share * len(samples)) - 1)]


@given(st.lists(seconds, min_size=1, max_size=300), st.sampled_from(SHARES))
def test_a_percentile_is_right_within_thirteen_percent(samples: list[float], share: float) -> None:
    assert latency(*samples).percentile(share) == pytest.approx(nearest_rank(samples, share), rel=0.13)


def test_without_a_sample_there_is_no_figure() -> None:
    assert (Latency().percentile(0.95), Latency().average) == (None, None)


def test_an_answer_in_no_time_at_all_looks_fast() -> None:
    assert latency(0.0).percentile(0.95) == pytest.approx(0.0, abs=1e-6)


def test_the_percentiles_follow_a_provider_that_changes() -> None:
    found = latency(*[0.1] * 5000)
    for _ in range(1500):
        found.add(2.0)
    assert found.percentile(0.5) == pytest.approx(2.0, rel=0.13)
    assert found.samples <= 1024


def test_the_histogram_stays_small_whatever_comes() -> None:
    found, dice = Latency(), random.Random(1)
    for _ in range(50_000):
        found.add(10 ** dice.uniform(-9, 6))
    assert found.samples <= 1024
    assert len(found._recent) <= 1024


def test_the_average_follows_the_newest_by_a_fifth() -> None:
    assert latency(1.0, 2.0).average == pytest.approx(1.2)


def test_the_peak_jumps_up_and_comes_down_slowly() -> None:
    found = latency(1.0, 10.0)
    assert found.peak == 10.0
    found.add(1.0)
    assert found.peak == pytest.approx(8.2)


FAILURES = [
    each for each in Outcome if each not in (Outcome.SUCCESS, Outcome.INVALID_RESULT)
]  # a refused answer is an answer, as fast as it was


@given(st.lists(seconds, min_size=1, max_size=100), st.sampled_from(FAILURES), seconds, st.sampled_from([1, 100]))
def test_s17_failures_never_improve_a_latency_figure(
    samples: list[float], outcome: Outcome, took: float, times: int
) -> None:
    figures = Figures(latency=latency(*samples))
    average, peak, slow = figures.latency.average, figures.latency.peak, figures.latency.percentile(0.95)
    assert average is not None
    assert slow is not None
    for _ in range(times):
        figures.record_failure(outcome, took)
    assert figures.latency.average is not None
    assert figures.latency.average >= average
    assert figures.latency.peak >= peak
    assert (figures.latency.percentile(0.95) or 0.0) >= slow


def test_s17_many_slow_failures_show_in_every_figure() -> None:
    figures = Figures(latency=latency(*[0.1] * 100))
    for _ in range(100):
        figures.record_failure(Outcome.ATTEMPT_TIMEOUT, 10.0)
    assert figures.latency.average == pytest.approx(10.0, rel=0.01)
    assert figures.latency.percentile(0.95) == pytest.approx(10.0, rel=0.13)


def test_fresh_figures_are_all_zero_or_unknown() -> None:
    fresh = Figures()
    assert (fresh.requests, fresh.successes, fresh.fallbacks, fresh.in_flight, fresh.late) == (0,) * 5
    assert (fresh.outcomes, fresh.success_rate, fresh.latency.peak, fresh.latency.samples) == ({}, None, 0.0, 0)


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("took", [0.01, 30.0])
def test_s1_each_outcome_is_a_sample_as_its_row_says(outcome: Outcome, took: float) -> None:
    figures = Figures(latency=latency(1.0))
    if outcome is Outcome.SUCCESS:
        figures.record_success(took)
    else:
        figures.record_failure(outcome, took)
    measured = figures.latency.average != 1.0
    if outcome in (Outcome.SUCCESS, Outcome.INVALID_RESULT):
        assert measured
    else:
        slower = outcome in (Outcome.TRANSIENT, Outcome.ATTEMPT_TIMEOUT, Outcome.IN_DOUBT) and took > 1.0
        assert measured is slower


def test_s1_a_timeout_counts_also_before_the_first_answer_and_a_fast_failure_does_not() -> None:
    figures = Figures()
    figures.record_failure(Outcome.TRANSIENT, 0.001)
    assert figures.latency.average is None
    figures.record_failure(Outcome.ATTEMPT_TIMEOUT, 20.0)
    assert figures.latency.average == 20.0


def test_s2_cancelled_requests_are_no_part_of_the_success_rate() -> None:
    figures = Figures()
    for _ in range(10):
        figures.requests += 1
        figures.record_failure(Outcome.CANCELLED, 0.1)
    assert figures.success_rate is None
    figures.requests += 2
    figures.record_success(0.1)
    figures.record_failure(Outcome.TRANSIENT, 0.1)
    assert figures.success_rate == 0.5


def test_what_is_under_way_is_no_part_of_the_success_rate_yet() -> None:
    assert Figures(requests=5, in_flight=4, successes=1).success_rate == 1.0
    assert Figures(requests=4, in_flight=4).success_rate is None


def test_s17_one_answer_after_a_long_silence_says_more_than_those_of_long_ago() -> None:
    """Who was slow once and is asked rarely since must not need dozens of answers to show that it is quick again."""
    found = Latency()
    for second in range(10):
        found.add(20.0, float(second))
    found.add(0.1, 309.0)
    assert found.average == pytest.approx(0.1, abs=0.01)
    assert found.peak == pytest.approx(0.1, abs=0.01)


def test_answers_in_quick_succession_have_the_same_weight_whatever_the_clock_says() -> None:
    timed, untimed = Latency(), Latency()
    for number, sample in enumerate([1.0, 2.0, 4.0, 1.0]):
        timed.add(sample, 1000.0 + 6.0 * number)
        untimed.add(sample)
    assert (timed.average, timed.peak) == (untimed.average, untimed.peak)


def test_a_failure_after_a_long_silence_makes_nobody_look_faster() -> None:
    figures = Figures()
    figures.latency.add(20.0, 0.0)
    figures.record_failure(Outcome.TRANSIENT, 0.1, 1000.0)
    figures.record_failure(Outcome.ATTEMPT_TIMEOUT, 5.0, 2000.0)
    assert figures.latency.average == 20.0
