"""The lines of a journal: what is written before an attempt is sent and after it, and the records they make.

A line is tab-separated text: `i` an intent, `s` a settlement, `p` a provider that the others name by its number, `r` a
whole record. A line that is cut off counts for nothing.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import attrs
from cattrs.preconf.json import make_converter

from switchgear.cost_sink import CostRecord, Kind, usage_from
from switchgear.errors import SwitchgearError
from switchgear.money import Charge
from switchgear.results import Attempt

FORMAT = 1
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


def intent(attempt: Attempt, number: int, at: int, kind: Kind, extra: str) -> bytes:
    """An attempt that is about to be sent. `extra`: `extra_of` the call."""
    estimate = "" if attempt.estimate is None else attempt.estimate
    return f"i\t{attempt.call_id}.{attempt.number}\t{number}\t{at}\t{kind}\t{estimate}\t{extra}\n".encode()


def settlement(attempt: Attempt) -> bytes:
    """An attempt that has ended."""
    usage = attempt.usage
    used = " ".join([f"{unit}={amount}" for unit, amount in usage.items()]) if usage else ""
    cost = "" if attempt.cost is None else attempt.cost
    charge, outcome = attempt.charge, attempt.outcome
    assert charge is not None
    return (
        f"s\t{attempt.call_id}.{attempt.number}\t{charge._value_}\t{outcome._value_}\t{cost}\t{attempt.latency:.6f}"
        f"\t{used}\n"
    ).encode()


def extra_of(tenant: str | None, tags: Iterable[str], budgets: Iterable[str]) -> str:
    """What a call adds to its attempts, as one field; JSON, since people may call tenants and tags what they like."""
    return json.dumps([tenant, list(tags), list(budgets)]) if tenant is not None or tags or budgets else ""


def record_line(record: CostRecord) -> bytes:
    return f"r\t{_CONVERTER.dumps(record)}\n".encode()


class Reader:
    """Makes records of lines, in the order in which attempts were settled; keeps those that were not."""

    def __init__(self) -> None:
        self.place = 0  # of what is being read: the number of its file
        self.bad = 0  # lines that make no sense
        self._open: dict[str, tuple[bytes, int]] = {}  # intents that no settlement has followed, oldest first
        self._holder = self._currency = ""
        self._origins: dict[str, Origin] = {}

    def read(self, text: bytes) -> Iterator[CostRecord]:
        """The records of whole lines."""
        for line in text.splitlines(keepends=True):
            # Foreign data: a file that was damaged must not keep the rest of it from being read.
            try:
                record = self._record(line)
            except (ValueError, KeyError, ArithmeticError, AssertionError, TypeError):
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
        for line, _ in self._open.values():
            yield self._of_intent(line, {"charge": Charge.IN_DOUBT, "outcome": KILLED})

    def _record(self, line: bytes) -> CostRecord | None:
        if not line.endswith(b"\n"):
            raise ValueError
        mark = line[:2]
        if mark == b"s\t":
            return self._settled(line)
        if mark == b"i\t":
            self._open[line.split(b"\t", 2)[1].decode()] = (line, self.place)
        elif mark == b"p\t":
            _, number, origin = line.decode().split("\t")
            self._origins[number] = Origin(*json.loads(origin))
        elif mark == b"r\t":
            return _CONVERTER.loads(line[2:].decode(), CostRecord)
        else:
            self._open_with(line)
        return None

    def _open_with(self, line: bytes) -> None:
        name, number, self._holder, self._currency = line.decode().rstrip("\n").split("\t")
        if name != "switchgear-journal":
            raise ValueError
        if int(number) != FORMAT:
            raise Damaged(f"a journal of format {number}; this version reads {FORMAT}")

    def _settled(self, line: bytes) -> CostRecord | None:
        _, name, charge, outcome, cost, latency, usage = line.decode().rstrip("\n").split("\t")
        if name not in self._open:
            return None
        begun, _ = self._open.pop(name)
        known = {
            "charge": Charge(charge),
            "outcome": outcome,
            "cost": Decimal(cost) if cost else None,
            "latency": float(latency),
            "usage": usage_from(usage),
        }
        return self._of_intent(begun, known)

    def _of_intent(self, line: bytes, known: Mapping[str, Any]) -> CostRecord:
        _, name, number, at, kind, estimate, extra = line.decode().rstrip("\n").split("\t")
        origin = self._origins[number]
        tenant, tags, budgets = json.loads(extra) if extra else (None, (), ())
        expected = Decimal(estimate) if estimate else None
        return CostRecord(
            id=name,
            at=int(at),
            service=origin.service,
            capability=origin.capability,
            provider=origin.provider,
            kind=kind,  # type: ignore[arg-type]
            currency=self._currency,
            estimate=expected,
            tenant=tenant,
            tags=tuple(tags),
            budgets=tuple(budgets),
            holder=self._holder,
            **{"cost": expected, **known},
        )


_CONVERTER = make_converter()
_CONVERTER.register_unstructure_hook(Decimal, str)
_CONVERTER.register_structure_hook(Decimal, lambda value, _: Decimal(value))
