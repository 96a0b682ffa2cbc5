"""The settings of the mechanisms: what they are without a word, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest
from switchgear import Breaker, Hedge, Policies, Rate, Retry
from switchgear.config.settings import Provider
from switchgear.durations import Duration
from switchgear.policies.health import Health

# At each bound, the last value that is possible and the first that is not.
BOUNDS: list[tuple[Callable[..., Any], str, float, float]] = [
    (Breaker, "ratio", 1e-9, 0.0),
    (Breaker, "ratio", 1.0, 1.0000001),
    (Breaker, "min_calls", 1, 0),
    (Breaker, "consecutive", 1, 0),
    (Breaker, "slow_ratio", 1e-9, 0.0),
    (Breaker, "slow_ratio", 1.0, 1.0000001),
    (Breaker, "successes", 1, 0),
    (Retry, "attempts", 1, 0),
    (Retry, "call_attempts", 1, 0),
    (Retry, "budget", 0.0, -1e-9),
    (Retry, "earn", 0.0, -1e-9),
    (Rate, "calls", 1, 0),
    (Rate, "burst", 1, 0),
    (Hedge, "percentile", 1e-9, 0.0),
    (Hedge, "percentile", 0.9999999, 1.0),
    (Hedge, "share", 1e-9, 0.0),
    (Hedge, "share", 1.0, 1.0000001),
    (Hedge, "min_samples", 1, 0),
]


def made(settings: Callable[..., Any], **values: float) -> Any:
    return settings(**{"calls": 1, **values} if settings is Rate else values)


@pytest.mark.parametrize(("settings", "name", "last", "beyond"), BOUNDS)
def test_a_number_is_taken_up_to_its_bound_and_not_beyond(
    settings: Callable[..., Any], name: str, last: float, beyond: float
) -> None:
    assert getattr(made(settings, **{name: last}), name) == last
    with pytest.raises(ValueError, match=name):
        made(settings, **{name: beyond})


def test_the_defaults_are_those_of_the_rules() -> None:
    """S5, S6, S8, S11, S12, S14, S18, S19 and S26 name them."""
    assert Retry() == Retry(attempts=3, call_attempts=6, base=Duration(0.1), cap=Duration(20.0), budget=100.0, earn=0.1)
    assert Breaker() == Breaker(
        enabled=True,
        ratio=0.5,
        min_calls=10,
        window=Duration(30.0),
        consecutive=5,
        slow_after=None,
        slow_ratio=0.8,
        open_for=Duration(5.0),
        open_cap=Duration(300.0),
        successes=2,
        lease=Duration(60.0),
        ramp=Duration(10.0),
    )
    assert Hedge() == Hedge(percentile=0.95, share=0.05, min_samples=20)
    assert Rate(calls=1) == Rate(calls=1, per=Duration(1.0), burst=1)
    assert Health() == Health(interval=Duration(30.0), timeout=Duration(5.0))
    assert Policies() == Policies(retry=Retry(), breaker=Breaker(), rate=None, queue=1000, cool_down=300.0)


def test_settings_show_what_differs_from_their_defaults_and_no_options_that_may_be_secrets() -> None:
    assert repr(Retry()) == "Retry()"
    assert repr(Retry(attempts=2)) == "Retry(attempts=2)"
    provider = Provider(type="tesseract", retry=Retry(attempts=1), options={"key": "planted"})
    assert repr(provider) == "Provider(type='tesseract', retry=Retry(attempts=1))"
