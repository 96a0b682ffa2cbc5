"""The ledger for tests: what it keeps, and what its sums are."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from switchgear.cost_sink import SLOT, CostRecord, Ledger, Selection, Total
from switchgear.money import Charge, to_microseconds
from switchgear.testing import MemoryLedger

NOON = to_microseconds(datetime(2026, 11, 24, 12, tzinfo=UTC))


def record(number: int, **values: object) -> CostRecord:
    given: dict[str, object] = {
        "id": f"c{number}.1",
        "at": NOON + number,
        "service": "scans",
        "capability": "ocr",
        "provider": "fast",
        "cost": Decimal("0.01"),
    }
    return CostRecord(**(given | values))  # type: ignore[arg-type]


def ledger_of(*records: CostRecord) -> Ledger:
    ledger = MemoryLedger()
    for each in records:
        ledger.cost_recorded(each)
    ledger.flush()
    return ledger


def test_what_was_not_flushed_does_not_count() -> None:
    ledger = MemoryLedger()
    ledger.cost_recorded(record(1))
    assert list(ledger.records()) == []


def test_trouble_forgets_nothing() -> None:
    ledger = MemoryLedger(trouble=OSError("no space left"))
    ledger.cost_recorded(record(1))
    with pytest.raises(OSError, match="no space left"):
        ledger.flush()
    ledger.trouble = None
    ledger.flush()
    assert [each.id for each in ledger.records()] == ["c1.1"]


def test_a_later_record_of_the_same_attempt_takes_the_place_of_the_earlier() -> None:
    ledger = ledger_of(record(1, charge=Charge.IN_DOUBT), record(1, cost=Decimal("0.02")))
    assert list(ledger.totals()) == [Total(key=(), currency="USD", attempts=1, cost=Decimal("0.02"))]


def test_a_doubt_does_not_bring_back_what_is_settled() -> None:
    (kept,) = ledger_of(record(1), record(1, charge=Charge.IN_DOUBT, cost=Decimal(5))).records()
    assert (kept.charge, kept.cost) == (Charge.BILLED, Decimal("0.01"))


def test_records_come_oldest_first() -> None:
    assert [each.id for each in ledger_of(record(2), record(1), record(3)).records()] == ["c1.1", "c2.1", "c3.1"]


def test_unknown_is_counted_and_free_is_not_unknown() -> None:
    (total,) = ledger_of(record(1, cost=None), record(2, cost=None, charge=Charge.FREE)).totals()
    assert (total.attempts, total.cost, total.unknown) == (2, Decimal(0), 1)


def test_doubts_are_in_the_cost_and_apart() -> None:
    (total,) = ledger_of(record(1), record(2, charge=Charge.IN_DOUBT), record(3, charge=Charge.IN_DOUBT)).totals()
    assert (total.cost, total.in_doubt, total.doubts) == (Decimal("0.03"), Decimal("0.02"), 2)


def test_what_the_cache_saved_is_no_attempt() -> None:
    saved = record(2, kind="saved", cost=None, saved=Decimal("0.05"), hits=5)
    (total,) = ledger_of(record(1), saved).totals()
    assert (total.attempts, total.cost, total.saved, total.hits) == (1, Decimal("0.01"), Decimal("0.05"), 5)
    assert total.unknown == 0


def test_currencies_are_never_added_up() -> None:
    totals = ledger_of(record(1), record(2, currency="EUR")).totals()
    assert [(each.currency, each.attempts) for each in totals] == [("EUR", 1), ("USD", 1)]


def test_groups_come_in_the_order_of_their_keys() -> None:
    ledger = ledger_of(
        record(1, provider="good", tenant="b", tags=("x", "a")),
        record(2, tags=("a", "x"), usage={"pages": Decimal(2), "characters": Decimal("1.5")}),
        record(3, provider="good"),
    )
    assert [each.key for each in ledger.totals(("provider", "tenant"))] == [("fast", ""), ("good", ""), ("good", "b")]
    assert [(each.key, each.attempts) for each in ledger.totals(("tags",))] == [(("",), 1), (("a, x",), 2)]
    assert [each.key for each in ledger.totals(("usage",))] == [("",), ("characters=1.5 pages=2",)]


def test_a_slot_is_a_quarter_of_an_hour() -> None:
    ledger = ledger_of(record(1), record(2, at=NOON + SLOT - 1), record(3, at=NOON + SLOT))
    assert [(each.key, each.attempts) for each in ledger.totals(("slot",))] == [
        ((str(NOON),), 2),
        ((str(NOON + SLOT),), 1),
    ]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (Selection(), "123"),
        (Selection(since=datetime(2026, 11, 24, 12, 0, 0, 2, tzinfo=UTC)), "23"),
        (Selection(until=datetime(2026, 11, 24, 12, 0, 0, 2, tzinfo=UTC)), "1"),
        (Selection(services=("scans", "mail")), "12"),
        (Selection(providers=("good",)), "2"),
        (Selection(capabilities=("translation",)), "3"),
        (Selection(tenants=("acme",)), "2"),
        (Selection(tags=("b", "z")), "23"),
        (Selection(tags=("b",), services=("scans",)), "2"),
    ],
)
def test_a_selection_takes_what_fits_all_of_it(where: Selection, found: str) -> None:
    ledger = ledger_of(
        record(1, tags=("a",)),
        record(2, provider="good", tenant="acme", tags=("a", "b")),
        record(3, service="texts", capability="translation", tags=("b",)),
    )
    assert [each.id[1] for each in ledger.records(where)] == list(found)
