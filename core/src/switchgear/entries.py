"""The entry points of our groups, read one distribution at a time: one that is damaged hides itself and nobody else."""

import re
from importlib.metadata import Distribution, EntryPoint, distributions
from typing import NamedTuple

GROUP_PREFIX = "switchgear."


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
            # Most have none of ours, and need not be parsed.
            if f"[{GROUP_PREFIX}" in (distribution.read_text("entry_points.txt") or ""):
                name, version = name_of(distribution), version_of(distribution)
                entries = (entry for entry in distribution.entry_points if entry.group.startswith(GROUP_PREFIX))
                points.setdefault(normalized(name), [Point(entry, name, version) for entry in entries])
        except Exception:
            damaged.append(name_of(distribution))
    return Entries(tuple(point for ours in points.values() for point in ours), tuple(damaged))


def name_of(distribution: Distribution) -> str:
    """Its name; where the metadata has none, that of its folder."""
    folder = str(getattr(distribution, "_path", "unknown")).replace("\\", "/").rpartition("/")[2]
    return _header(distribution, "Name") or folder


def version_of(distribution: Distribution) -> str:
    """Its version, empty where the metadata has none."""
    return _header(distribution, "Version")


def _header(distribution: Distribution, name: str) -> str:
    """One line of the metadata's head, empty where it has none.

    `distribution.metadata` would parse the whole file, readme included, once for each question.
    """
    # Foreign files again; their reader raises whatever it stumbles over.
    try:
        text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO")
    except Exception:
        text = None
    found = re.search(rf"^{name}:(.*)$", (text or "").partition("\n\n")[0], re.MULTILINE | re.IGNORECASE)
    return found[1].strip() if found else ""


def normalized(distribution: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()
