"""`switchgear cost`: what was spent, for other programs too, and whether a vendor's bill agrees."""

import importlib

import click

_COMMANDS = ("report", "export", "reconcile")


class _Cost(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{cmd_name}").command
        return command


@click.command("cost", cls=_Cost, short_help="Look at what was spent.")
def command() -> None:
    """Look at what was spent, as the ledger knows it."""
