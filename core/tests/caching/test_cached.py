"""Looking first: what is given again, for how long, and what never is."""

import asyncio
import random
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from switchgear import (
    AllProvidersFailed,
    CachedProviderManager,
    CacheSettings,
    Capability,
    Effect,
    Entry,
    InvalidInput,
    InvalidResult,
    Level,
    Memory,
    Price,
    ProviderError,
    ProviderResult,
    UsageError,
)
from switchgear.durations import Duration
from switchgear.fingerprints import LARGE
from switchgear.policies.breaker import Breaker
from switchgear.policies.retry import Retry
from switchgear.testing import FakeClock, MemoryObserver, ScriptedCache, ScriptedProvider, VirtualClock, run

ONCE = Retry(attempts=1)


def lasting(ttl: float = 60.0, **numbers: Any) -> CacheSettings:
    return CacheSettings(ttl=Duration(ttl), jitter=0.0, **numbers)


def priced(script: list[Any], name: str = "a", **options: Any) -> ScriptedProvider:
    return ScriptedProvider(script, name=name, price=Price(per_call=Decimal("0.5")), **options)


def clock_of(options: dict[str, Any]) -> Any:
    return options.pop("clock", None) or (VirtualClock() if asyncio._get_running_loop() else FakeClock())


def manager(*providers: Any, **options: Any) -> CachedProviderManager[Any, Any]:
    options = {"caching": lasting(), "retry": ONCE, "breaker": Breaker(enabled=False), **options}
    return CachedProviderManager(providers, clock=clock_of(options), random=random.Random(0), **options)


async def test_an_answer_is_bought_once_and_given_again_for_nothing() -> None:
    provider, heard = priced(["first", "second"]), MemoryObserver()
    service = manager(provider, observers=[heard.call_finished])
    bought, given = await service.process("request"), await service.process("request")
    assert (bought.output, bought.cache, bought.cost) == ("first", "miss", Decimal("0.5"))
    assert (given.output, given.cache, given.cost, given.provider) == ("first", "fresh", 0, "a")
    assert given.metadata == {"age": 0.0, "saved": Decimal("0.5")}
    assert given.attempts == ()
    assert [call.result.cache for call in heard.calls] == ["miss", "fresh"]
    assert [call.id for call in heard.calls] == [bought.call_id, given.call_id]
    figures = service.cache_figures
    assert (figures.misses, figures.hits, figures.flights, figures.saved) == (1, 1, 1, Decimal("0.5"))
    assert figures.hit_rate == 0.5


async def test_another_request_or_tenant_gets_an_answer_of_its_own() -> None:
    provider = priced(["1", "2", "3", "4"])
    service = manager(provider)
    outputs = [
        (await service.process(request, tenant=tenant)).output
        for request, tenant in [("a", None), ("b", None), ("a", "acme"), ("a", ""), ("a", None), ("a", "acme")]
    ]
    assert outputs == ["1", "2", "3", "4", "1", "3"]


async def test_it_is_fresh_for_its_time_to_live_and_not_a_moment_longer() -> None:
    clock = VirtualClock()
    service = manager(priced(["old", "new"]), clock=clock)
    await service.process("request")
    await clock.sleep(59.9)
    assert (await service.process("request")).metadata["age"] == pytest.approx(59.9)
    await clock.sleep(0.1)
    assert (await service.process("request")).output == "new"


@pytest.mark.parametrize("step", [-1e6, 1e6])
async def test_setting_the_calendar_changes_no_age(step: float) -> None:
    clock = VirtualClock()
    service = manager(priced(["old", "new"]), clock=clock)
    await service.process("request")
    clock.step_utc(step)
    assert (await service.process("request")).cache == "fresh"


async def test_lifetimes_are_shortened_by_a_tenth_at_most() -> None:
    cache = Memory()
    service = manager(priced(["ok"]), cache=cache, caching=CacheSettings(ttl=Duration(100.0)))
    for number in range(200):
        await service.process(str(number))
    ttls = [cache.peek(key).ttl async for key in cache.keys("")]  # type: ignore[union-attr]
    assert 90 <= min(ttls) < 91
    assert 99 < max(ttls) <= 100


