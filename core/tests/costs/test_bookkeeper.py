"""The bookkeeper (S25): every record reaches every sink, whatever the sinks do, and nobody who calls hears of it."""

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import UTC
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from switchgear import Attempt, Call, Charge
from switchgear.alert import Alert
from switchgear.cost_sink import CostRecord
from switchgear.costs import bookkeeper as bookkeeper_module
from switchgear.costs import journal as journal_module
from switchgear.costs.alerts import AlertDesk
from switchgear.costs.bookkeeper import Bookkeeper
from switchgear.costs.journal import Journal
from switchgear.costs.lines import Origin
from switchgear.costs.settings import Alerts
from switchgear.costs.sources import JournalSource, MemorySource
from switchgear.costs.tracker import CostTracker
from switchgear.testing import FakeClock, MemoryLedger

CENT = Decimal("0.01")
Source = JournalSource | MemorySource


@attrs.define(eq=False, slots=False)
class Shaky(MemoryLedger):
    """A ledger that can also refuse single records, and hang."""

    refuses: set[str] = attrs.field(factory=set)
    gate: threading.Event | None = None

    def cost_recorded(self, record: CostRecord) -> None:
        if record.id in self.refuses:
            raise ValueError("that one I cannot keep")
        super().cost_recorded(record)

    def flush(self) -> None:
        if self.gate is not None:
            assert self.gate.wait(30)
        super().flush()


@attrs.define
class Office:
    """A bookkeeper without a thread, and what it works with."""

    source: Source
    sink: Shaky
    keeper: Bookkeeper
    clock: FakeClock
    alerts: list[Alert]

    def pay(self, *numbers: int, **values: Any) -> None:
        for number in numbers:
            given: dict[str, Any] = {"estimate": CENT, "cost": CENT, "charge": Charge.BILLED, "at": number}
            made = Attempt(f"c{number}", "fast", 1, **(given | values))
            call = Call(made.call_id, "scans")
            if self.source.intend is not None:
                self.source.intend(0, made, call, ())
            self.source.settle(0, made, call, ())

    @property
    def kept(self) -> list[int]:
        return sorted(int(record.id[1:].partition(".")[0]) for record in self.sink.records())

    def later(self) -> None:
        """Long enough that a sink which has failed is tried again."""
        self.clock.advance(60)
        self.keeper.tick()


def office(folder: Path | None, **options: Any) -> Office:
    source: Source = MemorySource("one", "EUR")
    if folder is not None:
        source = JournalSource(Journal(folder, "mapped", "one", "EUR"))
    source.register(Origin("scans", "ocr", "fast"))
    clock, sink, tracker = FakeClock(), Shaky(), CostTracker(UTC, "EUR")
    alerts: list[Alert] = []
    keeper = Bookkeeper(
        source, {"books": sink}, tracker, clock.monotonic, **({"inline": True, "journals": folder} | options)
    )
    keeper.desk = AlertDesk(Alerts(), tracker, "EUR", clock.utc, clock.monotonic, alerts.append)
    keeper.start()
    return Office(source, sink, keeper, clock, alerts)


@pytest.fixture(params=["journal", "memory"])
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    made = office(tmp_path / "journal" if request.param == "journal" else None)
    yield made
    made.keeper.close()


@pytest.fixture
def journaled(tmp_path: Path) -> Iterator[Office]:
    made = office(tmp_path / "journal")
    yield made
    made.keeper.close()


def test_s25_a_tick_brings_what_was_settled_to_tracker_and_sinks(books: Office) -> None:
    books.pay(1, 2)
    assert books.kept == []
    books.keeper.tick()
    assert books.kept == [1, 2]
    assert books.keeper.tracker.total().cost == Decimal("0.02")


def test_flush_and_close_bring_the_rest(books: Office) -> None:
    books.pay(1)
    books.keeper.flush()
    assert books.kept == [1]
    books.pay(2)
    books.keeper.close()
    books.keeper.close()
    assert (books.kept, books.sink.closed) == ([1, 2], True)
    books.keeper.flush()


