"""How soon the command line is there: `--version` beside an empty Python, `check` beside importing what it imports."""

import json
import re
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
# All that the core depends on, as it imports it for one command or another.
DECLARED = (
    "attrs, backoff, cattrs.gen, click, loguru, packaging.requirements, pluggy, rich.console, rich.table, "
    "stevedore.named, tomli"
)
CHECK = ["-m", "switchgear", "check"]
# Run in the place of `switchgear check`: says which modules of others it has imported, in their order.
WATCHED = """
import json, runpy, sys, sysconfig
sys.argv = ["switchgear", "check"]
places = (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
before = set(sys.modules)
try:
    runpy.run_module("switchgear", run_name="__main__")
finally:
    specs = [getattr(sys.modules[name], "__spec__", None) for name in sys.modules if name not in before]
    found = [spec.name for spec in specs if spec and str(spec.origin).startswith(places)]
    print(json.dumps([name for name in found if not name.startswith("switchgear")]))
"""
IMPORTED = re.compile(r"import time:\s+(?P<own>\d+) \|\s+\d+ \|\s+(?P<name>switchgear[\w.]*)")
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
        (Path(folder) / "switchgear.toml").write_text(FIVE, encoding="utf-8")
        rounds = 5 if options.quick else 21
        show([measure(Path(folder), rounds), own_imports(Path(folder), rounds)], options.json)


def measure(folder: Path, rounds: int) -> Section:
    crowd = crowded(folder / "crowd")
    needed = libraries(folder)
    commands: Mapping[str, tuple[list[str], str]] = {
        "python -c pass": (["-c", "pass"], ""),
        "switchgear --version": (["-m", "switchgear", "--version"], ""),
        "import all that the core declares": (["-c", f"import {DECLARED}"], ""),
        "import what check imports": (["-c", f"import {', '.join(needed)}"], ""),
        "check, five components": (CHECK, ""),
        "the same import, 200 plugins more": (["-c", f"import {', '.join(needed)}"], str(crowd)),
        "check, 200 plugins more": (CHECK, str(crowd)),
    }
    taken: dict[str, list[Taken]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, (arguments, path) in commands.items():
            taken[name].append(run_once(arguments, folder, path))
    cpu = {name: statistics.median(each.cpu for each in found) for name, found in taken.items()}
    targets = {
        "switchgear --version": 2 * cpu["python -c pass"],
        "check, five components": cpu["import what check imports"] + 30,
        "check, 200 plugins more": cpu["the same import, 200 plugins more"] + 30,
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
    tops = sorted({name.partition(".")[0] for name in needed})
    return Section(f"A whole process, medians of {rounds} rounds in turn; check imports {', '.join(tops)}", rows)


def libraries(folder: Path) -> list[str]:
    """The modules of others that `check` imports, and nothing that it does not."""
    return json.loads(run(["-c", WATCHED], folder).stdout.splitlines()[-1])  # type: ignore[no-any-return]


def own_imports(folder: Path, rounds: int) -> Section:
    """What each module of ours takes to import, without what it imports itself; the least of the rounds."""
    least: dict[str, float] = {}
    for _ in range(rounds):
        for match in IMPORTED.finditer(run(["-X", "importtime", *CHECK], folder).stderr):
            name, milliseconds = match["name"], int(match["own"]) / 1000
            least[name] = min(least.get(name, milliseconds), milliseconds)
    slowest = sorted(least, key=lambda name: -least[name])[:20]
    rows = [{"module": name, "own ms": least[name]} for name in slowest]
    rest = sum(least.values()) - sum(least[name] for name in slowest)
    return Section(
        f"What check imports of ours, {sum(least.values()):.1f} ms",
        [*rows, {"module": f"{len(least) - len(slowest)} others", "own ms": rest}],
    )


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
    before, started = children_seconds(), time.perf_counter()
    run(arguments, folder, path)
    return Taken(1000 * (children_seconds() - before), 1000 * (time.perf_counter() - started))


def run(arguments: list[str], folder: Path, path: str = "") -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **({"PYTHONPATH": path} if path else {})}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, check=True, capture_output=True, text=True
    )


def children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
