"""Where the drawn answers of `--annotate` go."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from switchgear.cli.faults import say_note
from switchgear.cli.inputs import Input
from switchgear.errors import UsageError

if TYPE_CHECKING:
    from switchgear.capability import AnyCapability


class Drawings:
    """Names a file for each input. `target`: the file for a single input, a folder, or a name that gets numbers."""

    def __init__(self, target: Path, capability: "AnyCapability", inputs: int) -> None:
        from switchgear.capability import Capability

        if type(capability).annotate is Capability.annotate:
            raise click.UsageError(f"--annotate: {capability.name} cannot be drawn")
        is_folder = target.is_dir() or not target.suffix
        folder = target if is_folder else target.parent
        if not (folder.parent if is_folder else folder).is_dir():
            raise click.UsageError(f"--annotate: there is no folder {folder.parent if is_folder else folder}")
        self._target = target
        self._is_folder = is_folder
        self._numbered = inputs > 1
        self._taken: dict[str, int] = {}

    def save(self, input: Input, drawing: bytes | None) -> None:
        """Raises `UsageError` if the file cannot be written."""
        if drawing is None:
            say_note(f"{input.shown}: there is nothing to draw")
            return
        path = self._path(input)
        try:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(drawing)
        except OSError as error:
            raise UsageError(f"--annotate: {path} cannot be written: {error.strerror}") from None

    def _path(self, input: Input) -> Path:
        if self._is_folder:
            stem = "stdin" if input.name == "-" else Path(os.path.basename(input.name)).stem  # noqa: PTH119
            return self._target / self._numbers(stem, from_second=True)
        if self._numbered:
            return self._target.with_name(self._numbers(self._target.stem, from_second=False))
        return self._target

    def _numbers(self, stem: str, *, from_second: bool) -> str:
        """A name that no earlier drawing of this run has: inputs of different folders may share one."""
        count = self._taken[stem] = self._taken.get(stem, 0) + 1
        suffix = self._target.suffix if not self._is_folder else ".png"
        return f"{stem}{suffix}" if from_second and count == 1 else f"{stem}-{count}{suffix}"
