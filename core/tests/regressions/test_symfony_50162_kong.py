"""symfony #50162 and Kong: with every target down, everything failed for a minute after the first was back."""

from itertools import pairwise
from typing import Any

import pytest
from switchgear.testing import HANG, Outage, simulate


@pytest.mark.parametrize("step", [None, HANG], ids=["fails at once", "hangs"])
def test_with_everybody_down_probing_never_stops_and_service_is_back_with_the_first(step: Any) -> None:
    outage = {} if step is None else {"step": step}

    def build(world: Any) -> Any:
        first = world.provider("first", faults=[Outage(20, 200, **outage)], priority=1, timeout=1.0)
        second = world.provider("second", faults=[Outage(20, 120, **outage)], priority=2, timeout=1.0)
        return world.manager([first, second])

    report = simulate(build, rate=5, seconds=260, seed=3)
    assert report.success_rate(0, 20) == 1.0
    assert report.success_rate(25, 115) == 0.0
    assert report.success_rate(122, 260) == pytest.approx(1.0, abs=0.01)
    during = report.attempts("second")[40:120]
    assert all(map(any, pairwise(during))), "asked in every two seconds of the outage"
    assert max(during) <= 5, "and by one call at a time"
