"""The lines of a journal: what is written before an attempt is sent and after it, and the records they make.

A line is tab-separated text: `i` an intent, `s` a settlement, `p` a provider that intents name by its number. A line
that is cut off counts for nothing.
"""

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

import attrs

from switchgear.cost_sink import CostRecord, usage_from
from switchgear.errors import SwitchgearError
from switchgear.money import Charge
from switchgear.results import Attempt

FORMAT = 1
_REMEMBERED = 1_000
KILLED = "killed"  # the outcome of an attempt whose process ended before it did


class Damaged(SwitchgearError):
    """A journal that this version cannot read."""


@attrs.frozen
class Origin:
    """Who is asked: what the attempts of one provider have in common."""

    service: str
    capability: str
    provider: str


def header(holder: str, currency: str) -> bytes:
    """The first line: which format, whose, and in which currency."""
    return f"switchgear-journal\t{FORMAT}\t{holder}\t{currency}\n".encode()


def origin_line(number: int, origin: Origin) -> bytes:
    return f"p\t{number}\t{json.dumps(attrs.astuple(origin))}\n".encode()


def intent(attempt: Attempt, number: int, extra: str) -> bytes:
    """An attempt that is about to be sent. `number`: its provider's; `extra`: `extra_of` the call."""
    a, estimate = attempt, attempt.estimate
    expected = "" if estimate is None else str(estimate)
    return f"i\t{a.call_id}.{a.number}\t{number}\t{a.at}\t{a.kind}\t{expected}\t{extra}\n".encode()


def settlement(attempt: Attempt) -> bytes:
    """An attempt that has ended."""
    a, usage, cost = attempt, attempt.usage, attempt.cost
    used = " ".join([f"{unit}={amount}" for unit, amount in usage.items()]) if usage else ""
    billed = "" if cost is None else str(cost)
    charge: Any = a.charge
    latency = int(a.latency * 1_000_000)
    # `_value_`: an enum's `value` is a property in Python, and this is on every request's path.
    return f"s\t{a.call_id}.{a.number}\t{charge._value_}\t{a.outcome._value_}\t{billed}\t{latency}\t{used}\n".encode()


def extra_of(tenant: str | None, tags: Iterable[str], budgets: Iterable[str]) -> str:
    """What a call adds to its attempts, as one field; JSON, since people may call tenants and tags what they like."""
    if tenant is None and not tags and not budgets:
        return ""
    # `str`: by the time this is written, the attempt has its permit, and must not end over what somebody's tag is.
    return json.dumps([tenant, list(tags), list(budgets)], default=str)


_CHARGES = {charge.value: charge for charge in Charge}


class Reader:
    """Makes records of lines, in the order in which attempts were settled; keeps those that were not."""

    def __init__(self) -> None:
        self.place = 0  # of what is being read: the number of its file
        self.bad = 0  # lines that make no sense
        self._open: dict[str, tuple[list[str], int]] = {}  # intents that no settlement has followed, oldest first
        self._holder = self._currency = ""
        self._origins: dict[str, Origin] = {}
        self._amounts: dict[str, Decimal | None] = {"": None}  # most calls cost the same as some other
        self._extras: dict[str, tuple[str | None, tuple[str, ...], tuple[str, ...]]] = {"": (None, (), ())}

    def read(self, text: bytes) -> Iterator[CostRecord]:
        """The records of whole lines."""
        for line in text.decode(errors="replace").split("\n")[:-1]:
            # Foreign data: a file that was damaged must not keep the rest of it from being read.
            try:
                record = self._record(line.split("\t"))
            except (ValueError, KeyError, ArithmeticError, IndexError, TypeError):
                self.bad += 1
            else:
                if record is not None:
                    yield record

    @property
    def oldest_open(self) -> int | None:
        """The place of the oldest intent that no settlement has followed yet."""
        return next((place for _, place in self._open.values()), None)

    def abandoned(self) -> Iterator[CostRecord]:
        """Those that were sent, or about to be, when their process ended: in doubt, at what they were to cost."""
        for begun, _ in self._open.values():
            yield self._in_doubt(begun)

    def _record(self, fields: list[str]) -> CostRecord | None:
        mark = fields[0]
        if mark == "s":
            begun = self._open.pop(fields[1], None)
            return None if begun is None else self._settled(begun[0], fields)
        if mark == "i":
            if len(fields) != 7:
                raise ValueError
            self._open[fields[1]] = (fields, self.place)
        elif mark == "p":
            self._origins[fields[1]] = Origin(*json.loads(fields[2]))
        else:
            self._open_with(fields)
        return None

    def _settled(self, begun: list[str], fields: list[str]) -> CostRecord:
        try:
            _, _, charge, outcome, cost, latency, usage = fields
            used = usage_from(usage) if usage else {}
            return self._made(begun, _CHARGES[charge], outcome, self._amount(cost), used, int(latency) / 1_000_000)
        except (ValueError, KeyError, ArithmeticError):
            # It was sent, and may be billed.
            self.bad += 1
            return self._in_doubt(begun)

    def _in_doubt(self, begun: list[str]) -> CostRecord:
        return self._made(begun, Charge.IN_DOUBT, KILLED, self._amount(begun[5]), {}, 0.0)

    def _open_with(self, fields: list[str]) -> None:
        name, number, self._holder, self._currency = fields
        if name != "switchgear-journal":
            raise ValueError
        if int(number) != FORMAT:
            raise Damaged(f"a journal of format {number}; this version reads {FORMAT}")

    def _made(
        self,
        begun: list[str],
        charge: Charge,
        outcome: str,
        cost: Decimal | None,
        usage: dict[str, Decimal],
        latency: float,
    ) -> CostRecord:
        _, name, number, at, kind, estimate, extra = begun
        origin = self._origins[number]
        tenant, tags, budgets = self._extras.get(extra) or self._extra(extra)
        return CostRecord(
            name,
            int(at),
            origin.service,
            origin.capability,
            origin.provider,
            kind,  # type: ignore[arg-type]
            charge,
            outcome,
            self._currency,
            cost,
            self._amount(estimate),
            usage,
            latency,
            tenant,
            tags,
            budgets,
            self._holder,
        )

    def _amount(self, text: str) -> Decimal | None:
        try:
            return self._amounts[text]
        except KeyError:
            if len(self._amounts) >= _REMEMBERED:
                self._amounts = {"": None}
            amount = self._amounts[text] = Decimal(text)
            return amount

    def _extra(self, text: str) -> tuple[str | None, tuple[str, ...], tuple[str, ...]]:
        tenant, tags, budgets = json.loads(text)
        if len(self._extras) >= _REMEMBERED:
            self._extras = {"": (None, (), ())}
        extra = self._extras[text] = (tenant, tuple(tags), tuple(budgets))
        return extra
