"""The entry points of our groups, read one distribution at a time: one that is damaged hides itself and nobody else."""

import os
import re
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from importlib.metadata import Distribution, DistributionFinder, EntryPoint, MetadataPathFinder
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
            text = distribution.read_text("entry_points.txt") or ""
            # Most have none of ours, and need not be parsed.
            if f"[{GROUP_PREFIX}" in text:
                name, version = identity_of(distribution)
                points.setdefault(normalized(name), [Point(entry, name, version) for entry in _ours(text)])
        except Exception:
            damaged.append(identity_of(distribution)[0])
    return Entries(tuple(point for ours in points.values() for point in ours), tuple(damaged))


class _Folder:
    """A distribution that lies in a folder, as usual: read in a third of the time, for there may be hundreds."""

    def __init__(self, path: str) -> None:
        self._path = path

    def read_text(self, filename: str) -> str | None:
        try:
            file = os.open(f"{self._path}/{filename}", os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError):
            return None
        try:
            return os.read(file, os.fstat(file).st_size).decode()
        finally:
            os.close(file)


def distributions() -> Iterator[Distribution | _Folder]:
    """Those of `importlib.metadata.distributions()`."""
    yield from (each for place in sys.path for each in distributions_in(str(place)))
    for finder in sys.meta_path:
        if finder is not PathFinder and hasattr(finder, "find_distributions"):
            yield from finder.find_distributions(DistributionFinder.Context())


def distributions_in(place: str) -> Iterator[Distribution | _Folder]:
    """Those in one of the places of `sys.path`."""
    try:
        entries = () if place.endswith(".egg") else tuple(os.scandir(place or "."))
    except OSError:
        entries = ()
    yield from (_Folder(entry.path) for entry in entries if entry.name.endswith((".dist-info", ".egg-info")))
    if not entries:  # a zip file, or nothing
        yield from MetadataPathFinder.find_distributions(DistributionFinder.Context(path=[place]))


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


def identity_of(distribution: Distribution | _Folder) -> tuple[str, str]:
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
