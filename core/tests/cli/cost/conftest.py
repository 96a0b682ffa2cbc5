"""A ledger in the test's folder, and a configuration that names it."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest
from switchgear.cost_sink import CostRecord
from switchgear.costs.sqlite import SqliteLedger
from switchgear.money import to_microseconds

Spend = Callable[..., None]

CONFIG = """
[cost_sinks.ledger]
type = "sqlite"
options = { path = "ledger.db" }

[currencies]
EUR = "1.1"

[services.count]
capability = "words"

[services.count.providers.fast]
type = "counter"
cost = { per_call = "0.0015" }

[services.count.providers.good]
type = "counter"
cost = { per_word = "0.001", minimum = "0.002" }

[services.count.providers.new]
type = "counter"
cost = { per_word = "0.001", free = { words = 3 } }

[services.count.providers.secret]
type = "counter"
"""


@pytest.fixture
def spend(tmp_path: Path) -> Spend:
    """Write a record into the ledger: `spend("2026-11-24 12:00", cost="0.01")`; the first writes a configuration."""
    numbers = count(1)
    work = tmp_path / "work"

    def write(at: str, cost: str | None = "0.0015", **values: object) -> None:
        if not (work / "switchgear.toml").exists():
            (work / "switchgear.toml").write_text(CONFIG)
        given: dict[str, object] = {
            "id": f"call{next(numbers)}.1",
            "at": to_microseconds(datetime.fromisoformat(at).replace(tzinfo=UTC)),
            "service": "count",
            "capability": "words",
            "provider": "fast",
            "cost": None if cost is None else Decimal(cost),
            "usage": {"words": Decimal(2)},
        }
        ledger = SqliteLedger(path=work / "ledger.db")
        ledger.cost_recorded(CostRecord(**(given | values)))  # type: ignore[arg-type]
        ledger.flush()
        ledger.close()

    return write
