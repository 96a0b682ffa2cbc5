"""Gets money for accounts from whoever keeps them, and brings back what is not used."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Protocol

from switchgear.cost_sink import NOTHING, Lease
from switchgear.costs.bookkeeper import Bookkeeper
from switchgear.costs.budgets import LEASE, Account, Accounts
from switchgear.home import Home
from switchgear.logs import logger
from switchgear.policies.deadline import NEVER, DeadlineScope

_LONGEST = 5.0  # seconds that anybody waits for an answer of the ledger
_PATIENCE = 2.0  # seconds that a call waits for others to give back what they do not use
_AGAIN = 0.1  # seconds between two questions for that
_DETACHED = 5.0  # seconds in which nobody waits for a ledger that did not answer
_IDLE = 0.3  # seconds without use after which what is free goes back


class Keeper(Protocol):
    """Who knows what is left: a shared ledger, or this process alone. Called in the bookkeeper's thread."""

    def lease(
        self, account: str, holder: str, *, limit: Decimal, want: Decimal, need: Decimal, now: int, until: int
    ) -> Lease: ...
    def give_back(self, account: str, holder: str, amount: Decimal) -> None: ...
    def spent(self, account: str) -> Decimal: ...


class Lender:
    """Between one keeper and the accounts that it keeps; asks once for all who wait."""

    def __init__(self, keeper: Keeper, bookkeeper: Bookkeeper, home: Home, holder: str) -> None:
        self._keeper = keeper
        self._bookkeeper = bookkeeper
        self._home = home
        self._monotonic = home.clock.monotonic
        self.holder = holder
        self._asking: dict[str, asyncio.Future[Lease]] = {}
        self._waiting: dict[str, int] = {}
        self._all: list[Accounts] = []
        bookkeeper.on_tick.append(self._tick)

    def add(self, accounts: Accounts) -> None:
        self._all.append(accounts)

    async def fetch(self, account: Account, need: Decimal, ends: float | None) -> bool:
        """Try to have `need` free in the account; False if the deadline came first."""
        self._bookkeeper.start()
        self._waiting[account.name] = self._waiting.get(account.name, 0) + 1
        try:
            with DeadlineScope(self._home.timers, NEVER if ends is None else ends):
                await asyncio.wait((asyncio.wrap_future(self._bookkeeper.ready),))
                await self._fetch(account, need)
        except TimeoutError:
            return False
        else:
            return True
        finally:
            self._waiting[account.name] -= 1
            if not self._waiting[account.name]:
                del self._waiting[account.name]

    async def _fetch(self, account: Account, need: Decimal) -> None:
        gives_up = self._monotonic() + _PATIENCE
        while not account.has(need, now := self._monotonic()) and now >= account.detached_until:
            asked = self._asking.get(account.name) or self._ask(account, need)
            done, _ = await asyncio.wait((asked,), timeout=_LONGEST)
            if not done:
                self._detach(account, f"no answer in {_LONGEST:g} s")
                return
            if account.has(need, self._monotonic()) or account.left is None or account.left >= account.lacks(need):
                continue
            if account.elsewhere <= 0 or self._monotonic() >= gives_up:
                return
            await self._home.clock.sleep(_AGAIN)

    def _ask(self, account: Account, need: Decimal) -> "asyncio.Future[Lease]":
        stale = account.give_back() if self._monotonic() >= account.leased_until else NOTHING
        want, need = account.wish(need), account.lacks(need)
        at = int(self._home.clock.utc().timestamp() * 1_000_000)
        until = at + int(LEASE * 1_000_000)
        limit = account.settings.limit

        def lease() -> Lease:
            if stale:  # we did not count on it any more
                self._keeper.give_back(account.name, self.holder, stale)
            return self._keeper.lease(account.name, self.holder, limit=limit, want=want, need=need, now=at, until=until)

        begun = self._monotonic()
        asked = self._asking[account.name] = asyncio.wrap_future(self._bookkeeper.submit(lease))
        asked.add_done_callback(lambda done: self._came(account, done, begun))
        return asked

    def _came(self, account: Account, asked: "asyncio.Future[Lease]", begun: float) -> None:
        del self._asking[account.name]
        if asked.cancelled():
            return
        # Foreign code: a ledger that cannot be reached is no reason to stop working, unless the budget says so.
        error = asked.exception()
        if error is None:
            account.add(asked.result(), begun, self._monotonic())
        else:
            self._detach(account, type(error).__name__)

    def _detach(self, account: Account, why: str) -> None:
        now = self._monotonic()
        if now >= account.detached_until:
            then = "calls go on without it" if account.settings.unreachable == "allow" else "its calls are rejected"
            logger.error("budget {}: its ledger cannot be reached ({}), {}", account.budget, why, then)
            if self._bookkeeper.desk is not None:
                self._bookkeeper.desk.unreachable(f"budgets.{account.budget}", f"its ledger cannot be reached, {then}")
        account.detached_until = now + _DETACHED

    # Housekeeping, on the loop: what is not used goes back, what is in use stays ours. In the bookkeeper's thread: what
    # was spent is looked up.

    def look_after(self) -> None:
        """Now and then."""
        self.give_back_unused(_IDLE)
        now = self._monotonic()
        for accounts in self._all:
            for account in accounts.all:
                if account.needs_renewal(now) and account.name not in self._asking:
                    self._ask(account, NOTHING)

    def give_back_unused(self, idle: float = 0.0) -> None:
        """Let go of what was not used for so many seconds."""
        now = self._monotonic()
        for account in self._accounts():
            if account.free > 0 and (now - account.used_at >= idle) and account.name not in self._waiting:
                self._return(account, account.give_back())

    def _return(self, account: Account, amount: Decimal) -> None:
        self._bookkeeper.submit(lambda: self._keeper.give_back(account.name, self.holder, amount))

    def _accounts(self) -> Iterator[Account]:
        for accounts in self._all:
            yield from accounts.all
            yield from accounts.past()

    def _tick(self) -> None:
        current = [account for accounts in self._all for account in accounts.all]
        for account in current:
            account.spent = self._keeper.spent(account.name)
        if self._bookkeeper.desk is not None:
            self._bookkeeper.desk.look_at_budgets(current)
        loop = self._home.loop
        if loop is not None and loop.is_running():
            loop.call_soon_threadsafe(self.look_after)
