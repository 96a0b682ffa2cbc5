"""The money of a whole board (S23-S25): one figure everywhere, what earlier processes spent, no content anywhere."""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest
from loguru import logger
from switchgear import (
    BudgetExceeded,
    Call,
    Capability,
    Charge,
    InvalidResult,
    NotSent,
    ProviderError,
    ProviderResult,
    SimpleProvider,
    Switchgear,
    SwitchgearError,
    Throttled,
    Unsupported,
    UsageError,
)
from switchgear.costs.sqlite import SqliteLedger
from switchgear.observers.log import CallLog
from switchgear.testing import MemoryLedger, VirtualClock, run

Tables = dict[str, Any]
NOTHING = Decimal(0)


@attrs.define
class Picky:
    def check(self, request: str, result: ProviderResult[str]) -> None:
        if "bad" in result.output:
            raise InvalidResult("not good enough")


class Echo(Capability[str, str]):
    name = "echo"
    request_type = output_type = str
    validators: ClassVar[Mapping[str, type[Any]]] = {"picky": Picky}

    def fingerprint(self, request: str) -> bytes:
        return request.encode()


ENDS: list[Any] = [ProviderError("down"), NotSent("refused"), Unsupported("no"), Throttled("wait"), ZeroDivisionError()]


@attrs.define
class Voice(SimpleProvider[str, str]):
    """Fails one time in `fails`, and answers badly as often."""

    fails: int = 0
    dice: random.Random = attrs.field(factory=lambda: random.Random(7), init=False)

    async def process(self, request: str) -> ProviderResult[str]:
        roll = self.dice.randrange(self.fails) if self.fails else 2
        if roll == 0:
            raise self.dice.choice(ENDS)
        await asyncio.sleep(0)
        return ProviderResult("bad" if roll == 1 else f"said {request}", usage={"characters": Decimal(len(request))})

    def estimate_usage(self, request: str) -> Mapping[str, Decimal]:
        return {"characters": Decimal(10)}


@attrs.define
class Hearing:
    calls: list[Call] = attrs.field(factory=list, init=False)
    records: list[Any] = attrs.field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        heard[:] = [self]

    def call_finished(self, call: Call) -> None:
        self.calls.append(call)

    def cost_recorded(self, record: Any) -> None:
        self.records.append(record)


heard: list[Hearing] = []


EXTRA: list[tuple[str, str, Any]] = [
    ("capabilities", "echo", Echo),
    ("providers", "echo.voice", Voice),
    ("cost_sinks", "memory", MemoryLedger),
    ("observers", "hearing", Hearing),
]


def tables(folder: Path, *, cost: Any = None, service: Tables | None = None, **others: Any) -> Tables:
    voice = {"type": "voice", "cost": cost or {"per_call": "1"}}
    return {
        "services": {"talk": {"capability": "echo", "providers": {"voice": voice}, **(service or {})}},
        "cost_sinks": {"ledger": {"type": "sqlite", "options": {"path": str(folder / "ledger.db")}}},
        "accounting": {"folder": str(folder / "journal")},
        **others,
    }


def compose(settings: Tables, **options: Any) -> Switchgear:
    return Switchgear.compose(settings, extra=EXTRA, **options)


def rows(folder: Path) -> list[Any]:
    ledger = SqliteLedger(path=folder / "ledger.db")
    return list(ledger.records())


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    found: list[Any] = []
    sink = logger.add(lambda message: found.append(message.record), level="INFO")
    logger.enable("switchgear")
    yield found
    logger.disable("switchgear")
    logger.remove(sink)


VOICES = {
    "first": {"type": "voice", "cost": {"per_character": "0.0001", "per_call": "0.002"}, "options": {"fails": 6}},
    "second": {"type": "voice", "cost": {"per_call": "0.01"}, "priority": 200, "options": {"fails": 9}},
    "third": {
        "type": "voice",
        "cost": {"per_call": "0.1", "per_thousand_characters": "0.3333333333"},
        "priority": 300,
    },
}


async def calls_of(board: Switchgear, callers: int, each: int) -> list[Call]:
    dice = random.Random(1)

    async def caller() -> None:
        for _ in range(each):
            with suppress(SwitchgearError):
                await board["talk"].process(f"request {dice.randrange(8000)}", tenant=dice.choice("ab"))
            await asyncio.sleep(0.5)

    await asyncio.gather(*(caller() for _ in range(callers)))
    return heard[0].calls


def assert_rows_are_those_of_the_attempts(kept: list[Any], calls: list[Call]) -> dict[str, Decimal]:
    """Gives what each call cost by its rows."""
    attempts = {each.id: each for call in calls for each in call.attempts}
    assert attempts.keys() == {row.id for row in kept}
    sums: dict[str, Decimal] = {}
    for row in kept:
        it = attempts[row.id]
        assert (row.cost, row.charge, row.kind, row.outcome) == (it.cost, it.charge, it.kind, it.outcome.value)
        sums[row.call_id] = sums.get(row.call_id, NOTHING) + row.cost
    return sums