def test_s25_a_sink_that_raises_gets_everything_once_it_is_back(books: Office, heard: list[str]) -> None:
    books.sink.trouble = ConnectionError("secret-password")
    for number in range(1, 4):
        books.pay(number)
        books.keeper.tick()
    assert books.kept == []
    assert books.keeper.tracker.total().attempts == 3, "what is known does not wait for it"
    (alert,) = books.alerts
    assert (alert.kind, alert.subject) == ("ledger_unreachable", "cost_sinks.books")
    books.sink.trouble = None
    books.keeper.tick()
    assert books.kept == [], "it is left alone for a second"
    books.later()
    assert books.kept == [1, 2, 3]
    lines = "".join(heard)
    assert "cost sink books: ConnectionError; its records wait" in lines
    assert "cost sink books: is back" in lines
    assert "secret-password" not in lines


def test_a_sink_that_stays_away_is_asked_ever_less_often(journaled: Office) -> None:
    asked = []
    journaled.sink.trouble = ConnectionError()
    journaled.pay(1)
    flush = journaled.sink.flush

    def count() -> None:
        asked.append(journaled.clock.monotonic())
        flush()

    journaled.sink.flush = count  # type: ignore[method-assign]
    for _ in range(100):
        journaled.keeper.tick()
        journaled.clock.advance(1)
    assert asked == [0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 61.0, 91.0]


def test_a_record_that_a_sink_refuses_is_lost_there_and_keeps_no_other_from_being_written(
    books: Office, heard: list[str]
) -> None:
    books.sink.refuses = {"c2.1"}
    books.pay(1, 2, 3)
    books.keeper.tick()
    assert books.kept == [1, 3]
    assert books.keeper.lost == {"books": 1}
    assert [alert.kind for alert in books.alerts] == ["records_lost"]
    assert "cost sink books: refuses c2.1" in "".join(heard)


@attrs.define
class Broken:
    name: str = "broken"

    def cost_recorded(self, record: CostRecord) -> None: ...

    def flush(self) -> None:
        raise OSError("disk")

    def close(self) -> None:
        raise OSError("disk")


def test_one_sink_that_fails_keeps_no_other_from_getting_its_records(tmp_path: Path, heard: list[str]) -> None:
    made = office(tmp_path / "journal")
    good = Shaky()
    keeper = Bookkeeper(
        made.source, {"bad": Broken(), "good": good}, made.keeper.tracker, made.clock.monotonic, inline=True
    )
    keeper.start()
    made.pay(1)
    keeper.close()
    assert [record.id for record in good.records()] == ["c1.1"]
    assert good.closed
    assert "closing cost sink bad: OSError" in "".join(heard)
    (file,) = (tmp_path / "journal").iterdir()
    assert b"s\tc1.1" in file.read_bytes(), "the bad one does not have it"


def test_listeners_hear_every_record_and_what_they_raise_stays_with_them(tmp_path: Path, heard: list[str]) -> None:
    told: list[str] = []

    def hear(records: list[CostRecord]) -> None:
        told.extend(record.id for record in records)
        raise RuntimeError("planted")

    made = office(tmp_path, hear=hear)
    made.pay(1, 2)
    made.keeper.tick()
    assert told == ["c1.1", "c2.1"]
    assert made.kept == [1, 2]
    assert "planted" not in "".join(heard)
    made.keeper.close()


def test_a_job_that_fails_belongs_to_whoever_waits_for_it(books: Office) -> None:
    assert books.keeper.submit(lambda: 7).result() == 7
    with pytest.raises(ZeroDivisionError):
        books.keeper.submit(lambda: 1 // 0).result()


def test_housekeeping_that_fails_keeps_nothing_from_being_recorded(books: Office, heard: list[str]) -> None:
    books.keeper.on_tick.append(fail)
    books.pay(1)
    books.keeper.tick()
    assert books.kept == [1]
    assert "looking after budgets: ZeroDivisionError" in "".join(heard)


def fail() -> None:
    raise ZeroDivisionError


# Bounded memory


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bookkeeper_module, "MOST_WAITING", 10)
    monkeypatch.setattr(bookkeeper_module, "BATCH", 4)
    monkeypatch.setattr(journal_module, "SEGMENT", 1_000)


