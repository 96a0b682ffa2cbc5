"""The conformance suite of cost sinks: planted faults are found, each by the check that is there for it."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from switchgear.cost_sink import EVERYTHING, CostRecord, Lease, Selection, Total
from switchgear.costs.sqlite import SqliteLedger
from switchgear.money import Charge
from switchgear.testing import CostSinkSuite


@attrs.define(eq=False)
class CountsTwice(SqliteLedger):
    """Every record is a new one."""

    number: int = attrs.field(default=0, init=False)

    def cost_recorded(self, record: CostRecord) -> None:
        self.number += 1
        super().cost_recorded(attrs.evolve(record, id=f"{record.id}/{self.number}"))


@attrs.define(eq=False)
class TurnsBack(SqliteLedger):
    """A doubt takes the place of anything."""

    def cost_recorded(self, record: CostRecord) -> None:
        settled = attrs.evolve(record, charge=Charge.BILLED) if record.charge is Charge.IN_DOUBT else record
        super().cost_recorded(settled)


@attrs.define(eq=False)
class Forgets(SqliteLedger):
    """A batch that could not be written is gone."""

    def flush(self) -> None:
        try:
            super().flush()
        finally:
            self._taken_in.clear()


@attrs.define(eq=False)
class Rounds(SqliteLedger):
    """Sums in floats."""

    def totals(self, by: Sequence[str] = (), where: Selection = EVERYTHING) -> Iterator[Total]:
        for total in super().totals(by, where):
            yield attrs.evolve(total, cost=Decimal(float(total.cost)))


@attrs.define(eq=False)
class Shuffles(SqliteLedger):
    """The newest first."""

    def records(self, where: Selection = EVERYTHING) -> Iterator[CostRecord]:
        return reversed(list(super().records(where)))


@attrs.define(eq=False)
class Overlooks(SqliteLedger):
    """Selections by tag."""

    def records(self, where: Selection = EVERYTHING) -> Iterator[CostRecord]:
        return super().records(attrs.evolve(where, tags=()))


@attrs.define(eq=False)
class LeasesToAll(SqliteLedger):
    """Does not look at what others have."""

    def lease(self, account: str, holder: str, **asked: Any) -> Lease:
        return super().lease(f"{account}{holder}", holder, **asked)


@attrs.define(eq=False)
class NeverVoid(SqliteLedger):
    """Leases last for ever."""

    def lease(self, account: str, holder: str, *, now: int, until: int, **asked: Any) -> Lease:
        return super().lease(account, holder, now=now, until=until + 10**15, **asked)


@attrs.define(eq=False)
class Keeps(SqliteLedger):
    """What is given back."""

    def give_back(self, account: str, holder: str, amount: Decimal) -> None:
        pass


class NoLedger:
    def cost_recorded(self, record: Any) -> None:
        pass

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("planted", "checks"),
    [
        (CountsTwice, ["a_record_counts_once_however_often_it_comes"]),
        (
            TurnsBack,
            ["a_doubt_never_takes_the_place_of_what_is_settled", "records_come_back_as_they_were_oldest_first"],
        ),
        (Forgets, ["a_flush_that_fails_forgets_nothing"]),
        (Rounds, ["sums_are_exact_beyond_what_a_number_holds", "the_sums_of_every_grouping_make_the_total"]),
        (Shuffles, ["records_come_back_as_they_were_oldest_first"]),
        (Overlooks, ["a_selection_takes_what_fits_all_of_it"]),
        (
            LeasesToAll,
            [
                "a_lease_is_what_is_wanted_else_what_is_needed_else_nothing",
                "holders_at_the_same_time_never_lease_more_than_there_is",
            ],
        ),
        (NeverVoid, ["a_lease_ends_and_is_extended_by_the_next"]),
        (Keeps, ["what_is_given_back_is_there_for_others"]),
        (NoLedger, ["it_keeps_to_the_contract_of_cost_sinks"]),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_a_planted_fault_is_found(planted: type[Any], checks: Sequence[str], tmp_path: Path) -> None:
    class Suite(CostSinkSuite):
        examples = 3

        def make(self) -> Any:
            return planted() if planted is NoLedger else planted(path=tmp_path / "state" / "ledger.db")

        def trouble(self) -> Any:
            from contextlib import contextmanager

            @contextmanager
            def blocked() -> Iterator[None]:
                (tmp_path / "state").touch()
                yield
                (tmp_path / "state").unlink()

            return blocked()

    for check in checks:
        with pytest.raises((AssertionError, ExceptionGroup)):
            getattr(Suite(), f"test_{check}")()


def test_what_a_sink_says_it_is_not_is_left_out_loudly() -> None:
    class Suite(CostSinkSuite):
        is_ledger = is_shared = False

        def make(self) -> Any:
            return NoLedger()

    Suite().test_it_keeps_to_the_contract_of_cost_sinks()
    Suite().test_a_record_counts_once_however_often_it_comes()
    for check, missing in (
        ("records_come_back_as_they_were_oldest_first", "is_ledger"),
        ("what_is_given_back_is_there_for_others", "is_shared"),
        ("a_flush_that_fails_forgets_nothing", "trouble"),
    ):
        with pytest.raises(pytest.skip.Exception, match=missing):
            getattr(Suite(), f"test_{check}")()
