"""The journal (S25): what is in it when the process ends, and what comes out of it again, whatever happened to it."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from switchgear import Attempt, Call, Charge, Outcome
from switchgear.cost_sink import CostRecord
from switchgear.costs import journal as journal_module
from switchgear.costs.journal import Journal, orphans, read_orphans
from switchgear.costs.lines import Damaged, Origin, Reader, header, intent, origin_line, settlement
from switchgear.costs.sources import JournalSource

FAST = Origin("scans", "ocr", "fast")
CENT = Decimal("0.01")
HEAD = header("one", "EUR") + origin_line(0, FAST)
Kind = Literal["mapped", "written"]

both_kinds = pytest.mark.parametrize("kind", ["mapped", "written"])


def attempt(number: int, **values: Any) -> Attempt:
    given: dict[str, Any] = {
        "estimate": CENT,
        "cost": CENT,
        "charge": Charge.BILLED,
        "latency": 0.25,
        "at": 1_000 + number,
    }
    return Attempt(f"c{number}", "fast", 1, **(given | values))


def source_of(folder: Path, kind: Kind = "mapped", holder: str = "one") -> JournalSource:
    source = JournalSource(Journal(folder, kind, holder, "EUR"))
    assert source.register(FAST) == 0
    return source


def begin(source: JournalSource, number: int, call: Call | None = None, budgets: tuple[str, ...] = ()) -> Attempt:
    made = attempt(number)
    assert source.intend is not None
    source.intend(0, made, call or Call(made.call_id, "scans"), budgets)
    return made


def settle(source: JournalSource, made: Attempt) -> None:
    source.settle(0, made, Call(made.call_id, "scans"), ())


def paid(source: JournalSource, *numbers: int) -> None:
    for number in numbers:
        settle(source, begin(source, number))


def ids(records: Any) -> list[str]:
    return [record.id for record in records]


def left_behind(folder: Path) -> list[CostRecord]:
    """What a new process makes of it; it takes the files over, and removes them."""
    found = []
    for journals in orphans(folder).values():
        found += read_orphans(journals)
        for each in journals:
            each.close(remove=True)
    return found


def die(source: JournalSource) -> None:
    """Let go of the files as the end of a process does."""
    source.close(complete=False)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "SEGMENT", 2_000)


@both_kinds
def test_s25_what_was_put_in_comes_out_as_records(tmp_path: Path, kind: Kind) -> None:
    source = source_of(tmp_path, kind)
    call = Call("c1", "scans", tenant="acme\t\n", tags=["b", "a"])
    made = begin(source, 1, call, ("month/2026-11",))
    assert list(source.take()) == [], "it has not ended"
    made.usage = {"pages": Decimal(2), "characters": Decimal("1E+3")}
    made.kind, made.outcome = "first", Outcome.INVALID_RESULT
    settle(source, made)
    assert list(source.take()) == [
        CostRecord(
            "c1.1", 1_001, "scans", "ocr", "fast", "first", Charge.BILLED, "invalid_result", "EUR", CENT, CENT,
            {"pages": Decimal(2), "characters": Decimal(1000)}, 0.25, "acme\t\n", ("b", "a"), ("month/2026-11",), "one",
        )
    ]  # fmt: skip
    assert list(source.take()) == []
    die(source)


def test_s23_unknown_stays_unknown_on_its_way(tmp_path: Path) -> None:
    source = source_of(tmp_path)
    made = attempt(1, cost=None, estimate=None)
    assert source.intend is not None
    source.intend(0, made, Call("c1", "scans"), ())
    settle(source, made)
    (record,) = source.take()
    assert (record.cost, record.estimate) == (None, None)
    die(source)


@both_kinds
def test_s25_a_line_is_in_the_file_before_the_request_is_sent(tmp_path: Path, kind: Kind) -> None:
    source = source_of(tmp_path, kind)
    begin(source, 1)
    (path,) = tmp_path.iterdir()
    assert b"\ni\tc1.1\t0\t1001\tfirst\t0.01\t\n" in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    die(source)


@both_kinds
def test_s25_what_was_not_settled_when_the_process_ended_is_in_doubt(tmp_path: Path, kind: Kind) -> None:
    source = source_of(tmp_path, kind)
    paid(source, 1)
    begin(source, 2)
    die(source)
    settled, doubt = left_behind(tmp_path)
    assert (settled.id, settled.charge, settled.cost) == ("c1.1", Charge.BILLED, CENT)
    assert (doubt.id, doubt.charge, doubt.cost, doubt.outcome) == ("c2.1", Charge.IN_DOUBT, CENT, "killed")
    assert list(tmp_path.iterdir()) == []


def test_s25_a_killed_process_loses_no_line(tmp_path: Path) -> None:
    script = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import test_journal as t
source = t.source_of(t.Path({str(tmp_path)!r}))
t.paid(source, *range(100))
t.begin(source, 100)
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", script], check=False, timeout=60)
    found = left_behind(tmp_path)
    assert ids(found) == [f"c{number}.1" for number in range(101)]
    assert [record.id for record in found if record.charge is Charge.IN_DOUBT] == ["c100.1"]


@pytest.mark.parametrize(
    "tail",
    [b"\0" * 4096, b"s\tc2.1\tbil", b"s\tc2.1\tbilled\tsuccess\t0.01\t250000\t", b"s\tc2.1\tbil\0\0\0\0", b""],
    ids=["NUL", "torn", "torn before its end", "torn and NUL", "none"],
)
def test_s25_a_torn_line_and_a_tail_that_was_never_written_count_for_nothing(tmp_path: Path, tail: bytes) -> None:
    lines = HEAD + intent(attempt(1), 0, "") + settlement(attempt(1)) + intent(attempt(2), 0, "")
    (tmp_path / "one-000000.journal").write_bytes(lines + tail)
    billed, doubt = left_behind(tmp_path)
    assert (billed.id, billed.charge) == ("c1.1", Charge.BILLED)
    assert (doubt.id, doubt.charge) == ("c2.1", Charge.IN_DOUBT)


BAD = [
    b"nonsense\n",
    b"\n",
    b"i\tc9.1\n",
    b"p\t3\tnot json\n",
    b"p\n",
    b"\xff\xfe\xfd\n",
    b"i\tc9.1\t7\t1\tfirst\t0.01\t\textra\n",
    b"switchgear-journal\tx\n",
]


@pytest.mark.parametrize("bad", BAD)
def test_a_line_that_makes_no_sense_is_counted_and_keeps_nobody_else_from_being_read(
    tmp_path: Path, bad: bytes, heard: list[str]
) -> None:
    lines = HEAD + intent(attempt(1), 0, "") + bad + settlement(attempt(1))
    (tmp_path / "one-000000.journal").write_bytes(lines)
    (record,) = left_behind(tmp_path)
    assert record.charge is Charge.BILLED
    assert "1 lines cannot be read" in "".join(heard)


@pytest.mark.parametrize(
    "end",
    [
        b"s\tc1.1\tbilled\tsuccess\t0.01\t250000\tpages=None\n",
        b"s\tc1.1\tbilled\tsuccess\tmuch\t250000\t\n",
        b"s\tc1.1\tgratis\tsuccess\t0.01\t250000\t\n",
        b"s\tc1.1\tbilled\tsuccess\t0.01\t250000\ta\tb=1\n",
        b"s\tc1.1\n",
    ],
)
def test_s25_an_attempt_whose_end_makes_no_sense_is_in_doubt_and_not_gone(end: bytes) -> None:
    reader = Reader()
    (record,) = reader.read(HEAD + intent(attempt(1), 0, "") + end)
    assert (record.id, record.charge, record.cost, reader.bad) == ("c1.1", Charge.IN_DOUBT, CENT, 1)
    assert reader.oldest_open is None, "or its journal would be kept for ever"


def test_an_end_without_a_beginning_is_of_a_file_that_is_gone() -> None:
    reader = Reader()
    assert list(reader.read(HEAD + settlement(attempt(1)))) == []
    assert reader.bad == 0


@given(lines=st.lists(st.one_of(st.sampled_from(BAD), st.binary(max_size=40).map(lambda line: line + b"\n"))))
def test_whatever_is_in_a_file_reading_it_ends_and_finds_what_is_whole(lines: list[bytes]) -> None:
    reader = Reader()
    rubbish = b"".join(
        line for line in lines if not line.startswith((b"switchgear-journal", b"p\t", b"s\tc1", b"i\tc1"))
    )
    found = list(reader.read(HEAD + intent(attempt(1), 0, "") + rubbish + settlement(attempt(1))))
    assert "c1.1" in ids(found)


def test_s25_a_newer_format_is_a_clear_error_and_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "one-000000.journal"
    path.write_bytes(HEAD.replace(b"journal\t1\t", b"journal\t2\t"))
    (journals,) = orphans(tmp_path).values()
    with pytest.raises(Damaged, match="a journal of format 2; this version reads 1"):
        read_orphans(journals)
    for each in journals:
        each.close(remove=False)
    assert path.exists()


@pytest.mark.usefixtures("small")
@both_kinds
def test_a_full_file_is_followed_by_another_and_nothing_is_lost_in_between(tmp_path: Path, kind: Kind) -> None:
    source = source_of(tmp_path, kind)
    early = begin(source, 0)
    paid(source, *range(1, 101))
    assert len(list(tmp_path.iterdir())) > 3
    settle(source, early)
    assert sorted(ids(source.take())) == sorted(f"c{number}.1" for number in range(101))
    die(source)
    found = left_behind(tmp_path)
    assert len(found) == 101
    assert {record.charge for record in found} == {Charge.BILLED}, "what one file begins the next may settle"


@pytest.mark.usefixtures("small")
def test_s25_files_go_when_all_in_them_is_settled_and_every_sink_has_it_and_not_before(tmp_path: Path) -> None:
    source = source_of(tmp_path)
    early = begin(source, 0)
    paid(source, *range(1, 101))
    many = len(list(tmp_path.iterdir()))
    list(source.take())
    assert source.mark() == 0, "the first one is under way"
    source.forget(source.mark())
    assert len(list(tmp_path.iterdir())) == many
    settle(source, early)
    list(source.take())
    source.forget(0)
    assert len(list(tmp_path.iterdir())) == many, "no sink has it yet"
    source.forget(source.mark())
    assert len(list(tmp_path.iterdir())) == 1
    paid(source, 200)
    assert ids(source.take()) == ["c200.1"]
    source.close(complete=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("small")
def test_s25_what_is_put_in_while_the_sinks_are_busy_is_not_forgotten_unread(tmp_path: Path) -> None:
    """The bookkeeper reads, hands on, and then asks how far it is: meanwhile the loop has filled that file."""
    source = source_of(tmp_path)
    paid(source, 1)
    assert ids(source.take()) == ["c1.1"]
    paid(source, *range(2, 101))
    source.forget(source.mark())
    assert ids(source.take()) == [f"c{number}.1" for number in range(2, 101)]
    die(source)


@pytest.mark.usefixtures("small")
def test_all_since_a_place_can_be_had_again_once_it_was_read(tmp_path: Path) -> None:
    source = source_of(tmp_path)
    paid(source, *range(1, 51))
    list(source.take())
    paid(source, 51)
    again = source.again(0)
    assert ids(again) == [f"c{number}.1" for number in range(1, 51)], "the rest comes with the next `take`"
    die(source)


@pytest.mark.usefixtures("small")
def test_a_sink_that_is_away_for_too_long_costs_the_oldest_and_they_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "MOST_SEGMENTS", 3)
    source = source_of(tmp_path)
    paid(source, *range(200))
    list(source.take())
    given_up = source.forget(0)
    assert len(list(tmp_path.iterdir())) == 3
    assert len(ids(source.again(0))) == 200 - given_up
    assert 0 < given_up < 200
    die(source)


# Trouble with the disk: requests are answered all the same, so `put` raises nothing


class Trouble:
    """Fails in place of one of the functions of `os`, while it is wanted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, function: str, error: int) -> None:
        self.on = True
        self.calls = 0
        self._real: Callable[..., Any] = getattr(os, function)
        self._error = error
        monkeypatch.setattr(f"switchgear.costs.journal.os.{function}", self)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        self.calls += 1
        if self.on:
            raise OSError(self._error, os.strerror(self._error))
        return self._real(*arguments, **options)


