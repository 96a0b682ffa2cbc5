"""Strict hooks for single values: nothing is turned into something else because it happens to be possible.

`"false"` is no boolean, 3.9 no integer, 1.5 no amount of money. Only a value that is exactly one `${...}` is read as
the literal it would be in TOML, since the environment knows nothing but text.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import Enum
from math import isfinite
from pathlib import Path
from typing import Any, get_args

from cattrs import Converter

from switchgear.config.templates import Interpolated, is_unknown, literal
from switchgear.config.wording import described, holds_secret, kind, shown
from switchgear.durations import Duration, parse_duration
from switchgear.secret import Secret

Hook = Callable[[Any, Any], Any]


class Mismatch(ValueError):
    """A value that is not what its place wants. The message is safe to show.

    `named`: it is no table of tables, whose form only who knows the place can show.
    """

    def __init__(self, message: str, remedy: str = "", *, named: bool = False) -> None:
        super().__init__(message)
        self.remedy = remedy
        self.named = named


def mismatch(value: object, wanted: Any, remedy: str = "", *, named: bool = False) -> Mismatch:
    hidden = holds_secret(wanted) or isinstance(value, dict | list)
    got = kind(value) if hidden else shown(value)
    return Mismatch(f"expected {described(wanted)}, got {got}", remedy, named=named)


def text(value: object, wanted: Any) -> str:
    if isinstance(value, str):
        return str.__str__(value)
    raise mismatch(value, wanted, "Put it in quotes" if isinstance(value, int | float) else "")


def secret(value: object, wanted: Any) -> Secret:
    return value if isinstance(value, Secret) else Secret(text(value, wanted))


def boolean(value: object, wanted: Any) -> bool:
    found = _unquoted(value)
    if isinstance(found, bool):
        return found
    raise mismatch(value, wanted, _without_quotes(value, bool))


def integer(value: object, wanted: Any) -> int:
    found = _unquoted(value)
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    raise mismatch(value, wanted, _without_quotes(value, int))


def number(value: object, wanted: Any) -> float:
    found = _unquoted(value)
    if isinstance(found, int | float) and not isinstance(found, bool) and isfinite(found):
        return float(found)
    raise mismatch(value, wanted, _without_quotes(value, int, float))


def exact_number(value: object, wanted: Any) -> Decimal:
    if isinstance(value, float):
        # A TOML float is binary: 0.1 would be 0.1000000000000000055.
        raise mismatch(value, wanted, f'Quote it, so that it stays exact: "{value}"')
    if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        try:
            found = Decimal(value)
        except InvalidOperation:
            raise mismatch(value, wanted, 'Write it like "0.0015"') from None
        if found.is_finite():
            return found
    raise mismatch(value, wanted, 'Write it like "0.0015"')


def duration(value: object, wanted: Any) -> Duration:
    try:
        return parse_duration(value if isinstance(value, str) else str(value))
    except ValueError as error:
        literal_number = str(error) == "no unit" and not isinstance(value, Interpolated)
        remedy = f'Write {value} seconds as "{value}s"' if literal_number else ""
        raise mismatch(value, wanted, remedy) from None


def path(value: object, wanted: Any) -> Path:
    return value if isinstance(value, Path) else Path(text(value, wanted))


def moment(value: object, wanted: Callable[..., Any]) -> datetime | date | time:
    """TOML and YAML have dates of their own; JSON, and `${...}`, have ISO 8601 text."""
    if type(value) is wanted:
        return value  # type: ignore[return-value]
    try:
        return wanted.fromisoformat(value)  # type: ignore[attr-defined, no-any-return]
    except (TypeError, ValueError):
        raise mismatch(value, wanted) from None


def _unquoted(value: object) -> object:
    return literal(value) if isinstance(value, Interpolated) and value.whole else value


def _without_quotes(value: object, *right: type) -> str:
    quoted = isinstance(value, str) and not isinstance(value, Interpolated) and type(literal(value)) in right
    return f"Write {value} without quotes" if quoted else ""


def choice(value: object, wanted: Any) -> Any:
    """A member of a `Literal` or, by its value, of an enum. 1 is not True, although Python says they are equal."""
    is_enum = isinstance(wanted, type) and issubclass(wanted, Enum)
    choices = (
        {member.value: member for member in wanted} if is_enum else {option: option for option in get_args(wanted)}
    )
    if is_unknown(value):
        return next(iter(choices.values()))
    for right, chosen in choices.items():
        found = value if isinstance(right, str) else _unquoted(value)
        if isinstance(found, type(right)) and found == right and isinstance(found, bool) is isinstance(right, bool):
            return chosen
    raise mismatch(value, wanted)


# The second of each pair stands in for what is not looked up: it only has to pass the checks that follow.
_PRIMITIVES: Mapping[Any, tuple[Hook, Any]] = {
    str: (text, None),
    bool: (boolean, True),
    int: (integer, 1),
    float: (number, 1.0),
    Decimal: (exact_number, Decimal(1)),
    Duration: (duration, Duration(1.0)),
    Path: (path, None),
    Secret: (secret, None),
    datetime: (moment, datetime(2000, 1, 1)),  # noqa: DTZ001
    date: (moment, date(2000, 1, 1)),
    time: (moment, time()),
}


def register_primitives(converter: Converter) -> None:
    for wanted, (hook, stand_in) in _PRIMITIVES.items():
        converter.register_structure_hook(wanted, _strict(wanted, hook, stand_in))
    converter.register_structure_hook(Enum, choice)


def _strict(wanted: Any, hook: Hook, stand_in: Any) -> Hook:
    def structure_primitive(value: Any, exact: Any) -> Any:
        # cattrs finds the hook of `str` also for an enum, or any other class, that inherits from `str`.
        subclass: Any = exact if isinstance(exact, type) and exact is not wanted else None
        if subclass is not None and issubclass(subclass, Enum):
            return choice(value, subclass)
        found = stand_in if stand_in is not None and is_unknown(value) else hook(value, wanted)
        return found if subclass is None else subclass(found)

    return structure_primitive
