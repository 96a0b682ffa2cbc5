import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, get_type_hints

import attrs
import pytest
from attrs import validators
from switchgear.config import Duration, structure_fields
from switchgear.config.templates import Interpolated
from switchgear.errors import ConfigError
from switchgear.secret import Secret

THREE_SECONDS = Duration(3.0)


@attrs.define(kw_only=True)
class Provider:
    name: str
    language: str
    api_key: Secret
    timeout: Duration = THREE_SECONDS
    _threshold: float = attrs.field(default=0.5, validator=validators.le(1))
    price: Decimal | None = None
    pattern: re.Pattern[str] = attrs.field(default="", converter=re.compile)
    transport: Callable[[str], bytes] | None = None
    size: int = attrs.field(default=1)
    twice: int = attrs.field(default=attrs.Factory(lambda self: self.size * 2, takes_self=True))

    @size.validator
    def _check_size(self, _: Any, value: int) -> None:
        if value > self.twice:
            raise ValueError("only the whole can say")


OPTIONS = [field for field in attrs.fields(Provider) if field.name != "name"]
TYPES = get_type_hints(Provider)


def kwargs(raw: dict[str, Any]) -> dict[str, Any]:
    return structure_fields(raw, OPTIONS, "p.options", TYPES)


def refusals(raw: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        kwargs(raw)
    return {problem.path: str(problem) for problem in caught.value.problems}


def test_only_what_the_file_says_becomes_an_argument() -> None:
    raw = {"language": "eng", "api_key": "s"}
    assert kwargs(raw) == {"language": "eng", "api_key": Secret("s")}


def test_the_arguments_make_an_instance() -> None:
    raw = {
        "language": "eng",
        "api_key": "s",
        "timeout": "2s",
        "threshold": 1,
        "price": "0.1",
        "pattern": "a+",
        "size": 2,
    }
    made = Provider(name="fast", **kwargs(raw))
    assert (made.timeout, made._threshold, made.price, made.twice) == (2.0, 1.0, Decimal("0.1"), 4)
    assert made.pattern.pattern == "a+"


def test_values_from_references_are_read_as_the_field_wants() -> None:
    def value(text: str) -> Interpolated:
        return Interpolated(text, "${X}", whole=True)

    found = kwargs({"language": value("eng"), "api_key": value("s"), "size": value("7"), "threshold": value("0.25")})
    assert found == {"language": "eng", "api_key": Secret("s"), "size": 7, "threshold": 0.25}
    assert type(found["language"]) is str


def test_everything_wrong_is_reported_in_one_run() -> None:
    raw = {"languages": "eng", "timeout": 3, "threshold": 1.5, "name": "x", "transport": "print", "size": "1"}
    found = refusals(raw)
    assert found.keys() == {
        "p.options.language",
        "p.options.api_key",
        "p.options.languages",
        "p.options.timeout",
        "p.options.threshold",
        "p.options.name",
        "p.options.transport",
        "p.options.size",
    }
    assert found["p.options.language"] == "p.options.language: missing, expected a string. Add language"
    assert "Did you mean language?" in found["p.options.languages"]
    assert "name," not in found["p.options.name"]
    assert "cannot come from a file" in found["p.options.transport"]


def test_a_class_without_options_says_so() -> None:
    with pytest.raises(ConfigError, match="Valid here: nothing"):
        structure_fields({"x": 1}, [], "p.options", {})


def test_validators_that_look_at_the_instance_wait_for_it() -> None:
    assert kwargs({"language": "eng", "api_key": "s", "size": 3})["size"] == 3


def test_the_table_given_is_not_changed() -> None:
    raw = {"language": "eng", "api_key": "s"}
    kwargs(raw)
    assert raw == {"language": "eng", "api_key": "s"}


def test_options_must_be_a_table() -> None:
    with pytest.raises(ConfigError, match=r"p\.options: expected a table, got a list"):
        structure_fields([], OPTIONS, "p.options", TYPES)  # type: ignore[arg-type]