troubles = pytest.mark.parametrize(
    ("kind", "function", "error"),
    [
        ("mapped", "posix_fallocate", errno.ENOSPC),
        ("written", "pwrite", errno.ENOSPC),
        ("mapped", "open", errno.EROFS),
        ("written", "open", errno.EACCES),
    ],
)


@troubles
def test_s25_a_disk_that_takes_nothing_is_counted_and_shouted_about_and_the_sinks_get_it_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, heard: list[str], kind: Kind, function: str, error: int
) -> None:
    Trouble(monkeypatch, function, error)
    source = source_of(tmp_path, kind)
    paid(source, 1, 2)
    assert source.lost == 4
    assert sum("the journal cannot be written" in line for line in heard) == 3, "the 1st, the 2nd, the 4th"
    assert [(record.id, record.provider, record.currency) for record in source.take()] == [
        ("c1.1", "fast", "EUR"),
        ("c2.1", "fast", "EUR"),
    ]
    die(source)


@troubles
def test_s25_a_disk_that_fails_in_the_middle_and_comes_back_loses_no_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Kind, function: str, error: int
) -> None:
    monkeypatch.setattr(journal_module, "SEGMENT", 700)
    trouble = Trouble(monkeypatch, function, error)
    trouble.on = False
    source = source_of(tmp_path, kind)
    found = []
    paid(source, 1)
    under_way = begin(source, 2)
    trouble.on = True
    paid(source, *range(3, 30))
    in_trouble = begin(source, 30)
    settle(source, under_way)
    assert source.lost > 0
    trouble.on = False
    paid(source, 31)
    found += ids(source.take())
    settle(source, in_trouble)
    paid(source, 32)
    found += ids(source.take())
    assert sorted(found) == sorted(f"c{number}.1" for number in range(1, 33))
    lost = source.lost
    paid(source, 33)
    assert source.lost == lost, "it is written again"
    assert ids(source.take()) == ["c33.1"]
    assert source._reader.oldest_open is None
    die(source)