def owed(made: Office) -> int:
    (pipe,) = made.keeper._pipes
    return len(pipe.waiting)


@pytest.mark.usefixtures("little_memory")
def test_s25_what_a_sink_that_is_away_is_owed_stays_on_disk_and_is_caught_up(journaled: Office) -> None:
    journaled.sink.trouble = ConnectionError()
    for number in range(50):
        journaled.pay(number)
        journaled.keeper.tick()
        assert owed(journaled) <= 10
    journaled.sink.trouble = None
    journaled.later()
    assert journaled.kept == list(range(50))
    journaled.pay(50)
    journaled.keeper.tick()
    assert journaled.kept == list(range(51))
    assert journaled.keeper.lost == {}


@pytest.mark.usefixtures("little_memory")
def test_s25_what_was_caught_up_is_flushed_before_its_journal_may_go(journaled: Office, tmp_path: Path) -> None:
    journaled.sink.trouble = ConnectionError()
    for number in range(13):
        journaled.pay(number)
        journaled.keeper.tick()
    journaled.sink.trouble = None
    journaled.keeper.close()
    assert journaled.kept == list(range(13))
    assert list((tmp_path / "journal").iterdir()) == []


@pytest.mark.usefixtures("little_memory")
def test_s25_a_sink_that_fails_while_it_catches_up_is_given_it_again(journaled: Office) -> None:
    journaled.sink.trouble = ConnectionError()
    for number in range(50):
        journaled.pay(number)
        journaled.keeper.tick()
    times, flush = [0], journaled.sink.flush

    def sometimes() -> None:
        times[0] += 1
        journaled.sink.trouble = ConnectionError() if times[0] % 5 == 0 else None
        flush()

    journaled.sink.flush = sometimes  # type: ignore[method-assign]
    for _ in range(50):
        journaled.later()
    journaled.sink.flush = flush  # type: ignore[method-assign]
    journaled.sink.trouble = None
    journaled.later()
    assert journaled.kept == list(range(50))


@pytest.mark.usefixtures("little_memory")
def test_s25_without_a_journal_what_no_longer_fits_is_counted_and_shouted_about(heard: list[str]) -> None:
    made = office(None)
    made.sink.trouble = ConnectionError()
    for number in range(50):
        made.pay(number)
        made.keeper.tick()
    made.sink.trouble = None
    made.later()
    assert made.kept == list(range(11)), "ten wait, one it had been given"
    assert made.keeper.lost == {"books": 39}
    assert made.keeper.tracker.lost == 39
    assert "1 cost records are lost: a cost sink has been away for too long" in "".join(heard)
    assert "records_lost" in {alert.kind for alert in made.alerts}
    made.keeper.close()


def test_records_that_come_faster_than_they_are_taken_are_counted(
    monkeypatch: pytest.MonkeyPatch, heard: list[str]
) -> None:
    monkeypatch.setattr("switchgear.costs.sources.MOST", 3)
    made = office(None)
    made.pay(*range(8))
    assert made.source.lost == 5
    assert sum("cost records are lost" in line for line in heard) == 3
    made.keeper.tick()
    assert made.kept == [0, 1, 2]
    made.keeper.close()


@pytest.mark.usefixtures("little_memory")
def test_s25_the_oldest_files_go_when_a_sink_is_away_for_too_long(
    monkeypatch: pytest.MonkeyPatch, journaled: Office, heard: list[str]
) -> None:
    monkeypatch.setattr(journal_module, "MOST_SEGMENTS", 3)
    journaled.sink.trouble = ConnectionError()
    for number in range(100):
        journaled.pay(number)
        journaled.keeper.tick()
    journaled.sink.trouble = None
    journaled.later()
    lost = journaled.keeper.lost["books"]
    assert len(journaled.kept) == 100 - lost
    assert journaled.keeper.tracker.lost == lost > 0
    assert "a cost sink has been away for too long" in "".join(heard)


