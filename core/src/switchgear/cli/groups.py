"""Groups of commands: imported when they are used, and told apart from what is nearly spelled like them."""

import importlib
from collections.abc import Mapping
from typing import Any

import click


class Group(click.Group):
    """A group that knows the nearest right name."""

    kind = "command"

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            raise click.UsageError(self._unknown(name, self.known(ctx)), ctx)
        return super().resolve_command(ctx, args)

    def known(self, ctx: click.Context) -> list[str]:
        """Every name that is right here."""
        return self.list_commands(ctx)

    def _unknown(self, name: str, known: list[str]) -> str:
        from difflib import get_close_matches

        near = get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        return f"there is no {self.kind} {name!r}. {hint}There are: {', '.join(known)}"


class LazyGroup(Group):
    """`modules` by the commands' names, in the help's order. Neither `--help` nor a command imports another one."""

    def __init__(self, *arguments: Any, modules: Mapping[str, str], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._modules:
            return None
        command: click.Command = importlib.import_module(self._modules[cmd_name]).command
        return command
