"""The commands by name, and what becomes of everything that goes wrong in them."""

import sys
from typing import TYPE_CHECKING, Any

import click

from switchgear._version import __version__
from switchgear.cli import faults, names
from switchgear.cli.groups import LazyGroup

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

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


class Program(LazyGroup):
    """The group of all commands. Every installed capability is one more, `switchgear ocr page.png`."""

    kind = "command or installed capability"

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS and cmd_name in names.capabilities():
            from switchgear.cli.quick import command_for

            return command_for(cmd_name)
        return super().get_command(ctx, cmd_name)

    def known(self, ctx: click.Context) -> list[str]:
        return [*super().known(ctx), *names.capabilities()]

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


@click.command(cls=Program, modules=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
def program() -> None:
    """Ask for a capability; configuration picks among interchangeable providers."""
