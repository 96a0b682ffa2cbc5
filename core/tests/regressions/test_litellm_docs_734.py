"""litellm-docs #734 (and PR #7130): N retries of the router times N of the client made (1 + N)^2 requests.

Here one place owns the retries: what reaches the wire is what the record says. Plugins count their clients' requests in
their conformance suite; this holds the core's half.
"""

from typing import Any

import pytest
from switchgear import AllProvidersFailed, Breaker, ProviderError, ProviderManager, Retry, current_call
from switchgear.testing import ScriptedProvider, VirtualClock


@pytest.mark.parametrize("attempts", [1, 2, 3, 5])
async def test_s9_n_attempts_are_n_requests(attempts: int) -> None:
    only = ScriptedProvider([ProviderError("down")], name="only")
    service: ProviderManager[Any, Any] = ProviderManager(
        [only],
        retry=Retry(attempts=attempts, call_attempts=99),
        breaker=Breaker(enabled=False),
        clock=VirtualClock(),
    )
    with pytest.raises(AllProvidersFailed) as caught:
        await service.process("x")
    assert only.calls == len(caught.value.attempts) == attempts


async def test_s9_a_service_behind_a_service_shows_its_own_requests_to_its_own_caller() -> None:
    """Nesting multiplies, as it must, but visibly: each level has its own record and its own cap."""
    wire = ScriptedProvider([ProviderError("down")], name="wire")
    clock = VirtualClock()
    inner: ProviderManager[Any, Any] = ProviderManager([wire], retry=Retry(attempts=1), clock=clock)

    async def ask_inner(request: Any) -> Any:
        assert current_call() is not None
        return (await inner.process(request)).output

    outer: ProviderManager[Any, Any] = ProviderManager([ScriptedProvider([ask_inner], name="outer")], clock=clock)
    with pytest.raises(AllProvidersFailed) as caught:
        await outer.process("x")
    assert wire.calls == len(caught.value.attempts) == 1
