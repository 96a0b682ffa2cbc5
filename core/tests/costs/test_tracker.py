"""The tracker: exact sums in bounded memory, the same as the ledger's."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from switchgear import Charge
from switchgear.cost_sink import CostRecord, Selection
from switchgear.costs import tracker as tracker_module
from switchgear.costs.tracker import DIMENSIONS, CostTracker
from switchgear.money import to_microseconds
from switchgear.periods import Period
from switchgear.testing import MemoryLedger

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = 3_600_000_000


def record(number: int, **values: Any) -> CostRecord:
    given: dict[str, Any] = {"at": to_microseconds(NOON), "service": "scans", "capability": "ocr", "provider": "fast"}
    made = CostRecord(f"c{number}.1", **(given | {"cost": Decimal("0.01")} | values))
    if made.charge is Charge.FREE:
        made.cost = Decimal(0)
    return made


def tracker(*records: CostRecord, zone: Any = UTC) -> CostTracker:
    made = CostTracker(zone, "USD")
    made.add(records)
    return made


records = st.builds(
    record,
    st.integers(1, 60),
    at=st.integers(0, 400).map(lambda hours: to_microseconds(NOON) + hours * HOUR // 3),
    service=st.sampled_from(["scans", "letters"]),
    provider=st.sampled_from(["fast", "good"]),
    tenant=st.sampled_from([None, "acme", "beta"]),
    tags=st.sampled_from([(), ("a",), ("a", "b"), ("b", "a")]),
    charge=st.sampled_from(Charge),
    cost=st.one_of(st.none(), st.decimals(0, 1000, places=9)),
)


def known(record: CostRecord) -> Decimal:
    return Decimal(0) if record.cost is None or record.charge is Charge.FREE else record.cost


@given(st.lists(records, max_size=40), st.lists(st.sampled_from(DIMENSIONS), unique=True), st.sampled_from(Period))
def test_s23_sums_by_anything_equal_the_total_to_the_last_digit(
    made: list[CostRecord], dimensions: list[Any], per: Period
) -> None:
    latest = {each.id: each for each in made}  # a later one takes the place of the earlier
    found = tracker(*made)
    total = found.total()
    assert (total.cost, total.attempts) == (sum(map(known, latest.values()), Decimal(0)), len(latest))
    for groups in (found.by(*dimensions), found.by(*dimensions, per=per)):
        for what in ("attempts", "cost", "in_doubt", "unknown"):
            assert sum((getattr(each, what) for each in groups.values()), Decimal(0)) == getattr(total, what)


@settings(max_examples=50)
@given(st.lists(records, max_size=60), st.integers(1, 10))
def test_however_little_it_may_remember_the_amounts_stay(made: list[CostRecord], most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tracker_module, "MOST_CELLS", max(most, 4))
        found = CostTracker(UTC, "USD")
        unlike = list({each.id: each for each in made}.values())
        for each in unlike:
            found.add([each])
            assert len(found._cells) <= max(most, 4)
        assert found.total().cost == sum(map(known, unlike), Decimal(0))
        services = {service: each.cost for (service,), each in found.by("service").items()}
        for service, cost in services.items():
            assert cost == sum((known(each) for each in unlike if each.service == service), Decimal(0))


def test_what_is_too_old_to_be_told_apart_is_earlier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracker_module, "MOST_CELLS", 10)
    found = tracker(*(record(hour, at=to_microseconds(NOON) + hour * HOUR) for hour in range(24)))
    labels = found.by(per=Period.DAY)
    assert ("earlier",) in labels
    assert sum(each.attempts for each in labels.values()) == 24
    assert found.total(since=NOON + timedelta(hours=23)).attempts == 1


def test_a_doubt_that_is_settled_takes_the_place_of_the_doubt() -> None:
    found = tracker(record(1, charge=Charge.IN_DOUBT, cost=Decimal(5)), record(2))
    assert found.total().in_doubt == 5
    found.add([record(1, cost=Decimal(3))])
    total = found.total()
    assert (total.attempts, total.cost, total.in_doubt) == (2, Decimal("3.01"), Decimal(0))
    assert [(each.id, each.cost) for each in found.most_expensive()] == [("c1.1", 3), ("c2.1", Decimal("0.01"))]


def test_a_doubt_that_is_settled_long_after_takes_its_place_all_the_same() -> None:
    found = tracker(record(1, charge=Charge.IN_DOUBT, cost=Decimal(5)))
    found.add([record(number) for number in range(2, 3000)])
    found.add([record(1, cost=Decimal(3))])
    total = found.total()
    assert (total.attempts, total.cost, total.in_doubt) == (2999, Decimal("32.98"), Decimal(0))
    assert next(iter(found.most_expensive())).cost == 3


def test_doubts_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracker_module, "MOST_DOUBTS", 10)
    found = tracker(*(record(number, charge=Charge.IN_DOUBT) for number in range(100)))
    assert len(found._doubts) == 10


@given(st.lists(records, max_size=60))
def test_the_most_expensive_are_those(made: list[CostRecord]) -> None:
    latest = {each.id: each for each in made}
    costs = sorted((known(each) for each in latest.values() if known(each)), reverse=True)
    found = [each.cost for each in tracker(*made).most_expensive()]
    corrected = len(latest) < len(made)
    assert found == costs[:20] or (corrected and found == sorted(found, reverse=True))


def test_periods_follow_the_time_zone() -> None:
    late = to_microseconds(datetime(2026, 11, 30, 23, 30, tzinfo=UTC))
    assert list(tracker(record(1, at=late)).by(per=Period.MONTH)) == [("2026-11",)]
    assert list(tracker(record(1, at=late), zone=ZoneInfo("Europe/Berlin")).by(per=Period.MONTH)) == [("2026-12",)]
    assert list(tracker(record(1, at=late), zone=ZoneInfo("Asia/Kathmandu")).by(per=Period.HOUR)) == [
        ("2026-12-01 05:00",)
    ]


def test_a_stretch_of_time_begins_with_its_first_and_ends_before_its_last_moment() -> None:
    found = tracker(*(record(hour, at=to_microseconds(NOON) + hour * HOUR) for hour in range(5)))
    assert found.total(NOON + timedelta(hours=1), NOON + timedelta(hours=3)).attempts == 2


@given(st.lists(records, max_size=40))
def test_it_begins_with_what_the_ledger_knows(made: list[CostRecord]) -> None:
    ledger = MemoryLedger()
    for each in {each.id: each for each in made}.values():
        ledger.cost_recorded(each)
    ledger.flush()
    live = tracker(*made)
    for since in (NOON, NOON + timedelta(days=2)):
        begun = CostTracker(UTC, "USD")
        begun.begin_with(ledger.totals(("slot", *DIMENSIONS), Selection(since=since)), with_slot=True)
        begun.begin_with(ledger.totals(DIMENSIONS, Selection(until=since)), with_slot=False)
        told = {key: each for key, each in live.by(*DIMENSIONS).items() if each.attempts}
        assert begun.by(*DIMENSIONS) == told
        assert begun.total(since=since) == live.total(since=since)


def test_s23_what_the_ledger_counted_in_another_currency_is_not_added() -> None:
    ledger = MemoryLedger()
    ledger.cost_recorded(record(1, currency="EUR", cost=Decimal(100)))
    ledger.cost_recorded(record(2))
    ledger.flush()
    begun = CostTracker(UTC, "USD")
    begun.begin_with(ledger.totals(DIMENSIONS), with_slot=False)
    assert begun.total().cost == Decimal("0.01")


def test_what_it_begins_with_is_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracker_module, "MOST_CELLS", 50)
    ledger = MemoryLedger()
    for number in range(1000):
        ledger.cost_recorded(record(number, tenant=f"t{number}", at=to_microseconds(NOON) + number * HOUR // 4))
    ledger.flush()
    begun = CostTracker(UTC, "USD")
    begun.begin_with(ledger.totals(("slot", *DIMENSIONS)), with_slot=True)
    assert len(begun._cells) <= 50
    assert begun.total().cost == 10


def test_the_cost_of_one_of_the_last_calls() -> None:
    def attempt(call: str, number: int, **values: Any) -> CostRecord:
        made = record(0, **values)
        made.id = f"{call}.{number}"
        return made

    refused = attempt("a", 1, charge=Charge.FREE)
    found = tracker(refused, attempt("a", 2), attempt("b", 1, cost=None), attempt("a", 3))
    assert found.of_call("a") == Decimal("0.02")
    assert found.of_call("b") is None, "unknown"
    assert found.of_call("c") is None
    found.add([record(number) for number in range(2000)])
    assert found.of_call("a") is None, "no longer known"


def test_an_average_is_that_of_what_is_known() -> None:
    assert tracker().total().average is None
    assert tracker(record(1, cost=Decimal(3)), record(2, cost=Decimal(1)), record(3, cost=None)).total().average == 2


def test_what_the_cache_saved_is_apart_and_no_attempt() -> None:
    saved = record(1, kind="saved", saved=Decimal(7), hits=3, cost=Decimal(0))
    total = tracker(saved, record(2)).total()
    assert (total.attempts, total.cost, total.saved, total.hits) == (1, Decimal("0.01"), Decimal(7), 3)


def test_order_does_not_matter() -> None:
    made = [record(number, cost=Decimal(number)) for number in range(100)]
    shuffled = random.Random(1).sample(made, len(made))
    assert tracker(*made).most_expensive() == tracker(*shuffled).most_expensive()