def test_s25_a_real_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`/dev/full` is the only full disk that needs no rights: writing to it fails with ENOSPC."""
    folder = tmp_path / "full"
    folder.mkdir()
    real = os.open

    def open_full(path: Any, flags: int, mode: int = 0o777) -> int:
        return real("/dev/full", os.O_RDWR) if str(path).endswith(".journal") else real(path, flags, mode)

    monkeypatch.setattr("switchgear.costs.journal.os.open", open_full)
    source = source_of(folder, "written")
    paid(source, 1)
    assert source.lost == 2
    assert ids(source.take()) == ["c1.1"]
    die(source)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is read-only for root")
def test_s25_a_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    source = source_of(tmp_path)
    paid(source, 1)
    assert ids(source.take()) == ["c1.1"]
    die(source)


def test_a_line_that_is_longer_than_a_file_is_kept_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "SEGMENT", 500)
    source = source_of(tmp_path)
    made = begin(source, 1, Call("c1", "scans", tags=["x" * 600]))
    settle(source, made)
    (record,) = source.take()
    assert record.tags == ("x" * 600,)
    paid(source, 2)
    assert ids(source.take()) == ["c2.1"]
    die(source)


def test_after_it_is_closed_lines_are_counted_as_lost(tmp_path: Path) -> None:
    source = source_of(tmp_path)
    made = begin(source, 1)
    settle(source, made)
    list(source.take())
    source.close(complete=True)
    source.correct(0, made, Call("c1", "scans"), ())
    assert source.lost == 2
    assert list(tmp_path.iterdir()) == []


def test_providers_that_come_later_are_known_in_the_same_file_and_the_next(tmp_path: Path) -> None:
    source = source_of(tmp_path)
    paid(source, 1)
    number = source.register(Origin("letters", "translation", "good"))
    made = attempt(2)
    assert source.intend is not None
    source.intend(number, made, Call("c2", "letters"), ())
    source.settle(number, made, Call("c2", "letters"), ())
    assert [record.service for record in source.take()] == ["scans", "letters"]
    die(source)


def test_s25_a_late_settlement_is_the_same_attempts_record_once_more(tmp_path: Path) -> None:
    source = source_of(tmp_path)
    made = begin(source, 1)
    made.charge, made.outcome = Charge.IN_DOUBT, Outcome.ATTEMPT_TIMEOUT
    settle(source, made)
    made.charge, made.cost = Charge.BILLED, Decimal("0.02")
    source.correct(0, made, Call("c1", "scans"), ())
    doubt, billed = source.take()
    assert (doubt.id, doubt.charge, doubt.cost) == ("c1.1", Charge.IN_DOUBT, CENT)
    assert (billed.id, billed.charge, billed.cost) == ("c1.1", Charge.BILLED, Decimal("0.02"))
    die(source)


# What dead processes have left


def test_s25_the_files_of_a_living_process_are_left_alone(tmp_path: Path) -> None:
    source = source_of(tmp_path)
    begin(source, 1)
    assert orphans(tmp_path) == {}
    die(source)
    assert list(orphans(tmp_path)) == ["one"]


def test_nothing_is_left_where_there_is_no_folder(tmp_path: Path) -> None:
    assert orphans(tmp_path / "nowhere") == {}


@pytest.mark.usefixtures("small")
def test_s25_a_dead_processs_files_are_taken_over_together_and_by_one_only(tmp_path: Path) -> None:
    source = source_of(tmp_path)
    early = begin(source, 0)
    paid(source, *range(1, 51))
    settle(source, early)
    die(source)
    mine = orphans(tmp_path)
    assert len(mine["one"]) > 1
    assert orphans(tmp_path) == {}
    # Whoever holds the first has them all, also while he has not come to the others.
    for each in mine["one"][1:]:
        each.close(remove=False)
    assert orphans(tmp_path) == {}
    mine["one"][0].close(remove=False)
    assert len(left_behind(tmp_path)) == 51


def test_s25_one_of_several_processes_takes_it_over(tmp_path: Path) -> None:
    source = source_of(tmp_path)
    paid(source, *range(50))
    begin(source, 50)
    die(source)
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import test_journal as t
print(len(t.left_behind(t.Path({str(tmp_path)!r}))))
"""
    racing = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert sorted(int(each.communicate(timeout=60)[0]) for each in racing) == [0, 0, 0, 51]


