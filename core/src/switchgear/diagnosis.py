"""From a document to settings and managers, or to everything that is wrong with it in one run."""

import copy
import re
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from switchgear.composition import Composed, compose
from switchgear.config import Document, Loaded
from switchgear.errors import ConfigError, Problem
from switchgear.home import Home
from switchgear.installation import SecretStores, activity, missing_requirements
from switchgear.plugins import Catalog

_KEY = re.compile(r"[^.\[\]]+")


def assemble(document: Document, catalog: Catalog, home: Home, *, allow_unset: bool = False) -> tuple[Loaded, Composed]:
    """Settings and managers; raises `ConfigError` with the problems of the file and of the plugins it names."""
    try:
        loaded = _resolve(document, catalog, allow_unset)
    except ConfigError as error:
        raise ConfigError([*error.problems, *_further(document, catalog, home, error.problems)]) from None
    problems = list(missing_requirements(loaded.settings))
    try:
        composed = compose(loaded.settings, catalog, home, document.folder)
    except ConfigError as error:
        problems.extend(error.problems)
    if problems:
        raise ConfigError([attrs.evolve(problem, path=document.where(problem.path)) for problem in problems])
    return loaded, composed


def _resolve(document: Document, catalog: Catalog, allow_unset: bool) -> Loaded:
    return document.resolve(
        secret_stores=SecretStores(catalog), is_active=activity(document, catalog), allow_unset=allow_unset
    )


def _further(document: Document, catalog: Catalog, home: Home, known: Iterable[Problem]) -> list[Problem]:
    """What is wrong with the plugins that the sound rest of a broken file names."""
    known = tuple(known)
    tables = copy.deepcopy(dict(document.tables))
    for problem in known:
        _cut(tables, _KEY.findall(problem.path))
    rest = attrs.evolve(document, tables=tables, source=tables, problems=())
    problems: list[Problem] = []
    try:
        settings = _resolve(rest, catalog, allow_unset=True).settings
        problems.extend(missing_requirements(settings))
        compose(settings, catalog, home, document.folder)
    except ConfigError as error:
        problems.extend(error.problems)
    problems = [attrs.evolve(problem, path=document.where(problem.path)) for problem in problems]
    paths = {problem.path for problem in known}
    # Losing what was cut must not be reported as one more fault.
    return [each for each in problems if each.path not in paths and "no provider" not in each.message]


def _cut(tables: Any, keys: list[str]) -> None:
    """Take the value at a path out; where the path leads to nothing (a missing key), the table that lacks it."""
    holder, last = tables, ""
    for position, key in enumerate(keys):
        if not isinstance(tables, Mapping) or key not in tables:
            break
        holder, last = tables, key
        tables = tables[key]
        if position == 4:  # services.<name>.providers.<name>.<key>: options below it stand or fall together
            break
    if isinstance(holder, dict) and last:
        holder.pop(last, None)
