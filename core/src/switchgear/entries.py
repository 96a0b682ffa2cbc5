"""The entry points of our groups, read one distribution at a time: one that is damaged hides itself and nobody else."""

import re
from importlib.metadata import Distribution, EntryPoint, distributions
from typing import NamedTuple

GROUP_PREFIX = "switchgear."


class Entries(NamedTuple):
    """What installed distributions offer, and the names of those whose metadata cannot be read."""

    points: tuple[EntryPoint, ...]
    damaged: tuple[str, ...]


def installed_entries() -> Entries:
    """In the order of `sys.path`; of two installations of one distribution, the first counts. Imports nothing."""
    points: dict[str, tuple[EntryPoint, ...]] = {}
    damaged = []
    for distribution in distributions():
        # Foreign files: `importlib.metadata.entry_points()` would fail for all plugins where one of them is broken.
        try:
            # Most have none of ours, and need not be parsed.
            if f"[{GROUP_PREFIX}" in (distribution.read_text("entry_points.txt") or ""):
                ours = tuple(point for point in distribution.entry_points if point.group.startswith(GROUP_PREFIX))
                points.setdefault(normalized(name_of(distribution)), ours)
        except Exception:
            damaged.append(name_of(distribution))
    return Entries(tuple(point for ours in points.values() for point in ours), tuple(damaged))


def name_of(distribution: Distribution | None) -> str:
    """Its name; where the metadata has none, that of its folder."""
    # Foreign files again; their reader raises whatever it stumbles over.
    try:
        name = distribution.name if distribution else None
    except Exception:
        name = None
    return name or str(getattr(distribution, "_path", "unknown")).replace("\\", "/").rpartition("/")[2]


def version_of(distribution: Distribution | None) -> str:
    """Its version, empty where the metadata has none."""
    try:
        return (distribution.version if distribution else None) or ""
    # As above.
    except Exception:
        return ""


def normalized(distribution: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()