def test_a_file_that_cannot_be_opened_keeps_nobody_from_taking_over_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, heard: list[str]
) -> None:
    for holder in ("one", "two"):
        source = source_of(tmp_path, holder=holder)
        paid(source, 1)
        die(source)
    real = os.open

    def refuse(path: Any, flags: int, mode: int = 0o777) -> int:
        if "one-" in str(path):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, flags, mode)

    monkeypatch.setattr("switchgear.costs.journal.os.open", refuse)
    assert list(orphans(tmp_path)) == ["two"]
    assert "one-000000.journal: cannot be taken over: Permission denied" in "".join(heard)


@pytest.fixture
def between_open_and_lock(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """What another process does just then."""
    steps: list[Callable[[], None]] = []
    real = journal_module._lock

    def lock(file: int) -> None:
        while steps:
            steps.pop()()
        real(file)

    monkeypatch.setattr(journal_module, "_lock", lock)
    return steps


def test_s25_what_another_one_has_just_taken_over_is_not_taken_over_again(
    tmp_path: Path, between_open_and_lock: list[Callable[[], None]]
) -> None:
    source = source_of(tmp_path)
    paid(source, 1)
    die(source)
    others: list[CostRecord] = []
    between_open_and_lock.append(lambda: others.extend(left_behind(tmp_path)))
    assert left_behind(tmp_path) == []
    assert ids(others) == ["c1.1"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("begin"), st.integers(0, 5)),
            st.tuples(st.just("settle"), st.integers(0, 5)),
            st.tuples(st.just("take"), st.just(0)),
            st.tuples(st.just("forget"), st.just(0)),
            st.tuples(st.just("disk"), st.integers(0, 1)),
        ),
        max_size=80,
    ),
    st.sampled_from(["mapped", "written"]),
)
def test_s25_whatever_happens_every_settled_attempt_comes_out_once_and_every_other_is_in_doubt(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]], kind: Kind
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal_module, "SEGMENT", 400)
        trouble = Trouble(patch, "posix_fallocate" if kind == "mapped" else "pwrite", errno.ENOSPC)
        trouble.on = False
        source = source_of(folder, kind)
        under_way: dict[int, Attempt] = {}
        settled, out, count = set(), [], 0
        for step, number in steps:
            if step == "begin" and number not in under_way:
                count += 1
                under_way[number] = begin(source, count)
            elif step == "settle" and number in under_way:
                made = under_way.pop(number)
                settle(source, made)
                settled.add(made.id)
            elif step == "take":
                out += ids(source.take())
            elif step == "forget":
                source.forget(source.mark())
            elif step == "disk":
                trouble.on = bool(number)
        out += ids(source.take())
        assert sorted(out) == sorted(settled)
        lost = source.lost
        die(source)
        found = left_behind(folder)
    assert {record.id for record in found if record.charge is Charge.BILLED} <= settled
    if not lost:
        doubts = {record.id for record in found if record.charge is Charge.IN_DOUBT}
        assert doubts == {made.id for made in under_way.values()}
