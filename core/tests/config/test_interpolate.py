import copy
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from switchgear.config.interpolate import Interpolation, IsActive, always_active, interpolate
from switchgear.config.references import References
from switchgear.config.templates import Interpolated, literal


def fill(
    tables: Mapping[str, Any], *, is_active: IsActive = always_active, offline: bool = False, **environ: str
) -> Interpolation:
    references = References(environ=environ, directory=Path(), offline=offline)
    return interpolate(tables, references, is_active=is_active)


def filled(template: str, **environ: str) -> Any:
    return interpolate({"key": template}, References(environ=environ, directory=Path())).tables["key"]


def refusal(template: str) -> tuple[str, str]:
    (problem,) = fill({"table": {"key": template}}).problems
    assert problem.path == "table.key"
    return problem.message, problem.remedy


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain", "plain"),
        ("${NAME}", "value"),
        ("a-${NAME}-b-${NAME}", "a-value-b-value"),
        ("${MISSING:-default}", "default"),
        ("${EMPTY:-default}", "default"),
        ("${EMPTY}", ""),
        ("${NAME:-default}", "value"),
        ("${MISSING:-}", ""),
        ("${MISSING:-a:-b $ c}", "a:-b $ c"),
        ("$${NAME}", "${NAME}"),
        ("$$${NAME}", "$value"),
        ("100 $", "100 $"),
        ("^a$$|b$", "^a$|b$"),
        ("$NAME", "$NAME"),
    ],
)
def test_references_are_filled_in(template: str, text: str) -> None:
    assert filled(template, NAME="value", EMPTY="") == text


def test_what_comes_out_is_not_filled_in_again() -> None:
    assert filled("${NAME}", NAME="${OTHER} $$", OTHER="x") == "${OTHER} $$"


@given(st.text())
def test_a_text_with_its_dollars_doubled_means_itself(text: str) -> None:
    assert filled(text.replace("$", "$$")) == text


@given(st.text())
def test_any_text_is_filled_in_or_refused_with_its_place(text: str) -> None:
    found = fill({"key": text})
    assert all(problem.path == "key" and problem.remedy for problem in found.problems)
    if "${" not in text.replace("$$", ""):
        assert not found.problems


def test_an_unset_variable_is_a_problem_that_says_what_to_do() -> None:
    message, remedy = refusal("${API_KEY}")
    assert message == "${API_KEY} is not set"
    assert remedy == "Set API_KEY in the environment or in .env beside the file, or write ${API_KEY:-default}"


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("${", "without its }"),
        ("${NAME", "without its }"),
        ("${}", "${} is not a reference"),
        ("${two words}", "is not a reference"),
        ("${1NAME}", "is not a reference"),
        ("${NAME-default}", "is not a reference"),
        ("${A:-${B}}", "holds another ${"),
    ],
)
def test_a_malformed_reference_is_a_problem_not_a_text(template: str, says: str) -> None:
    message, remedy = refusal(template)
    assert says in message
    assert remedy


def test_every_unset_variable_of_one_text_is_reported() -> None:
    assert len(fill({"key": "${A} ${B} ${A}"}).problems) == 3


def test_lists_and_inner_tables_are_filled_in_but_keys_are_not() -> None:
    tables = {"${A}": [{"x": "${A}"}, ["${A}", 1, True, None]]}
    assert fill(tables, A="a").tables == {"${A}": [{"x": "a"}, ["a", 1, True, None]]}


def test_a_problem_in_a_list_or_under_an_odd_key_has_its_path() -> None:
    (problem,) = fill({"table": {"my key": [{"x": ["${A}"]}]}}).problems
    assert problem.path == "table.'my key'[0].x[0]"


def test_the_tables_given_are_not_changed() -> None:
    tables = {"a": {"enabled": "${X}", "b": ["${X}"]}}
    before = copy.deepcopy(tables)
    fill(tables, X="false")
    assert tables == before


def test_what_was_filled_in_shows_its_template() -> None:
    value = filled("key-${NAME}", NAME="secret")
    assert value == "key-secret"
    assert repr(value) == "'key-${NAME}'"
    assert repr({"options": [value]}) == "{'options': ['key-${NAME}']}"


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_a_copy_still_shows_its_template(clone: Any) -> None:
    value = clone(filled("${NAME}", NAME="7"))
    assert (value, repr(value), value.whole, value.known) == ("7", "'${NAME}'", True, True)


