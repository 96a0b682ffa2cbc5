"""Entries as bytes: everything comes back as it was, and nothing else comes back at all."""

import pickle
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from switchgear import Entry
from switchgear.cache import Unreadable
from switchgear.caching.codec import Codec

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Script(Enum):
    LATIN = "latin"


@attrs.frozen
class Word:
    text: str
    box: tuple[int, int, int, int] = (0, 0, 1, 1)
    confidence: float | None = None


@attrs.frozen
class Everything:
    words: tuple[Word, ...]
    notes: dict[str, list[int]]
    amount: Decimal
    moment: datetime
    day: date
    hour: time
    length: timedelta
    path: Path
    id: UUID
    script: Script
    raw: bytes
    tags: frozenset[str]
    maybe: Word | None = None


FULL = Everything(
    words=(Word("ü", (1, 2, 3, 4), 0.5), Word("")),
    notes={"a": [1, 2]},
    amount=Decimal("1.50"),
    moment=NOW,
    day=NOW.date(),
    hour=time(3, 4),
    length=timedelta(days=-1, microseconds=3),
    path=Path("a/b"),
    id=UUID(int=7),
    script=Script.LATIN,
    raw=bytes(range(256)),
    tags=frozenset({"x", "y"}),
)


def there_and_back(output: Any, output_type: Any, age: float = 0.0) -> Entry:
    codec = Codec(output_type)
    assert codec.trouble == ""
    data = codec.encode("key", Entry(output=output, provider="a", ttl=60.0), age, None, NOW)
    return codec.decode("key", data, 1000.0, NOW)


@pytest.mark.parametrize("maybe", [None, Word("word")])
def test_every_type_comes_back_as_it_was(maybe: Word | None) -> None:
    output = attrs.evolve(FULL, maybe=maybe)
    assert there_and_back(output, Everything).output == output


@given(st.text())
def test_any_text_comes_back_as_it_was(text: str) -> None:
    assert there_and_back(text, str).output == text


def test_its_age_is_that_of_the_calendar_and_its_moments_those_of_this_process() -> None:
    entry = there_and_back("text", str, age=12.5)
    assert entry.stored == pytest.approx(987.5)
    assert entry.until == float("inf")


@pytest.mark.parametrize(("seconds", "readable"), [(-1.0, True), (-3.0, False)])
def test_a_calendar_that_is_a_little_behind_is_no_reason_to_distrust(seconds: float, readable: bool) -> None:
    codec = Codec(str)
    data = codec.encode("key", Entry(output="text", provider="a"), 0.0, None, NOW)
    read = NOW + timedelta(seconds=seconds)
    if readable:
        assert codec.decode("key", data, 1000.0, read).stored == 1000.0
    else:
        with pytest.raises(Unreadable, match="future"):
            codec.decode("key", data, 1000.0, read)


def test_large_entries_are_compressed() -> None:
    codec = Codec(str)
    small, large = (
        len(codec.encode("key", Entry(output=text, provider="a"), 0, None, NOW)) for text in ("a", "a" * 50_000)
    )
    assert large < small + 500


@pytest.mark.parametrize(
    "wrong",
    [1, ["a"], {"text": 1}, {"text": "a", "more": 1}, {"box": [0, 0, 1, 1]}, {"text": "a", "box": [0, 0, 1]}, None],
)
def test_what_no_longer_fits_the_type_is_no_entry(wrong: Any) -> None:
    data = Codec(object).encode("key", Entry(output=wrong, provider="a"), 0.0, None, NOW)
    with pytest.raises(Unreadable):
        Codec(Word).decode("key", data, 0.0, NOW)


def test_a_pickle_is_never_opened() -> None:
    trap = pickle.dumps(Trap())
    with pytest.raises(Unreadable):
        Codec(object).decode("key", trap, 0.0, NOW)


class Trap:
    def __reduce__(self) -> Any:
        return pytest.fail, ("unpickled",)


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("switchgear.caching.codec._MOST", 1000)
    codec = Codec(str)
    data = codec.encode("key", Entry(output="a" * 50_000, provider="a"), 0.0, None, NOW)
    with pytest.raises(Unreadable, match="too large"):
        codec.decode("key", data, 0.0, NOW)
