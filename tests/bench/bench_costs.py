"""What reports over a large ledger take: time and memory of each command, as a process of its own.

The target is a report over a million records in 3 s and 300 MB. Seconds are judged by the CPU: a command is one process
that waits for nothing but its file, and the wall clock also counts what a shared machine does beside it. The ledger is
that of the docs' example, larger, written by the sink itself.
"""

import os
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from figures import Row, Section, judged, parser, show

sys.path.insert(0, str(Path(__file__).parents[2] / "docs/examples/costs"))
from make_ledger import records, write

CONFIG = """
[cost_sinks.ledger]
type = "sqlite"
options = { path = "ledger.db" }
"""
DAYS = 90
SECONDS = 3.0
MEGABYTES = 300.0

COMMANDS = {
    "report": ["report"],
    "report --per day": ["report", "--per", "day"],
    "report --per month --by provider,tenant,outcome": ["report", "--per", "month", "--by", "provider,tenant,outcome"],
    "report --since 2026-11-01": ["report", "--since", "2026-11-01"],
    "report --plot": ["report", "--plot", "costs.png"],
    "report --top 10": ["report", "--top", "10"],
    "reconcile": ["reconcile", "bill.csv"],
    "export csv": ["export", "-f", "costs.csv"],
    "export json": ["export", "-f", "costs.json"],
    "export parquet": ["export", "-f", "costs.parquet"],
}
TARGETED = ("report", "report --per day", "report --per month --by provider,tenant,outcome")


def main() -> None:
    options = parser(__doc__ or "").parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        show(_measure(options), options.json)


def _measure(options: Namespace) -> list[Section]:
    count = 50_000 if options.quick else 1_000_000
    Path("switchgear.toml").write_text(CONFIG)
    Path("bill.csv").write_text("month,provider,amount\n2026-10,fast,1000.00\n2026-11,fast,1000.00\n")
    started = time.perf_counter()
    write(Path("ledger.db"), records(count, DAYS))
    seconds = time.perf_counter() - started
    size = Path("ledger.db").stat().st_size / 1e6
    made: Row = {"records": count, "made and written in s": seconds, "file in MB": size}
    return [Section("The ledger", [made]), Section("Commands", [_command(*each) for each in COMMANDS.items()])]


def _command(name: str, arguments: Sequence[str]) -> Row:
    started = time.perf_counter()
    with Path("output.txt").open("wb") as output:
        actions = [(os.POSIX_SPAWN_DUP2, output.fileno(), 1), (os.POSIX_SPAWN_DUP2, output.fileno(), 2)]
        command = [sys.executable, "-m", "switchgear", "cost", *arguments]
        child = os.posix_spawn(sys.executable, command, os.environ, file_actions=actions)
        _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - started
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        raise SystemExit(f"{name}: {Path('output.txt').read_text()}")
    megabytes = usage.ru_maxrss / 1024
    cpu = usage.ru_utime + usage.ru_stime
    row: Row = {"command": name, "s": seconds, "CPU s": cpu, "peak MB": megabytes}
    if name in TARGETED:
        verdicts = {judged(cpu, SECONDS), judged(megabytes, MEGABYTES)}
        row[f"{SECONDS:g} CPU s, {MEGABYTES:g} MB"] = "met" if verdicts == {"met"} else "MISSED"
    return row


if __name__ == "__main__":
    main()
