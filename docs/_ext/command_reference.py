"""Fills in the command-line reference: what `--help` says, of every command and subcommand."""

from collections.abc import Iterator

import click
from sphinx.application import Sphinx
from switchgear.cli.program import program

MARKER = "<!-- commands -->"


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", fill_in)
    return {"parallel_read_safe": True}


def fill_in(app: Sphinx, page: str, source: list[str]) -> None:
    if MARKER in source[0]:
        source[0] = source[0].replace(MARKER, "\n".join(sections(program, "switchgear", None)))


def sections(group: click.Group, path: str, parent: click.Context | None) -> Iterator[str]:
    context = click.Context(group, parent, info_name=path.rpartition(" ")[2], max_content_width=100)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is not None:
            inner = click.Context(command, context, info_name=name, max_content_width=100, terminal_width=100)
            yield f"## {path} {name}\n\n```text\n{command.get_help(inner)}\n```\n"
        if isinstance(command, click.Group):
            yield from sections(command, f"{path} {name}", context)
