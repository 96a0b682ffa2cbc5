"""A service's caches as one: the nearest is asked first, and learns what those behind it know."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from switchgear.cache import Entry, Size
from switchgear.guarded_cache import GuardedCache

Test = Callable[[Entry], bool]


class Levels:
    """All levels of one service. `prefix` begins all its keys."""

    def __init__(self, levels: Sequence[GuardedCache], prefix: str) -> None:
        self._levels = tuple(levels)
        self._prefix = prefix
        self._nearest = levels[0].cache if levels[0].is_at_hand else None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(level.name for level in self._levels)

    @property
    def peek(self) -> Callable[[str], Entry | None]:
        """Looks into the nearest level, where that can be done without waiting."""
        return _nothing if self._nearest is None else self._nearest.peek

    async def get(self, key: str, ends: float | None, *, is_usable: Test, is_fresh: Test) -> Entry | None:
        """The first fresh entry, else the newest usable one; the levels in front of it get a copy."""
        best: Entry | None = None
        missed: list[GuardedCache] = []
        lacking: Sequence[GuardedCache] = ()
        for level in self._levels:
            entry = await level.get(key, ends)
            if entry is not None and is_usable(entry) and (best is None or entry.stored > best.stored):
                best, lacking = entry, tuple(missed)
                if is_fresh(entry):
                    break
            missed.append(level)
        if best is not None:
            for level in lacking:
                await level.put(key, best, best.ttl, ends)
        return best

    async def put(self, key: str, entry: Entry, keep: float, ends: float | None) -> None:
        for level in self._levels:
            await level.put(key, entry, keep, ends)

    async def delete(self, key: str) -> None:
        for level in self._levels:
            await level.delete(key)

    async def clear(self) -> None:
        """Forget everything of this service. Raises what a cache raises."""
        for level in self._levels:
            await level.clear(self._prefix)

    async def delete_where(self, is_meant: Test) -> int:
        """Forget the entries of which this is true; gives their number. Raises what a cache raises."""
        keys = set()
        for level in self._levels:
            found = [key async for key, entry in level.entries(self._prefix) if is_meant(entry)]
            for key in found:
                await level.delete(key)
            keys.update(found)
        return len(keys)

    async def look(self, key: str) -> dict[str, Entry]:
        """What each level has under a key. Raises what a cache raises."""
        found = {level.name: await level.look(key) for level in self._levels}
        return {name: entry for name, entry in found.items() if entry is not None}

    async def entries(self) -> AsyncIterator[tuple[str, str, Entry]]:
        """Everything of this service: level, key and entry. Raises what a cache raises."""
        for level in self._levels:
            async for key, entry in level.entries(self._prefix):
                yield level.name, key, entry

    async def sizes(self) -> Mapping[str, Size]:
        """How much each has of this service. Raises what a cache raises."""
        return {level.name: await level.size(self._prefix) for level in self._levels}

    async def close(self) -> None:
        for level in self._levels:
            await level.close()


def _nothing(key: str) -> None:
    return None
