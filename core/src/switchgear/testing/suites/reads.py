"""Which attributes of a class's instances are read while a block runs."""

import contextlib
from collections.abc import Iterator
from typing import Any

import attrs


@contextlib.contextmanager
def reads_of(implementation: Any) -> Iterator[set[str]]:
    """Collects the names; attrs' own validators are switched off, because they read every field."""
    read: set[str] = set()
    original = implementation.__getattribute__
    is_own = "__getattribute__" in vars(implementation)

    def note(self: Any, name: str) -> Any:
        read.add(name)
        return original(self, name)

    implementation.__getattribute__ = note
    try:
        with attrs.validators.disabled():
            yield read
    finally:
        if is_own:
            implementation.__getattribute__ = original
        else:
            del implementation.__getattribute__
