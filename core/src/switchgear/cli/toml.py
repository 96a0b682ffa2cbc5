"""Tables as TOML text, for the file that `init` writes."""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def tables(path: str, content: Mapping[str, Any]) -> Iterator[str]:
    """The lines of `[path]` and, behind it, of each table inside that has tables or lists of its own name."""
    yield f"[{path}]"
    below = {key: value for key, value in content.items() if key == "providers"}
    yield from (f"{_key(key)} = {literal(value)}" for key, value in content.items() if key not in below)
    for group, named in below.items():
        for name, table in named.items():
            yield ""
            yield from tables(f"{path}.{group}.{_key(name)}", table)


def literal(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {literal(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(literal, value)) + "]"
    # JSON's escapes are TOML's too, once characters outside ASCII stand as they are.
    return json.dumps(str(value) if isinstance(value, Decimal) else value, ensure_ascii=False).replace(
        "\x7f", "\\u007f"
    )


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else literal(key)
