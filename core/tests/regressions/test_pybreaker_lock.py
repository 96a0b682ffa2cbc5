"""pybreaker held its lock during the call, so threads ran one after another."""

import asyncio
import threading
from typing import Any

import pytest
from switchgear import Breaker, ProviderManager, ProviderResult, SystemClock
from switchgear.policies.breaker import CircuitBreaker
from switchgear.strategy import system_random
from switchgear.testing import ScriptedProvider


@pytest.mark.parametrize("state", ["closed", "half_open", "disabled"])
def test_a_breaker_used_from_threads_is_held_by_none_of_them_during_its_call(state: str) -> None:
    breaker = CircuitBreaker(Breaker(consecutive=1), SystemClock(), system_random())
    permits = [breaker.acquire() for _ in range(8)]
    if state == "half_open":
        breaker.record_failure(permits[0])
        breaker.hasten()
        assert breaker.acquire()
    elif state == "disabled":
        breaker.disable()
    together = threading.Barrier(8)

    def call(permit: int) -> None:
        breaker.acquire()
        together.wait(10)  # only passed if all eight are in their calls at once
        breaker.record_success(permit)
        breaker.release(permit)

    threads = [threading.Thread(target=call, args=(permit,)) for permit in permits]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not together.broken


def test_calls_from_many_threads_are_under_way_at_the_same_time() -> None:
    under_way = most = 0

    async def together(_: Any) -> str:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _ in range(5000):
            if most == 20:
                break
            await asyncio.sleep(0.002)
        under_way -= 1
        return "good"

    service: ProviderManager[Any, Any] = ProviderManager([ScriptedProvider([together], name="only")])
    answers: list[ProviderResult[Any]] = []
    threads = [threading.Thread(target=lambda: answers.append(service.process_sync("x"))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    service.close()
    assert (most, len(answers)) == (20, 20)
