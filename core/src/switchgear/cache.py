"""The contract of a cache: where answers are kept, and what is kept of them."""

from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Any, ClassVar, Literal, Protocol

import attrs


@attrs.frozen(kw_only=True)
class Entry:
    """An answer as it is kept.

    `stamp` says what the provider's options were, as far as they change its answers. `stored` is a moment on the
    monotonic clock of this process, so that setting the calendar changes no entry's age; `ttl` and `size` are in
    seconds and bytes. `until`: the moment from which this copy no longer counts, for a level that keeps less long.
    """

    output: Any
    provider: str
    stamp: str = ""
    usage: Mapping[str, Decimal] | None = None
    cost: Decimal | None = None
    confidence: float | None = None
    stored: float = 0.0
    ttl: float = 0.0
    until: float = float("inf")


@attrs.frozen
class Size:
    """How much a cache holds just now; None where it cannot tell."""

    entries: int | None = None
    bytes: int | None = None


class Unreadable(Exception):
    """Bytes that are no entry for this key: corrupt, cut off, foreign, or from the future."""


class NotKept(Exception):
    """Raised by `set`: the value cannot be kept here (too large), and that is no fault of the cache."""


class Cache(Protocol):
    """Keeps values under keys, and forgets some of them when it likes: what it gives back is what was last set.

    Keys are ASCII text without spaces, `<service>:<digest>`, of at most 200 characters. Values are bytes; a cache of
    this process may say `keeps = "entries"` on the class and gets `Entry` objects instead. Its attrs fields are its
    options; a field `clock` that is not among them (`init=False`) gets the board's, a field `folder` its folder.
    Whatever a method raises is taken for a miss, and waits are cut short from outside.
    """

    keeps: ClassVar[Literal["bytes", "entries"]] = "bytes"

    async def get(self, key: str) -> Any | None:
        """The value, or None."""
        ...

    async def set(self, key: str, value: Any, ttl: float) -> None:
        """Keep it under this key, in place of another; nobody wants it any more after `ttl` seconds."""
        ...

    async def delete(self, key: str) -> None:
        """Forget it; nothing happens where there is none."""
        ...

    async def clear(self, prefix: str) -> None:
        """Forget every key that starts so."""
        ...

    def keys(self, prefix: str) -> AsyncIterator[str]:
        """The keys that start so; those that come and go meanwhile may be among them or not."""
        ...

    async def size(self, prefix: str) -> Size:
        """How much there is under keys that start so, without reading the values; all there is where it is empty."""
        ...

    async def aclose(self) -> None:
        """Give everything back. What has been set stays, where it outlives the process."""
        ...