# Dead processes


def leave(folder: Path, holder: str, *numbers: int, under_way: tuple[int, ...] = ()) -> None:
    source = JournalSource(Journal(folder, "mapped", holder, "EUR"))
    source.register(Origin("scans", "ocr", "fast"))
    for number in (*numbers, *under_way):
        made = Attempt(f"c{number}", "fast", 1, estimate=CENT, cost=CENT, charge=Charge.BILLED, at=number)
        source._intend(0, made, Call(made.call_id, "scans"), ())
        if number in numbers:
            source.settle(0, made, Call(made.call_id, "scans"), ())
    source.close(complete=False)


def test_s25_what_dead_processes_have_left_reaches_the_sinks_at_the_start_and_the_files_go(tmp_path: Path) -> None:
    leave(tmp_path, "dead", 1, 2, under_way=(3,))
    leave(tmp_path, "deader", 4)
    made = office(tmp_path)
    assert made.kept == [1, 2, 3, 4]
    assert {record.id: record.charge for record in made.sink.records()}["c3.1"] is Charge.IN_DOUBT
    assert list(tmp_path.iterdir()) == []
    assert made.keeper.tracker.total().attempts == 0, "the ledger tells the tracker of them"
    made.keeper.close()


def test_s25_as_long_as_a_sink_does_not_have_them_their_files_stay(tmp_path: Path) -> None:
    leave(tmp_path, "dead", 1)
    first = office(tmp_path / "elsewhere")
    first.sink.trouble = ConnectionError()
    keeper = Bookkeeper(
        first.source, {"books": first.sink}, first.keeper.tracker, first.clock.monotonic, journals=tmp_path, inline=True
    )
    keeper.start()
    assert [path.name for path in tmp_path.glob("*.journal")] == ["dead-000000.journal"]
    first.sink.trouble = None
    first.clock.advance(60)
    keeper.tick()
    assert first.kept == [1]
    again = office(tmp_path)
    assert again.kept == [1], "handed over once more: a ledger keeps it once"
    for each in (keeper, first.keeper, again.keeper):
        each.close()


def test_s25_a_journal_of_a_newer_format_stays_and_the_others_are_taken_over(tmp_path: Path, heard: list[str]) -> None:
    newer = tmp_path / "a-000000.journal"
    newer.write_bytes(b"switchgear-journal\t9\ta\tEUR\n")
    leave(tmp_path, "dead", 1)
    made = office(tmp_path)
    assert made.kept == [1]
    assert list(tmp_path.glob("*.journal")) == [newer]
    assert "a-000000.journal: a journal of format 9; this version reads 1" in "".join(heard)
    made.keeper.close()


def test_without_sinks_nobody_takes_over_what_others_have_left(tmp_path: Path) -> None:
    leave(tmp_path, "dead", 1)
    tracker = CostTracker(UTC, "EUR")
    keeper = Bookkeeper(MemorySource("one", "EUR"), {}, tracker, FakeClock().monotonic, journals=tmp_path, inline=True)
    keeper.start()
    keeper.close()
    assert len(list(tmp_path.iterdir())) == 1


def test_a_ledger_that_cannot_be_read_at_the_start_keeps_nothing_from_beginning(heard: list[str]) -> None:
    keeper = Bookkeeper(MemorySource("one", "EUR"), {}, CostTracker(UTC, "EUR"), FakeClock().monotonic, inline=True)
    keeper.begin = fail
    keeper.start()
    assert keeper.ready.done()
    assert "reading the ledger: ZeroDivisionError" in "".join(heard)
    keeper.close()


# The thread


def threads() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name == "switchgear-accounts"]


def test_one_that_was_never_used_closes_its_sinks_and_leaves_no_thread(tmp_path: Path) -> None:
    sink = Shaky()
    source = JournalSource(Journal(tmp_path, "mapped", "one", "EUR"))
    keeper = Bookkeeper(source, {"books": sink}, CostTracker(UTC, "EUR"), FakeClock().monotonic)
    keeper.close()
    assert sink.closed
    assert threads() == []


