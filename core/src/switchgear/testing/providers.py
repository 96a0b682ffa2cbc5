"""Providers that do as they are told: by a script, or at random."""

import random
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

import attrs

from switchgear.clock import SYSTEM_CLOCK, Clock
from switchgear.errors import PluginBug
from switchgear.provider import AnyProvider, BaseProvider, ProviderStatus, SimpleProvider
from switchgear.results import ProviderResult
from switchgear.strategy import Random
from switchgear.testing.schedules import Schedule, always
from switchgear.testing.steps import perform


@attrs.define(eq=False, slots=False)
class ScriptedProvider(SimpleProvider[Any, Any]):
    """Takes one step of the script for each request: `ScriptedProvider([ProviderError("down"), "ok"])`.

    A step is an exception to raise, an output or `ProviderResult` to answer with, `Delay(seconds, step)`, `HANG`, or a
    function of the request that gives a step. After the last one, the last is repeated, or with `then="fail"` a
    `PluginBug` raised. `requests` holds what it was asked; give `clock` where time is a `FakeClock`'s.
    """

    script: Sequence[Any]
    then: Literal["repeat", "fail"] = attrs.field(default="repeat", kw_only=True)
    clock: Clock = attrs.field(default=SYSTEM_CLOCK, kw_only=True, repr=False, metadata={"answer": False})
    requests: list[Any] = attrs.field(factory=list, init=False, repr=False)

    @property
    def calls(self) -> int:
        """How often it was asked."""
        return len(self.requests)

    async def process(self, request: Any) -> ProviderResult[Any]:
        self.requests.append(request)
        return await perform(self._step(), request, self.clock) or ProviderResult(None)

    def _step(self) -> Any:
        if self.calls <= len(self.script):
            return self.script[self.calls - 1]
        if self.then == "fail" or not self.script:
            return PluginBug(f"asked {self.calls} times, but the script has {len(self.script)} steps")
        return self.script[-1]


@attrs.frozen
class ChaosRule:
    """What happens to a share (`rate`, 0-1) of the requests while the schedule `when` says so.

    `step` is one of a script's: an exception is a fault, a bare `Delay(seconds)` is latency on top, `HANG` a hang, and
    an output is answered in place of the real one. A function of the request may give `NOTHING` to let it pass.
    """

    step: Any
    rate: float = attrs.field(default=1.0, validator=[attrs.validators.ge(0.0), attrs.validators.le(1.0)])
    when: Schedule = always

    def applies(self, now: float, random: Random) -> bool:
        return self.when(now) and (self.rate >= 1.0 or random.random() < self.rate)


@attrs.define(eq=False, slots=False)
class ChaosProvider(SimpleProvider[Any, Any]):
    """A provider with faults: each request meets the `rules` in order, and if none ends it, gets the answer.

    `answer` is the provider that it stands in front of, and is in all else, or a step of a script: an output, or a
    function of the request. `random` and `clock` decide what happens when, so that a seed makes a run repeatable.
    """

    answer: Any
    rules: Sequence[ChaosRule] = ()
    random: Random = attrs.field(factory=lambda: random.Random(0), kw_only=True, repr=False)
    clock: Clock = attrs.field(default=SYSTEM_CLOCK, kw_only=True, repr=False, metadata={"answer": False})
    requests: list[Any] = attrs.field(factory=list, init=False, repr=False)
    inner: AnyProvider = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if isinstance(self.answer, BaseProvider):
            self.inner = self.answer
            self.name = self.name or self.inner.name
            self.price = self.price or self.inner.price
        else:
            self.inner = ScriptedProvider([self.answer], clock=self.clock, price=self.price)

    @property
    def calls(self) -> int:
        """How often it was asked."""
        return len(self.requests)

    async def process(self, request: Any) -> ProviderResult[Any]:
        self.requests.append(request)
        for rule in self.rules:
            if rule.applies(self.clock.monotonic(), self.random):
                result = await perform(rule.step, request, self.clock)
                if result is not None:
                    return result
        return await self.inner.process(request)

    def validate_input(self, request: Any) -> None:
        self.inner.validate_input(request)

    def estimate_cost(self, request: Any) -> Decimal | None:
        return self.inner.estimate_cost(request) if self.price is None else super().estimate_cost(request)

    def estimate_usage(self, request: Any) -> Mapping[str, Decimal]:
        return self.inner.estimate_usage(request)

    async def health_check(self) -> ProviderStatus:
        return await self.inner.health_check()

    async def aopen(self) -> None:
        await self.inner.aopen()

    async def aclose(self) -> None:
        await self.inner.aclose()
