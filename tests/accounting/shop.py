"""A program under load, as a process of its own: `python shop.py FOLDER CALLS CONCURRENCY [key=value ...]`.

Its vendor keeps a journal of what it was asked and what it answered, one line each, so that others can compare. It
prints `ready` before the first call, and at the end how its calls went, as JSON.
"""

import asyncio
import collections
import json
import os
import random
import sys
from pathlib import Path
from typing import Any

import attrs
from switchgear import (
    BudgetExceeded,
    Capability,
    ProviderError,
    ProviderResult,
    SimpleProvider,
    Switchgear,
    SwitchgearError,
    current_call,
)


class Work(Capability[str, str]):
    name = "work"
    request_type = str
    output_type = str


@attrs.define
class Vendor(SimpleProvider[str, str]):
    """Answers after some milliseconds; `failing` is the share of requests that it loses after having done the work."""

    journal: str
    failing: float = 0.0
    seconds: float = 0.003
    seed: int = 0
    _file: int = attrs.field(default=-1, init=False)
    _random: random.Random = attrs.field(factory=random.Random, init=False)

    async def aopen(self) -> None:
        self._random.seed(self.seed)
        self._file = os.open(self.journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    async def aclose(self) -> None:
        os.close(self._file)

    async def process(self, request: str) -> ProviderResult[str]:
        call = current_call()
        assert call is not None
        mine = [attempt for attempt in call.attempts if attempt.provider == self.name][-1]
        os.write(self._file, f"asked {mine.id}\n".encode())
        await asyncio.sleep(self._random.random() * 2 * self.seconds)
        fails = self._random.random() < self.failing
        os.write(self._file, f"done {mine.id}\n".encode())
        if fails:
            raise ProviderError("lost on the way back")
        return ProviderResult(request)


EXTRA = [("capabilities", "work", Work()), ("providers", "work.vendor", Vendor)]


def tables(
    folder: Path, ledger: dict[str, Any], *, limit: str = "", failing: float = 0.0, seed: int = 0
) -> dict[str, Any]:
    vendor = {"journal": str(folder / "vendor.log"), "failing": failing, "seed": seed}
    found: dict[str, Any] = {
        "services": {
            "work": {
                "capability": "work",
                "deadline": "60s",
                "retry": {"attempts": 3, "base": "1ms"},
                "breaker": {"enabled": False},
                "providers": {"vendor": {"type": "vendor", "cost": {"per_call": "1"}, "options": vendor}},
            }
        },
        "accounting": {"folder": str(folder / "journal"), "flush": "50ms"},
        "cost_sinks": {"ledger": ledger},
    }
    if limit:
        found["budgets"] = {"all": {"limit": limit, "per": "total"}}
    return found


async def serve(folder: Path, calls: int, concurrency: int, options: dict[str, str]) -> dict[str, int]:
    ledger = json.loads(options["ledger"])
    settings = tables(
        folder,
        ledger,
        limit=options.get("limit", ""),
        failing=float(options.get("failing", "0")),
        seed=int(options.get("seed", "0")),
    )
    ends: collections.Counter[str] = collections.Counter()
    async with Switchgear.compose(settings, extra=EXTRA) as board:
        print("ready", flush=True)
        left = iter(range(calls))

        async def customer() -> None:
            for number in left:
                try:
                    await board["work"].process(str(number))
                    ends["answered"] += 1
                except BudgetExceeded:
                    ends["over budget"] += 1
                except SwitchgearError as error:
                    ends[type(error).__name__] += 1

        await asyncio.gather(*(customer() for _ in range(concurrency)))
    return dict(ends)


if __name__ == "__main__":
    given = dict(each.split("=", 1) for each in sys.argv[4:])
    print(json.dumps(asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), given))))
