from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, NewType
from uuid import UUID

import attrs
import pytest
from attrs import validators
from hypothesis import given
from hypothesis import strategies as st
from switchgear.config import Duration, structure
from switchgear.config.templates import Interpolated
from switchgear.errors import ConfigError, Problem
from switchgear.policies.retry import Retry
from switchgear.rules import Rule
from switchgear.secret import Secret


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1


class Mode(StrEnum):
    FAST = "fast"


class Label(str):
    __slots__ = ()


Port = NewType("Port", int)
Even = Annotated[int, Rule("an even number", lambda value: value % 2 == 0)]


def from_variable(text: str) -> Interpolated:
    return Interpolated(text, "${X}", whole=True)


def problems(raw: object, wanted: Any, path: str = "key") -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        structure(raw, wanted, path)
    return list(caught.value.problems)


def refusal(raw: object, wanted: Any) -> str:
    (problem,) = problems(raw, wanted)
    return str(problem)


@pytest.mark.parametrize(
    ("wanted", "raw", "value"),
    [
        (str, "a", "a"),
        (str, from_variable("a"), "a"),
        (bool, True, True),
        (bool, from_variable("false"), False),
        (int, 3, 3),
        (int, from_variable("0x10"), 16),
        (float, 0.5, 0.5),
        (float, 3, 3.0),
        (float, from_variable("1e3"), 1000.0),
        (float, from_variable("2"), 2.0),
        (Decimal, "0.0015", Decimal("0.0015")),
        (Decimal, 3, Decimal(3)),
        (Decimal, from_variable("1.50"), Decimal("1.50")),
        (Duration, "1h30m", 5400.0),
        (Duration, from_variable("10s"), 10.0),
        (Duration | None, "none", None),
        (Duration | None, None, None),
        (Path, "a/b", Path("a/b")),
        (Secret, "s", Secret("s")),
        (Secret, Secret("s"), Secret("s")),
        (datetime, datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)),
        (datetime, "2024-01-02T03:04:05+00:00", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (date, "2024-01-02", date(2024, 1, 2)),
        (time, time(3, 4), time(3, 4)),
        (Colour, "red", Colour.RED),
        (Level, 1, Level.LOW),
        (Level, from_variable("1"), Level.LOW),
        (Mode, "fast", Mode.FAST),
        (Label, "a", Label("a")),
        (Port, 80, 80),
        (Even, 4, 4),
        (Literal["a", 1], 1, 1),
        (Literal["a", "b"], from_variable("b"), "b"),
        (Any, {"a": [1]}, {"a": [1]}),
        (str | None, None, None),
        (int | str, "5", "5"),
        (int | str, 5, 5),
        (str | int, 5, 5),
        (float | int, 5, 5),
        (str | list[str], ["a"], ["a"]),
        (dict[str, int] | str, {"a": 1}, {"a": 1}),
        (list, [1, "a"], [1, "a"]),
        (list[int], [1, 2], [1, 2]),
        (Sequence[int], [1, 2], (1, 2)),
        (tuple[int, ...], [1, 2], (1, 2)),
        (tuple[int, str], [1, "a"], (1, "a")),
        (tuple[str, ...], ("a",), ("a",)),
        (set[str], ["a", "a"], {"a"}),
        (frozenset[str], ["a"], frozenset({"a"})),
        (dict, {"a": 1}, {"a": 1}),
        (dict[str, list[int]], {"a": [1]}, {"a": [1]}),
        (Mapping[str, int], {"a": 1}, {"a": 1}),
    ],
)
def test_a_right_value_becomes_its_type(wanted: Any, raw: Any, value: Any) -> None:
    found = structure(raw, wanted)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("wanted", "raw", "says"),
    [
        (str, 1, "key: expected a string, got 1. Put it in quotes"),
        (str, None, "key: expected a string, got None"),
        (bool, "false", "key: expected true or false, got 'false'. Write false without quotes"),
        (bool, 0, "key: expected true or false, got 0"),
        (bool, from_variable("no"), "key: expected true or false, got '${X}'"),
        (int, True, "key: expected an integer, got True"),
        (int, 3.0, "key: expected an integer, got 3.0"),
        (int, "3", "key: expected an integer, got '3'. Write 3 without quotes"),
        (int, from_variable("3.9"), "key: expected an integer, got '${X}'"),
        (int, Interpolated("13", "1${X}"), "key: expected an integer, got '1${X}'"),
        (float, "0.5", "key: expected a number, got '0.5'. Write 0.5 without quotes"),
        (float, True, "key: expected a number, got True"),
        (float, float("nan"), "key: expected a number, got nan"),
        (float, float("inf"), "key: expected a number, got inf"),
        (Decimal, 0.1, 'key: expected an exact number, got 0.1. Quote it, so that it stays exact: "0.1"'),
        (Decimal, "one", "key: expected an exact number, got 'one'. Write it like \"0.0015\""),
        (Decimal, "NaN", "key: expected an exact number, got 'NaN'. Write it like \"0.0015\""),
        (Decimal, True, 'key: expected an exact number, got True. Write it like "0.0015"'),
        (
            Duration,
            30,
            'key: expected a duration such as "250ms", "30s", "5m", "1h30m" or "7d", got 30. Write 30 seconds as "30s"',
        ),
        (
            Duration | None,
            from_variable("30"),
            'key: expected a duration such as "250ms", "30s", "5m", "1h30m" or "7d", got \'${X}\'',
        ),
        (Colour, "rde", "key: expected one of 'red', 'blue', got 'rde'"),
        (Level, True, "key: expected one of 1, got True"),
        (Literal[1], True, "key: expected one of 1, got True"),
        (Literal["a"], 1, "key: expected one of 'a', got 1"),
        (Even, 3, "key: expected an even number, got 3"),
        (datetime, "soon", "key: expected a date with a time, got 'soon'"),
        (date, datetime(2024, 1, 2, tzinfo=UTC), "key: expected a date, got datetime.datetime(2024, 1, 2"),
        (list[str], "abc", "key: expected a list, got 'abc'"),
        (tuple[str, ...], {"a": 1}, "key: expected a list, got a table"),
        (tuple[int, str], [1], "key: expected a list of 2, got one of 1"),
        (dict[str, int], [1], "key: expected a table, got a list"),
        (int | str, 1.5, "key: expected an integer or a string, got 1.5"),
        (str | None, 5, "key: expected a string, got 5. Put it in quotes"),
        (str, "a" * 1000, None),
        (int, "a" * 1000, f"key: expected an integer, got '{'a' * 56}..."),
    ],
)
def test_a_wrong_value_is_shown_with_what_was_expected(wanted: Any, raw: Any, says: str | None) -> None:
    if says is None:
        assert structure(raw, wanted) == raw
    else:
        assert refusal(raw, wanted).startswith(says)


