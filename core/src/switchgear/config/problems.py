"""Turns cattrs' exception groups into problems with TOML paths."""

from collections.abc import Iterator, Mapping
from typing import Any, get_type_hints

import attrs
from cattrs.errors import ClassValidationError, ForbiddenExtraKeysError, IterableValidationError, IterableValidationNote

from switchgear.config.primitives import Mismatch
from switchgear.config.templates import Interpolated
from switchgear.config.wording import described, dotted, suggestion
from switchgear.errors import Problem


def problems_of(error: Exception, raw: object, path: str) -> Iterator[Problem]:
    """Every problem in an error that structuring `raw`, found at `path`, has raised."""
    if isinstance(error, ClassValidationError | IterableValidationError):
        with_notes, without = error.group_exceptions()
        for inner, note in with_notes:
            key = note.index if isinstance(note, IterableValidationNote) else key_of(error.cl, note.name)
            if isinstance(inner, KeyError):
                yield _missing(error.cl, str(key), dotted(path, key))
            else:
                yield from problems_of(inner, _child(raw, key), dotted(path, key))
        for inner in without:
            same_place = isinstance(inner, ClassValidationError | IterableValidationError)
            yield from problems_of(inner, raw, path) if same_place else _of_the_whole(inner, raw, path)
    elif isinstance(error, Mismatch):
        yield Problem(path, str(error), f"Write each as [{path}.<name>]" if error.named else error.remedy)
    elif isinstance(error, ValueError | TypeError):
        # From a hook of cattrs' own, for a type that a plugin may use and we have no strict hook for.
        remedy = "If the value looks right, the option's type is at fault: tell the plugin's authors"
        yield Problem(path, f"cannot be read, {type(error).__name__}", remedy)
    else:
        # cattrs collects every exception; one that no hook raises on purpose is a bug, and must not pass for a typo.
        raise error


def _of_the_whole(error: Exception, raw: object, path: str) -> Iterator[Problem]:
    if isinstance(error, ForbiddenExtraKeysError):
        unknown = [key for key in raw if key in error.extra_fields] if isinstance(raw, Mapping) else ()
        for key in unknown:
            yield Problem(dotted(path, key), "unknown key", suggestion(key, keys_of(error.cl)))
    else:
        # Raised by the class itself, while it was made: by a validator of its own or in `__attrs_post_init__`.
        yield Problem(path, _refusal(error, raw))


def key_of(table: type, name: str) -> str:
    """The key in the file for an attribute: its alias, since `_x` is set as `x`."""
    fields = attrs.fields_dict(table) if attrs.has(table) else {}
    return fields[name].alias or name if name in fields else name


def keys_of(table: type) -> list[str]:
    if attrs.has(table):
        return [field.alias or field.name for field in attrs.fields(table) if field.init]
    return list(table.__annotations__)


def _missing(table: type, key: str, path: str) -> Problem:
    hints = get_type_hints(table, include_extras=True)
    fields = {field.alias: field for field in attrs.fields(table)} if attrs.has(table) else {}
    name = fields[key].name if key in fields else key
    about = fields[key].metadata.get("help") if key in fields else None
    return Problem(
        path, f"missing, expected {described(hints[name])}", f"Add {key}: {about}" if about else f"Add {key}"
    )


def _child(raw: Any, key: Any) -> Any:
    # A short form has no children: it stands for the one of the table that it stands for.
    return raw[key] if isinstance(raw, Mapping | list | tuple) else raw


def _refusal(error: Exception, raw: object) -> str:
    """What the class says, unless it may quote what `${...}` stood for."""
    if _has_filled_in(raw):
        return f"refused with {type(error).__name__}; its text is not shown, since a value here came out of ${{...}}"
    return f"refused: {error}" if str(error) else f"refused with {type(error).__name__}"


def _has_filled_in(raw: object) -> bool:
    if isinstance(raw, Mapping):
        return any(map(_has_filled_in, raw.values()))
    if isinstance(raw, list):
        return any(map(_has_filled_in, raw))
    return isinstance(raw, Interpolated)
