"""What a configuration says about money, beside prices: accounting, budgets, alerts."""

from decimal import Decimal
from typing import Literal

from attrs import field, frozen, validators

from switchgear.durations import Duration
from switchgear.rules import Amount, Name, Share, Wait, ZoneName, alike, differing


@frozen(kw_only=True)
class Accounting:
    """`[accounting]`: how costs are recorded on their way to the cost sinks."""

    __repr__, __eq__ = differing, alike

    journal: Literal["mapped", "written", "off"] = field(
        default="mapped",
        metadata={
            "help": 'what is written before a priced request is sent: "mapped" into a file in memory, "written" with a '
            'system call each (for file systems that copy on write), or "off": a crash loses what no sink has yet'
        },
    )
    folder: str = field(
        default=".switchgear/journal", metadata={"help": "where; relative to the configuration's folder"}
    )
    flush: Wait = field(
        default=Duration(0.2), metadata={"help": "how often what has come together goes to the cost sinks"}
    )
    time_zone: ZoneName = field(
        default="UTC", metadata={"help": "whose calendar budgets and periods follow, such as Europe/Berlin"}
    )


@frozen(kw_only=True)
class Budget:
    """`[budgets.<name>]`: a limit on money, enforced before a request is sent."""

    __repr__, __eq__ = differing, alike

    limit: Amount = field(metadata={"help": "in the board's currency"})
    per: Literal["hour", "day", "week", "month", "total"] = field(
        default="month", metadata={"help": "the stretch of the calendar that it is for"}
    )
    services: tuple[Name, ...] = field(default=(), metadata={"help": "which services; absent: all"})
    providers: tuple[str, ...] = field(
        default=(), metadata={"help": 'which providers, as "fast" or "scans.fast"; absent: all'}
    )
    tenants: tuple[str, ...] = field(default=(), metadata={"help": "which tenants; absent: all"})
    tags: tuple[str, ...] = field(default=(), metadata={"help": "calls with one of these tags; absent: all calls"})
    for_each: Literal["service", "provider", "tenant", "tag"] | None = field(
        default=None, metadata={"help": "a limit for each of them, instead of one for all together"}
    )
    on_exceeded: Literal["reject", "fall_over", "warn"] = field(
        default="reject",
        metadata={
            "help": 'when a request does not fit: "reject" the call, "fall_over" to providers that fit, or only "warn"'
        },
    )
    unknown: Literal["allow", "reject"] = field(
        default="reject", metadata={"help": "what to do with requests whose cost nobody knows beforehand"}
    )
    thresholds: tuple[Share, ...] = field(
        default=(0.5, 0.8, 1.0), metadata={"help": "shares of the limit whose crossing raises an alert"}
    )
    shared_by: str | None = field(
        default=None,
        metadata={
            "help": "the cost sink through which processes share it; absent: the first that can, "
            '"none": each process has a limit of its own'
        },
    )
    unreachable: Literal["allow", "reject"] = field(
        default="allow", metadata={"help": "what to do while that sink cannot be reached"}
    )


@frozen(kw_only=True)
class Alerts:
    """`[alerts]`: when to raise an alert about money, beside the thresholds of budgets."""

    __repr__, __eq__ = differing, alike

    spike: float = field(
        default=2.0,
        validator=validators.ge(0.0),
        metadata={"help": "an hour that costs more than so many times the average of the day before it; 0: never"},
    )
    least: Amount = field(default=Decimal(1), metadata={"help": "what an hour has to cost before it can be a spike"})
    repeat: Wait = field(
        default=Duration(3600.0), metadata={"help": "the same alert is not raised again sooner than this"}
    )
