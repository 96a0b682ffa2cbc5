"""A planted secret never shows in an error, whatever is wrong with the value it became."""

import itertools
import traceback
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest
from attrs import validators
from switchgear.config import Duration, from_mapping, structure, structure_fields
from switchgear.errors import ConfigError
from switchgear.secret import Secret

PLANTED = "sk-planted-0123456789"


@attrs.frozen
class Vault:
    key: Secret


@attrs.frozen
class Options:
    text: str = attrs.field(default="a", validator=validators.matches_re("[a-z]"))
    length: str = attrs.field(default="a", validator=validators.max_len(3))
    choice: Literal["a", "b"] = "a"
    switch: bool = False
    count: int = 0
    ratio: float = 0.0
    price: Decimal = Decimal(0)
    wait: Duration = attrs.field(default=Duration(1.0))
    either: int | float = 0
    items: list[str] = attrs.Factory(list)
    table: dict[str, str] = attrs.Factory(dict)
    inner: "Options | None" = None
    data: bytes = b""
    own: str = "a"
    folder: Path = Path()

    def __attrs_post_init__(self) -> None:
        if len(self.own) > 3:
            raise ValueError(f"{self.own} is too long")


KEYS = [field.name for field in attrs.fields(Options) if field.name != "folder"]


def shown(error: BaseException) -> str:
    """All that a log of an uncaught error would show."""
    return "".join(traceback.format_exception(error)) + repr(error)


def sources(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "key").write_text(PLANTED)
    return {"variable": "${KEY}", "part": "a-${KEY}-b", "file": "${file:key}", "store": "${vault:key}"}


@pytest.mark.parametrize(("key", "source"), list(itertools.product(KEYS, ["variable", "part", "file", "store"])))
def test_a_value_out_of_a_reference_is_shown_as_its_template(tmp_path: Path, key: str, source: str) -> None:
    template = sources(tmp_path)[source]
    provider = {"type": "x", "options": {key: template}}
    tables = {"services": {"a": {"capability": "c", "providers": {"p": provider}}}}
    document = from_mapping(tables, environ={"KEY": PLANTED}, folder=tmp_path)
    loaded = document.resolve(secret_stores={"vault": lambda name, key: PLANTED})
    raw = loaded.settings.services["a"].providers["p"].options
    assert raw[key].endswith(PLANTED[-3:]) or source == "part"
    assert PLANTED not in repr(loaded)
    with pytest.raises(ConfigError) as caught:
        structure(raw, Options, "options")
    assert PLANTED not in shown(caught.value)
    assert caught.value.problems[0].path in {f"options.{key}", "options"}


@pytest.mark.parametrize("key", ["deadline", "on_refused", "validate", "providers", "strategy"])
def test_a_service_does_not_show_it_either(key: str) -> None:
    service: dict[str, Any] = {"capability": "c", "providers": {"p": {"type": "x"}}, key: "${KEY}"}
    if key == "strategy":
        service[key] = {"type": "x", "enabled": "${KEY}"}
    with pytest.raises(ConfigError) as caught:
        from_mapping({"services": {"a": service}}, environ={"KEY": PLANTED}).resolve()
    assert PLANTED not in shown(caught.value)


def test_an_environments_name_out_of_a_variable_is_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        from_mapping(
            {"switchgear": {"environment": "${KEY}"}, "environments": {PLANTED[:8]: {}}}, environ={"KEY": PLANTED}
        ).resolve()
    assert PLANTED not in shown(caught.value)


@pytest.mark.parametrize(
    ("wanted", "raw"),
    [
        (Secret, {"x": PLANTED}),
        (Secret, [PLANTED]),
        (Secret | None, [PLANTED]),
        (list[Secret], PLANTED),
        (list[Secret], [[PLANTED]]),
        (dict[str, Secret], PLANTED),
        (dict[str, str], PLANTED),
        (Vault, PLANTED),
        (Vault | None, PLANTED),
        (Vault, {"key": [PLANTED]}),
        (tuple[Secret, Secret], PLANTED),
        (str, [PLANTED]),
        (int, {"x": PLANTED}),
    ],
)
def test_a_literal_where_a_secret_belongs_is_not_shown_even_in_a_wrong_shape(wanted: Any, raw: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        structure(raw, wanted, "key")
    assert PLANTED not in shown(caught.value)


def test_a_secret_that_a_validator_refuses_is_not_shown() -> None:
    @attrs.frozen
    class Guarded:
        key: Secret = attrs.field(validator=validators.in_([Secret("other")]))

    with pytest.raises(ConfigError) as caught:
        structure_fields({"key": PLANTED}, attrs.fields(Guarded), "options", {"key": Secret})
    assert PLANTED not in shown(caught.value)


def test_a_secret_reaches_the_plugin_all_the_same() -> None:
    found = structure_fields({"key": PLANTED}, attrs.fields(Vault), "options", {"key": Secret})
    assert found["key"].reveal() == PLANTED
    assert PLANTED not in repr(found)