def assert_the_log_says_so(calls: list[Call], sums: dict[str, Decimal], lines: list[Any]) -> None:
    lines.clear()
    logger.enable("switchgear")
    for call in calls:
        CallLog().call_finished(call)
    for call, line in zip(calls, lines, strict=True):
        cost = line["extra"]["cost"]
        assert Decimal(cost) == sums.get(call.id, NOTHING)
        assert call.result is None or line["message"].endswith(f"cost {cost}")


def test_s23_result_log_metric_and_ledger_agree_for_every_call_of_a_10_000_call_run(
    tmp_path: Path, lines: list[Any]
) -> None:
    retry = {"attempts": 2, "base": "1ms"}
    service = {"providers": VOICES, "cache": "memory", "validate": ["picky"], "retry": retry}
    settings = tables(tmp_path, service=service, observers={"hearing": {"type": "hearing"}})
    settings["budgets"] = {"all": {"limit": "100000"}}

    async def scenario() -> None:
        board = compose(settings, clock=VirtualClock())
        async with board:
            calls = await calls_of(board, 20, 500)
            board.flush_costs()
            kept = [row for row in rows(tmp_path) if row.kind != "saved"]
            sums = assert_rows_are_those_of_the_attempts(kept, calls)
            total = board.costs.total()
            assert (total.cost, total.attempts) == (sum(sums.values(), NOTHING), len(kept))
            for tenant in "ab":
                mine = [sums.get(call.id, NOTHING) for call in calls if call.tenant == tenant]
                assert board.costs.by("tenant")[tenant,].cost == sum(mine, NOTHING)
        assert len({call.id for call in calls}) == len(calls) == 10_000
        assert [call.cost for call in calls] == [sums.get(call.id, NOTHING) for call in calls]
        assert_the_log_says_so(calls, sums, lines)
        # It was a run of all sorts.
        assert {row.kind for row in kept} == {"first", "retry", "fallback"}
        assert {row.charge for row in kept} == set(Charge)
        assert {call.result.cache for call in calls if call.result} >= {"miss", "fresh"}
        assert total.hits == sum(row.hits for row in rows(tmp_path))
        assert len(heard[0].records) == len(rows(tmp_path))

    run(scenario)


# What earlier processes spent


def spend(settings: Tables, calls: int, **options: Any) -> list[Any]:
    with compose(settings) as board:
        found: list[Any] = []
        for _ in range(calls):
            try:
                found.append(board.process_sync("talk", "hello", **options).cost)
            except BudgetExceeded as error:
                found.append(error)
        return found


@pytest.mark.parametrize("shared_by", ["none", "ledger"])
def test_s24_a_budget_knows_what_was_spent_before_the_start(tmp_path: Path, shared_by: str) -> None:
    budget = {"limit": 5, "per": "total", "for_each": "tenant", "shared_by": shared_by}
    settings = tables(tmp_path, budgets={"all": budget})
    assert spend(settings, 3, tenant="acme") == [1, 1, 1]
    assert spend(settings, 3, tenant="beta") == [1, 1, 1]
    third = spend(settings, 3, tenant="acme")
    assert third[:2] == [1, 1]
    assert isinstance(third[2], BudgetExceeded)


def test_s24_what_others_of_the_same_name_spent_is_not_counted(tmp_path: Path) -> None:
    budget = {"limit": 2, "per": "total", "providers": ["letters.voice"], "shared_by": "none"}
    settings = tables(tmp_path, budgets={"all": budget})
    settings["services"]["letters"] = settings["services"]["talk"]
    spend(settings, 5)
    with compose(settings) as board:
        assert board.process_sync("letters", "hello").cost == 1


def test_the_tracker_begins_with_what_the_ledger_knows(tmp_path: Path) -> None:
    spend(tables(tmp_path), 3, tenant="acme")
    with compose(tables(tmp_path)) as board:
        assert board.costs.total().cost == 3
        assert board.costs.by("tenant")["acme",].attempts == 3


def test_a_free_allowance_knows_what_was_used_before_the_start(tmp_path: Path) -> None:
    settings = tables(tmp_path, cost={"per_character": "0.5", "free": {"characters": 12}})
    assert spend(settings, 2) == [0, 0]
    assert spend(settings, 1) == [Decimal("1.5")]


def test_s25_a_crash_leaves_doubts_for_the_next_start(tmp_path: Path) -> None:
    script = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import test_accounting as t
class Killer(t.Voice):
    async def process(self, request):
        if request == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        return await super().process(request)
