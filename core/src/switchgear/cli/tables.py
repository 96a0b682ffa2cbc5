"""Tables on a terminal, and in files and pipes, where nothing is cut to a width."""

import sys
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_ENDLESS = 10_000


def console(*, stderr: bool = False) -> "Console":
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _ENDLESS
    # Names and messages are foreign text: brackets in them are brackets.
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Collection[str] = (),
    totals: Iterable[Sequence[str]] = (),
    stderr: bool = False,
) -> None:
    """The columns named in `right` are aligned there; `totals` are rows under a line."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    for column in columns:
        # An amount that is cut would be another amount.
        table.add_column(
            column, justify="right", no_wrap=True, overflow="fold"
        ) if column in right else table.add_column(column)
    for row in rows:
        table.add_row(*row)
    table.add_section()
    for row in totals:
        table.add_row(*row)
    console(stderr=stderr).print(table)
