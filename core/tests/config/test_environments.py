from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from switchgear.config import from_mapping
from switchgear.config.environments import choose, merge

TABLES = st.recursive(
    st.integers() | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
TABLE = st.dictionaries(st.sampled_from("abc"), TABLES, max_size=3)


@given(TABLE)
def test_merging_nothing_or_itself_changes_nothing(table: dict[str, Any]) -> None:
    assert merge(table, {}) == merge({}, table) == merge(table, table) == table


@given(TABLE, TABLE)
def test_the_overlay_wins_and_nothing_else_is_lost(base: dict[str, Any], overlay: dict[str, Any]) -> None:
    merged = merge(base, overlay)
    assert merged.keys() == base.keys() | overlay.keys()
    for key, value in merged.items():
        if key not in overlay:
            assert value == base[key]
        elif isinstance(overlay[key], dict) and isinstance(base.get(key), dict):
            assert value == merge(base[key], overlay[key])
        else:
            assert value == overlay[key]


@given(TABLE, TABLE)
def test_merging_changes_neither_of_the_two(base: dict[str, Any], overlay: dict[str, Any]) -> None:
    before = repr((base, overlay))
    merge(base, overlay)
    assert repr((base, overlay)) == before


def test_lists_are_replaced_not_joined() -> None:
    assert merge({"a": [1, 2]}, {"a": [3]}) == {"a": [3]}


@pytest.mark.parametrize(
    ("named", "environ", "own", "chosen"),
    [
        ("prod", {"SWITCHGEAR_ENV": "staging"}, "dev", "prod"),
        (None, {"SWITCHGEAR_ENV": "staging"}, "dev", "staging"),
        (None, {"SWITCHGEAR_ENV": ""}, "dev", "dev"),
        (None, {}, None, None),
    ],
)
def test_the_caller_wins_over_the_variable_and_the_variable_over_the_file(
    named: str | None, environ: dict[str, str], own: str | None, chosen: str | None
) -> None:
    choice = choose(named, environ, own, ["dev", "staging", "prod"])
    assert choice.name == chosen
    assert choice.problem is None


def test_an_undeclared_environment_is_an_error_with_the_nearest_spelling() -> None:
    problem = choose("prdo", {}, None, ["prod", "staging"]).problem
    assert problem is not None
    assert problem.path == "environment"
    assert "'prdo'" in problem.message
    assert "Did you mean prod?" in problem.remedy


def test_an_environment_from_the_variable_must_be_declared_too() -> None:
    problem = choose(None, {"SWITCHGEAR_ENV": "prod"}, "dev", []).problem
    assert problem is not None
    assert problem.path == "SWITCHGEAR_ENV"


def test_the_file_may_name_its_tables_as_they_stand_without_declaring_an_overlay() -> None:
    assert choose(None, {}, "dev", ["prod"]).problem is None
    assert choose("dev", {}, "dev", ["prod"]).problem is None
    assert choose(None, {}, "dev", []).problem is None


@pytest.mark.parametrize("own", ["production", "prdo", "prodd", "pro"])
def test_a_name_in_the_file_that_looks_like_a_declared_one_does_not_quietly_run_without_its_overlay(own: str) -> None:
    problem = choose(None, {}, own, ["prod"]).problem
    assert problem is not None
    assert problem.path == "switchgear.environment"


def test_an_overlay_changes_what_it_names_and_leaves_the_rest(service: dict[str, Any]) -> None:
    tables = service | {"environments": {"prod": {"services": {"scans": {"strategy": "quality"}}}}}
    scans = from_mapping(tables, environment="prod", environ={}).resolve().settings.services["scans"]
    assert scans.strategy.type == "quality"
    assert scans.capability == "ocr"


def test_settings_carry_the_environment_in_use_however_it_was_chosen(service: dict[str, Any]) -> None:
    tables = service | {"switchgear": {"environment": "dev"}, "environments": {"prod": {}}}
    loaded = from_mapping(tables, environ={"SWITCHGEAR_ENV": "prod"}).resolve()
    assert loaded.settings.switchgear.environment == loaded.document.environment == "prod"


def test_the_file_may_take_its_environment_from_a_variable(service: dict[str, Any]) -> None:
    tables = service | {
        "switchgear": {"environment": "${STAGE:-dev}"},
        "environments": {"prod": {"services": {"scans": {"strategy": "cost"}}}},
    }
    loaded = from_mapping(tables, environ={"STAGE": "prod"}).resolve()
    assert loaded.settings.services["scans"].strategy.type == "cost"
    assert from_mapping(tables, environ={}).resolve().settings.switchgear.environment == "dev"


def test_problems_of_the_overlay_in_use_are_placed_in_the_overlay(service: dict[str, Any], refusals: Any) -> None:
    tables = service | {"environments": {"prod": {"services": {"scans": {"deadline": 3}, "more": {}}}}}
    assert list(refusals(tables, environment="prod")) == [
        "environments.prod.services.scans.deadline",
        "environments.prod.services.more.providers",
        "environments.prod.services.more.capability",
    ]


def test_overlays_not_in_use_are_checked_all_the_same(service: dict[str, Any], refusals: Any) -> None:
    overlay = {"services": {"scans": {"stratgy": "cost", "providers": {"fast": {"priority": "1"}, "new": {}}}}}
    found = refusals(service | {"environments": {"prod": overlay}})
    assert found.keys() == {
        "environments.prod.services.scans.stratgy",
        "environments.prod.services.scans.providers.fast.priority",
        "environments.prod.services.scans.providers.new.type",
    }
    assert "Did you mean strategy?" in found["environments.prod.services.scans.stratgy"].remedy


def test_variables_that_only_another_environment_uses_need_not_be_set(service: dict[str, Any]) -> None:
    provider = {"options": {"key": "${PROD_KEY}"}, "priority": "${PROD_PRIORITY}", "timeout": "${PROD_TIMEOUT}"}
    tables = service | {"environments": {"prod": {"services": {"scans": {"providers": {"fast": provider}}}}}}
    assert from_mapping(tables, environ={}).resolve().settings.environments["prod"]


def test_a_misspelled_environments_table_is_an_unknown_key(service: dict[str, Any], refusals: Any) -> None:
    found = refusals(service | {"environmens": {"prod": {}}})
    assert "Did you mean environments?" in found["environmens"].remedy


def test_an_environment_that_is_no_table_is_an_error(service: dict[str, Any], refusals: Any) -> None:
    assert "expected a table" in refusals(service | {"environments": {"prod": 1}})["environments.prod"].message


def test_overrides_win_over_the_overlay(service: dict[str, Any]) -> None:
    tables = service | {"environments": {"prod": {"services": {"scans": {"strategy": "cost"}}}}}
    overrides = {"services": {"scans": {"strategy": "speed"}}}
    document = from_mapping(tables, environment="prod", environ={}, overrides=overrides)
    assert document.resolve().settings.services["scans"].strategy.type == "speed"
