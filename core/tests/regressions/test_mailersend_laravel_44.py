"""mailersend-laravel #44: an exception that nobody had foreseen came out of a driver and stopped the failover."""

import asyncio
import decimal
import json
from typing import Any

import attrs
import pytest
from switchgear import Outcome, ProviderManager, ProviderResult, SimpleProvider
from switchgear.testing import ScriptedProvider, VirtualClock


class VendorError(Exception):
    """Of a client nobody has heard of, and it cannot even be printed."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


UNFORESEEN = [
    VendorError("x"),
    KeyError("choices"),
    StopIteration(),
    StopAsyncIteration(),
    asyncio.InvalidStateError(),
    asyncio.QueueFull(),
    RecursionError(),
    MemoryError(),
    json.JSONDecodeError("bad", "{", 0),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
    decimal.InvalidOperation(),
    ExceptionGroup("several", [ValueError("one"), OSError("two")]),
]


@pytest.mark.parametrize("error", UNFORESEEN, ids=lambda error: type(error).__name__)
async def test_whatever_a_plugin_raises_the_next_provider_is_asked(error: Exception) -> None:
    async def fails(_: Any) -> Any:
        raise error

    service: ProviderManager[Any, Any] = ProviderManager(
        [ScriptedProvider([fails], name="first"), ScriptedProvider(["good"], name="second")], clock=VirtualClock()
    )
    result = await service.process("x")
    assert result.provider == "second"
    assert result.attempts[0].outcome is Outcome.PLUGIN_BUG
    kind = "RuntimeError" if isinstance(error, StopIteration) else type(error).__name__
    assert f"unexpected {kind}" in result.attempts[0].message


@attrs.define
class Broken(SimpleProvider[Any, Any]):
    """Fails in one place of its contract."""

    where: str = ""

    def validate_input(self, request: Any) -> None:
        self._fail("validate_input")

    def estimate_usage(self, request: Any) -> Any:
        self._fail("estimate_usage")
        return {}

    async def aopen(self) -> None:
        self._fail("aopen")

    async def process(self, request: Any) -> ProviderResult[Any]:
        self._fail("process")
        return None if self.where == "answer" else ProviderResult("first")  # type: ignore[return-value]

    def _fail(self, place: str) -> None:
        if place == self.where:
            raise VendorError


@pytest.mark.parametrize("where", ["validate_input", "aopen", "process", "answer"])
async def test_wherever_a_plugin_breaks_the_next_provider_is_asked(where: str) -> None:
    service: ProviderManager[Any, Any] = ProviderManager(
        [Broken(name="first", where=where), ScriptedProvider(["good"], name="second")], clock=VirtualClock()
    )
    assert (await service.process("x")).provider == "second"
