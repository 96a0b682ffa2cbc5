"""hyx, aiobreaker and purgatory let a hundred of a hundred concurrent calls through a half-open circuit."""

import asyncio
from typing import Any

from switchgear import Breaker, ProviderError, ProviderManager, Retry
from switchgear.testing import Delay, ScriptedProvider, VirtualClock


async def test_of_a_hundred_concurrent_calls_exactly_one_goes_through() -> None:
    only = ScriptedProvider([ProviderError("down"), Delay(1, ProviderError("still down"))], name="only")
    service: ProviderManager[Any, Any] = ProviderManager(
        [only], retry=Retry(attempts=1), breaker=Breaker(consecutive=1), all_down="fail_fast", clock=VirtualClock()
    )
    await asyncio.gather(service.process("x"), return_exceptions=True)
    for reached in (2, 3, 4):
        await asyncio.sleep(400)
        await asyncio.gather(*(service.process(number) for number in range(100)), return_exceptions=True)
        assert only.calls == reached
