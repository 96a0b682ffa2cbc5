"""Checks that several suites make."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from decimal import Decimal
from typing import Any, NoReturn

from switchgear.hookspecs import check_contract


def check_plugin(kind: str, implementation: Any) -> None:
    problems = list(check_contract(kind, implementation))
    assert not problems, "; ".join(problems)


def check_amount(amount: Any, where: str) -> None:
    """A `Decimal` that can be an amount, or None."""
    if amount is None:
        return
    assert isinstance(amount, Decimal), f"{where} is a {type(amount).__name__}; amounts are Decimal"
    assert amount.is_finite(), f"{where} is {amount}"
    assert amount >= 0, f"{where} is {amount}, below zero"


def check_usage(usage: Any, where: str) -> None:
    """A mapping of units to `Decimal`."""
    assert isinstance(usage, Mapping), f"{where} is a {type(usage).__name__}, not a mapping of units to amounts"
    for unit, amount in usage.items():
        assert isinstance(unit, str), f"{where} has the unit {unit!r}, which is no text"
        assert amount is not None, f"{where} has None for {unit}; leave out what is unknown"
        check_amount(amount, f"{where}[{unit!r}]")


def skip(missing: str) -> NoReturn:
    """Leave a check out because its hook is not filled in."""
    import pytest

    pytest.skip(f"{missing} is not filled in")


def raised_by(action: Callable[[], Any]) -> Exception | None:
    # Foreign code: whatever it raises is what is looked at.
    try:
        action()
    except Exception as error:
        return error
    return None


def duration_of(action: Callable[[], Any]) -> float:
    """Real seconds: the best of five, because other processes get in the way."""

    def once() -> float:
        started = time.perf_counter()
        action()
        return time.perf_counter() - started

    return min(once() for _ in range(5))


def run_within(seconds: float, life: Coroutine[Any, Any, None]) -> None:
    """Run on a fresh, real event loop; raises `TimeoutError` after so many real seconds."""

    async def bounded() -> None:
        async with asyncio.timeout(seconds):
            await life

    asyncio.run(bounded())
