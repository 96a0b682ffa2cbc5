"""What settings and values have in common: how they are compared, and that frozen values are keys."""

from unittest import mock

from switchgear import Retry, StateChange
from switchgear.errors import Problem


def test_values_and_settings_compare_by_their_fields_and_leave_the_rest_to_the_other_side() -> None:
    change = StateChange("scans", "fast", "closed", "open")
    assert change == StateChange("scans", "fast", "closed", "open")
    assert change != StateChange("scans", "good", "closed", "open")
    assert change == mock.ANY
    assert change != "StateChange"
    assert Retry(attempts=2) == Retry(attempts=2) != Retry(attempts=3)


def test_equal_frozen_values_are_one_key() -> None:
    assert len({StateChange("scans", "fast", "closed", "open"), StateChange("scans", "fast", "closed", "open")}) == 1
    assert len({Problem("a", "wrong"), Problem("a", "wrong"), Problem("b", "wrong")}) == 2