def test_the_thread_brings_what_was_settled_by_itself_and_ends_with_the_rest(tmp_path: Path) -> None:
    made = office(tmp_path, inline=False, interval=0.001)
    flushed = threading.Event()
    made.keeper.on_tick.append(lambda: flushed.set() if made.sink.flushes else None)
    made.pay(1)
    assert flushed.wait(30)
    assert made.kept == [1]
    made.pay(2)
    made.keeper.flush()
    assert made.kept == [1, 2]
    made.pay(3)
    made.keeper.close()
    assert made.kept == [1, 2, 3]
    assert threads() == []
    assert list(tmp_path.iterdir()) == []


def test_all_calls_of_a_sink_come_from_the_one_thread(tmp_path: Path) -> None:
    made = office(tmp_path, inline=False)
    seen: set[str] = set()

    def noting(real: Any) -> Any:
        def noted(*arguments: Any) -> None:
            seen.add(threading.current_thread().name)
            real(*arguments)

        return noted

    for name in ("cost_recorded", "flush", "close"):
        setattr(made.sink, name, noting(getattr(made.sink, name)))
    made.pay(1)
    made.keeper.flush()
    made.keeper.close()
    assert seen == {"switchgear-accounts"}


def test_starting_at_once_from_many_threads_starts_one(tmp_path: Path) -> None:
    source = JournalSource(Journal(tmp_path, "mapped", "one", "EUR"))
    keeper = Bookkeeper(source, {}, CostTracker(UTC, "EUR"), FakeClock().monotonic)
    barrier = threading.Barrier(8)

    def begin() -> None:
        barrier.wait()
        keeper.start()

    starters = [threading.Thread(target=begin) for _ in range(8)]
    for each in starters:
        each.start()
    for each in starters:
        each.join()
    assert threads() == ["switchgear-accounts"]
    keeper.close()
    assert threads() == []


def test_s25_a_sink_that_hangs_does_not_keep_anybody_from_closing_and_its_journal_stays(
    tmp_path: Path, heard: list[str]
) -> None:
    made = office(tmp_path, inline=False)
    made.sink.gate = threading.Event()
    made.pay(1)
    made.keeper.close(timeout=0.05)
    assert "a cost sink does not come to an end" in "".join(heard)
    assert len(list(tmp_path.glob("*.journal"))) == 1
    thread = made.keeper._thread
    made.sink.gate.set()
    assert thread is not None
    thread.join(30)
    assert made.kept == [1]


def test_a_job_that_was_called_off_is_not_done(books: Office) -> None:
    called_off: Future[None] = Future()
    called_off.cancel()
    done: deque[int] = deque()
    bookkeeper_module._do(called_off, lambda: done.append(1))
    assert not done


@pytest.mark.parametrize("journal", [True, False])
@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.sampled_from(["pay", "pay", "pay", "tick", "tick", "later", "fail", "mend"]), max_size=60))
def test_s25_whatever_the_sink_does_it_has_everything_once_in_the_end_or_what_is_missing_is_counted(
    tmp_path_factory: pytest.TempPathFactory, journal: bool, steps: list[str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bookkeeper_module, "MOST_WAITING", 3)
        patch.setattr(bookkeeper_module, "BATCH", 2)
        patch.setattr(journal_module, "SEGMENT", 400)
        made = office(tmp_path_factory.mktemp("journal") if journal else None)
        count = 0
        for step in steps:
            if step == "pay":
                count += 1
                made.pay(count)
            elif step == "tick":
                made.keeper.tick()
            elif step == "later":
                made.later()
            else:
                made.sink.trouble = ConnectionError() if step == "fail" else None
        made.sink.trouble = None
        made.keeper.close()
        lost = sum(made.keeper.lost.values())
        assert len(made.kept) == count - lost
        assert not (journal and lost)
        assert made.keeper.tracker.total().attempts == count
