"""How soon the command line is there: `--version` beside an empty Python, `check` beside importing what it needs."""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from figures import Section, judged, parser, show

ROOT = Path(__file__).parents[2]
# What the core depends on, as it imports it.
LIBRARIES = (
    "attrs, backoff, cattrs.gen, click, loguru, packaging.requirements, pluggy, rich.console, rich.table, "
    "stevedore.named, tomli"
)
FIVE = """
[services.scans]
capability = "ocr"
validate = ["min-coverage", "min-confidence"]
[services.scans.providers.fast]
type = "tesseract"
[services.scans.providers.good]
type = "rapidocr"
"""


def main() -> None:
    options = parser(__doc__ or "").parse_args()
    with tempfile.TemporaryDirectory() as folder:
        show([measure(Path(folder), 5 if options.quick else 21)], options.json)


def measure(folder: Path, rounds: int) -> Section:
    (folder / "switchgear.toml").write_text(FIVE, encoding="utf-8")
    crowd = crowded(folder / "crowd")
    check = ["-m", "switchgear", "check"]
    commands: Mapping[str, tuple[list[str], str]] = {
        "python -c pass": (["-c", "pass"], ""),
        "switchgear --version": (["-m", "switchgear", "--version"], ""),
        "import the libraries": (["-c", f"import {LIBRARIES}"], ""),
        "check, five components": (check, ""),
        "check, 200 plugins more": (check, str(crowd)),
    }
    taken: dict[str, list[Taken]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, (arguments, path) in commands.items():
            taken[name].append(run_once(arguments, folder, path))
    cpu = {name: statistics.median(each.cpu for each in found) for name, found in taken.items()}
    targets = {
        "switchgear --version": 2 * cpu["python -c pass"],
        "check, five components": cpu["import the libraries"] + 30,
        "check, 200 plugins more": cpu["import the libraries"] + 30,
    }
    rows = [
        {
            "command": name,
            "CPU ms": value,
            "target": targets.get(name),
            "verdict": judged(value, targets.get(name)),
            "wall ms": statistics.median(each.wall for each in taken[name]),
        }
        for name, value in cpu.items()
    ]
    return Section(f"A whole process, medians of {rounds} rounds in turn", rows)


def crowded(folder: Path) -> Path:
    """A folder of installed distributions that each offer a provider nobody names."""
    for number in range(200):
        info = folder / f"switchgear_crowd{number}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: switchgear-crowd{number}\nVersion: 1.0\n", "utf-8"
        )
        entry = f"[switchgear.providers]\nocr.crowd{number} = switchgear_crowd{number}:Provider\n"
        (info / "entry_points.txt").write_text(entry, encoding="utf-8")
    return folder


class Taken(NamedTuple):
    """Milliseconds of one process: on a busy machine its CPU time says more than the clock."""

    cpu: float
    wall: float


def run_once(arguments: list[str], folder: Path, path: str) -> Taken:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **({"PYTHONPATH": path} if path else {})}
    before, started = children_seconds(), time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, check=True, capture_output=True)
    return Taken(1000 * (children_seconds() - before), 1000 * (time.perf_counter() - started))


def children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
