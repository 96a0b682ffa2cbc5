"""Where the drawn answers of `--annotate` go."""

import os
import sys
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import click

from switchgear.cli.calls import Answer
from switchgear.cli.faults import say_note
from switchgear.cli.inputs import STDIN, Input
from switchgear.errors import UsageError

if TYPE_CHECKING:
    from switchgear.capability import AnyCapability

PNG = ".png"


class Drawings:
    """A file for each input, settled before the first is drawn.

    `target`: the file for a single input, a folder, or a name that gets numbers. None of them may be an input itself.
    """

    def __init__(self, target: Path, capability: "AnyCapability", inputs: Sequence[Input]) -> None:
        from switchgear.capability import Capability

        if type(capability).annotate is Capability.annotate:
            raise click.UsageError(f"--annotate: {capability.name} cannot be drawn")
        is_folder = target.is_dir() or not target.suffix
        folder = target if is_folder else target.parent
        if not (folder.parent if is_folder else folder).is_dir():
            raise click.UsageError(f"--annotate: there is no folder {folder.parent if is_folder else folder}")
        if not is_folder and target.suffix.lower() not in capability.drawings:
            raise click.UsageError(
                f"--annotate: {capability.name} draws no {target.suffix}; name a folder, or a file that ends in "
                f"{', '.join(capability.drawings)}"
            )
        paths = list(_in_folder(target, inputs) if is_folder else _numbered(target, inputs))
        _refuse_inputs(paths, inputs)
        self._capability = capability
        # By identity: an input may be named twice.
        self._paths = dict(zip(map(id, inputs), paths, strict=True))

    def draw(self, answer: Answer, output: object) -> None:
        """Raises `UsageError` if the file cannot be written."""
        path = self._paths[id(answer.input)]
        suffix = path.suffix.lower()
        # A capability that draws nothing else need not know of suffixes.
        drawing = self._capability.annotate(answer.request, output, *([suffix] if suffix != PNG else []))
        if drawing is None:
            say_note(f"{answer.input.shown}: there is nothing to draw")
            return
        try:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(drawing)
        except OSError as error:
            raise UsageError(f"--annotate: {path} cannot be written: {error.strerror}") from None


def _in_folder(folder: Path, inputs: Sequence[Input]) -> Iterator[Path]:
    """Named after the inputs; those of different folders may share a name, and get numbers."""
    taken: set[str] = set()
    reached: dict[str, int] = {}
    for name in (each.name for each in inputs):
        stem = "stdin" if name == STDIN else Path(os.path.basename(name)).stem  # noqa: PTH119
        for number in count(reached.get(stem, 1)):
            own = f"{stem}{PNG}" if number == 1 else f"{stem}-{number}{PNG}"
            if own.casefold() not in taken:
                break
        taken.add(own.casefold())
        reached[stem] = number + 1
        yield folder / own


def _numbered(target: Path, inputs: Sequence[Input]) -> Iterator[Path]:
    for number, _ in enumerate(inputs, 1):
        yield target.with_name(f"{target.stem}-{number}{target.suffix}") if len(inputs) > 1 else target


def _refuse_inputs(paths: Sequence[Path], inputs: Sequence[Input]) -> None:
    sources = {_file(_stdin() if each.name == STDIN else each.name) for each in inputs} - {None}
    for path in paths:
        if _file(path) in sources:
            raise click.UsageError(f"--annotate: {path} is one of the inputs; name another file or folder")


def _file(path: str | Path | int) -> tuple[int, int] | None:
    """Which file it is, under whatever name; None if there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116  # an open file has a number, and a text may be no path
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def _stdin() -> int:
    try:
        return sys.stdin.fileno()
    except (OSError, ValueError):
        return -1