@pytest.mark.parametrize("wanted", [list[int], tuple[int, ...], tuple[int, int, int], set[int]])
def test_every_wrong_item_of_a_list_is_reported_at_its_index(wanted: Any) -> None:
    assert [problem.path for problem in problems([1, "a", 2.5], wanted)] == ["key[1]", "key[2]"]


def test_every_wrong_value_of_a_table_is_reported_at_its_key() -> None:
    raw = {"a": 1, "b": "x", "c.d": {"deep": True}}
    assert [problem.path for problem in problems(raw, dict[str, int])] == ["key.b", "key.'c.d'"]


@attrs.frozen
class Inner:
    size: int
    names: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Outer:
    inner: Inner = attrs.field(metadata={"help": "the inner table"})
    others: dict[str, Inner] = attrs.Factory(dict)
    level: int = attrs.field(default=1, validator=[validators.ge(0), validators.le(9)])
    ratio: float | None = attrs.field(default=None, validator=validators.optional(validators.lt(1)))
    mode: str = attrs.field(default="a", validator=validators.in_(["a", "b"]))
    code: str = attrs.field(default="x", validator=validators.matches_re("[a-z]+"))
    _hidden: int = 0
    key: Secret = attrs.field(default=Secret(""), validator=validators.instance_of(Secret))
    child: "Outer | None" = None
    made: int = attrs.field(default=5, init=False)

    def __attrs_post_init__(self) -> None:
        if self.inner.size > 100:
            raise ValueError(f"size {self.inner.size} and level {self.level} do not go together")


def test_tables_become_classes_with_their_defaults() -> None:
    raw = {"inner": {"size": 1, "names": ["a"]}, "others": {"x": {"size": 2}}, "hidden": 3, "key": "s"}
    outer = structure(raw, Outer)
    assert outer == Outer(inner=Inner(1, ("a",)), others={"x": Inner(2)}, hidden=3, key=Secret("s"))


def test_a_class_may_hold_itself() -> None:
    outer = structure({"inner": {"size": 1}, "child": {"inner": {"size": 2}}}, Outer)
    assert outer.child is not None
    assert outer.child.inner.size == 2
    assert problems({"inner": {"size": 1}, "child": {"inner": {}}}, Outer, "")[0].path == "child.inner.size"


def test_everything_wrong_is_reported_in_one_run_at_its_full_path() -> None:
    raw = {
        "inner": {"size": "1", "colour": 1},
        "others": {"x": {}, "y z": {"size": 1, "names": ["a", 2]}},
        "level": 10,
        "ratio": 1.5,
        "mode": "c",
        "code": "X",
        "hiddn": 1,
        "made": 1,
    }
    found = {problem.path: str(problem) for problem in problems(raw, Outer, "root")}
    assert found == {
        "root.inner.size": "root.inner.size: expected an integer, got '1'. Write 1 without quotes",
        "root.inner.colour": "root.inner.colour: unknown key. Valid here: names, size",
        "root.others.x.size": "root.others.x.size: missing, expected an integer. Add size",
        "root.others.'y z'.names[1]": "root.others.'y z'.names[1]: expected a string, got 2. Put it in quotes",
        "root.level": "root.level: expected a value <= 9, got 10",
        "root.ratio": "root.ratio: expected a value < 1, got 1.5",
        "root.mode": "root.mode: expected one of 'a', 'b', got 'c'",
        "root.code": found["root.code"],
        "root.hiddn": "root.hiddn: unknown key. Did you mean hidden? "
        "Valid here: child, code, hidden, inner, key, level, mode, others, ratio",
        "root.made": found["root.made"],
    }
    assert "got 'X'" in found["root.code"]


