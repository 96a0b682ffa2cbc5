"""Keys: the same everywhere and for ever, and never the same for two different requests."""

import os
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from switchgear import Capability, Secret, canonical, content_digest, fingerprint_of
from switchgear.caching.keys import Keys
from switchgear.testing import check_fingerprint


class Colour(Enum):
    RED = 1


@attrs.frozen
class Page:
    text: str
    languages: tuple[str, ...] = ()
    dpi: int = attrs.field(default=200, eq=False)
    name: str = attrs.field(default="", metadata={"answer": False})


@dataclass
class Plain:
    text: str
    note: str = field(default="", metadata={"answer": False})


GOLDEN = {
    "text": ("ü", b"s2:\xc3\xbc"),
    "half a character": ("\ud800", b"s3:\xed\xa0\x80"),
    "bytes": (b"\0:", b"b2:\0:"),
    "none": (None, b"n0:"),
    "true": (True, b"t1:1"),
    "one": (1, b"i1:1"),
    "one and a half": (1.5, b"f8:?\xf8\0\0\0\0\0\0"),
    "an amount": (Decimal("1.50"), b"d4:1.50"),
    "a moment": (datetime(2026, 1, 2, 3, tzinfo=UTC), b"D25:2026-01-02T03:00:00+00:00"),
    "a day": (date(2026, 1, 2), b"y10:2026-01-02"),
    "a time": (time(3), b"T8:03:00:00"),
    "a length": (timedelta(days=1, microseconds=1), b"L5:1,0,1"),
    "an id": (uuid.UUID(int=1), b"u36:00000000-0000-0000-0000-000000000001"),
    "a list": (["a", 1], b"l2:s1:ai1:1"),
    "a mapping": ({"b": 1, "a": None}, b"m2:s1:an0:s1:bi1:1"),
    "a set": ({2, 1}, b"S2:i1:1i1:2"),
    "a member": (Colour.RED, b"e10:Colour.RED"),
    "an attrs class": (Page("a", ("eng",)), b"c4:Page3:s4:texts1:as9:languagesl1:s3:engs3:dpii3:200"),
    "a data class": (Plain("a"), b"c5:Plain1:s4:texts1:a"),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_every_kind_of_value_has_one_form_for_ever(name: str) -> None:
    value, expected = GOLDEN[name]
    assert canonical(value) == expected


def test_keys_are_the_same_for_ever() -> None:
    keys = Keys("scans", "ocr", "1")
    assert keys.key(b"s1:a") == "scans:e644e1b5c1423a843b731f453bcf067adea924e2"
    assert keys.key(b"s1:a", "acme") == "scans:ba9c7ba850f4590671e7364de9da335ec9802cbe"


def test_keys_are_the_same_in_every_process() -> None:
    code = (
        "from switchgear import fingerprint_of\n"
        "from switchgear.caching.keys import Keys\n"
        "print(Keys('scans', 'ocr', '1').key(fingerprint_of({'b', 'a', 'c'}), 'acme'))\n"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(found) == 1


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.decimals(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def spelled(value: Any) -> str:
    """Unlike ==, tells 1 from True and 1.0, and 0.0 from -0.0."""
    if isinstance(value, dict):
        return f"{{{sorted((key, spelled(item)) for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{[spelled(item) for item in value]}]"
    return f"{type(value).__name__} {value!r}"


@given(values, values)
def test_two_values_have_the_same_form_only_if_they_are_the_same(one: Any, other: Any) -> None:
    assert (canonical(one) == canonical(other)) == (spelled(one) == spelled(other))
    assert (fingerprint_of(one) == fingerprint_of(other)) == (spelled(one) == spelled(other))


@given(st.text(), st.none() | st.text(), st.text(), st.none() | st.text())
def test_tenants_and_requests_never_run_into_each_other(
    text: str, tenant: str | None, other: str, other_tenant: str | None
) -> None:
    keys = Keys("scans", "ocr", "1")
    same = (text, tenant) == (other, other_tenant)
    assert (keys.key(canonical(text), tenant) == keys.key(canonical(other), other_tenant)) == same


def test_service_capability_version_and_validators_are_in_the_key() -> None:
    scopes = [("ocr", "1"), ("ocr", "2"), ("chat", "1"), ("ocr", "1", "min-coverage")]
    keys = {Keys("scans", *scope).key(b"x") for scope in scopes} | {Keys("other", "ocr", "1").key(b"x")}
    assert len(keys) == 5


@pytest.mark.parametrize(
    "changed", [Page("b"), Page("a", ("eng",)), Page("a", dpi=300), Page("a", ("e", "ng")), Page("a", ("eng", ""))]
)
def test_portkey_every_field_of_a_request_changes_the_fingerprint(changed: Page) -> None:
    assert fingerprint_of(Page("a")) != fingerprint_of(changed)


def test_only_a_field_that_says_so_does_not() -> None:
    assert fingerprint_of(Page("a", name="first")) == fingerprint_of(Page("a", name="second"))
    assert fingerprint_of(Plain("a", "first")) == fingerprint_of(Plain("a", "second"))


def test_the_same_moment_in_two_zones_may_mean_two_answers() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    assert canonical(moment) != canonical(moment.astimezone(timezone(timedelta(hours=1))))


def test_a_file_stands_for_its_content_not_its_name(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"x" * 3_000_000)
    other.write_bytes(b"x" * 3_000_000)
    assert fingerprint_of({"file": one}) == fingerprint_of({"file": other})
    other.write_bytes(b"x" * 2_999_999 + b"y")
    assert content_digest(one) != content_digest(other)
    assert fingerprint_of({"file": one}) != fingerprint_of({"file": other})


def test_a_large_file_is_not_read_into_memory(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "large"
    path.write_bytes(bytes(30_000_000))
    content = bytes(30_000_000)
    tracemalloc.start()
    fingerprint_of({"path": path, "content": content})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3_000_000


@pytest.mark.parametrize("value", [object(), Secret("key"), {"key": Secret("key")}, lambda: None, [open]])
def test_what_has_no_canonical_form_is_refused_without_showing_it(value: Any) -> None:
    with pytest.raises(TypeError) as raised:
        canonical(value)
    assert "0x" not in str(raised.value)


def test_a_capability_has_a_fingerprint_of_all_fields_by_default_and_none_where_that_is_impossible() -> None:
    capability: Capability[Any, Any] = Capability()
    assert capability.fingerprint(Page("a")) == fingerprint_of(Page("a"))
    assert capability.fingerprint(object()) is None


class Reading(Capability[Page, str]):
    name = "reading"
    request_type = Page
    output_type = str


class Forgetful(Reading):
    def fingerprint(self, request: Page) -> bytes:
        return fingerprint_of((request.text, request.languages))


CHANGES = {"text": "b", "languages": ("eng",), "dpi": 300}


def test_a_fingerprint_of_all_fields_passes_the_check() -> None:
    check_fingerprint(Reading(), Page("a"), {**CHANGES, "name": "another"})


@pytest.mark.parametrize(
    ("capability", "changes", "complaint"),
    [
        (Forgetful(), CHANGES, "changing dpi does not change it"),
        (Reading(), {"text": "b"}, "no other value for dpi, languages"),
    ],
)
def test_litellm_42400_a_fingerprint_that_misses_a_field_does_not(
    capability: Any, changes: Any, complaint: str
) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_fingerprint(capability, Page("a"), changes)
    check_fingerprint(Forgetful(), Page("a"), CHANGES, ignored=("dpi",))
