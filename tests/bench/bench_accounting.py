"""What it costs to record costs: CPU time per call on the request's path, and with the bookkeeping behind it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
from figures import Row, Section, judged, parser, show
from measure import Case, Effort, cpu_us
from switchgear import Capability, CostRecord, Lease, ProviderResult, SimpleProvider, Switchgear
from switchgear.costs.sqlite import SqliteLedger

NOTHING = "no costs are recorded"
MAPPED = "journal mapped"
WRITTEN = "journal written"
OFF = "journal off"
BUDGET = "journal mapped, a budget of this process"
SHARED = "journal and SQLite, no budget"
BLOCKS = "the same and a shared budget, leased in blocks"
SINGLES = "the same near the limit: a lease for each call"
TARGETS = {MAPPED: 3.0, OFF: 1.0}
IN_ALL_TARGET = 8.0
NEVER = "10d"


class Work(Capability[str, str]):
    name = "work"
    request_type = str
    output_type = str


@attrs.define
class Answers(SimpleProvider[str, str]):
    async def process(self, request: str) -> ProviderResult[str]:
        return ProviderResult("answer")


class Tight(SqliteLedger):
    """As it is near the limit of a budget, for ever."""

    def lease(self, account: str, holder: str, *, limit: Decimal, want: Decimal, **when: Any) -> Lease:
        return super().lease(account, holder, limit=limit, want=when["need"], **when)


class Nowhere:
    """A cost sink that costs nothing itself."""

    def cost_recorded(self, record: CostRecord) -> None:
        pass

    def flush(self) -> None:
        pass


EXTRA = [
    ("capabilities", "work", Work()),
    ("providers", "work.answers", Answers),
    ("cost_sinks", "nowhere", Nowhere),
    ("cost_sinks", "tight", Tight),
]


def board(folder: Path, journal: str | None, budget: bool = False, sink: str = "nowhere") -> Switchgear:
    providers = {"only": {"type": "answers", "cost": {"per_call": "0.0015"}}}
    tables: dict[str, Any] = {"services": {"work": {"capability": "work", "providers": providers}}}
    if journal is not None:
        own = folder / f"{journal}-{budget}-{sink}"
        options = {} if sink == "nowhere" else {"path": str(own / "ledger.db")}
        tables["cost_sinks"] = {"ledger": {"type": sink, "options": options}}
        tables["accounting"] = {"journal": journal, "folder": str(own), "flush": NEVER}
    if budget:
        tables["budgets"] = {"all": {"limit": "1000000000"}}
    return Switchgear.compose(tables, extra=EXTRA)


@contextmanager
def boards(folder: Path) -> Iterator[dict[str, Switchgear]]:
    made = {
        NOTHING: board(folder, None),
        MAPPED: board(folder, "mapped"),
        WRITTEN: board(folder, "written"),
        OFF: board(folder, "off"),
        BUDGET: board(folder, "mapped", budget=True),
        SHARED: board(folder, "mapped", sink="sqlite"),
        BLOCKS: board(folder, "mapped", budget=True, sink="sqlite"),
        SINGLES: board(folder, "mapped", budget=True, sink="tight"),
    }
    yield made


def case(one: Switchgear, *, with_bookkeeping: bool) -> Case:
    service = one["work"]

    async def calls(number: int) -> None:
        for _ in range(number):
            await service.process("request")
        if with_bookkeeping:
            one.flush_costs()

    return calls


def rows(effort: Effort) -> list[Row]:
    """The path alone first: what waits for the bookkeeper is worked off before it is measured with it."""
    found: dict[bool, dict[str, float]] = {}
    for with_bookkeeping in (False, True):
        with tempfile.TemporaryDirectory() as folder, boards(Path(folder)) as made:
            cases = {name: case(one, with_bookkeeping=with_bookkeeping) for name, one in made.items()}
            found[with_bookkeeping] = cpu_us(cases, effort)
            for one in made.values():
                with_books = one._composed.books
                if with_books is not None:
                    with_books.bookkeeper.close()
    return [row(name, found) for name in found[False]]


def row(name: str, found: dict[bool, dict[str, float]]) -> Row:
    path = found[False][name] - found[False][NOTHING]
    in_all = found[True][name] - found[True][NOTHING]
    return {
        "what": name,
        "us a call": found[False][name],
        "over none": path,
        "target": TARGETS.get(name),
        "": judged(path, TARGETS.get(name)),
        "with bookkeeping": in_all,
        "target in all": IN_ALL_TARGET if name == MAPPED else None,
        " ": judged(in_all, IN_ALL_TARGET if name == MAPPED else None),
    }


def main() -> None:
    options = parser(str(__doc__)).parse_args()
    effort = Effort.of(options.quick)
    # Long rounds: what is left to the bookkeeper should be a batch, as it is in a busy program.
    show(
        [Section("Recording costs, CPU per call", rows(attrs.evolve(effort, seconds=4 * effort.seconds)))], options.json
    )


if __name__ == "__main__":
    main()