def test_a_missing_key_is_reported_with_what_it_is_for() -> None:
    assert refusal({}, Outer) == "key.inner: missing, expected a table. Add inner: the inner table"


def test_something_else_than_a_table_is_refused() -> None:
    assert refusal([{"size": 1}], Inner) == "key: expected a table, got a list"
    assert refusal({"inner": 1}, Outer) == "key.inner: expected a table, got an integer"


def test_what_the_class_itself_refuses_is_reported_at_its_table() -> None:
    assert refusal({"inner": {"size": 101}}, Outer) == "key: refused: size 101 and level 1 do not go together"


def test_what_the_class_says_about_a_value_from_a_reference_is_not_shown() -> None:
    hidden = "key: refused with ValueError; its text is not shown, since a value here came out of ${...}"
    assert refusal({"inner": {"size": from_variable("789")}}, Outer) == hidden
    names = [from_variable("planted")]
    assert refusal({"inner": {"size": 789, "names": names}}, Outer) == hidden


def test_a_class_may_refuse_with_any_exception() -> None:
    @attrs.frozen
    class Odd:
        size: int

        def __attrs_post_init__(self) -> None:
            raise LookupError

    assert refusal({"size": 1}, Odd) == "key: refused with LookupError"


def test_a_bug_of_ours_is_not_passed_off_as_the_authors_mistake() -> None:
    class Broken(dict[str, Any]):
        def items(self) -> Any:
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        structure({"others": Broken(), "inner": {"size": 1}}, Outer)


def test_a_mechanisms_settings_are_read_from_its_own_class() -> None:
    retry = structure({"attempts": 2, "base": "1s"}, Retry)
    assert (retry.attempts, retry.base) == (2, 1.0)
    assert refusal({"base": "0s"}, Retry).startswith("key.base: expected ")


def test_a_type_without_a_strict_hook_is_read_by_cattrs_or_refused_at_its_path() -> None:
    @attrs.frozen
    class Odd:
        data: bytes = b""
        call: Callable[[int], str] | None = None
        id: UUID | None = None

    assert structure({}, Odd) == Odd()
    found = {problem.path: problem.message for problem in problems({"data": "a", "call": "print", "id": "x"}, Odd)}
    assert found["key.data"] == "cannot be read, TypeError"
    assert "cannot come from a file" in found["key.call"]
    assert found.keys() >= {"key.data", "key.call", "key.id"}


@attrs.frozen
class Named:
    SHORT_FORM = "type"

    type: str = attrs.field(validator=validators.min_len(1))
    options: dict[str, Any] = attrs.Factory(dict)


def test_a_class_with_a_short_form_takes_a_bare_text() -> None:
    assert structure("a", Named) == structure({"type": "a"}, Named) == Named("a")
    assert refusal(3, Named) == "key: expected a name or a table, got an integer"
    assert refusal("", Named) == "key.type: expected what passes the min_len validator for 1, got ''"


SINGLE_TYPES: list[Any] = [str, bool, int, float, Decimal, Duration, Path, Secret, Colour, Level, Mode]
SINGLE_TYPES += [datetime, date, time, Label, Port, Even, Literal["a"], Duration | None, int | None, int | str, Any]


class TestUnknownValues:
    """What `check --without-secrets` does not look up passes wherever one value can stand."""

    @pytest.mark.parametrize("wanted", SINGLE_TYPES)
    def test_it_passes_as_any_single_value(self, wanted: Any) -> None:
        structure(Interpolated("${X}", "${X}", known=False), wanted)

    def test_it_passes_every_validator(self) -> None:
        unknown = Interpolated("${X}", "${X}", known=False)
        structure({"inner": {"size": 1}, "level": unknown, "mode": unknown, "code": unknown}, Outer)

    @pytest.mark.parametrize("wanted", [list[str], dict[str, str], Inner])
    def test_it_is_no_list_and_no_table(self, wanted: Any) -> None:
        assert "${X}" in refusal(Interpolated("${X}", "${X}", known=False), wanted) or problems("${X}", wanted)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.decimals()
RAW = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8
)


@given(RAW, st.sampled_from([*SINGLE_TYPES, list[int], dict[str, int], Outer]))
def test_any_value_is_structured_or_refused_with_problems(raw: Any, wanted: Any) -> None:
    with suppress(ConfigError):
        structure(raw, wanted, "key")
        return
    assert all(problem.path.startswith("key") for problem in problems(raw, wanted))


@given(RAW, st.sampled_from([str, bool, int]))
def test_a_strict_type_takes_only_its_own_values_and_changes_nothing(raw: Any, wanted: type) -> None:
    with suppress(ConfigError):
        assert structure(raw, wanted) == raw
        assert type(raw) is wanted
