"""Answers that may be handed to many, and copies of those that may not."""

import copy
from collections.abc import Mapping, Sequence, Set
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from sys import getsizeof
from typing import Any

import attrs

_UNCHANGING: frozenset[type[Any]] = frozenset(
    {str, bytes, int, float, bool, complex, type(None), Decimal, datetime, date, time, timedelta, frozenset}
)
_known: dict[type[Any], bool] = dict.fromkeys(_UNCHANGING, True)


def own_copy(value: Any) -> Any:
    """The value itself where nobody can change it, else a copy: one caller must not edit another's answer."""
    kind = type(value)
    unchanging = _known.get(kind)
    if unchanging is None:
        unchanging = _known[kind] = _is_frozen(kind)
    if unchanging:
        return value
    # Foreign types: one that cannot be copied is handed out as it is, as it is without a cache.
    try:
        return copy.deepcopy(value)
    except Exception:
        return value


def _is_frozen(kind: type[Any]) -> bool:
    """Classes that say so are taken at their word, whatever their fields hold."""
    if attrs.has(kind):
        return getattr(kind.__setattr__, "__name__", "") == "_frozen_setattrs"
    parameters = getattr(kind, "__dataclass_params__", None)
    return issubclass(kind, Enum) or bool(parameters and parameters.frozen)


def weight_of(value: Any) -> int:
    """About how many bytes of memory it takes; what it shares with others is counted in full."""
    weight = getsizeof(value)
    if isinstance(value, str | bytes):
        return weight
    if isinstance(value, Mapping):
        return weight + sum(weight_of(key) + weight_of(item) for key, item in value.items())
    if isinstance(value, Sequence | Set):
        return weight + sum(map(weight_of, value))
    if attrs.has(type(value)):
        return weight + sum(weight_of(getattr(value, field.name, None)) for field in attrs.fields(type(value)))
    if is_dataclass(value):
        return weight + sum(weight_of(getattr(value, field.name, None)) for field in dataclass_fields(value))
    return weight
