"""The most expensive calls."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from switchgear.cost_sink import CostRecord
from switchgear.reports.calls import dearest

HOUR = 3_600_000_000


def test_a_call_costs_what_its_attempts_do(record: Any) -> None:
    records = [
        record(id="a.1", cost=Decimal(2)),
        record(id="b.1", cost=Decimal(1)),
        record(id="b.2", cost=Decimal("1.5"), provider="good", kind="fallback"),
        record(id="b.3", cost=None, kind="retry"),
    ]
    first, second = dearest(records, 2)
    assert (first.call_id, first.cost, first.attempts, first.unknown) == ("b", Decimal("2.5"), 3, 1)
    assert first.providers == ("fast", "good", "fast")
    assert second.call_id == "a"


def test_what_the_cache_saved_is_no_call(record: Any) -> None:
    assert dearest([record(kind="saved", cost=None, saved=Decimal(9), hits=3)], 5) == []


def test_of_equals_the_earlier_comes_first(record: Any) -> None:
    found = dearest([record("2026-11-01", id="b.1"), record("2026-11-02", id="a.1")], 1)
    assert [call.call_id for call in found] == ["b"]


def test_attempts_an_hour_apart_are_still_one_call(record: Any) -> None:
    records = [
        record("2026-11-01 10:00", id="a.1"),
        record("2026-11-01 10:30", id="x.1"),
        record("2026-11-01 11:00", id="a.2"),
    ]
    assert dearest(records, 1)[0].attempts == 2


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 100)), max_size=40), st.integers(1, 8))
def test_they_are_the_most_expensive_of_all(attempts: list[tuple[int, int]], count: int) -> None:
    sums: dict[str, int] = {}
    records = []
    for number, (call, cost) in enumerate(attempts):
        sums[str(call)] = sums.get(str(call), 0) + cost
        records.append(
            CostRecord(id=f"{call}.{number}", at=number, service="s", capability="c", provider="p", cost=Decimal(cost))
        )
    found = dearest(records, count)
    assert [call.cost for call in found] == sorted(sums.values(), reverse=True)[:count]
