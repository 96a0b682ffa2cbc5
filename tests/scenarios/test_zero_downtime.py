"""A single provider's failure is no downtime: 200 requests a second, and the preferred provider is gone for 8 s."""

import pytest
from runs import LATE, SAMPLED, Run, most_trips, open_time, run_of
from scenarios import SLOW, WATCHED, Scenario, latency_about, two
from switchgear.testing import HANG, Outage

RATE = 200.0
START, END, SECONDS = 3.0, 11.0, 34.0
TIMEOUT = 1.0
FAILS = Scenario("fails", "It fails at once", two(Outage(START, END)), START, END, SECONDS)
HANGS = Scenario("hangs", "It never answers", two(Outage(START, END, HANG), timeout=TIMEOUT), START, END, SECONDS)


def last_under_way(run: Run) -> float:
    """When the last answer came to what had been sent before the outage: each of them ends a row of failures."""
    return max((call.started + call.latency for call in run.stragglers), default=START)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("outage", "failing"), [(FAILS, 0.0), (HANGS, TIMEOUT + LATE)], ids=["fails", "hangs"])
def test_s1_s8_s11_s14_an_outage_at_200_requests_a_second_fails_none_and_after_one_trip_delays_none(
    outage: Scenario, failing: float, seed: int
) -> None:
    """`failing`: seconds that a failure takes."""
    run = run_of(outage, seed, RATE, "constant")
    report = run.report
    assert report.success_rate() == 1.0

    # One trip: the fifth failure in a row (S11), at a call every 5 ms.
    tripped = run.opened[0]
    assert tripped <= max(last_under_way(run), START + failing) + 5 / RATE
    normal = run.added_latency(0.95, 0.0, START - 1.0)
    seconds = [(tripped + number, tripped + number + 1.0) for number in range(int(SECONDS - tripped))]
    assert max(run.added_latency(0.95, *second) for second in seconds) <= normal
    assert report.latency(0.95, tripped, END) <= latency_about(SLOW, 0.95) * SAMPLED

    assert run.amplified_within_budget
    # Only what fails before the trip is tried again: four in a row, and four for each answer still under way.
    assert run.retries <= 4 * (1 + len(run.stragglers))

    # A trial that is under way when the provider comes back still times out.
    assert run.trips <= most_trips(END + failing - START)
    back = run.first_answered(WATCHED, END).started - END
    assert back <= failing + open_time(run.trips) + 1 / RATE
