"""One cache with its protection: whatever becomes of it, a call only ever sees a hit or a miss."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from switchgear.cache import Cache, Entry, NotKept, Size, Unreadable
from switchgear.caching.figures import LevelFigures
from switchgear.durations import Duration
from switchgear.errors import UsageError
from switchgear.home import Home
from switchgear.logs import logger, report_defect
from switchgear.messages import safe_message
from switchgear.policies.breaker import Breaker, CircuitBreaker, State
from switchgear.policies.deadline import DeadlineScope
from switchgear.strategy import Random

if TYPE_CHECKING:
    from switchgear.caching.codec import Codec

T = TypeVar("T")

# Quicker to open and to try again than a provider's: being asked costs little, and waiting for it costs every call.
_BREAKER = Breaker(consecutive=3, open_for=Duration(1.0), open_cap=Duration(30.0), ramp=Duration(0.0))
_BY_HAND = 30.0  # seconds for what people wait for: clearing, listing


@attrs.frozen(kw_only=True)
class Level:
    """One cache of a service. `ttl`: seconds that it keeps an answer at most; `timeout`: seconds to wait for it."""

    cache: Cache
    name: str = ""
    ttl: float | None = None
    timeout: float = 0.25


class GuardedCache:
    """Gets and puts entries within bounded time; failures are counted, and a cache that keeps failing is left alone."""

    def __init__(self, level: Level, service: str, output_type: Any, home: Home, random: Random) -> None:
        self.cache: Any = level.cache
        self.name = level.name or type(level.cache).__name__.lower()
        self.figures = LevelFigures()
        self.breaker = CircuitBreaker(_BREAKER, home.clock, random, on_change=self._changed)
        self._place = f"{service}.cache.{self.name}"
        self._ttl = level.ttl
        self._timeout = level.timeout
        self._home = home
        self._clock = home.clock
        self._is_at_hand = _keeps_entries(level.cache) and hasattr(level.cache, "peek")
        self._codec = None if _keeps_entries(level.cache) else _codec(output_type, self._place)

    @property
    def is_at_hand(self) -> bool:
        """In this process: never waits."""
        return self._is_at_hand

    async def get(self, key: str, ends: float | None) -> Entry | None:
        """What is kept, fresh or not; None also for what cannot be read, or not in time."""
        figures = self.figures
        figures.lookups += 1
        value = await self._guarded(self.cache.get(key), ends)
        now = self._clock.monotonic()
        entry: Entry | None = value if self._codec is None or value is None else self._decoded(self._codec, key, value)
        if entry is None or now >= entry.until:
            return None
        figures.found += 1
        return entry

    async def put(self, key: str, entry: Entry, keep: float, ends: float | None) -> None:
        """Keep it for at most so many seconds more."""
        if self._ttl is not None:
            keep = min(keep, self._ttl)
        until = float("inf") if self._ttl is None else self._clock.monotonic() + self._ttl
        kept = attrs.evolve(entry, until=until)
        value: Any = kept if self._codec is None else self._encoded(self._codec, key, kept)
        if value is not None and keep > 0:
            await self._guarded(self._set(key, value, keep), ends)

    # For people, who want to know what went wrong

    async def delete(self, key: str) -> None:
        """Forget it. Raises what the cache raises."""
        await self._bounded(self.cache.delete(key))

    async def clear(self, prefix: str) -> None:
        """Forget everything that starts so. Raises what the cache raises."""
        await self._bounded(self.cache.clear(prefix))

    async def entries(self, prefix: str) -> AsyncIterator[tuple[str, Entry]]:
        """Everything that is kept and readable, one by one. Raises what the cache raises."""
        async for key in self.cache.keys(prefix):
            entry = await self.look(key)
            if entry is not None:
                yield key, entry

    async def look(self, key: str) -> Entry | None:
        """`get` without counting it. Raises what the cache raises."""
        value = await self._bounded(self.cache.get(key))
        return value if self._codec is None or value is None else self._decoded(self._codec, key, value)

    async def size(self, prefix: str) -> Size:
        size: Size = await self._bounded(self.cache.size(prefix))
        return size

    async def close(self) -> None:
        # Foreign code: a cache that cannot close must not keep the rest open.
        try:
            await self._bounded(self.cache.aclose())
        except Exception as error:
            report_defect(f"{self._place}: closing", error)

    async def _bounded(self, work: Awaitable[T]) -> T:
        with DeadlineScope(self._home.timers, self._clock.monotonic() + _BY_HAND):
            return await work

    async def _set(self, key: str, value: Any, ttl: float) -> None:
        await self.cache.set(key, value, ttl)
        self.figures.stored += 1
        if self._codec is not None:
            self.figures.bytes_written += len(value)

    async def _guarded(self, work: Any, ends: float | None) -> Any:
        if self._is_at_hand:
            return await self._contained(work)
        permit = self.breaker.acquire()
        if not permit:
            self.figures.skipped += 1
            work.close()
            return None
        when = self._clock.monotonic() + self._timeout
        hurried = ends is not None and ends < when
        try:
            with DeadlineScope(self._home.timers, ends if hurried and ends is not None else when):
                value = await work
        except NotKept:
            self.figures.refused += 1
        except TimeoutError:
            self.figures.timeouts += 1
            # Cut short by the call's own deadline, it says nothing about the cache.
            if not hurried:
                self.figures.last_error = f"no answer within {self._timeout:g} s"
                self.breaker.record_failure(permit, slow=True)
                return None
        except asyncio.CancelledError:
            self.breaker.release(permit)
            raise
        # Foreign code: whatever a cache raises is a miss.
        except Exception as error:
            self._failed(error)
            self.breaker.record_failure(permit)
            return None
        else:
            self.breaker.record_success(permit)
            return value
        self.breaker.release(permit)
        return None

    async def _contained(self, work: Any) -> Any:
        # Foreign code, as above; nothing to wait for.
        try:
            return await work
        except NotKept:
            self.figures.refused += 1
        except Exception as error:
            self._failed(error)
        return None

    def _failed(self, error: Exception) -> None:
        self.figures.errors += 1
        self.figures.last_error = _described(error)
        logger.debug("{}: {}", self._place, self.figures.last_error)

    def _encoded(self, codec: "Codec", key: str, entry: Entry) -> bytes | None:
        now = self._clock.monotonic()
        left = None if entry.until == float("inf") else entry.until - now
        # Foreign types: an answer that has no form in bytes is still an answer.
        try:
            return codec.encode(key, entry, now - entry.stored, left, self._clock.utc())
        except Exception as error:
            self.figures.refused += 1
            report_defect(f"{self._place}: an answer that cannot be written", error)
            return None

    def _decoded(self, codec: "Codec", key: str, value: bytes) -> Entry | None:
        self.figures.bytes_read += len(value)
        try:
            return codec.decode(key, value, self._clock.monotonic(), self._clock.utc())
        except Unreadable:
            self.figures.unreadable += 1
            return None

    def _changed(self, old: State, new: State) -> None:
        why = f", {self.figures.last_error}" if new is State.OPEN and self.figures.last_error else ""
        logger.warning("{}: circuit {}{}", self._place, new.value, why)


def trouble_with(cache: Any, output_type: Any) -> str:
    """Why a cache cannot keep answers of this type; empty if it can."""
    if _keeps_entries(cache):
        return ""
    from switchgear.caching.codec import Codec

    return Codec(output_type).trouble


def _described(error: BaseException) -> str:
    """Its type, and what the system said where that is behind it: other texts may repeat what was to be kept."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__ if cause is None else f"{type(error).__name__}: {safe_message(cause)}"


def _keeps_entries(cache: Any) -> bool:
    return getattr(cache, "keeps", "bytes") == "entries"


def _codec(output_type: Any, place: str) -> "Codec":
    from switchgear.caching.codec import Codec

    codec = Codec(output_type)
    if codec.trouble:
        raise UsageError(f"{place}: {codec.trouble}; use the memory cache, or another type of output")
    return codec
