"""Fills `${...}` in, in what is enabled, and remembers the template of what it filled in."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from switchgear.config.references import References, Unresolved
from switchgear.config.templates import Interpolated, is_template, literal
from switchgear.config.wording import dotted
from switchgear.errors import Problem
from switchgear.secret import Secret

KeyPath = tuple[str | int, ...]
IsActive = Callable[[KeyPath, Mapping[str, Any]], bool]

_REFERENCE = re.compile(r"\$\$|\$\{([^}]*)\}|\$\{", re.DOTALL)


def always_active(path: KeyPath, table: Mapping[str, Any]) -> bool:
    return True


@attrs.frozen(eq=False, repr=False)
class Interpolation:
    """The tables filled in, what went wrong, the paths of the tables left alone, and the secrets that are in it."""

    tables: dict[str, Any]
    problems: tuple[Problem, ...]
    inactive: frozenset[str]
    secrets: tuple[Secret, ...]


def interpolate(
    tables: Mapping[str, Any],
    references: References,
    *,
    is_active: IsActive = always_active,
) -> Interpolation:
    """Tables with `enabled = false`, and those that `is_active` denies, keep their templates.

    `is_active` gets the path of each table, plugins' options left out, and the table with `enabled` and `type` filled
    in.
    """
    walk = _Walk(references, is_active)
    filled = {key: walk.value(value, (key,)) if key != "environments" else value for key, value in tables.items()}
    return Interpolation(filled, tuple(walk.problems), frozenset(walk.inactive), tuple(walk.secrets))


@attrs.define(eq=False, repr=False)
class _Walk:
    references: References
    is_active: IsActive
    problems: list[Problem] = attrs.field(factory=list)
    inactive: set[str] = attrs.field(factory=set)
    secrets: dict[Secret, None] = attrs.field(factory=dict)

    def value(self, value: Any, path: KeyPath, *, foreign: bool = False) -> Any:
        if isinstance(value, str):
            return self.text(value, path)
        if isinstance(value, Mapping):
            fill = self.foreign_table if foreign else self.table
            return fill(value, path)
        if isinstance(value, list):
            return [self.value(item, (*path, index), foreign=foreign) for index, item in enumerate(value)]
        return value

    def foreign_table(self, table: Mapping[str, Any], path: KeyPath) -> dict[str, Any]:
        """A plugin's `options`, and what is inside: `enabled` may mean anything there."""
        return {key: self.value(value, (*path, key), foreign=True) for key, value in table.items()}

    def table(self, table: Mapping[str, Any], path: KeyPath) -> dict[str, Any]:
        switches = self.switches(table, path)
        view = {**table, **switches}
        if not (is_enabled(view) and self.is_active(path, view)):
            self.inactive.add(spell(path))
            return {**untouched(table), **switches}
        filled = {}
        for key, value in table.items():
            # Only beside a `type`: a service, too, may be called `options`.
            foreign = key == "options" and "type" in switches
            filled[key] = switches[key] if key in switches else self.value(value, (*path, key), foreign=foreign)
        return filled

    def switches(self, table: Mapping[str, Any], path: KeyPath) -> dict[str, str]:
        """The texts that decide whether the rest is wanted, filled in before it."""
        filled: dict[str, str] = {}
        for key in ("enabled", "type"):
            if isinstance(table.get(key), str) and is_enabled({**table, **filled}):
                filled[key] = self.text(table[key], (*path, key))
        return filled

    def text(self, template: str, path: KeyPath) -> str:
        if not is_template(template):
            return template.replace("$$", "$")
        found = [self.piece(match, path) for match in _REFERENCE.finditer(template)]
        if None in found:
            return Interpolated(template, template, known=False)
        pieces = iter(found)
        text = _REFERENCE.sub(lambda _: next(pieces) or "", template)
        return Interpolated(text, template, whole=_REFERENCE.fullmatch(template) is not None)

    def piece(self, match: re.Match[str], path: KeyPath) -> str | None:
        """What a match stands for; None, with a problem noted, if nobody knows."""
        if match[0] == "$$":
            return "$"
        try:
            if match[1] is None:
                raise Unresolved("a ${ without its }", "Close it, or write $${ for a plain ${")
            found = self.references.look_up(match[1])
        except Unresolved as error:
            if not (error.unset and self.references.offline):
                self.problems.append(Problem(spell(path), str(error), error.remedy))
            return None
        if found.secret:
            self.secrets[Secret(found.text)] = None
        return found.text


def is_enabled(table: Mapping[str, Any]) -> bool:
    enabled = table.get("enabled")
    if isinstance(enabled, Interpolated) and enabled.whole:
        enabled = literal(enabled)
    return enabled is not False


def untouched(value: Any) -> Any:
    """A switched-off part as it is, with its templates marked as such, so that they pass as what they would become."""
    if isinstance(value, str):
        return Interpolated(value, value, known=False) if is_template(value) else value.replace("$$", "$")
    if isinstance(value, Mapping):
        return {key: untouched(item) for key, item in value.items()}
    if isinstance(value, list):
        return [untouched(item) for item in value]
    return value


def spell(path: KeyPath) -> str:
    spelled = ""
    for key in path:
        spelled = dotted(spelled, key)
    return spelled
