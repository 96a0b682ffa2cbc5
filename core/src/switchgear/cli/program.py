"""The commands by name, and what becomes of everything that goes wrong in them."""

import importlib
import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import click

from switchgear._version import __version__
from switchgear.cli import faults, names

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# Module and help of each command: neither `--help` nor a command imports another one.
_COMMANDS = {
    "init": "switchgear.cli.init",
    "run": "switchgear.cli.run",
    "explain": "switchgear.cli.explain",
    "check": "switchgear.cli.check",
    "health": "switchgear.cli.health",
    "doctor": "switchgear.cli.doctor",
    "plugins": "switchgear.cli.plugins",
    "cost": "switchgear.cli.cost",
    "cache": "switchgear.cli.cache",
    "completion": "switchgear.cli.completion",
}


class Program(click.Group):
    """The group of all commands. Every installed capability is one more, `switchgear ocr page.png`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _COMMANDS:
            command: click.Command = importlib.import_module(_COMMANDS[cmd_name]).command
            return command
        if cmd_name in names.capabilities():
            from switchgear.cli.quick import command_for

            return command_for(cmd_name)
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            raise click.UsageError(_unknown(name), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_commands(ctx, formatter)
        found = names.capabilities()
        if found:
            with formatter.section("Capabilities"):
                formatter.write_dl([(name, "Ask the installed providers; needs no configuration.") for name in found])

    def main(
        self,
        args: Any = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run; a failure has been explained on standard error when this leaves with its status."""
        with faults.explained():
            status = super().main(args, "switchgear", complete_var, standalone_mode=False, **extra)
            if not standalone_mode:
                return status
            sys.exit(status if isinstance(status, int) else 0)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        from click.shell_completion import CompletionItem

        found = [CompletionItem(name) for name in names.capabilities()]
        return super().shell_complete(ctx, incomplete) + [item for item in found if item.value.startswith(incomplete)]


@click.command(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
def program() -> None:
    """Ask for a capability; configuration picks among interchangeable providers."""


def _unknown(name: str) -> str:
    known = [*_COMMANDS, *names.capabilities()]
    near = get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    return f"there is no command or installed capability {name!r}. {hint}There are: {', '.join(known)}"
