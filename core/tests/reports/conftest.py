"""Records and ledgers for the tests of reports."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count

import pytest
from switchgear.cost_sink import CostRecord
from switchgear.money import to_microseconds
from switchgear.testing import MemoryLedger

MakeRecord = Callable[..., CostRecord]
Keep = Callable[..., MemoryLedger]


@pytest.fixture
def record() -> MakeRecord:
    """A record at a moment in UTC, `"2026-11-24 12:00"`, of a call of its own unless `id` says which."""
    numbers = count(1)

    def make(at: str = "2026-11-24 12:00", **values: object) -> CostRecord:
        given: dict[str, object] = {
            "id": f"call{next(numbers)}.1",
            "at": to_microseconds(datetime.fromisoformat(at).replace(tzinfo=UTC)),
            "service": "scans",
            "capability": "ocr",
            "provider": "fast",
            "cost": Decimal("0.01"),
        }
        return CostRecord(**(given | values))  # type: ignore[arg-type]

    return make


@pytest.fixture
def keep() -> Keep:
    """A ledger that has these records."""

    def make(*records: CostRecord) -> MemoryLedger:
        ledger = MemoryLedger()
        for each in records:
            ledger.cost_recorded(each)
        ledger.flush()
        return ledger

    return make