async def test_litellm_42400_a_fallbacks_answer_makes_way_for_the_first_choice_soon() -> None:
    clock = VirtualClock()
    first, second = priced([ProviderError("down"), "good"], "first", priority=1), priced(["poor"], "second", priority=2)
    service = manager(first, second, clock=clock, caching=lasting(ttl=86400.0))
    assert (await service.process("request")).output == "poor"
    await clock.sleep(299)
    assert (await service.process("request")).output == "poor"
    await clock.sleep(1)
    assert (await service.process("request")).output == "good"
    await clock.sleep(3600)
    assert (await service.process("request")).cache == "fresh"


async def test_nothing_is_kept_of_a_failure() -> None:
    service = manager(priced([ProviderError("down"), "ok"]))
    with pytest.raises(AllProvidersFailed):
        await service.process("request")
    assert (await service.process("request")).cache == "miss"


async def test_nothing_is_kept_of_refused_or_partial_answers() -> None:
    class Never:
        def check(self, request: Any, result: Any) -> None:
            raise InvalidResult("too short", score=0.1)

    service = manager(priced(["ok"]), validators=[Never()], on_refused="best")
    assert [(await service.process("request")).cache for _ in range(2)] == ["miss", "miss"]
    partial = manager(ScriptedProvider([lambda _: ProviderResult("half", metadata={"partial": True})]))
    assert [(await partial.process("request")).cache for _ in range(2)] == ["miss", "miss"]


@pytest.mark.parametrize("effect", [Effect.ONCE, Effect.IDEMPOTENT])
def test_work_that_must_not_be_repeated_has_no_cache(effect: Effect) -> None:
    with pytest.raises(UsageError, match="may be repeated freely"):
        manager(priced(["ok"]), effect=effect)


async def test_a_request_without_a_fingerprint_goes_past_the_cache() -> None:
    service = manager(priced(["ok"]))
    assert [(await service.process(object())).cache for _ in range(2)] == ["off", "off"]
    assert service.cache_figures.uncacheable == 2


async def test_calls_that_choose_providers_go_past_the_cache() -> None:
    one, other = priced(["1"], "one"), priced(["2"], "other")
    service = manager(one, other)
    assert (await service.process("request")).output == "1"
    chosen = await service.process("request", only=["other"])
    assert (chosen.output, chosen.cache) == ("2", "off")
    assert (await service.process("request", exclude=["one"])).output == "2"
    assert (await service.process("request")).output == "1"


@attrs.define
class Engine(ScriptedProvider):
    """A provider with options of all kinds."""

    language: str = attrs.field(default="eng", kw_only=True)
    threads: int = attrs.field(default=1, kw_only=True, metadata={"answer": False})
    script: Any = attrs.field(default=("ok",), kw_only=True)


async def test_an_answer_counts_as_long_as_its_provider_is_configured_as_it_was() -> None:
    cache = Memory()
    await manager(Engine(name="a"), cache=cache).process("request")
    clock = VirtualClock()
    states = {
        "the same": manager(Engine(name="a"), cache=cache, clock=clock),
        "an option that changes no answer": manager(Engine(name="a", threads=4), cache=cache, clock=clock),
        "beside another": manager(Engine(name="b"), Engine(name="a"), cache=cache, clock=clock),
        "another language": manager(Engine(name="a", language="deu"), cache=cache, clock=clock),
        "another name": manager(Engine(name="b"), cache=Memory(), clock=clock),
    }
    found = {what: (await service.process("request")).cache for what, service in states.items()}
    assert [what for what, state in found.items() if state == "fresh"] == list(states)[:3]


