"""Budgets of this process alone: what shared ones have in their ledger, kept in memory."""

from collections.abc import Callable
from decimal import Decimal

import attrs

from switchgear.cost_sink import NOTHING, CostRecord, Lease
from switchgear.money import Charge

MOST_BOOKS = 20_000  # accounts that are remembered


@attrs.define
class _Book:
    spent: Decimal
    leased: Decimal = NOTHING


class LocalShares:
    """Leases all that is left at once, since nobody else wants any. `spent_before` asks the ledger for a new account.

    Like a sink, it hears of every record.
    """

    def __init__(self, spent_before: Callable[[str], Decimal]) -> None:
        self._spent_before = spent_before
        self._books: dict[str, _Book] = {}
        self._doubts: dict[str, Decimal] = {}  # by attempt: what was counted, in case it turns out otherwise

    def lease(
        self, account: str, holder: str, *, limit: Decimal, want: Decimal, need: Decimal, now: int, until: int
    ) -> Lease:
        book = self._book(account)
        left = limit - book.spent - book.leased
        granted = left if left >= need else NOTHING
        book.leased += granted
        return Lease(granted, left - granted, NOTHING, book.spent)

    def give_back(self, account: str, holder: str, amount: Decimal) -> None:
        book = self._book(account)
        book.leased = max(NOTHING, book.leased - amount)

    def spent(self, account: str) -> Decimal:
        return self._book(account).spent

    def cost_recorded(self, record: CostRecord) -> None:
        if not record.budgets:
            return
        cost = NOTHING if record.cost is None or record.charge is Charge.FREE else record.cost
        change = cost - self._doubts.pop(record.id, NOTHING)
        if record.charge is Charge.IN_DOUBT:
            self._doubts[record.id] = cost
            if len(self._doubts) > 10_000:
                del self._doubts[next(iter(self._doubts))]
        for account in record.budgets:
            book = self._books.get(account)
            if book is not None:
                book.spent += change
                # What a doubt turns out to cost less is left to all: its attempt has been settled.
                book.leased = max(NOTHING, book.leased - max(NOTHING, change))

    def _book(self, account: str) -> _Book:
        if account not in self._books:
            if len(self._books) >= MOST_BOOKS:
                self._trim()
            self._books[account] = _Book(self._spent_before(account))
        return self._books[account]

    def _trim(self) -> None:
        """Names come from requests. The oldest that nobody has leased from: the ledger remembers them."""
        unused = [account for account, book in self._books.items() if not book.leased]
        for account in unused[: MOST_BOOKS // 10]:
            del self._books[account]
