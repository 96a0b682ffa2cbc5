"""What every benchmark does with its figures: a table to read and, with `--json FILE`, a file to keep."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
from rich.console import Console
from rich.table import Table

Row = dict[str, Any]

WIDTH = 140  # of a file or pipe


@attrs.frozen
class Section:
    """One table; each row maps the headings to its values."""

    title: str
    rows: Sequence[Row]


def parser(description: str) -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--quick", action="store_true", help="fewer rounds: does it run, and about how fast?")
    options.add_argument("--json", type=Path, metavar="FILE", help="add the figures to this file, by script and table")
    return options


def judged(measured: float, target: float | None) -> str:
    """The word for a figure that should not exceed its target."""
    if target is None:
        return ""
    return "met" if measured <= target else "MISSED"


def show(sections: Sequence[Section], file: Path | None = None) -> None:
    """Print the sections; add them to the file, beside those of other scripts."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    for section in sections:
        console.print(_table(section))
    if file is not None:
        kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        kept[Path(sys.argv[0]).stem] = {section.title: section.rows for section in sections}
        file.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


def _table(section: Section) -> Table:
    table = Table(title=section.title, title_justify="left")
    headings = list(dict.fromkeys(heading for row in section.rows for heading in row))
    for heading in headings:
        numeric = any(isinstance(row.get(heading), int | float) for row in section.rows)
        table.add_column(heading, justify="right" if numeric else "left")
    for row in section.rows:
        table.add_row(*(_shown(row.get(heading)) for heading in headings))
    return table


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
