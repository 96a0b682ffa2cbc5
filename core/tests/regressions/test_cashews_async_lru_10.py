"""cashews and async-lru #10: callers of one and the same request share a flight, and cancelling one cancelled them all.

Here everybody who waits is on its own: the flight ends when the last has left.
"""

import asyncio
from typing import Any

import pytest
from switchgear import CachedProviderManager
from switchgear.testing import Delay, ScriptedProvider, VirtualClock


@pytest.mark.parametrize("leaver", [0, 1, 2], ids=["the leader", "a follower", "the last follower"])
async def test_who_leaves_takes_nobody_along(leaver: int) -> None:
    only = ScriptedProvider([Delay(5.0, "good")], name="only")
    service: CachedProviderManager[Any, Any] = CachedProviderManager([only], clock=VirtualClock())
    calls = [asyncio.ensure_future(service.process("x")) for _ in range(3)]
    await asyncio.sleep(1)
    calls[leaver].cancel()
    await asyncio.wait(calls)
    assert [call.cancelled() for call in calls] == [number == leaver for number in range(3)]
    assert {call.result().output for call in calls if not call.cancelled()} == {"good"}
    assert only.calls == 1
    await service.aclose()
