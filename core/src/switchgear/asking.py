"""A provider as such: opened once, asked, its answers checked and priced, closed once."""

import asyncio
from typing import Any

import attrs

from switchgear.context import CURRENT_CALL
from switchgear.errors import PluginBug, Rejected
from switchgear.messages import safe_message
from switchgear.money import rounded
from switchgear.provider import AnyProvider
from switchgear.results import Attempt, Call, ProviderResult, Refused
from switchgear.service import Service


class Asking:
    """One provider's plugin, from its opening to its end; whatever protects it is around this."""

    def __init__(self, provider: AnyProvider, service: Service) -> None:
        self.is_open = False
        self.is_shut_down = False
        self._is_closed = False
        self._opening = asyncio.Lock()
        self._provider = provider
        self._name = provider.name
        self._monotonic = service.home.clock.monotonic
        self._output_type = service.output_type
        self._check = service.check

    async def ask(self, request: Any, call: Call, record: Attempt, started: float) -> ProviderResult[Any]:
        """One answer, with its figures filled in; raises what the provider raises, or how its answer is wrong."""
        if not self.is_open:
            await self.open()
        result = await self._provider.process(request)
        if type(result) is not ProviderResult or result.call_id or not isinstance(result.output, self._output_type):
            result = self._checked(result)
        price = self._provider.price
        usage = result.usage
        if result.cost is not None:
            result.cost = rounded(result.cost)
        elif price is not None:
            usage = usage or self._provider.estimate_usage(request)
            result.cost = price.charge(usage)
        result.provider = self._name
        result.call_id = call.id
        result.latency = record.latency = self._monotonic() - started
        record.usage = usage
        record.cost = result.cost
        if self._check is not None:
            refusal = await self._check.refusal(request, result, call.refused)
            if refusal is not None:
                call.refused.append(Refused(result, refusal.score, safe_message(refusal)))
                raise refusal
        return result

    def _checked(self, result: Any) -> ProviderResult[Any]:
        """The plugin's answer where it is not plainly right: told what is wrong, or copied."""
        if not isinstance(result, ProviderResult):
            raise PluginBug(f"process() returned {type(result).__name__}; it has to return a ProviderResult")
        if not isinstance(result.output, self._output_type):
            found, expected = type(result.output).__name__, self._output_type.__name__
            raise PluginBug(f"process() answered with a {found}; this capability's output is a {expected}")
        if result.call_id:
            # One object handed out twice: the earlier call's figures must not change under its reader.
            return attrs.evolve(result, cost=None, metadata={})
        return result

    async def open(self) -> None:
        """Get the provider ready, once, whoever asks first."""
        async with self._opening:
            if not self.is_open:
                # What it starts here outlives the call that came first, and must not end with it.
                token = CURRENT_CALL.set(None)
                try:
                    await self._provider.aopen()
                finally:
                    CURRENT_CALL.reset(token)
                self.is_open = True
                if self.is_shut_down:  # meanwhile, and nobody waited for it
                    await self._end()
                    raise Rejected("closed while it was being opened")

    async def close(self) -> None:
        """Close it if it was opened, once; also one that is just being opened."""
        async with self._opening:
            await self._end()

    async def _end(self) -> None:
        if self.is_open and not self._is_closed:
            self._is_closed = True
            await self._provider.aclose()
