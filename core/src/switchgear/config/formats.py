"""TOML, JSON or YAML text to tables: keys are text, no key appears twice, nothing is endless."""

import ast
import json
import re
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import tomli

from switchgear.config.wording import dotted

_KEYS = re.compile(r"""\(['"].*\)(?=( twice)? \(at )""")  # as tomli shows a path, ('services', 'scans')
DEPTH_LIMIT = 40
SIZE_LIMIT = 100_000


class Unreadable(ValueError):
    """A text that is no configuration; the message says where, as far as the format's reader knows."""


def read_toml(text: str) -> Any:
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        text = _KEYS.sub(lambda keys: reduce(dotted, ast.literal_eval(keys[0]), ""), str(error))
        raise Unreadable(f"not valid TOML: {text}") from None


def read_json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise Unreadable(f"not valid JSON: {error.msg} (at line {error.lineno}, column {error.colno})") from None


def read_yaml(text: str) -> Any:
    try:
        from switchgear.config.yaml_reader import load_yaml
    except ImportError:
        raise Unreadable("YAML needs PyYAML. Install it: pip install switchgear[yaml]") from None
    return load_yaml(text)


READERS: Mapping[str, Callable[[str], Any]] = {
    ".toml": read_toml,
    ".json": read_json,
    ".yaml": read_yaml,
    ".yml": read_yaml,
}


def parse(text: str, suffix: str) -> dict[str, Any]:
    """The tables of a text; the format goes by a file's suffix. Raises `Unreadable`."""
    try:
        tables = READERS[suffix](text)
    except Unreadable:
        raise
    except RecursionError:
        raise Unreadable("nested too deeply") from None
    # What the readers let through: numbers of thousands of digits, dates that do not exist.
    except ValueError as error:
        raise Unreadable(f"not valid {suffix[1:].upper()}: {error}") from None
    if tables is None:
        return {}
    if not isinstance(tables, dict):
        raise Unreadable(f"the whole file must be a table, not a {type(tables).__name__}")
    check_bounds(tables)
    return tables


def check_bounds(tables: Mapping[str, Any]) -> None:
    """Refuses what would blow up later: YAML aliases can unfold to billions of values, or for ever."""
    pending: list[tuple[Any, int]] = [(tables, 0)]
    seen = 0
    while pending:
        value, depth = pending.pop()
        seen += 1
        if depth > DEPTH_LIMIT:
            raise Unreadable(f"nested more than {DEPTH_LIMIT} deep")
        if seen > SIZE_LIMIT:
            raise Unreadable(f"more than {SIZE_LIMIT} values")
        if isinstance(value, Mapping):
            if odd := [key for key in value if not isinstance(key, str)]:
                raise Unreadable(f"the key {odd[0]!r} is not text: put it in quotes")
            pending += [(item, depth + 1) for item in value.values()]
        elif isinstance(value, list):
            pending += [(item, depth + 1) for item in value]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for key, value in pairs:
        if key in table:
            raise Unreadable(f"the key {key!r} appears twice in one table")
        table[key] = value
    return table


def _refuse_constant(name: str) -> Any:
    raise Unreadable(f"{name} is not JSON")
