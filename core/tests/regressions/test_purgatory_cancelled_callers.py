"""purgatory: callers that were cancelled counted as failures and opened the circuit."""

import asyncio
from typing import Any

import pytest
from switchgear import Breaker, ProviderError, ProviderManager, Retry
from switchgear.testing import HANG, ScriptedProvider, VirtualClock


def service_of(*script: Any, **settings: Any) -> ProviderManager[Any, Any]:
    only = ScriptedProvider(list(script), name="only")
    return ProviderManager([only], retry=Retry(attempts=1), clock=VirtualClock(), **settings)


async def cancel_one(service: ProviderManager[Any, Any]) -> None:
    call = asyncio.ensure_future(service.process("x"))
    await asyncio.sleep(0.01)
    call.cancel()
    await asyncio.wait([call])
    assert call.cancelled()


async def test_cancelled_callers_leave_the_circuit_closed() -> None:
    service = service_of(HANG)
    for _ in range(200):
        await cancel_one(service)
    assert not service.is_open("only")


async def test_a_cancelled_trial_neither_closes_nor_opens_it_and_blocks_nobody() -> None:
    script = [ProviderError("down"), *[HANG] * 50, "good"]
    service = service_of(*script, breaker=Breaker(consecutive=1))
    await asyncio.gather(service.process("x"), return_exceptions=True)
    await asyncio.sleep(5)
    for _ in range(50):
        await cancel_one(service)
        assert service._by_name["only"].circuit == "half_open"
    for _ in range(2):
        assert (await service.process("x")).output == "good"
    assert service._by_name["only"].circuit == "closed"


@pytest.mark.parametrize("failures", [4])
async def test_cancelled_callers_do_not_break_a_row_of_failures_either(failures: int) -> None:
    script = [*[ProviderError("down")] * failures, HANG, ProviderError("down")]
    service = service_of(*script)
    for _ in range(failures):
        await asyncio.gather(service.process("x"), return_exceptions=True)
    await cancel_one(service)
    await asyncio.gather(service.process("x"), return_exceptions=True)
    assert service.is_open("only")
