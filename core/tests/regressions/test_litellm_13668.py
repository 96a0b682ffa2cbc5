"""litellm #13668: health checks sent real, billed requests.

Here a check asks what the plugin says costs nothing: no request is made for it, and nothing is recorded.
"""

import asyncio
from decimal import Decimal
from typing import Any

import attrs
from switchgear import Call, Health, Price, ProviderManager, ProviderStatus
from switchgear.durations import Duration
from switchgear.testing import ScriptedProvider, VirtualClock


@attrs.define(eq=False)
class Billed(ScriptedProvider):
    """Each request costs money; a look at its status page does not."""

    looks: int = attrs.field(default=0, init=False)

    async def health_check(self) -> ProviderStatus:
        self.looks += 1
        return ProviderStatus.AVAILABLE


async def test_checks_are_no_requests_and_cost_nothing() -> None:
    calls: list[Call] = []
    provider = Billed(["good"], name="only", price=Price(per_call=Decimal(1)))
    service: ProviderManager[Any, Any] = ProviderManager(
        [provider], health=Health(interval=Duration(10.0)), observers=[calls.append], clock=VirtualClock()
    )
    async with service:
        await asyncio.sleep(3600)
        await service.health_check_all()
    assert provider.looks > 200
    assert (provider.calls, provider.figures.requests, calls) == (0, 0, [])


async def test_the_default_check_asks_nobody_either() -> None:
    provider = ScriptedProvider(["good"], name="only")
    service: ProviderManager[Any, Any] = ProviderManager(
        [provider], health=Health(interval=Duration(10.0)), clock=VirtualClock()
    )
    async with service:
        await asyncio.sleep(3600)
        assert await service.health_check_all() == {"only": ProviderStatus.AVAILABLE}
    assert provider.calls == 0
