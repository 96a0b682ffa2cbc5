"""Arguments to inputs: folders and patterns become the files they stand for."""

import glob
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Any

import attrs
import click

from switchgear.cli.faults import printable
from switchgear.errors import InvalidInput

STDIN = "-"


@attrs.frozen
class Input:
    """What the caller wrote, or a file that it stands for, and what the capability makes a request of.

    `error` says why it stands for nothing.
    """

    name: str
    value: Any
    error: InvalidInput | None = None

    @property
    def shown(self) -> str:
        """Its name on a terminal."""
        return printable(self.name)

    def named(self, text: str) -> str:
        """A text that says of what it speaks. Capabilities name their input as a rule, but none has to."""
        text = printable(text)
        # A path may be told without its `./`.
        is_named = text.startswith((f"{self.shown}: ", f"{printable(str(PurePath(self.name)))}: "))
        return text if is_named or self.error is not None else f"{self.shown}: {text}"


def expand(arguments: Sequence[str], capability: str, suffixes: Sequence[str]) -> list[Input]:
    """A folder stands for the files below it with one of the suffixes, a pattern for what it matches, sorted.

    What is neither stays as it is: the capability may take texts. `-` is all of standard input, as bytes. A folder
    without such files is an input with an error, and alone a usage error.
    """
    stdin = sys.stdin.buffer.read() if STDIN in arguments else b""
    inputs: list[Input] = []
    for argument in arguments:
        try:
            names = list(_expand(argument, capability, suffixes))
            inputs += (Input(name, stdin if name == STDIN else name) for name in names)
        except InvalidInput as error:
            if len(arguments) == 1:
                raise click.UsageError(str(error)) from None
            inputs.append(Input(argument, None, error))
    return inputs


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
        raise InvalidInput(f"{folder} is a folder, and {capability} does not read files from folders")
    found = sorted(
        os.path.join(parent, name)  # noqa: PTH118
        for parent, _, names in os.walk(folder)
        for name in names
        if name.lower().endswith(tuple(suffixes))
    )
    if not found:
        raise InvalidInput(f"{folder} has no file that {capability} reads; it reads {', '.join(suffixes)}")
    return found
