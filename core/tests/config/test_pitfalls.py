"""What other systems' configurations let through; named after where it happened."""

from typing import Any, get_type_hints

import attrs
import pytest
from switchgear.config import from_mapping, structure, structure_fields
from switchgear.errors import ConfigError


@attrs.frozen
class Options:
    confidence_threshold: float = 0.5
    retry_after: int = 90
    strict: bool = True


def test_cattrs_defaults_made_true_of_the_text_false(service: dict[str, Any], refusals: Any) -> None:
    service["services"]["scans"]["providers"]["fast"]["enabled"] = "false"
    found = refusals(service)["services.scans.providers.fast.enabled"]
    assert found.message == "expected true or false, got 'false'"
    assert found.remedy == "Write false without quotes"


def test_cattrs_defaults_made_3_of_3_9(service: dict[str, Any], refusals: Any) -> None:
    service["services"]["scans"]["providers"]["fast"]["priority"] = 3.9
    assert refusals(service)["services.scans.providers.fast.priority"].message == "expected an integer, got 3.9"


def test_cattrs_defaults_took_a_text_for_the_list_of_its_letters(service: dict[str, Any], refusals: Any) -> None:
    found = refusals(service | {"plugins": {"disable": "switchgear-legacy"}})
    assert found["plugins.disable"].message == "expected a list, got 'switchgear-legacy'"


@pytest.mark.parametrize("raw", [{"strict": "false"}, {"retry_after": 3.9}, {"retry_after": True}, {"strict": 0}])
def test_cattrs_defaults_do_not_apply_to_a_plugins_options_either(raw: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        structure_fields(raw, attrs.fields(Options), "options", get_type_hints(Options))


def test_litellm_pr_31287_ignored_a_misspelled_key(service: dict[str, Any], refusals: Any) -> None:
    service["services"]["scans"]["deadlin"] = "10s"
    found = refusals(service)["services.scans.deadlin"]
    assert found.message == "unknown key"
    assert found.remedy.startswith("Did you mean deadline? Valid here: ")


def test_laravel_retry_after_in_the_wrong_place_was_ignored(service: dict[str, Any], refusals: Any) -> None:
    service["services"]["scans"]["providers"]["fast"]["retry_after"] = 90
    assert refusals(service)["services.scans.providers.fast.retry_after"].message == "unknown key"


def test_msaas_ocr_accepted_an_option_that_nobody_declares() -> None:
    with pytest.raises(ConfigError) as caught:
        structure_fields({"confidence_threshhold": 0.9}, attrs.fields(Options), "options", get_type_hints(Options))
    assert "Did you mean confidence_threshold?" in str(caught.value)


def test_msaas_ocr_never_read_a_declared_option() -> None:
    """Every option that is set arrives; that the provider then uses it is for the conformance suite to say."""
    raw = {"confidence_threshold": 0.9, "retry_after": 1, "strict": False}
    assert structure_fields(raw, attrs.fields(Options), "options", get_type_hints(Options)) == raw


def test_portkey_took_seconds_for_milliseconds(service: dict[str, Any], refusals: Any) -> None:
    service["services"]["scans"]["deadline"] = 30
    found = refusals(service)["services.scans.deadline"]
    assert found.remedy == 'Write 30 seconds as "30s"'


def test_litellm_2026_01_took_a_malformed_price_for_free(service: dict[str, Any], refusals: Any) -> None:
    service["services"]["scans"]["providers"]["fast"]["cost"] = {"per_page": "free", "per_call": 0.0015}
    found = refusals(service)
    assert found["services.scans.providers.fast.cost.per_page"].message == "expected an exact number, got 'free'"
    assert found["services.scans.providers.fast.cost.per_call"].remedy == 'Quote it, so that it stays exact: "0.0015"'


def test_a_boolean_is_not_one_although_python_says_so() -> None:
    with pytest.raises(ConfigError):
        structure(True, int)
    with pytest.raises(ConfigError):
        structure(1, bool)


def test_yaml_norway_is_a_text_when_quoted_and_an_error_when_not(service: dict[str, Any], refusals: Any) -> None:
    """YAML 1.1 reads `no` as false: no setting that wants a text takes it."""
    service["services"]["scans"]["capability"] = False
    assert "expected a string, got False" in refusals(service)["services.scans.capability"].message


def test_gptme_pr_3193_disabled_parts_are_not_even_filled_in(service: dict[str, Any]) -> None:
    def store(name: str, key: str | None) -> str:
        raise AssertionError("a disabled provider's secret was fetched")

    service["services"]["scans"]["providers"]["old"] = {
        "type": "x",
        "enabled": False,
        "options": {"key": "${vault:old}"},
    }
    loaded = from_mapping(service, environ={}).resolve(secret_stores={"vault": store})
    assert loaded.inactive == {"services.scans.providers.old"}
