"""litellm #32574: a logging callback drove the cool-down, so providers that were fallbacks never cooled down.

Here the executor moves the circuit at each attempt, whoever listens and whatever the listener does.
"""

from typing import Any

import pytest
from switchgear import Breaker, Call, ProviderError, ProviderManager, Retry, StateChange
from switchgear.testing import ScriptedProvider, VirtualClock

NAMES = ["first", "second", "third", "fourth"]


def breaks(_: Call | StateChange) -> None:
    raise RuntimeError("the listener is broken")


@pytest.mark.parametrize("listeners", [[], [breaks]], ids=["nobody listens", "a broken listener"])
async def test_every_hop_of_a_chain_moves_its_own_circuit(listeners: list[Any]) -> None:
    providers = [ScriptedProvider([ProviderError("down")], name=name) for name in NAMES]
    last = ScriptedProvider(["good"], name="last")
    service: ProviderManager[Any, Any] = ProviderManager(
        [*providers, last],
        retry=Retry(attempts=1),
        breaker=Breaker(consecutive=3),
        observers=listeners,
        state_observers=listeners,
        clock=VirtualClock(),
    )
    for _ in range(3):
        assert (await service.process("x")).provider == "last"
    assert [service.is_open(name) for name in [*NAMES, "last"]] == [True] * 4 + [False]
    result = await service.process("x")
    assert [attempt.provider for attempt in result.attempts] == ["last"]
    assert [provider.calls for provider in providers] == [3] * 4
