"""How often a provider is looked at (S26)."""

import random
from itertools import pairwise

from switchgear.durations import Duration
from switchgear.policies.health import Health


def test_s26_checks_come_a_fifth_early_or_late_so_that_processes_do_not_keep_step() -> None:
    dice = random.Random(3)
    pauses = [Health(interval=Duration(30.0)).pause(dice) for _ in range(2000)]
    assert 24.0 <= min(pauses) < 24.1
    assert 35.9 < max(pauses) <= 36.0
    assert all(one != other for one, other in pairwise(pauses))
