"""Leaving a provider alone until a moment (S7)."""

from switchgear.policies.pause import Pause


def test_nobody_is_paused_at_first() -> None:
    assert Pause().until < 0


def test_s7_the_later_of_two_moments_wins_with_its_reason() -> None:
    pause = Pause()
    pause.extend(10.0, "throttled")
    pause.extend(300.0, "misconfigured", worth_waiting=False)
    pause.extend(20.0, "throttled", guessed=True)
    assert (pause.until, pause.reason, pause.worth_waiting, pause.guessed) == (300.0, "misconfigured", False, False)


def test_a_moment_that_is_no_number_changes_nothing() -> None:
    pause = Pause()
    pause.extend(float("nan"), "throttled")
    assert pause.until < 0
    pause.extend(5.0, "throttled")
    pause.extend(float("nan"), "throttled")
    assert pause.until == 5.0


def test_at_first_there_is_no_reason_and_a_pause_that_comes_may_be_waited_for() -> None:
    pause = Pause()
    assert (pause.reason, pause.worth_waiting, pause.guessed) == ("", True, False)
    pause.extend(5.0, "throttled")
    assert (pause.reason, pause.worth_waiting, pause.guessed) == ("throttled", True, False)


def test_of_two_for_the_same_moment_the_first_keeps_its_reason() -> None:
    pause = Pause()
    pause.extend(10.0, "misconfigured", worth_waiting=False)
    pause.extend(10.0, "throttled", guessed=True)
    assert (pause.reason, pause.worth_waiting, pause.guessed) == ("misconfigured", False, False)


def test_s16_a_pause_says_from_when_on_somebody_may_try_all_the_same() -> None:
    pause = Pause()
    assert not pause.allows_trial(1e9)
    pause.extend(300.0, "misconfigured", trial_at=30.0)
    assert [pause.allows_trial(now) for now in (29.9, 30.0, 299.0)] == [False, True, True]
    pause.extend(200.0, "throttled", trial_at=10.0)
    assert not pause.allows_trial(29.9), "the later pause is the one that counts, with its own trial"
    pause.extend(400.0, "closed")
    assert not pause.allows_trial(399.0)


def test_s16_a_trial_that_went_well_ends_it() -> None:
    pause = Pause()
    pause.extend(300.0, "misconfigured", trial_at=30.0)
    pause.end()
    assert pause.until < 0
    assert not pause.allows_trial(1e9)
    pause.extend(5.0, "throttled")
    assert pause.until == 5.0
