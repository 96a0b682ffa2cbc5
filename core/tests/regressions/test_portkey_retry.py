"""Portkey retried without jitter, and understood Retry-After as an integer only."""

import asyncio
import random
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from switchgear import Breaker, ProviderError, ProviderManager, Retry, error_for_status, parse_retry_after
from switchgear.testing import Delay, ScriptedProvider, VirtualClock


async def test_clients_that_failed_together_do_not_come_back_together() -> None:
    moments: list[float] = []

    def note(_: Any) -> Any:
        moments.append(asyncio.get_running_loop().time())
        return Delay(0.5, ProviderError("down")) if len(moments) <= 200 else "good"

    service: ProviderManager[Any, Any] = ProviderManager(
        [ScriptedProvider([note], name="only")],
        retry=Retry(budget=1000.0),
        breaker=Breaker(enabled=False),
        random=random.Random(2),
        clock=VirtualClock(),
    )
    await asyncio.gather(*(service.process(number) for number in range(200)))
    again = [moment - 0.5 for moment in moments[200:]]
    assert len(set(again)) == 200
    tenths = [sum(low / 100 <= moment < (low + 1) / 100 for moment in again) for low in range(10)]
    assert min(tenths) >= 8, "spread over the whole tenth of a second"
    assert max(again) < 0.1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("7.5", 7.5), ("date", 90.0), ("-5", 1.0), ("soon", 1.0), ("nan", 1.0), (None, 1.0)],
)
async def test_seconds_and_dates_are_understood_and_garbage_is_not_waited_for(
    header: str | None, seconds: float
) -> None:
    clock = VirtualClock()
    if header == "date":
        header = format_datetime(clock.utc() + timedelta(seconds=90), usegmt=True)
    error = error_for_status(429, retry_after=parse_retry_after(header, clock.utc()))
    first = ScriptedProvider([error, "good"], name="first")
    service: ProviderManager[Any, Any] = ProviderManager(
        [first, ScriptedProvider(["other"], name="second")], clock=clock
    )
    await service.process("x")
    await asyncio.sleep(seconds - 0.01)
    assert (await service.process("x")).provider == "second"
    await asyncio.sleep(0.02)
    assert (await service.process("x")).provider == "first"
