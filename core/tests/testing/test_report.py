"""The figures of a simulation, on calls made up by hand."""

import pytest
from switchgear.testing import Report, Sent, Served


def report() -> Report:
    """Ten calls a second for six seconds; `a` fails from 2 to 4, is asked no more from 3 to 5, and `b` steps in."""
    calls, sent = [], {"a": [], "b": []}  # type: ignore[var-annotated]
    for number in range(60):
        began = number / 10
        by_a = began < 2 or began >= 5
        calls.append(Served(began, 0.1 if by_a else 0.5, "a" if by_a else "b"))
        if began < 3 or began >= 5:
            sent["a"] += [Sent(began, number)] * (1 if by_a else 2)
        if not by_a:
            sent["b"].append(Sent(began, number))
    return Report(calls, sent, seconds=6.0)


def test_series_have_a_value_for_each_bucket() -> None:
    series = report().series()
    assert series["time"] == [0, 1, 2, 3, 4, 5]
    assert series["arrivals"] == [10] * 6
    assert series["success_rate"] == [1.0] * 6
    assert series["p50"] == series["p99"] == [0.1, 0.1, 0.5, 0.5, 0.5, 0.1]
    assert series["attempts.a"] == [10, 10, 20, 0, 0, 10]
    assert series["answers.a"] == [10, 10, 0, 0, 0, 10]
    assert series["attempts.b"] == series["answers.b"] == [0, 0, 10, 10, 10, 0]


def test_percentiles_are_the_nearest_rank() -> None:
    calls = [Served(number, latency, "a") for number, latency in enumerate([4.0, 1.0, 3.0, 2.0])]
    found = Report(calls, {}, seconds=4)
    assert [found.latency(share) for share in (0, 0.25, 0.5, 0.51, 0.99, 1)] == [1.0, 1.0, 2.0, 3.0, 4.0, 4.0]
    assert (found.p50, found.p95, found.p99) == (2.0, 4.0, 4.0)


def test_figures_can_be_asked_for_a_span_with_its_start_and_without_its_end() -> None:
    calls = [Served(0.0, 1.0, "a"), Served(1.0, 2.0, None), Served(2.0, 3.0, "a"), Served(3.0, 4.0, None)]
    found = Report(calls, {}, seconds=4)
    assert found.success_rate() == 0.5
    assert found.success_rate(1, 3) == 0.5
    assert found.success_rate(1, 2) == 0.0
    assert found.latency(1.0, 1, 3) == 3.0


def test_without_calls_there_are_no_figures() -> None:
    found = Report([], {"a": []}, seconds=2)
    assert found.success_rate() is found.p50 is found.amplification("a") is found.time_to_return("a", 0) is None
    assert found.series()["p99"] == [None, None]


def test_amplification_counts_requests_per_call_that_reached_the_provider() -> None:
    assert report().amplification("a", 0, 2) == 1
    assert report().amplification("a", 2, 3) == 2
    assert report().amplification("a", 3, 5) is None
    assert report().amplification("a") == pytest.approx(50 / 40)


def test_a_fault_is_detected_when_its_provider_gets_next_to_nothing() -> None:
    assert report().time_to_detect("a", 2.0) == 1.0
    assert report().time_to_detect("a", 2.5) == 0.5
    assert report().time_to_detect("a", 5.0) is None


def test_return_is_when_the_provider_answers_most_calls_again() -> None:
    assert report().time_to_return("a", 4.0) == 1.0
    assert report().time_to_return("b", 5.0) is None


@pytest.mark.parametrize("bucket", [0.1, 0.3, 0.7])
def test_a_moment_on_the_edge_belongs_to_the_bucket_that_begins_there(bucket: float) -> None:
    calls = [Served(number * bucket, 0.1, "a") for number in range(50)]
    assert Report(calls, {}, seconds=50 * bucket, bucket=bucket).arrivals() == [1] * 50


def test_what_comes_after_the_last_call_began_is_in_no_bucket() -> None:
    found = Report([Served(0.0, 5.0, "a")], {"a": [Sent(0.0, 0), Sent(4.0, 0)]}, seconds=2)
    assert found.attempts("a") == [1, 0]
    assert found.amplification("a") == 2
