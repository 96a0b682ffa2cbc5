"""What a type cannot say about a value: a `Rule` inside `Annotated` is checked after structuring."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any

import attrs

from switchgear.durations import Duration


@attrs.frozen(eq=False, repr=False)
class Rule:
    """`expected` ends the sentence "expected ..." when `test` says no."""

    expected: str
    test: Callable[[Any], object]


def spelled(pattern: str, expected: str) -> Rule:
    return Rule(expected, re.compile(pattern, re.ASCII).fullmatch)


def differing(value_or_table: Any) -> str:
    """The `__repr__` of settings and values: what differs from its defaults, as in `Retry(attempts=2)`.

    One for all: attrs would write one for each class, which takes longer than reading a file into them.
    """
    shown = []
    for field in attrs.fields(type(value_or_table)):
        if not field.repr:
            continue
        default: Any
        default, value = field.default, getattr(value_or_table, field.name)
        make: Any = getattr(default, "factory", None)
        if make is not None:
            default = make(value_or_table) if default.takes_self else make()
        if default is attrs.NOTHING or value != default:
            shown.append(f"{field.alias or field.name}={value!r}")
    return f"{type(value_or_table).__name__}({', '.join(shown)})"


def alike(one: Any, other: Any) -> Any:
    """The `__eq__` of settings and values, one for all as `differing` is."""
    if type(one) is not type(other):
        return NotImplemented  # what it is compared with may know better, as `mock.ANY` does
    return all(getattr(one, field.name) == getattr(other, field.name) for field in attrs.fields(type(one)))


def hashed(value: Any) -> int:
    """The `__hash__` of frozen values that compare by `alike`."""
    return hash(tuple(getattr(value, field.name) for field in attrs.fields(type(value))))


def is_zone(name: str) -> bool:
    """Whether this machine knows the time zone."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


Name = Annotated[str, spelled(r"[A-Za-z0-9_-]+", "a name of letters, digits, - and _")]
Currency = Annotated[str, spelled(r"[A-Z]{3}", 'a currency code of three capital letters such as "USD"')]
PriceKey = Annotated[str, spelled(r"per_[a-z][a-z0-9_]*", "per_call, or per_ and a unit such as per_page")]
Wait = Annotated[Duration, Rule('a duration longer than "0s"', bool)]
Amount = Annotated[Decimal, Rule("an amount of 0 or more", Decimal(0).__le__)]
ExchangeRate = Annotated[Decimal, Rule("a rate above 0", Decimal(0).__lt__)]
Share = Annotated[float, Rule("a share above 0, such as 0.8", lambda share: share > 0)]
ZoneName = Annotated[str, Rule("a time zone such as Europe/Berlin", is_zone)]
