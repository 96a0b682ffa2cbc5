"""Several processes and one budget: exactly what it allows is spent, never more (S24)."""

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

from stores import Store
from switchgear import Charge

SHOP = Path(__file__).with_name("shop.py")


def spend(folder: Path, processes: int, calls: int, concurrency: int, *options: str) -> list[dict[str, int]]:
    """Let processes of their own make their calls at the same time; how they went."""
    running = [
        subprocess.Popen(
            [sys.executable, str(SHOP), str(folder), str(calls), str(concurrency), f"seed={number}", *options],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(processes)
    ]
    answers = [shop.communicate(timeout=120)[0] for shop in running]
    assert [shop.returncode for shop in running] == [0] * processes
    return [json.loads(answer.splitlines()[-1]) for answer in answers]


def test_s24_four_processes_with_250_calls_each_at_a_time_spend_exactly_the_budget(
    tmp_path: Path, store: Store
) -> None:
    ledger = f"ledger={json.dumps(store.table)}"
    ends = spend(tmp_path, 4, 500, 250, ledger, "limit=1000", "failing=0.1")
    records = list(store.ledger.records())
    spent = sum((record.cost for record in records if record.cost is not None), Decimal(0))
    assert spent == Decimal(1000), "retries and what was lost on the way back count"
    assert {record.charge for record in records} == {Charge.BILLED, Charge.IN_DOUBT}
    assert store.ledger.spent("all/all") == Decimal(1000)
    assert sum(sum(each.values()) for each in ends) == 2000
    assert sum(each.get("over budget", 0) for each in ends) > 900
