"""Opens what a command works with, and overhears its calls."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from switchgear.cli.flags import Place

if TYPE_CHECKING:
    from switchgear.app import Switchgear
    from switchgear.capability import AnyCapability
    from switchgear.composition import Manager
    from switchgear.config import Document
    from switchgear.results import Call

_NAME = "command-line"


class Recorder:
    """An observer that keeps each call's record until it is shown."""

    def __init__(self) -> None:
        self._calls: dict[str, Call] = {}

    def call_finished(self, call: "Call") -> None:
        self._calls[call.id] = call

    def take(self, call_id: str | None) -> "Call | None":
        return self._calls.pop(call_id or "", None)


def read_document(place: Place) -> "Document":
    from switchgear.config import read

    return read(place.config, environment=place.environment)


def compose(document: "Document", recorder: object, log_level: str | None = None) -> "Switchgear":
    """The board of a document with the recorder among its observers; raises `ConfigError` with all that is wrong."""
    from switchgear.app import Switchgear

    additions, extra = observed(recorder, log_level)
    return Switchgear(_added(document, additions), extra=extra)


def observed(recorder: object, log_level: str | None) -> tuple[dict[str, Any], list[tuple[str, str, Any]]]:
    """What makes a board tell the recorder and, where a level is given, log: tables, and implementations."""
    _own_the_terminal()
    additions: dict[str, Any] = {"observers": {_NAME: {"type": _NAME}}}
    if log_level is not None:
        additions["switchgear"] = {"logging": {"level": log_level.upper()}}
    return additions, [("observers", _NAME, recorder)]


def _added(document: "Document", additions: Mapping[str, Any]) -> "Document":
    import attrs

    from switchgear.config.environments import merge

    # What is no table stays, to be complained about as it stands.
    fitting = {key: value for key, value in additions.items() if isinstance(document.tables.get(key, {}), Mapping)}
    return attrs.evolve(document, tables=merge(document.tables, fitting))


def _own_the_terminal() -> None:
    """Drop the sink that loguru starts with: the application is this command line, and wants each line once."""
    from contextlib import suppress

    from switchgear.logs import logger

    with suppress(ValueError):
        logger.remove(0)


def find_service(board: "Switchgear", name: str) -> "tuple[Manager, AnyCapability]":
    if name not in tuple(board):
        from difflib import get_close_matches

        near = get_close_matches(name, tuple(board), n=1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise click.UsageError(f"there is no service {name!r}. {hint}Configured: {', '.join(board) or 'none'}")
    return board[name], board.capability(name)


def check_names(manager: "Manager", names: Sequence[str], flag: str) -> None:
    """Raise `UsageError` for a name that no provider of the service has."""
    known = tuple(manager.providers)
    for name in names:
        if name not in known:
            from difflib import get_close_matches

            near = get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            raise click.UsageError(
                f"{flag}: {manager.service} has no provider {name!r}. {hint}It has: {', '.join(known)}"
            )
