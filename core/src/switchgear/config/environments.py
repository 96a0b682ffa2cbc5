"""Chooses the environment and merges its overlay last.

The name comes from the caller (`--env` on the command line), else SWITCHGEAR_ENV, else `[switchgear] environment`. It
must be declared by an `[environments.<name>]` table, empty if need be. One name needs none: the file's own
`environment` may be what the author calls the tables as they stand, unless it looks like a declared one:
`"production"` beside `[environments.prod]` must not quietly run with the settings of a laptop.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from switchgear.config.wording import dotted, places, suggestion
from switchgear.errors import Problem

ENV_VARIABLE = "SWITCHGEAR_ENV"
FILE_PATH = "switchgear.environment"
NAMED = "environment"


@attrs.frozen(eq=False, repr=False)
class Choice:
    name: str | None
    problem: Problem | None = None


def choose(named: str | None, environ: Mapping[str, str], own: str | None, declared: Iterable[str]) -> Choice:
    """`own` is what the file's `[switchgear] environment` says."""
    declared = tuple(declared)
    candidates = ((named, NAMED), (environ.get(ENV_VARIABLE), ENV_VARIABLE), (own, FILE_PATH))
    name, said_in = next(((name, said_in) for name, said_in in candidates if name), (None, ""))
    if name is None or name in declared or (name == own and not _looks_like(name, declared)):
        return Choice(name)
    remedy = f"Declare it as [environments.<name>], empty if need be. {suggestion(name, declared)}"
    return Choice(name, Problem(said_in, f"no environment is called {name!r}", remedy))


def is_about_choice(problem: Problem) -> bool:
    """Whether it is `choose` that has found it."""
    return problem.path in (NAMED, ENV_VARIABLE, FILE_PATH)


def _looks_like(name: str, declared: Iterable[str]) -> bool:
    cut = any(name.startswith(other) or other.startswith(name) for other in declared)
    from difflib import get_close_matches

    return cut or bool(get_close_matches(name, declared, n=1, cutoff=0.7))


def merge(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Tables are merged key by key, everything else, lists too, is replaced. Changes neither argument."""
    merged = dict(base)
    for key, value in overlay.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def overlays(tables: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The declared environments. What is not a table is left to the schema to complain about."""
    declared = tables.get("environments")
    if not isinstance(declared, Mapping):
        return {}
    return {name: overlay for name, overlay in declared.items() if isinstance(overlay, Mapping)}


def locate(path: str, source: Mapping[str, Any], name: str | None) -> str:
    """Where in the file stands what has `path` after environment `name` was merged."""
    overlay = overlays(source).get(name or "", {})
    if not overlay or not path:
        return path
    laid_over, parent = places(overlay), path.rpartition(".")[0]
    # A missing key stands nowhere: it belongs to the overlay if its table is only there.
    if path in laid_over or (parent in laid_over and parent not in places(source)):
        return f"{dotted('environments', name or '')}.{path}"
    return path
