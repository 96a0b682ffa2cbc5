"""The conformance suite of caches."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, ClassVar
from uuid import uuid4

from switchgear.cache import Cache, Entry, NotKept, Size
from switchgear.caching.codec import Codec
from switchgear.guarded_cache import GuardedCache, Level
from switchgear.home import Home
from switchgear.options import option_fields
from switchgear.testing.clocks import FakeClock
from switchgear.testing.suites.checks import check_plugin, run_within, skip
from switchgear.testing.virtual import place_of, settle

_LONG = 3600.0
_DEPTHS = (0, 1, 2, 3, 5, 10, 20)  # turns of the loop after which a request is cancelled
_LONGEST_KEY = 200
_LARGE = 3_000_000


class CacheSuite:
    """Checks a cache against the contract of `Cache`, and lets Hypothesis look for what breaks it::

        class TestMine(CacheSuite):
            def make(self): return Mine(url=self.server.url)

    It runs on a real event loop, so that `make()` may point at a server (a pytest fixture with `autouse=True` can start
    one). Every check keeps to keys of its own, so what else is in the cache does not matter.
    """

    is_shared: ClassVar[bool] = True  #: two made alike see each other's values
    seconds: ClassVar[float] = 60.0  #: real time that one check may take
    examples: ClassVar[int] = 15  #: sequences of steps that are compared with a dictionary
    steps: ClassVar[int] = 30  #: length of each

    def make(self) -> Cache:
        """A new cache, not yet used, large enough for a few megabytes."""
        raise NotImplementedError

    def test_it_keeps_to_the_contract_of_caches(self) -> None:
        check_plugin("caches", self.make())

    def test_its_options_are_declared_as_fields(self) -> None:
        option_fields(type(self.make()))

    def test_what_is_set_can_be_got_deleted_and_set_again(self) -> None:
        async def check(cache: Any, prefix: str) -> None:
            key = f"{prefix}key"
            assert await cache.get(key) is None, "something is there before it was set"
            await cache.delete(key)
            for number in range(2):
                await cache.set(key, self.value(number), _LONG)
                assert await cache.get(key) == self.value(number)
            await cache.delete(key)
            assert await cache.get(key) is None, "it is there after it was deleted"

        self.run(check)

    def test_values_are_binary(self) -> None:
        self._need_bytes()

        async def check(cache: Any, prefix: str) -> None:
            values = [
                b"",
                b"\0",
                b"\r\n",
                b"END\r\n",
                bytes(range(256)),
                "ü".encode(),
                random.Random(0).randbytes(70_000),
            ]
            for number, value in enumerate(values):
                await cache.set(f"{prefix}{number}", value, _LONG)
            for number, value in enumerate(values):
                assert await cache.get(f"{prefix}{number}") == value

        self.run(check)

    def test_a_large_value_is_kept_whole_or_refused(self) -> None:
        self._need_bytes()

        async def check(cache: Any, prefix: str) -> None:
            value = random.Random(0).randbytes(_LARGE)
            try:
                await cache.set(f"{prefix}large", value, _LONG)
            except NotKept:
                assert await cache.get(f"{prefix}large") is None
            else:
                assert await cache.get(f"{prefix}large") == value
            await cache.set(f"{prefix}small", b"small", _LONG)
            assert await cache.get(f"{prefix}small") == b"small", "a large value broke what came after it"

        self.run(check)

    def test_a_refused_value_leaves_no_older_one_behind(self) -> None:
        """Else an answer that was replaced would come back."""
        self._need_bytes()

        async def check(cache: Any, prefix: str) -> None:
            await cache.set(f"{prefix}key", b"old", _LONG)
            try:
                await cache.set(f"{prefix}key", random.Random(0).randbytes(_LARGE), _LONG)
            except NotKept:
                assert await cache.get(f"{prefix}key") is None

        self.run(check)

    def test_long_keys_are_keys(self) -> None:
        async def check(cache: Any, prefix: str) -> None:
            one, other = (f"{prefix:x<{_LONGEST_KEY - 1}}{end}" for end in "ab")
            await cache.set(one, self.value(1), _LONG)
            assert await cache.get(other) is None
            assert await cache.get(one) == self.value(1)

        self.run(check)

    def test_clearing_forgets_what_starts_so_and_nothing_else(self) -> None:
        async def check(cache: Any, prefix: str) -> None:
            for name in ("a:1", "a:2", "ab:1", "b:1"):
                await cache.set(f"{prefix}{name}", self.value(0), _LONG)
            await cache.clear(f"{prefix}a:")
            left = [name for name in ("a:1", "a:2", "ab:1", "b:1") if await cache.get(f"{prefix}{name}") is not None]
            assert left == ["ab:1", "b:1"]

        self.run(check)

    def test_a_prefix_is_no_pattern(self) -> None:
        async def check(cache: Any, prefix: str) -> None:
            await cache.set(f"{prefix}a:1", self.value(0), _LONG)
            for pattern in ("*", "?", "[a-z]", "_", "%"):
                await cache.clear(f"{prefix}{pattern}")
                assert [key async for key in cache.keys(f"{prefix}{pattern}")] == []
            assert await cache.get(f"{prefix}a:1") is not None

        self.run(check)

    def test_keys_are_listed_by_their_beginning(self) -> None:
        async def check(cache: Any, prefix: str) -> None:
            keys = {f"{prefix}a:{number}" for number in range(600)}
            await asyncio.gather(*(cache.set(key, self.value(0), _LONG) for key in [*keys, f"{prefix}b:0"]))
            assert {key async for key in cache.keys(f"{prefix}a:")} == keys

        self.run(check)

    def test_its_size_counts_what_is_there_or_says_nothing(self) -> None:
        async def check(cache: Any, prefix: str) -> None:
            for beginning in (prefix, ""):
                before = await cache.size(beginning)
                assert isinstance(before, Size)
                await cache.set(f"{prefix}key", self.value(0), _LONG)
                after = await cache.size(beginning)
                assert before.entries is None or after.entries > before.entries
                assert before.bytes is None or after.bytes >= before.bytes
                await cache.delete(f"{prefix}key")
                assert before.entries is None or (await cache.size(beginning)).entries == before.entries

        self.run(check)

    def test_its_size_can_be_asked_by_the_beginning_of_keys(self) -> None:
        async def check(cache: Any, prefix: str) -> None:
            for name in ("a:1", "a:2", "ab:1", "b:1", "a:2"):
                await cache.set(f"{prefix}{name}", self.value(0), _LONG)
            for beginning, entries in {"a:": 2, "ab:": 1, "a": 3, "": 4, "c": 0}.items():
                size = await cache.size(f"{prefix}{beginning}")
                assert size.entries in (entries, None), f"{size.entries} start with {beginning!r}, not {entries}"
                assert size.bytes is None or (size.bytes > 0) is (entries > 0)

        self.run(check)

    def test_many_at_once_do_not_mix_up_their_values(self) -> None:
        async def check(cache: Any, prefix: str) -> None:
            async def use(number: int) -> None:
                await cache.set(f"{prefix}{number}", self.value(number), _LONG)
                assert await cache.get(f"{prefix}{number}") == self.value(number)

            await asyncio.gather(*map(use, range(100)))

        self.run(check)

    def test_redis_py_2665_a_cancelled_request_does_not_leave_its_answer_to_the_next(self) -> None:
        async def check(cache: Any, prefix: str) -> None:
            keys = [f"{prefix}{number}" for number in range(10)]
            for number, key in enumerate(keys):
                await cache.set(key, self.value(number), _LONG)
            for depth in _DEPTHS:
                waiting = [asyncio.ensure_future(cache.get(key)) for key in keys]
                for _ in range(depth):
                    await asyncio.sleep(0)
                for task in waiting[::2]:
                    task.cancel()
                await asyncio.wait(waiting)
                for number, key in enumerate(keys):
                    assert await cache.get(key) == self.value(number), f"cancelled after {depth} turns"

        self.run(check)

    def test_two_made_alike_share_what_they_keep(self) -> None:
        if not self.is_shared:
            skip("is_shared")

        async def check(cache: Any, prefix: str) -> None:
            await cache.set(f"{prefix}key", self.value(7), _LONG)
            other: Any = self.make()
            try:
                assert await other.get(f"{prefix}key") == self.value(7)
            finally:
                await other.aclose()
            assert await cache.get(f"{prefix}key") == self.value(7), "closing one closed the other"

        self.run(check)

    def test_it_can_be_closed_unused_and_twice(self) -> None:
        async def check(cache: Any, prefix: str) -> None:
            await cache.aclose()

        self.run(check)

    def test_an_entry_that_is_damaged_anywhere_is_a_miss(self) -> None:
        self._need_bytes()

        async def check(cache: Any, prefix: str) -> None:
            guarded, clock = self.guarded(cache)
            key, dice = f"{prefix}key", random.Random(0)
            sound = Codec(object).encode(key, self.entry("answer", clock), 0.0, None, clock.utc())
            damaged = [sound[:length] for length in range(0, len(sound), 7)]
            damaged += [_flipped(sound, dice.randrange(len(sound) * 8)) for _ in range(50)]
            damaged += [
                b"foreign",
                b"\x80\x04K\x01.",
                Codec(object).encode("other", self.entry(1, clock), 0, None, clock.utc()),
            ]
            for number, value in enumerate(damaged, 1):
                await cache.set(key, value, _LONG)
                assert await guarded.get(key, None) is None
                assert guarded.figures.unreadable == number, f"not counted: {value!r}"

        self.run(check)

    def test_an_entry_from_the_future_is_a_miss(self) -> None:
        self._need_bytes()

        async def check(cache: Any, prefix: str) -> None:
            guarded, clock = self.guarded(cache)
            await guarded.put(f"{prefix}key", self.entry("answer", clock), _LONG, None)
            clock.step_utc(-60.0)
            assert await guarded.get(f"{prefix}key", None) is None
            assert guarded.figures.unreadable == 1

        self.run(check)

    def test_it_behaves_like_a_dictionary_that_forgets(self) -> None:
        """Any sequence of steps, with a clock that is moved by hand."""
        from switchgear.testing.suites.cache_model import compare

        compare(self)

    def value(self, number: int) -> Any:
        """A value as this cache takes it."""
        return self.entry(number, FakeClock()) if self._keeps_entries() else b"value %d" % number

    def guarded(self, cache: Cache) -> tuple[GuardedCache, FakeClock]:
        """The cache as a service uses it, at a time that stands still."""
        clock = FakeClock(start=1000.0)
        if hasattr(cache, "clock"):
            cache.clock = clock
        home = Home(clock)
        home.bind()
        return GuardedCache(Level(cache=cache, timeout=_LONG), "suite", object, home, random.Random(0)), clock

    def run(self, check: Callable[[Any, str], Awaitable[None]]) -> None:
        """Use a new cache with a prefix of its own, on a fresh event loop."""

        async def life() -> None:
            cache = self.make()
            prefix = f"{uuid4().hex}:"
            try:
                await check(cache, prefix)
            finally:
                await cache.aclose()
            await cache.aclose()
            places = [place_of(task.get_coro()) for task in await settle()]
            assert not places, f"aclose() left tasks behind: {', '.join(places)}"

        run_within(self.seconds, life())

    def entry(self, output: Any, clock: FakeClock) -> Entry:
        """An entry with something in every field, stored now."""
        return Entry(
            output=output,
            provider="a",
            stamp="|0",
            usage={"pages": Decimal("1.50")},
            cost=Decimal("0.0015"),
            confidence=0.5,
            stored=clock.monotonic(),
            ttl=60.0,
        )

    def _keeps_entries(self) -> bool:
        return getattr(self.make(), "keeps", "bytes") == "entries"

    def _need_bytes(self) -> None:
        if self._keeps_entries():
            import pytest

            pytest.skip("it keeps entries, not bytes")


def _flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
