"""Arguments to inputs: folders and patterns become the files they stand for."""

import glob
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import click

STDIN = "-"


@attrs.frozen
class Input:
    """What the caller wrote, or a file that it stands for, and what the capability makes a request of."""

    name: str
    value: Any

    @property
    def shown(self) -> str:
        """Its name on a terminal: a file's name may hold anything, a line break and control codes too."""
        return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in self.name)


def expand(arguments: Sequence[str], capability: str, suffixes: Sequence[str]) -> list[Input]:
    """A folder stands for the files below it with one of the suffixes, a pattern for what it matches, sorted.

    What is neither stays as it is: the capability may take texts. `-` is all of standard input, as bytes.
    """
    stdin = sys.stdin.buffer.read() if STDIN in arguments else b""
    return [
        Input(name, stdin if name == STDIN else name)
        for argument in arguments
        for name in _expand(argument, capability, suffixes)
    ]


def _expand(argument: str, capability: str, suffixes: Sequence[str]) -> Iterator[str]:
    # Not pathlib: it raises for texts that cannot be a path, and they may be meant.
    if os.path.isdir(argument):  # noqa: PTH112
        yield from _files_below(argument, capability, suffixes)
    elif glob.has_magic(argument) and not os.path.exists(argument):  # noqa: PTH110
        yield from _matches(argument, capability, suffixes)
    else:
        yield argument


def _matches(pattern: str, capability: str, suffixes: Sequence[str]) -> Iterator[str]:
    try:
        found = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207
    except (OSError, ValueError):
        found = []
    for name in found:
        # A pattern that reaches folders and files alike, `scans/**`, means each file once.
        if os.path.isfile(name):  # noqa: PTH113
            yield name
    if not any(map(os.path.isfile, found)):
        yield from _files_below(found[0], capability, suffixes) if len(found) == 1 else [pattern]


def _files_below(folder: str, capability: str, suffixes: Sequence[str]) -> list[str]:
    if not suffixes:
        raise click.UsageError(f"{folder} is a folder, and {capability} does not read files from folders")
    found = sorted(
        os.path.join(parent, name)  # noqa: PTH118
        for parent, _, names in os.walk(folder)
        for name in names
        if name.lower().endswith(tuple(suffixes))
    )
    if not found:
        raise click.UsageError(f"{folder} has no file that {capability} reads; it reads {', '.join(suffixes)}")
    return found
