"""The entry points of our groups, read one distribution at a time: one that is damaged hides itself and nobody else."""

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, EntryPoint, distributions
from io import FileIO
from pathlib import Path
from typing import NamedTuple

GROUP_PREFIX = "switchgear."
_FOLDER = re.compile(r"(.+)-([^-]+)\.dist-info")
_HEADER = re.compile(r"^(name|version):(.*)$", re.MULTILINE | re.IGNORECASE)


class Point(NamedTuple):
    """One entry point, and the distribution that has it."""

    entry: EntryPoint
    distribution: str
    version: str


class Entries(NamedTuple):
    """What installed distributions offer, and the names of those whose metadata cannot be read."""

    points: tuple[Point, ...]
    damaged: tuple[str, ...]


def installed_entries() -> Entries:
    """In the order of `sys.path`; of two installations of one distribution, the first counts. Imports nothing."""
    points: dict[str, list[Point]] = {}
    damaged = []
    for distribution in distributions():
        # Foreign files: `importlib.metadata.entry_points()` would fail for all plugins where one of them is broken.
        try:
            text = _text(distribution)
            # Most have none of ours, and need not be parsed.
            if f"[{GROUP_PREFIX}" in text:
                name, version = identity_of(distribution)
                points.setdefault(normalized(name), [Point(entry, name, version) for entry in _ours(text)])
        except Exception:
            damaged.append(identity_of(distribution)[0])
    return Entries(tuple(point for ours in points.values() for point in ours), tuple(damaged))


def _text(distribution: Distribution) -> str:
    """Its `entry_points.txt`, empty without one."""
    folder = getattr(distribution, "_path", None)
    if not isinstance(folder, Path):  # in a zip file, or of another finder
        return distribution.read_text("entry_points.txt") or ""
    # As its `read_text` would do, in half the time; there may be hundreds of them.
    try:
        with FileIO(f"{folder}/entry_points.txt") as file:
            return file.readall().decode()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError):
        return ""


def _ours(text: str) -> Iterator[EntryPoint]:
    """Those of our groups. `distribution.entry_points` would read the file again, and parse it in twice the time.

    The format: https://packaging.python.org/en/latest/specifications/entry-points/#file-format.
    """
    group = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            group = line.strip("[]")
        elif line and line[0] not in "#;" and group.startswith(GROUP_PREFIX):
            name, value = line.split("=", 1)
            yield EntryPoint(name.strip(), value.strip(), group)


def identity_of(distribution: Distribution) -> tuple[str, str]:
    """Name and version, empty where it has none.

    Installers name the folder after both (https://packaging.python.org/en/latest/specifications/recording-installed-packages/),
    which saves reading a file for each. `distribution.metadata` would parse it whole, readme included.
    """
    folder = str(getattr(distribution, "_path", "unknown")).replace("\\", "/").rpartition("/")[2]
    named = _FOLDER.fullmatch(folder)
    if named:
        return named[1].replace("_", "-"), named[2]
    # Foreign files again; their reader raises whatever it stumbles over.
    try:
        text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    except Exception:
        text = ""
    headers = {key.lower(): value.strip() for key, value in _HEADER.findall(text.partition("\n\n")[0])}
    return headers.get("name") or folder, headers.get("version", "")


def normalized(distribution: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()