@attrs.define
class Release(Engine):
    """A provider that knows the release of its engine."""

    release: str = attrs.field(default="1.0", kw_only=True, metadata={"answer": False})

    @property
    def engine_version(self) -> str:
        if not self.release:
            raise OSError("the engine is not there")
        return self.release


async def test_an_answer_of_another_release_of_the_engine_does_not_count() -> None:
    async def state(release: str) -> str:
        return str((await manager(Release(name="a", release=release), cache=cache).process("request")).cache)

    cache = Memory()
    assert [await state(release) for release in ("1.0", "1.0", "1.1", "1.1", "1.0")] == [
        "miss", "fresh", "miss", "fresh", "miss",
    ]  # fmt: skip
    assert [await state("") for _ in range(2)] == ["miss", "miss"], "what cannot say its release may be another one"


async def test_a_folder_among_the_options_counts_by_its_name(tmp_path: Path) -> None:
    async def state(folder: Path) -> str:
        return str((await manager(Engine(name="a", language=folder), cache=cache).process("request")).cache)

    cache = Memory()
    assert [await state(folder) for folder in (tmp_path, tmp_path, tmp_path / "other")] == ["miss", "fresh", "miss"]


class Reading(Capability[Any, str]):
    """Notes which thread reads a request to make its fingerprint."""

    name, request_type, output_type = "reading", object, str

    def __init__(self) -> None:
        self.readers: list[str] = []

    def fingerprint(self, request: Any) -> bytes | None:
        self.readers.append(threading.current_thread().name)
        return super().fingerprint(request)


async def test_large_files_and_values_are_read_in_a_worker_thread_and_small_ones_at_once(tmp_path: Path) -> None:
    large, small = tmp_path / "large", tmp_path / "small"
    large.write_bytes(bytes(LARGE))
    small.write_bytes(bytes(LARGE - 1))
    capability = Reading()
    service = manager(priced(["ok"]), capability=capability)
    here = threading.current_thread().name
    for request in (small, bytes(10), {"page": small}, tmp_path / "missing", "x" * LARGE):
        await service.process(request)
    assert set(capability.readers) == {here}
    capability.readers.clear()
    for request in (large, bytes(LARGE), {"page": [large]}, Page(large), [memoryview(bytes(LARGE))]):
        await service.process(request)
        assert (await service.process(request)).cache == "fresh"
        assert await service.cached(request)
        await service.invalidate(request)
        assert not await service.cached(request)
    assert here not in capability.readers
    assert len(capability.readers) == 5 * 5


@attrs.frozen
class Page:
    file: Path
    note: Any = attrs.field(default=bytes(LARGE), metadata={"answer": False})


def test_other_calls_go_on_and_deadlines_hold_while_a_large_file_is_read() -> None:
    """As from a disk that hangs."""
    released = threading.Event()

    class Hanging(Reading):
        def fingerprint(self, request: Any) -> bytes | None:
            if request == "large":
                return b"at once"
            released.wait()
            return b"late"

        def content_size(self, request: Any) -> int:
            return LARGE

    async def story() -> None:
        service = CachedProviderManager([priced(["ok"])], capability=Hanging())
        waiting = asyncio.ensure_future(service.process(b"hangs", deadline=0.05))
        await asyncio.wait([waiting], timeout=0)
        assert (await service.process("large")).output == "ok"
        with pytest.raises(AllProvidersFailed, match="no answer in time"):
            await waiting
        leaving = asyncio.ensure_future(service.process(b"hangs"))
        await asyncio.sleep(0.01)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        released.set()
        assert service.in_flight == 0
        await service.aclose()

    run(story, patience=0.5)


async def test_a_large_request_without_a_fingerprint_goes_past_the_cache() -> None:
    class Shy(Reading):
        def fingerprint(self, request: Any) -> bytes | None:
            return None

    service = manager(priced(["ok"]), capability=Shy())
    assert [(await service.process(bytes(LARGE))).cache for _ in range(2)] == ["off", "off"]
    assert service.cache_figures.uncacheable == 2


