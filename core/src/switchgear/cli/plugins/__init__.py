"""`switchgear plugins`: what is installed, what it can be told, and why it is used or not."""

import click

from switchgear.cli.groups import LazyGroup

_MODULES = {name: f"{__name__}.{name}" for name in ("list", "show", "why")}


@click.command("plugins", cls=LazyGroup, modules=_MODULES, short_help="Look at the installed plugins.")
def command() -> None:
    """Look at the installed plugins."""
