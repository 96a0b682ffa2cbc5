"""Fills in the command-line reference: what `--help` says, of every command and subcommand."""

from collections.abc import Iterator

import click
from sphinx.application import Sphinx
from switchgear.cli.program import program

MARKER = "<!-- commands -->"
WIDTH = 100


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", fill_in)
    return {"parallel_read_safe": True}


def fill_in(app: Sphinx, page: str, source: list[str]) -> None:
    if MARKER in source[0]:
        source[0] = source[0].replace(MARKER, "\n".join(sections(program, "switchgear", None)))


def sections(command: click.Command, name: str, parent: click.Context | None) -> Iterator[str]:
    context = click.Context(command, parent, info_name=name, terminal_width=WIDTH)
    names = command.list_commands(context) if isinstance(command, click.Group) else []
    if parent is not None:
        yield f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"
    for inner in names:
        found = command.get_command(context, inner) if isinstance(command, click.Group) else None
        if found is not None:
            yield from sections(found, inner, context)
