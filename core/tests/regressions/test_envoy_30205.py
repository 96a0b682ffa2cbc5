"""envoy #30205: retries that waited out their back-off were not counted against the budget, and all came through.

Here a retry is paid for when it is scheduled.
"""

import asyncio
from typing import Any

from switchgear import Breaker, ProviderError, ProviderManager, Retry
from switchgear.durations import Duration
from switchgear.testing import ScriptedProvider, VirtualClock


async def test_a_thousand_calls_in_their_pause_have_no_more_retries_than_the_budget() -> None:
    only = ScriptedProvider([ProviderError("down")], name="only")
    service: ProviderManager[Any, Any] = ProviderManager(
        [only],
        retry=Retry(attempts=2, budget=20.0, base=Duration(10.0)),
        breaker=Breaker(enabled=False),
        clock=VirtualClock(),
    )
    calls = [asyncio.ensure_future(service.process(number)) for number in range(1000)]
    await asyncio.wait(calls)
    assert only.calls == 1000 + 20


async def test_a_retry_whose_caller_leaves_in_the_pause_stays_paid_for() -> None:
    """Given back, the tokens of impatient callers would let everybody retry for ever."""
    only = ScriptedProvider([ProviderError("down")], name="only")
    service: ProviderManager[Any, Any] = ProviderManager(
        [only],
        retry=Retry(budget=20.0, base=Duration(10.0)),
        breaker=Breaker(enabled=False),
        clock=VirtualClock(),
    )
    for _ in range(100):
        call = asyncio.ensure_future(service.process("x"))
        await asyncio.sleep(0.001)
        call.cancel()
        await asyncio.wait([call])
    assert service.budget.tokens == 0.0
