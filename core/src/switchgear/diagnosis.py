"""From a document to settings and components, or to everything that is wrong with it in one run."""

from collections.abc import Callable, Mapping, Set
from datetime import datetime
from typing import Any

from switchgear.components import Components, make
from switchgear.config import Document, Loaded, Settings, structure
from switchgear.config.templates import Interpolated
from switchgear.config.wording import dotted
from switchgear.errors import ConfigError, Problem
from switchgear.installation import SecretStores, activity, missing_requirements
from switchgear.plugins import Catalog

Utc = Callable[[], datetime]

# Stands where something is wanted and nothing right is given. It passes as any single value.
_ANYTHING = Interpolated("${unknown}", "${unknown}", known=False)
_ROUNDS = 6  # of mending: a value, the table in its place, and what is missing in that


def assemble(document: Document, catalog: Catalog, utc: Utc, *, allow_unset: bool = False) -> tuple[Loaded, Components]:
    """Settings, and what they name; raises `ConfigError` with the problems of the file and of the plugins it names."""
    filled = document.fill(
        secret_stores=SecretStores(catalog), is_active=activity(document, catalog), allow_unset=allow_unset
    )
    try:
        loaded = document.settle(filled)
    except ConfigError as error:
        further = _further(filled.tables, document, catalog, utc, {problem.path for problem in error.problems})
        raise ConfigError(document.in_file_order([*error.problems, *further])) from None
    made, problems = _made(loaded.settings, document, catalog, utc)
    if made is None or problems:
        raise ConfigError(document.in_file_order(problems))
    return loaded, made


def _made(
    settings: Settings, document: Document, catalog: Catalog, utc: Utc
) -> tuple[Components | None, list[Problem]]:
    made, problems = None, list(missing_requirements(settings))
    try:
        made = make(settings, catalog, utc, document.folder)
    except ConfigError as error:
        problems.extend(error.problems)
    return made, document.located(problems)


def _further(
    tables: Mapping[str, Any], document: Document, catalog: Catalog, utc: Utc, known: Set[str]
) -> list[Problem]:
    """What is wrong with the plugins that the sound rest of a broken file names; `known`: the places of its faults."""
    settings = _sound(tables)
    problems = _made(settings, document, catalog, utc)[1] if settings is not None else []
    return [problem for problem in problems if not _follows(problem, known)]


def _sound(tables: Mapping[str, Any]) -> Settings | None:
    """Settings of what is right in the tables; None where mending does not help."""
    for _ in range(_ROUNDS):
        try:
            return structure(tables, Settings)
        except ConfigError as error:
            tables = _mended(tables, "", {problem.path: problem.message for problem in error.problems})
    return None


def _mended(tree: Any, path: str, faults: Mapping[str, str]) -> Any:
    """The tree with a default in the place of each fault, and where there is none, with what passes as anything.

    A table whose `type` is wrong stays: budgets and strategies may mention it by its name.
    """
    if path in faults:
        return {} if _wants_table(faults[path]) else _ANYTHING
    if isinstance(tree, list):
        return [_mended(item, dotted(path, index), faults) for index, item in enumerate(tree)]
    if not isinstance(tree, Mapping):
        return tree
    places = {key: dotted(path, key) for key in tree}
    kept = [key for key, place in places.items() if place not in faults or _wants_table(faults[place])]
    missing = [place.rpartition(".")[2] for place in faults.keys() - places.values() if _lies_in(place, path)]
    return {key: _mended(tree[key], places[key], faults) for key in kept} | dict.fromkeys(missing, _ANYTHING)


def _wants_table(fault: str) -> bool:
    return "a table" in fault.partition(", got ")[0]


def _lies_in(place: str, path: str) -> bool:
    return place.rpartition(".")[0] == path


def _follows(problem: Problem, known: Set[str]) -> bool:
    """Whether a problem is only there because something was taken out, or left open, that is known to be wrong."""
    path, message = problem.path, problem.message
    items = [place for place in known if place.startswith(f"{path}[")]
    parts = [place for place in known if place.startswith(f"{path}.")]
    if "no provider is left" in message:
        return any(place.startswith(f"{path}.providers") for place in parts)
    if path.startswith("budgets.") and not known.isdisjoint({"services", "cost_sinks"}):
        return True  # there are no names that it could have misspelled
    is_whole = path.rpartition(".")[2].partition("[")[0] in ("options", "cost")
    is_open = _ANYTHING in message or not known.isdisjoint({path, f"{path}.type", f"{path}.levels"})
    return is_open or bool(items or (is_whole and parts))
