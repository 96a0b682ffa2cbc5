"""How messages speak of places, values and types: paths as in TOML, values cut, secrets never."""

import re
import types
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import attrs

from switchgear import durations
from switchgear.config.later import Later
from switchgear.secret import Secret

_SHOWN = 60
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_NAMES: Mapping[object, str] = {
    str: "a string",
    bool: "true or false",
    int: "an integer",
    float: "a number",
    Decimal: "an exact number",
    durations.Duration: f"a duration such as {durations.EXAMPLES}",
    Path: "a path",
    Secret: "a string",
    datetime: "a date with a time",
    date: "a date",
    time: "a time of day",
    list: "a list",
    tuple: "a list",
    dict: "a table",
    type(None): "nothing",
}


def dotted(path: str, key: str | int) -> str:
    """The TOML path of a table's key or a list's item."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    # A quoted key is cut like a value: it is foreign text that can be of any length.
    name = key if _BARE_KEY.fullmatch(key) else shown(key)
    return f"{path}.{name}" if path else name


def places(tree: object, path: str = "") -> dict[str, object]:
    """Every table, list and value of a tree by its path, in file order."""
    found = {path: tree}
    if isinstance(tree, Mapping):
        children: Iterable[tuple[str | int, object]] = tree.items()
    else:
        children = enumerate(tree) if isinstance(tree, list) else ()
    for key, value in children:
        found |= places(value, dotted(path, key))
    return found


def shown(value: object) -> str:
    """A value as messages may show it. What came out of `${...}` has a `repr` that shows the template."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def kind(value: object) -> str:
    """What a value is, for where it must not be shown."""
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, str):
        return "a string"
    return next((name for known, name in _NAMES.items() if type(value) is known), f"a {type(value).__name__}")


def described(wanted: Any) -> str:
    """A type in the words of the file's author."""
    wanted = bare(wanted)
    if wanted in _NAMES:
        return _NAMES[wanted]
    origin, args = get_origin(wanted), get_args(wanted)
    if origin is Literal:
        return one_of(args)
    if origin in (Union, types.UnionType):
        return " or ".join(described(arg) for arg in args if arg is not type(None))
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return one_of([member.value for member in wanted])
    if hasattr(wanted, "SHORT_FORM"):
        return "a name or a table"
    collection = origin or wanted
    if isinstance(collection, type) and issubclass(collection, Sequence | set | frozenset):
        return "a list"
    return "a table"


def one_of(choices: Iterable[object]) -> str:
    return f"one of {', '.join(map(repr, choices))}"


def bare(wanted: Any) -> Any:
    """A type without its annotations, and imported."""
    if isinstance(wanted, Later):
        return wanted.load()
    return get_args(wanted)[0] if get_origin(wanted) is Annotated else wanted


def holds_secret(wanted: Any) -> bool:
    """Whether a value meant for this type may be a secret, also when it is of a wrong shape.

    A text where a table should stand may be the key that belongs into the table.
    """
    wanted = bare(wanted)
    origin = get_origin(wanted) or wanted
    if isinstance(origin, type) and (issubclass(origin, Secret | Mapping) or attrs.has(origin)):
        return True
    return any(holds_secret(arg) for arg in get_args(wanted))


def suggestion(name: str, choices: Iterable[str]) -> str:
    """The nearest right spelling, and all there are."""
    valid = sorted(choices)
    from difflib import get_close_matches

    near = get_close_matches(name, valid, n=1)
    return (f"Did you mean {near[0]}? " if near else "") + f"Valid here: {', '.join(valid) or 'nothing'}"
