from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from switchgear import Price
from switchgear.config import Component, Settings, from_mapping, load, read
from switchgear.config.wording import bare
from switchgear.costs.prices import PriceTable
from switchgear.errors import ConfigError

# The example of the design, as far as the core's own tables go.
EXAMPLE = """
[switchgear]
environment = "dev"
currency = "USD"
[switchgear.logging]
format = "text"
[plugins]
disable = ["switchgear-legacy"]
require = ["switchgear-rapidocr>=0.1"]

[services.scans]
capability = "ocr"
strategy = { type = "weighted", options = { weights = { fast = 3, good = 1 } } }
deadline = "30s"
validate = [{ type = "min-coverage", options = { threshold = 0.9 } }, "not-empty"]
on_refused = "best"
[services.scans.providers.fast]
type = "tesseract"
enabled = true
priority = 1
quality_score = 0.8
timeout = "10s"
concurrency = 2
cost = { per_page = "0.0015" }
options = { language = "eng" }

[observers.alerts]
type = "webhook"
options = { url = "${ALERT_URL:-http://localhost}" }

[environments.prod.services.scans]
strategy = "quality"
"""

WRONG = """
[switchgear]
currency = "usd"
[services.scans]
capabilit = "ocr"
deadline = 30
[services.scans.providers.fast]
type = "tesseract"
priority = 3.9
options = { key = "${UNSET}" }
[services.empty]
capability = "ocr"
[services.off.providers.a]
type = "x"
enabled = false
[environments.prod.services.scans]
stratgy = "cost"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "switchgear.toml"
    path.write_text(EXAMPLE)
    return path


def test_the_designs_example_loads(file: Path) -> None:
    loaded = load(file, environ={})
    scans = loaded.settings.services["scans"]
    fast = scans.providers["fast"]
    assert loaded.settings.switchgear.logging is not None
    assert loaded.settings.plugins.require == ("switchgear-rapidocr>=0.1",)
    assert scans.strategy == Component("weighted", options={"weights": {"fast": 3, "good": 1}})
    assert scans.deadline == 30.0
    assert scans.validate == (Component("min-coverage", options={"threshold": 0.9}), Component("not-empty"))
    assert (fast.priority, fast.quality_score, fast.timeout, fast.concurrency) == (1, 0.8, 10.0, 2)
    assert isinstance(fast.cost, PriceTable)
    assert fast.cost.price() == Price(per_unit={"pages": Decimal("0.0015")})
    assert loaded.settings.observers["alerts"].options == {"url": "http://localhost"}
    assert load(file, environment="prod", environ={}).settings.services["scans"].strategy.type == "quality"


def test_what_is_left_out_has_its_default(service: dict[str, Any]) -> None:
    settings = from_mapping(service, environ={}).resolve().settings
    scans = settings.services["scans"]
    fast = scans.providers["fast"]
    assert settings.switchgear.logging is None
    assert settings.switchgear.environment is None
    assert (scans.strategy.type, scans.deadline, scans.on_refused) == ("priority", 60.0, "fail")
    assert (fast.priority, fast.quality_score, fast.timeout, fast.cost, fast.warm) == (100, 0.5, None, None, False)


def test_none_is_a_possible_deadline(service: dict[str, Any]) -> None:
    service["services"]["scans"]["deadline"] = "none"
    assert from_mapping(service, environ={}).resolve().settings.services["scans"].deadline is None


def test_everything_wrong_is_reported_in_one_run_in_file_order(file: Path) -> None:
    file.write_text(WRONG)
    with pytest.raises(ConfigError) as caught:
        load(file, environ={})
    assert [problem.path for problem in caught.value.problems] == [
        "switchgear.currency",
        "services.scans.capability",
        "services.scans.capabilit",
        "services.scans.deadline",
        "services.scans.providers.fast.priority",
        "services.scans.providers.fast.options.key",
        "services.empty.providers",
        "services.off.capability",
        "services.off.providers",
        "environments.prod.services.scans.stratgy",
    ]
    lines = str(caught.value).splitlines()
    assert len(lines) == len(caught.value.problems)
    assert 'services.scans.deadline: expected a duration such as "250ms"' in lines[3]
    assert 'Write 30 seconds as "30s"' in lines[3]


@pytest.mark.parametrize("text", ["${UNSET}", "${broken", "words"])
def test_a_text_in_the_place_of_a_table_is_one_problem_whatever_it_refers_to(
    service: dict[str, Any], refusals: Any, text: str
) -> None:
    service["services"]["scans"]["retry"] = text
    assert refusals(service)["services.scans.retry"].message == "expected a table, got a string"


def test_an_undeclared_environment_is_reported_beside_the_rest(file: Path) -> None:
    file.write_text(WRONG)
    with pytest.raises(ConfigError) as caught:
        load(file, environment="prd", environ={})
    assert caught.value.problems[0].path == "environment"
    assert len(caught.value.problems) == 11


def test_a_reference_can_become_a_number_or_a_switch_but_a_quoted_literal_cannot(
    service: dict[str, Any], refusals: Any
) -> None:
    fast = service["services"]["scans"]["providers"]["fast"]
    fast |= {"priority": "${PRIORITY}", "warm": "${WARM}", "quality_score": "${SCORE:-1}", "timeout": "${TIMEOUT}"}
    environ = {"PRIORITY": "3", "WARM": "true", "TIMEOUT": "2s"}
    provider = from_mapping(service, environ=environ).resolve().settings.services["scans"].providers["fast"]
    assert (provider.priority, provider.warm, provider.quality_score, provider.timeout) == (3, True, 1.0, 2.0)
    fast |= {"priority": "3", "warm": "true"}
    assert refusals(service, environ=environ).keys() == {
        "services.scans.providers.fast.priority",
        "services.scans.providers.fast.warm",
    }


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("concurrency", 0, "expected a value >= 1, got 0"),
        ("quality_score", 1.1, "expected a value <= 1, got 1.1"),
        ("quality_score", -0.1, "expected a value >= 0, got -0.1"),
        ("timeout", "0s", "expected a duration longer than \"0s\", got '0s'"),
        ("cost", {"per_page": "-1"}, "expected an amount of 0 or more, got '-1'"),
        ("cost", {"pages": "1"}, "unknown key"),
        ("options", ["x"], "expected a table, got a list"),
    ],
)
def test_a_providers_values_have_limits(
    service: dict[str, Any], refusals: Any, key: str, value: object, says: str
) -> None:
    service["services"]["scans"]["providers"]["fast"][key] = value
    ((path, problem),) = refusals(service).items()
    assert path.startswith(f"services.scans.providers.fast.{key}")
    assert problem.message == says


@pytest.mark.parametrize("name", ["my service", "a.b", "ä", ""])
def test_names_are_letters_digits_and_two_signs(service: dict[str, Any], refusals: Any, name: str) -> None:
    service["services"]["scans"]["providers"][name] = {"type": "x"}
    ((path, problem),) = refusals(service).items()
    assert path == f"services.scans.providers.{name!r}"
    assert "a name of letters, digits, - and _" in problem.message


class TestProviders:
    def test_a_service_needs_one(self, refusals: Any) -> None:
        found = refusals({"services": {"a": {"capability": "ocr", "providers": {}}}})
        assert str(found["services.a.providers"]) == (
            "services.a.providers: no provider. Add [services.a.providers.<name>] with a type"
        )

    @pytest.mark.parametrize("wrong", [[{"type": "x"}], "x", 3])
    def test_a_value_in_place_of_their_tables_is_shown_the_form(self, refusals: Any, wrong: object) -> None:
        found = refusals({"services": {"a": {"capability": "ocr", "providers": wrong}}})
        assert found["services.a.providers"].message.startswith("expected a table, got ")
        assert found["services.a.providers"].remedy == "Write each as [services.a.providers.<name>]"
        assert refusals({"services": wrong})["services"].remedy == "Write each as [services.<name>]"

    def test_one_that_is_off_is_not_enough(self, service: dict[str, Any], refusals: Any) -> None:
        service["services"]["scans"]["providers"]["fast"]["enabled"] = "${USE_FAST}"
        found = refusals(service, environ={"USE_FAST": "false"})
        assert found["services.scans.providers"].message == "no provider left: fast switched off"

    def test_one_that_the_predicate_switches_off_is_off(self, service: dict[str, Any]) -> None:
        def is_active(path: tuple[str | int, ...], table: Mapping[str, Any]) -> bool:
            return path != ("services", "scans", "providers", "fast")

        with pytest.raises(ConfigError, match="no provider left"):
            from_mapping(service, environ={}).resolve(is_active=is_active)

    def test_another_environment_that_switches_all_off_is_reported_there(
        self, service: dict[str, Any], refusals: Any
    ) -> None:
        off = {"services": {"scans": {"providers": {"fast": {"enabled": False}}}}}
        assert refusals(service | {"environments": {"prod": off}}).keys() == {
            "environments.prod.services.scans.providers"
        }

    def test_one_that_is_off_is_checked_but_needs_no_variables(self, service: dict[str, Any], refusals: Any) -> None:
        off = {"type": "${UNSET}", "enabled": False, "priority": "${UNSET}", "options": {"key": "${UNSET}"}}
        service["services"]["scans"]["providers"]["old"] = off
        loaded = from_mapping(service, environ={}).resolve()
        assert loaded.inactive == {"services.scans.providers.old"}
        assert loaded.settings.services["scans"].providers["old"].enabled is False
        off["priorit"] = 1
        assert refusals(service).keys() == {"services.scans.providers.old.priorit"}


class TestWithoutSecrets:
    def test_unset_variables_files_and_stores_pass(self, service: dict[str, Any]) -> None:
        fast = service["services"]["scans"]["providers"]["fast"]
        fast |= {"priority": "${A}", "concurrency": "${B}", "quality_score": "${C}", "timeout": "${D}", "warm": "${E}"}
        fast["options"] = {"key": "${file:nowhere}", "other": "${vault:a#b}", "text": "x-${F}"}
        fast["cost"] = {"per_page": "${G}"}
        document = from_mapping(service, environ={})
        assert document.resolve(allow_unset=True).settings.services["scans"].providers["fast"].type == "tesseract"
        with pytest.raises(ConfigError) as caught:
            document.resolve()
        assert len(caught.value.problems) == 9

    def test_everything_else_is_checked(self, service: dict[str, Any], refusals: Any) -> None:
        service["services"]["scans"] |= {"capability": "${A}", "deadline": 3, "strateg": "${B}", "validate": "${C}"}
        assert refusals(service, allow_unset=True).keys() == {
            "services.scans.deadline",
            "services.scans.strateg",
            "services.scans.validate",
        }


def test_a_document_can_be_read_before_it_is_resolved_and_shows_no_values(file: Path) -> None:
    document = read(file, environment="prod", environ={"ALERT_URL": "http://planted"})
    assert document.tables["services"]["scans"]["strategy"] == "quality"
    assert document.tables["observers"]["alerts"]["options"]["url"] == "${ALERT_URL:-http://localhost}"
    assert document.where("services.scans.strategy") == "environments.prod.services.scans.strategy"
    assert document.where("services.scans.deadline") == "services.scans.deadline"
    assert "planted" not in repr(document)
    assert "planted" not in repr(document.resolve())


def test_tables_given_in_memory_are_not_changed(service: dict[str, Any]) -> None:
    before = repr(service)
    from_mapping(service, environ={}, overrides={"switchgear": {"currency": "EUR"}}).resolve()
    assert repr(service) == before


def test_tables_in_memory_that_hold_themselves_are_refused() -> None:
    tables: dict[str, Any] = {}
    tables["services"] = tables
    with pytest.raises(ConfigError, match="deep"):
        from_mapping(tables)


def test_settings_cannot_be_changed(service: dict[str, Any]) -> None:
    settings = from_mapping(service, environ={}).resolve().settings
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        settings.switchgear.currency = "EUR"  # type: ignore[misc]


def test_a_top_level_that_is_no_table_is_a_problem_like_others(refusals: Any) -> None:
    found = refusals({"switchgear": 1, "services": [], "plugins": "x", "environments": 3, "observers": None})
    assert found.keys() == {"switchgear", "services", "plugins", "environments", "observers"}


def schema() -> list[tuple[str, "attrs.Attribute[Any]"]]:
    """Every field of every settings class, found by walking the types."""
    found: list[tuple[str, attrs.Attribute[Any]]] = []
    pending: list[type[Any]] = [Settings]
    while pending:
        table = pending.pop()
        found += [(table.__name__, field) for field in attrs.fields(table)]
        for field in attrs.fields(table):
            inner = [bare(arg) for arg in (field.type, *getattr(field.type, "__args__", ()))]
            pending += [arg for arg in inner if isinstance(arg, type) and attrs.has(arg) and arg not in pending]
    return found


@pytest.mark.parametrize(("table", "field"), schema(), ids=lambda value: getattr(value, "name", value))
def test_every_setting_says_what_it_is_for(table: str, field: "attrs.Attribute[Any]") -> None:
    assert field.metadata.get("help"), f"{table}.{field.name}"
