"""kong #5907 and kgateway #11116: the retry after a failure picked the very target that had just failed."""

from typing import Any

import pytest
from switchgear import (
    AllProvidersFailed,
    Breaker,
    ProviderError,
    ProviderManager,
    Retry,
    SelectionStrategy,
    Throttled,
    Unsupported,
)
from switchgear.testing import ScriptedProvider, VirtualClock

NAMES = ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize("strategy", SelectionStrategy)
@pytest.mark.parametrize("error", [Unsupported("no"), Throttled("wait", retry_after=900.0), ProviderError("down")])
async def test_the_fallback_is_always_one_that_was_not_asked_yet(strategy: SelectionStrategy, error: Exception) -> None:
    providers = [ScriptedProvider([error], name=name) for name in NAMES]
    service: ProviderManager[Any, Any] = ProviderManager(
        providers, strategy, retry=Retry(attempts=1), breaker=Breaker(enabled=False), clock=VirtualClock()
    )
    with pytest.raises(AllProvidersFailed) as caught:
        await service.process("x")
    assert sorted(attempt.provider for attempt in caught.value.attempts) == NAMES