t.EXTRA[1] = ("providers", "echo.voice", Killer)
board = t.compose(t.tables(t.Path({str(tmp_path)!r})))
for request in ("one", "two", "die"):
    board.process_sync("talk", request)
"""
    subprocess.run([sys.executable, "-c", script], check=False, timeout=60, capture_output=True)
    with compose(tables(tmp_path)) as board:
        assert board.costs.total().cost == 3
        assert board.costs.total().in_doubt == 1
    assert list((tmp_path / "journal").iterdir()) == []


# Life


def test_a_board_that_nobody_opened_accounts_all_the_same_and_one_that_nobody_used_closes(tmp_path: Path) -> None:
    board = compose(tables(tmp_path, budgets={"all": {"limit": 5}}))
    assert board.process_sync("talk", "hello").cost == 1
    board.close()
    assert len(rows(tmp_path)) == 1
    compose(tables(tmp_path)).close()


def test_without_sinks_and_budgets_there_are_no_costs_to_ask_for(tmp_path: Path) -> None:
    settings = tables(tmp_path)
    del settings["cost_sinks"]
    with compose(settings) as board:
        board.flush_costs()
        with pytest.raises(UsageError, match="no costs are recorded: configure a cost sink, or a budget"):
            _ = board.costs


def test_a_budget_without_a_sink_keeps_no_journal(tmp_path: Path) -> None:
    settings = tables(tmp_path, budgets={"all": {"limit": 1}})
    del settings["cost_sinks"]
    found = spend(settings, 2)
    assert isinstance(found[1], BudgetExceeded)
    assert list(tmp_path.iterdir()) == []


def test_explain_says_who_would_be_over_budget(tmp_path: Path) -> None:
    with compose(tables(tmp_path, budgets={"all": {"limit": 1}})) as board:
        assert board["talk"].explain("hello").rows[0].kept
        board.process_sync("talk", "hello")
        board.flush_costs()
        board.flush_costs()  # what it knows is looked up before what is new is handed on
        (row,) = board["talk"].explain("hello").rows
        assert (row.kept, row.reason) == (False, "over budget all")


def test_s30_what_was_asked_and_answered_is_in_no_journal_ledger_or_line(tmp_path: Path, lines: list[Any]) -> None:
    settings = tables(tmp_path, service={"validate": ["picky"]}, budgets={"all": {"limit": 2, "for_each": "tag"}})
    board = compose(settings)
    for request in ("planted-question", "planted-question bad"):
        with suppress(SwitchgearError):
            board.process_sync("talk", request, tags=["nightly"])
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"nightly" in written
    board.close()
    written += b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"planted" not in written
    assert "planted" not in "".join(str(line) for line in lines)


# Forks

FORKS = """
import os, sys
sys.path.insert(0, {here!r})
import test_accounting as t
board = t.compose(t.tables(t.Path({folder!r}), **{others!r}))
class Quick(t.Voice):
    suspends = False
if {before}:
    print(board.process_sync("talk", "before").cost)
children = []
for _ in range(3):
    child = os.fork()
    if child == 0:
        try:
            for _ in range(4):
                board.process_sync("talk", "hello")
                os.write(1, b"answered\\n")
            board.close()
        except t.UsageError as error:
            print(error, flush=True)
        except t.SwitchgearError as error:
            print(type(error).__name__, error, flush=True)
            board.close()
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
board.close()
"""


def fork(folder: Path, *, before: bool, **others: Any) -> str:
    script = FORKS.format(here=str(Path(__file__).parent), folder=str(folder), before=before, others=others)
    # There before they are: who makes it at the same moment as another one has to try again.
    SqliteLedger(path=folder / "ledger.db").spent("all")
    command = [sys.executable, "-W", "ignore:.*fork.*:DeprecationWarning", "-c", script]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


@forks
def test_s27_workers_forked_from_a_board_that_has_not_begun_have_names_of_their_own(tmp_path: Path) -> None:
    """As servers do that load the application before they fork."""
    assert fork(tmp_path, before=False) == 12 * "answered\n"
    found = rows(tmp_path)
    assert len(found) == 12, "no two attempts have the same id"
    assert len({row.holder for row in found}) == 3


@forks
def test_s24_workers_forked_from_one_board_share_the_budget(tmp_path: Path) -> None:
    said = fork(tmp_path, before=False, budgets={"all": {"limit": 7, "per": "total"}})
    assert "BudgetExceeded" in said
    # On a machine that is busy with other things, a worker may give up waiting for what another one has leased.
    assert said.count("answered") == len(rows(tmp_path)) <= 7


@forks
def test_s27_a_board_that_has_begun_cannot_be_used_in_a_forked_child(tmp_path: Path) -> None:
    said = fork(tmp_path, before=True)
    assert said.count("this was opened before the process forked; open another one in the child") == 3
    assert len(rows(tmp_path)) == 1
