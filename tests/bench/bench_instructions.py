"""Processor instructions per call: a figure that a busy machine does not change, to see small regressions by.

Counted by valgrind (`apt-get install valgrind`) in a process of its own. Two runs of the same source differ by less
than 1 in 200. Without valgrind there is nothing to print.
"""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench_call import AT_ONCE, DEFAULT, call_cases
from figures import Section, parser, show

CALLS = 200
WARM = 50
MARK = "getppid"  # a function of the C library that nothing here calls: at each call valgrind writes down its counts


async def run_cases() -> None:
    """In the counted process: each case between two marks."""
    for case in call_cases().values():
        await case(WARM)
        os.getppid()
        await case(CALLS)
        os.getppid()


def count() -> dict[str, float]:
    """Instructions per call by case."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "counts"
        command = ["valgrind", "--tool=callgrind", f"--dump-before={MARK}", f"--callgrind-out-file={out}"]
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        subprocess.run(
            [*command, sys.executable, __file__, "--counted"],
            env=environment,
            check=True,
            capture_output=True,
        )
        # Number 1 is what came before the first mark, and then every other one is a case.
        totals = [_total(Path(f"{out}.{number}")) for number in range(2, 2 * len(call_cases()) + 1, 2)]
    return {name: total / CALLS for name, total in zip(call_cases(), totals, strict=True)}


def _total(file: Path) -> int:
    found = re.search(r"^totals: (\d+)", file.read_text(), re.MULTILINE)
    assert found, f"{file} has no total"
    return int(found[1])


def main() -> None:
    options = parser(__doc__).parse_args()
    if not shutil.which("valgrind"):
        print("valgrind is not installed: no instructions counted")
        return
    counted = count()
    direct, default = counted[AT_ONCE], counted[DEFAULT]
    rows = [
        {"case": name, "instructions": round(spent), "over": round(spent - direct), "of the default": spent / default}
        for name, spent in counted.items()
    ]
    show([Section("Instructions per call, and over awaiting the provider directly", rows)], options.json)


if __name__ == "__main__":
    if "--counted" in sys.argv:
        asyncio.run(run_cases())
    else:
        main()
