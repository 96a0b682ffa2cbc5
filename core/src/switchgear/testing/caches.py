"""A cache that does as it is told."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, ClassVar, Literal

import attrs

from switchgear.cache import Size
from switchgear.clock import SYSTEM_CLOCK, Clock
from switchgear.testing.steps import HANG


@attrs.define(eq=False)
class ScriptedCache:
    """Keeps bytes in a dictionary, each request taking `delay` seconds; `asked` counts them.

    `trouble` is what happens instead, until it is None again: an exception is raised, `HANG` hangs. `write_trouble` is
    that of `set` alone.
    """

    keeps: ClassVar[Literal["bytes", "entries"]] = "bytes"

    values: dict[str, bytes] = attrs.field(factory=dict)
    trouble: Any = None
    write_trouble: Any = None
    delay: float = 0.0
    clock: Clock = attrs.field(default=SYSTEM_CLOCK, init=False, repr=False)
    asked: int = attrs.field(default=0, init=False)

    async def get(self, key: str) -> bytes | None:
        await self._answer()
        return self.values.get(key)

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        await self._answer(self.write_trouble)
        self.values[key] = value

    async def delete(self, key: str) -> None:
        await self._answer()
        self.values.pop(key, None)

    async def clear(self, prefix: str) -> None:
        await self._answer()
        for key in [key for key in self.values if key.startswith(prefix)]:
            del self.values[key]

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        await self._answer()
        for key in [key for key in self.values if key.startswith(prefix)]:
            yield key

    async def size(self, prefix: str = "") -> Size:
        await self._answer()
        sizes = [len(value) for key, value in self.values.items() if key.startswith(prefix)]
        return Size(len(sizes), sum(sizes))

    async def aclose(self) -> None:
        pass

    async def _answer(self, trouble: Any = None) -> None:
        self.asked += 1
        trouble = self.trouble or trouble
        if trouble is HANG:
            await asyncio.Event().wait()
        if trouble is not None:
            raise trouble
        await self.clock.sleep(self.delay)
