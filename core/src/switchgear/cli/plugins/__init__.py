"""`switchgear plugins`: what is installed, what it can be told, and why it is used or not."""

import importlib

import click

_COMMANDS = ("list", "show", "why")


class _Plugins(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{cmd_name}").command
        return command


@click.command("plugins", cls=_Plugins, short_help="Look at the installed plugins.")
def command() -> None:
    """Look at the installed plugins."""