async def test_what_one_caller_does_to_an_answer_is_not_seen_by_the_next() -> None:
    service = manager(priced([["first"]]))
    bought = await service.process("request")
    bought.output.append("by the first caller")
    given = await service.process("request")
    assert given.output == ["first"]
    given.output.append("by the second")
    assert (await service.process("request")).output == ["first"]


async def test_an_answer_can_be_forgotten_by_request_by_provider_by_age_and_all() -> None:
    clock = VirtualClock()
    service = manager(priced(["ok"]), clock=clock)

    async def kept(*requests: str) -> list[str]:
        return [request for request in requests if await service.cached(request)]

    for request in ("1", "2"):
        await service.process(request)
    await service.invalidate("1")
    assert await kept("1", "2") == ["2"]
    assert await service.invalidate(provider="b") == 0
    await clock.sleep(10)
    await service.process("3")
    assert await service.invalidate(older_than=5) == 1
    assert await kept("1", "2", "3") == ["3"]
    assert await service.invalidate(provider="a") == 1
    await service.process("4")
    await service.invalidate()
    assert await kept("1", "2", "3", "4") == []


async def test_a_nearer_level_learns_from_the_one_behind_it() -> None:
    clock, near, far = VirtualClock(), Memory(), Memory()
    await manager(priced(["ok"]), clock=clock, cache=far).process("request")
    service = manager(priced(["ok"]), clock=clock, cache=[Level(cache=near, name="near"), Level(cache=far, name="far")])
    assert [(await service.process("request")).cache for _ in range(2)] == ["fresh", "fresh"]
    assert len([key async for key in near.keys("")]) == 1
    assert service.cache_figures.levels["far"].lookups == 1


async def test_a_level_may_keep_less_long_than_the_rest() -> None:
    clock, far = VirtualClock(), Memory()
    levels = [Level(cache=Memory(), name="near", ttl=5.0), Level(cache=far, name="far")]
    service = manager(priced(["ok"]), clock=clock, cache=levels)
    await service.process("request")
    await clock.sleep(4)
    await service.process("request")
    assert service.cache_figures.levels["far"].lookups == 1
    await clock.sleep(2)
    assert (await service.process("request")).metadata["age"] == 6
    assert service.cache_figures.levels["far"].lookups == 2
    await service.process("request")
    assert service.cache_figures.levels["far"].lookups == 2


def test_a_frozen_answer_is_handed_out_as_it_is_and_a_plain_one_is_copied() -> None:
    from switchgear.caching.isolation import own_copy

    @attrs.frozen
    class Frozen:
        lines: tuple[str, ...]

    @attrs.define
    class Open:
        lines: list[str]

    frozen, plain = Frozen(("a",)), Open(["a"])
    assert own_copy(frozen) is frozen
    assert own_copy(plain) == plain
    assert own_copy(plain).lines is not plain.lines


def test_ordinary_code_gets_it_too() -> None:
    provider = priced(["ok"])
    service = manager(provider)
    assert [service.process_sync("request").cache for _ in range(2)] == ["miss", "fresh"]
    service.close()
    with pytest.raises(UsageError, match="closed"):
        service.process_sync("request")


async def test_the_providers_error_comes_out_as_it_does_without_a_cache() -> None:
    service = manager(priced([InvalidInput("no page")]))
    with pytest.raises(InvalidInput, match="no page") as raised:
        await service.process("request")
    assert raised.value.call_id


async def test_a_value_in_bytes_comes_back_as_the_entry_it_was() -> None:
    service = manager(priced([{"text": "ü", "pages": [1, 2.5, None, b"\0"]}]), cache=ScriptedCache())
    await service.process("request")
    ((_, kept),) = (await service.cached("request")).items()
    assert isinstance(kept, Entry)
    given = await service.process("request")
    assert given.output == {"text": "ü", "pages": [1, 2.5, None, b"\0"]}
    assert given.cache == "fresh"
    assert given.metadata["saved"] == Decimal("0.5")