class TestSwitchedOff:
    def test_an_unset_variable_in_a_table_that_is_off_is_no_problem(self) -> None:
        found = fill({"services": {"a": {"enabled": False, "options": {"key": "${UNSET}"}}}})
        assert not found.problems
        assert found.inactive == {"services.a"}

    def test_its_templates_stay_and_its_escapes_do_not(self) -> None:
        table = fill({"a": {"enabled": False, "x": ["${UNSET}", "$$"], "y": 1}}).tables["a"]
        assert table == {"enabled": False, "x": ["${UNSET}", "$"], "y": 1}
        assert isinstance(table["x"][0], Interpolated)
        assert not table["x"][0].known

    def test_a_variable_can_switch_it_off(self) -> None:
        tables = {"a": {"key": "${UNSET}", "enabled": "${USE_A:-true}"}}
        assert not fill(tables, USE_A="false").problems
        assert fill(tables, USE_A="false").tables["a"]["enabled"] == "false"
        assert len(fill(tables).problems) == 1

    def test_a_quoted_false_does_not_switch_it_off(self) -> None:
        assert fill({"a": {"enabled": "false", "key": "${UNSET}"}}).problems

    def test_a_predicate_can_switch_off_more_and_sees_the_type_filled_in(self) -> None:
        seen = {}

        def is_active(path: tuple[str | int, ...], table: Mapping[str, Any]) -> bool:
            seen[path] = table.get("type")
            return table.get("type") != "legacy"

        tables = {"services": {"a": {"type": "${KIND}", "key": "${UNSET}"}, "b": [{"type": "new"}]}}
        found = fill(tables, is_active=is_active, KIND="legacy")
        assert not found.problems
        assert found.inactive == {"services.a"}
        assert seen == {
            ("services",): None,
            ("services", "a"): "legacy",
            ("services", "b", 0): "new",
        }

    def test_enabled_inside_a_plugins_options_is_the_plugins_own(self) -> None:
        tables = {"a": {"type": "x", "options": {"cache": {"enabled": False, "url": "${URL}"}}}}
        assert fill(tables, URL="u").tables["a"]["options"]["cache"]["url"] == "u"

    @pytest.mark.parametrize("name", ["options", "type", "enabled"])
    def test_a_table_of_any_name_can_be_switched_off(self, name: str) -> None:
        tables = {"services": {name: {"type": "x", "enabled": False, "key": "${UNSET}"}}}
        assert fill(tables).inactive == {f"services.{name}"}
        on = {"services": {name: {"type": "x", "key": "${KEY}"}}}
        assert fill(on, KEY="k").tables["services"][name]["key"] == "k"


class TestOffline:
    def test_what_is_unset_keeps_its_template_and_is_no_problem(self) -> None:
        found = fill({"a": "${UNSET}", "b": "x${file:key}", "c": "${store:name#key}"}, offline=True)
        assert not found.problems
        assert found.tables == {"a": "${UNSET}", "b": "x${file:key}", "c": "${store:name#key}"}

    def test_what_is_set_is_filled_in(self) -> None:
        assert fill({"a": "${SET} ${UNSET:-b}"}, offline=True, SET="a").tables == {"a": "a b"}

    def test_a_malformed_reference_is_still_a_problem(self) -> None:
        assert fill({"a": "${not one}"}, offline=True).problems


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-7", -7),
        ("1_000", 1000),
        ("0x1f", 31),
        ("3.9", 3.9),
        ("1e3", 1000.0),
        ("true", True),
        ("false", False),
        ("True", "True"),
        ("yes", "yes"),
        ("", ""),
        (" 1", " 1"),
        ("01", "01"),
        ("1 # one", "1 # one"),
        ("2020-01-01", "2020-01-01"),
        ("[1]", "[1]"),
        ("inf", "inf"),
        ("1\nx = 2", "1\nx = 2"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_a_literal_is_what_toml_says_it_is(text: str, value: object) -> None:
    found = literal(text)
    assert found == value
    assert type(found) is type(value)
