"""What a batch of records does to the accounts of budgets: added to what is spent, and taken off leases."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import attrs

from switchgear.cost_sink import CostRecord
from switchgear.money import Charge, to_nanos


@attrs.define
class Movements:
    """In billionths, by account; `settled` is what was newly spent, by account and holder: its lease shrinks by it."""

    spent: defaultdict[str, int] = attrs.field(factory=lambda: defaultdict(int))
    settled: defaultdict[tuple[str, str], int] = attrs.field(factory=lambda: defaultdict(int))

    def add(self, record: CostRecord, before: int = 0, accounts: Sequence[str] = ()) -> None:
        """A record is written. `before` and `accounts`: what the record whose place it takes counted for, and where."""
        amount = counted(record)
        for account in _once(accounts):
            self.spent[account] -= before
        for account in _once(record.budgets):
            self.spent[account] += amount
            more = amount - before if account in accounts else amount
            if more > 0:
                self.settled[account, record.holder] += more


def _once(accounts: Sequence[str]) -> Iterable[str]:
    return accounts if len(accounts) < 2 else dict.fromkeys(accounts)


def counted(record: CostRecord) -> int:
    """What a record adds to its accounts, in billionths: doubts count as spent, what is free or unknown does not."""
    return 0 if record.cost is None or record.charge is Charge.FREE else to_nanos(record.cost)


def replaces(later: CostRecord, earlier: Charge) -> bool:
    """Whether a record takes the place of an earlier one of the same id: a doubt does not bring back what is settled.

    After a crash, requests whose answer was lost are handed over as doubts, perhaps long after they were settled.
    """
    return later.charge is not Charge.IN_DOUBT or earlier is Charge.IN_DOUBT
