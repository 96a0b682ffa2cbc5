"""`switchgear cost`: what was spent, for other programs too, and whether a vendor's bill agrees."""

import click

from switchgear.cli.groups import LazyGroup

_MODULES = {name: f"{__name__}.{name}" for name in ("report", "export", "reconcile")}


@click.command("cost", cls=LazyGroup, modules=_MODULES, short_help="Look at what was spent.")
def command() -> None:
    """Look at what was spent, as the ledger knows it."""
