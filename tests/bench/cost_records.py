"""Made-up traffic for the benchmark of reports, and for the pictures of the docs: the same for the same seed."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from math import pi, sin

from switchgear.cost_sink import CostRecord, Kind
from switchgear.money import Charge, to_microseconds

BEGIN = to_microseconds(datetime(2026, 9, 1, tzinfo=UTC))
DAY = 86_400_000_000  # microseconds

# Services, with their providers and what each charges a page or a character.
SERVICES = {
    "scans": ("ocr", "pages", {"fast": "0.0015", "good": "0.01", "backup": "0.0065"}),
    "letters": ("translation", "characters", {"swift": "0.00002", "careful": "0.000025"}),
}
TENANTS = ("acme", "globex", "initech", "umbrella", "hooli")


def records(count: int, days: int, seed: int = 0) -> Iterator[CostRecord]:
    """So many attempts, in order: more of them by day than by night, and one in fifty not at its first."""
    chance = random.Random(seed)
    number = 0
    while number < count:
        at = BEGIN + int((number + chance.random()) / count * days * DAY)
        if chance.random() > 0.55 + 0.45 * sin(at % DAY / DAY * 2 * pi - pi / 2):
            at += DAY // 3
        for record in _call(f"{number:012x}", at, chance):
            yield record
            number += 1


def _call(name: str, at: int, chance: random.Random) -> Iterator[CostRecord]:
    service = "scans" if chance.random() < 0.7 else "letters"
    capability, unit, prices = SERVICES[service]
    used = Decimal(chance.randint(1, 20) if unit == "pages" else chance.randint(20, 4000))
    providers = list(prices)
    tenant, tags = chance.choice(TENANTS), ("batch",) if chance.random() < 0.3 else ()
    kind: Kind = "first"
    for attempt in range(1, len(providers) + 1):
        provider = providers[attempt - 1]
        fails = chance.random() < 0.02
        doubtful = fails and chance.random() < 0.3
        yield CostRecord(
            id=f"{name}.{attempt}",
            at=at + attempt * 400_000,
            service=service,
            capability=capability,
            provider=provider,
            kind=kind,
            charge=Charge.IN_DOUBT if doubtful else Charge.FREE if fails else Charge.BILLED,
            outcome="timeout" if doubtful else "overloaded" if fails else "success",
            cost=Decimal(0) if fails and not doubtful else used * Decimal(prices[provider]),
            estimate=used * Decimal(prices[provider]),
            usage={unit: used},
            latency=0.1 + chance.random(),
            tenant=tenant,
            tags=tags,
            holder="bench",
        )
        if not fails:
            return
        kind = "fallback"
