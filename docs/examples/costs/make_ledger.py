"""Writes a ledger of made-up traffic, the same every time: `python make_ledger.py ledger.db`."""

import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from math import pi, sin
from pathlib import Path

from switchgear.cost_sink import CostRecord
from switchgear.costs.sqlite import SqliteLedger
from switchgear.money import Charge, to_microseconds
from switchgear.results import Kind

BEGIN = to_microseconds(datetime(2026, 9, 1, tzinfo=UTC))
DAY = 86_400_000_000  # microseconds

# Services, with what each provider charges a page or a character.
SERVICES = {
    "scans": ("ocr", "pages", {"fast": Decimal("0.0015"), "good": Decimal("0.01"), "backup": Decimal("0.0065")}),
    "letters": ("translation", "characters", {"swift": Decimal("0.00002"), "careful": Decimal("0.000025")}),
}
TENANTS = ("acme", "globex", "initech", "umbrella")


def records(count: int, days: int) -> Iterator[CostRecord]:
    """So many attempts and a few more, in order: more by day than by night, and a bad week for `fast` and `swift`."""
    chance = random.Random(7)
    number = 0
    while number < count:
        at = BEGIN + int((number + chance.random()) / count * days * DAY)
        if chance.random() > 0.55 + 0.45 * sin(at % DAY / DAY * 2 * pi - pi / 2):
            at += DAY // 3
        is_bad_week = 0.4 < (at - BEGIN) / DAY / days < 0.52
        for record in _call(f"{number:08x}", at, 0.25 if is_bad_week else 0.015, chance):
            yield record
            number += 1


def _call(name: str, at: int, failing: float, chance: random.Random) -> Iterator[CostRecord]:
    """The attempts of one call, the last of which is answered; or what the cache saved since the one before."""
    service = "scans" if chance.random() < 0.7 else "letters"
    capability, unit, prices = SERVICES[service]
    used = Decimal(chance.randint(1, 20) if unit == "pages" else chance.randint(20, 4000))
    providers = list(prices)
    tenant, tags = chance.choice(TENANTS), ("batch",) if chance.random() < 0.3 else ()
    provider, number = providers.pop(0), 0
    kind: Kind = "first"
    if chance.random() < 0.002:
        yield CostRecord(
            id=f"{name}.0",
            at=at,
            service=service,
            capability=capability,
            provider="",
            kind="saved",
            saved=30 * used * prices[provider],
            hits=30,
        )
    while True:
        number += 1
        fails = provider in ("fast", "swift") and chance.random() < failing
        doubtful = fails and chance.random() < 0.2
        cost = used * prices[provider]
        yield CostRecord(
            id=f"{name}.{number}",
            at=at + number * 400_000,
            service=service,
            capability=capability,
            provider=provider,
            kind=kind,
            charge=Charge.IN_DOUBT if doubtful else Charge.FREE if fails else Charge.BILLED,
            outcome="timeout" if doubtful else "overloaded" if fails else "success",
            cost=Decimal(0) if fails and not doubtful else cost,
            estimate=cost,
            usage={unit: used},
            latency=0.1 + chance.random(),
            tenant=tenant,
            tags=tags,
        )
        if not fails and (number > 1 or chance.random() > 0.005):
            return
        if fails and number == 1 and chance.random() < 0.5:
            kind = "retry"
        else:
            provider, kind = providers.pop(0), "fallback" if fails else "hedge"


def write(path: Path, made: Iterator[CostRecord]) -> None:
    """In transactions of 5,000 records."""
    ledger = SqliteLedger(path=path)
    for number, record in enumerate(made, 1):
        ledger.cost_recorded(record)
        if number % 5_000 == 0:
            ledger.flush()
    ledger.flush()
    ledger.close()


if __name__ == "__main__":
    write(Path(sys.argv[1]), records(6_000, 60))
