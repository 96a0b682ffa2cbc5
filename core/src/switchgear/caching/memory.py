"""Answers in this process's memory, bounded in number and bytes; the longest unused go first."""

from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import ClassVar, Literal

import attrs
from attrs import field, validators

from switchgear.cache import Entry, NotKept, Size
from switchgear.caching.isolation import weight_of

_OVERHEAD = 400  # bytes: key, entry and the dictionary's own


@attrs.define(eq=False)
class Memory:
    """`type = "memory"`: at hand at once, and gone with the process."""

    keeps: ClassVar[Literal["bytes", "entries"]] = "entries"

    max_entries: int = field(default=10_000, validator=validators.ge(1), metadata={"help": "answers at the most"})
    max_bytes: int = field(
        default=64_000_000, validator=validators.ge(1), metadata={"help": "memory at the most, about"}
    )
    _entries: "OrderedDict[str, tuple[Entry, int]]" = field(factory=OrderedDict, init=False, repr=False)
    _bytes: int = field(default=0, init=False, repr=False)

    def peek(self, key: str) -> Entry | None:
        """`get` without waiting."""
        found = self._entries.get(key)
        if found is None:
            return None
        self._entries.move_to_end(key)
        return found[0]

    async def get(self, key: str) -> Entry | None:
        return self.peek(key)

    async def set(self, key: str, value: Entry, ttl: float) -> None:
        weight = _OVERHEAD + weight_of(value.output)
        self._drop(key)
        if weight > self.max_bytes:
            raise NotKept(f"{weight:,} bytes, more than max_bytes")
        self._entries[key] = value, weight
        self._bytes += weight
        while len(self._entries) > self.max_entries or self._bytes > self.max_bytes:
            self._drop(next(iter(self._entries)))

    async def delete(self, key: str) -> None:
        self._drop(key)

    async def clear(self, prefix: str) -> None:
        for key in [key for key in self._entries if key.startswith(prefix)]:
            self._drop(key)

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        for key in [key for key in self._entries if key.startswith(prefix)]:
            yield key

    async def size(self, prefix: str = "") -> Size:
        if not prefix:
            return Size(len(self._entries), self._bytes)
        weights = [weight for key, (_, weight) in self._entries.items() if key.startswith(prefix)]
        return Size(len(weights), sum(weights))

    async def aclose(self) -> None:
        self._entries.clear()
        self._bytes = 0

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= entry[1]
