"""bifrost #5876: one counter for retries and for the rotation of credentials, so that one ate up the other.

Here each provider has its own cap, and the call one in all.
"""

from typing import Any

import pytest
from switchgear import AllProvidersFailed, BadCredentials, Breaker, Policies, ProviderError, ProviderManager, Retry
from switchgear.testing import ScriptedProvider, VirtualClock

DOWN = ProviderError("down")


def service_of(*providers: Any, **settings: Any) -> ProviderManager[Any, Any]:
    return ProviderManager(providers, breaker=Breaker(enabled=False), clock=VirtualClock(), **settings)


async def test_refused_keys_take_no_retry_from_the_one_that_is_accepted() -> None:
    refused = [ScriptedProvider([BadCredentials("HTTP 401")], name=f"key{number}") for number in range(3)]
    accepted = ScriptedProvider([DOWN, DOWN, "good"], name="key3")
    result = await service_of(*refused, accepted).process("x")
    assert (result.provider, accepted.calls) == ("key3", 3)
    assert [provider.calls for provider in refused] == [1, 1, 1]


async def test_retries_of_the_first_take_no_turn_from_those_after_it() -> None:
    first = ScriptedProvider([DOWN], name="first")
    others = [ScriptedProvider([BadCredentials("HTTP 401")], name=f"key{number}") for number in range(4)]
    last = ScriptedProvider(["good"], name="last")
    result = await service_of(first, *others, last).process("x")
    assert result.provider == "last"
    assert first.calls == 1, "with six attempts for six providers there is none to spare"


async def test_each_provider_has_its_own_cap_and_the_call_one_in_all() -> None:
    providers = [ScriptedProvider([DOWN], name=name) for name in ("a", "b", "c")]
    policies = {
        "a": Policies(retry=Retry(attempts=2)),
        "b": Policies(retry=Retry(attempts=1)),
        "c": Policies(retry=Retry(attempts=9)),
    }
    with pytest.raises(AllProvidersFailed) as caught:
        await service_of(*providers, policies=policies).process("x")
    assert [provider.calls for provider in providers] == [2, 1, 3]
    assert len(caught.value.attempts) == 6
