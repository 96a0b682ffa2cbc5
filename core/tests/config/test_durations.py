from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from switchgear.config import parse_duration, spell_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("10s", 10.0),
        ("5m", 300.0),
        ("1h", 3600.0),
        ("7d", 604800.0),
        ("1h30m", 5400.0),
        ("1.5s", 1.5),
        ("1m500ms", 60.5),
        ("0s", 0.0),
    ],
)
def test_units_say_what_a_number_means(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "s", "-1s", "+1s", "1 s", "1S", "1w", "30m1h", "1m1m", "1h,30m", "٣s", "1e3s", "1s\n"]
)
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["30", "0", "1.5"])
def test_a_bare_number_has_no_unit(text: str) -> None:
    with pytest.raises(ValueError, match="no unit"):
        parse_duration(text)


@given(st.integers(min_value=0, max_value=10**12))
def test_a_spelled_duration_reads_back_the_same(milliseconds: int) -> None:
    seconds = milliseconds / 1000
    assert parse_duration(spell_duration(seconds)) == seconds


@given(st.from_regex(r"[0-9.dhms]+", fullmatch=True) | st.text(max_size=20))
def test_a_text_is_read_or_refused_and_the_refusal_does_not_repeat_it(text: str) -> None:
    with suppress(ValueError):
        assert parse_duration(text) >= 0
        return
    with pytest.raises(ValueError, match=r"^(no unit|not a duration)$"):
        parse_duration(text)
