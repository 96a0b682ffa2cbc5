"""The contract of a cost sink: where the record of every attempt that may cost goes, and how it is read again."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

import attrs

from switchgear.money import Charge
from switchgear.results import Kind

SCHEMA = 1  # of the record; a sink that keeps records says which one it wrote

NOTHING = Decimal(0)


@attrs.define
class CostRecord:
    """What one attempt cost, or what the cache has saved (`kind = "saved"`: no attempt, `saved` and `hits` only).

    `id` is the attempt's; a later record of the same id takes the place of the earlier (a doubt that was settled).
    `at` is when it was sent, in microseconds since 1970 (UTC). `cost` is in `currency` with at most nine decimals, None
    where unknown; for an attempt in doubt it is what was expected. `usage` maps units to amounts. `latency` is in
    seconds. `budgets` are the accounts it counts against, `holder` the process that sent it. No content, ever.
    Nobody changes one; it is not frozen because there are very many of them, and making it would take five times as
    long.
    """

    id: str
    at: int
    service: str
    capability: str
    provider: str
    kind: Kind = "first"
    charge: Charge = Charge.BILLED
    outcome: str = "success"
    currency: str = "USD"
    cost: Decimal | None = None
    estimate: Decimal | None = None
    usage: Mapping[str, Decimal] = attrs.Factory(dict)
    latency: float = 0.0
    tenant: str | None = None
    tags: tuple[str, ...] = ()
    budgets: tuple[str, ...] = ()
    holder: str = ""
    saved: Decimal = NOTHING
    hits: int = 0

    @property
    def call_id(self) -> str:
        return self.id.rpartition(".")[0]


class CostSink(Protocol):
    """Keeps cost records. All methods are called in one thread of the board's own, one after the other: they may wait.

    Its attrs fields are its options. Whatever a method raises is reported, and the records are handed over again.
    """

    def cost_recorded(self, record: CostRecord) -> None:
        """Take it in for the next `flush`. Cheap: no file, no network."""
        ...

    def flush(self) -> None:
        """Write all that was taken in since the last flush, together, each id once however often it came.

        When it raises, nothing of it may have been forgotten: the same records are not handed over again.
        """
        ...

    def close(self) -> None:
        """Give everything back. `flush` has been called; nothing follows."""
        ...


@attrs.frozen(kw_only=True)
class Selection:
    """Which records: from `since` to before `until`, of these services, providers ...; empty means all.

    A record fits `tags` if it has one of them.
    """

    since: datetime | None = None
    until: datetime | None = None
    services: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


EVERYTHING = Selection()

# What records can be grouped by. `tags` is the whole set of a record, joined by ", ": so that groups add up to the
# total. `slot` is the quarter of an hour, in microseconds since 1970: every time zone's hours begin at one.
GROUPS = (
    "service", "capability", "provider", "tenant", "tags", "kind", "charge", "outcome", "usage", "slot",
)  # fmt: skip
SLOT = 900_000_000  # microseconds


@attrs.frozen(kw_only=True)
class Total:
    """What a group of records comes to. `key` has a text for each of the groups asked for, "" where it has none.

    `cost` adds up what is known, attempts in doubt included; `unknown` counts those that may cost and nobody knows how
    much. `usage`, as a group, is written like `characters=120 pages=2`.
    """

    key: tuple[str, ...]
    currency: str
    attempts: int
    cost: Decimal
    in_doubt: Decimal = NOTHING
    doubts: int = 0
    unknown: int = 0
    saved: Decimal = NOTHING
    hits: int = 0


class Readable(Protocol):
    """What reports and exports need of a ledger."""

    def totals(self, by: Sequence[str] = (), where: Selection = EVERYTHING) -> Iterator[Total]:
        """The sums by some of `GROUPS` (and always by currency), in the order of their keys."""
        ...

    def records(self, where: Selection = EVERYTHING) -> Iterator[CostRecord]:
        """One by one, oldest first, in bounded memory."""
        ...


class Ledger(CostSink, Readable, Protocol):
    """A cost sink that can be read: reports, exports and budgets are made of it."""


@attrs.frozen
class Lease:
    """What a process may spend of a shared budget without asking again.

    `granted` was added to its lease; `left` is what nobody has leased or spent; `elsewhere` what others have leased and
    not spent, and may yet give back; `spent` is what the ledger knows of.
    """

    granted: Decimal
    left: Decimal
    elsewhere: Decimal
    spent: Decimal


class SharedLedger(Ledger, Protocol):
    """A ledger that keeps budgets for several processes. Amounts that are recorded against an account move from the
    holder's lease to its spendings in the transaction that writes the record, so that no record counts twice.
    """

    def lease(
        self, account: str, holder: str, *, limit: Decimal, want: Decimal, need: Decimal, now: int, until: int
    ) -> Lease:
        """Add to the holder's lease: `want` if so much is left, else `need` if that is, else nothing; atomic.

        Extends the lease to `until` (microseconds since 1970, like `now`); leases past theirs are void.
        """
        ...

    def give_back(self, account: str, holder: str, amount: Decimal) -> None:
        """Take so much off the holder's lease; all of it if it is less."""
        ...

    def spent(self, account: str) -> Decimal:
        """What was recorded against an account, attempts in doubt included."""
        ...


def usage_text(usage: Mapping[str, Decimal]) -> str:
    """A usage as ledgers write it, the same for equal usages: `characters=120 pages=2`."""
    return " ".join([f"{unit}={amount.normalize():f}" for unit, amount in sorted(usage.items())])


def usage_from(text: str) -> dict[str, Decimal]:
    """What `usage_text` wrote."""
    pairs = (each.partition("=") for each in text.split())
    return {unit: Decimal(amount) for unit, _, amount in pairs}
