"""Caches that hang, fail, refuse and come back: every request still answers, within bounded time."""

import asyncio
import random
from typing import Any

import pytest
from switchgear import CachedProviderManager, CacheSettings, Level, Memory, NotKept, UsageError
from switchgear.durations import Duration
from switchgear.testing import HANG, Delay, ScriptedCache, ScriptedProvider, VirtualClock


def manager(cache: Any, *script: Any, **options: Any) -> CachedProviderManager[Any, Any]:
    provider = ScriptedProvider(list(script) or ["answer"], name="a")
    caching = CacheSettings(ttl=Duration(60.0), jitter=0.0)
    return CachedProviderManager(
        [provider], cache=cache, caching=caching, clock=VirtualClock(), random=random.Random(0), **options
    )


@pytest.mark.parametrize("trouble", [HANG, OSError("refused"), ValueError("what?"), asyncio.CancelledError()])
async def test_a_dead_cache_costs_a_bounded_wait_until_its_circuit_opens(trouble: Any) -> None:
    cache = ScriptedCache(trouble=trouble)
    service = manager(cache)
    clock = service._home.clock
    waits = []
    for number in range(20):
        started = clock.monotonic()
        assert (await service.process(f"{number}")).output == "answer"
        waits.append(clock.monotonic() - started)
    assert max(waits) < 0.6
    assert sum(waits) < 1.0
    assert cache.asked == 3
    assert service.cache_figures.levels["scriptedcache"].skipped == 37


async def test_it_recovers_by_itself() -> None:
    cache = ScriptedCache(trouble=OSError("refused"))
    service = manager(cache)
    for _ in range(5):
        await service.process("request")
    cache.trouble = None
    await asyncio.sleep(5.0)
    for _ in range(3):
        await service.process("request")
    assert (await service.process("request")).cache == "fresh"


async def test_a_slow_cache_does_not_eat_up_a_short_deadline() -> None:
    service = manager([Level(cache=ScriptedCache(trouble=HANG), timeout=10.0)])
    assert (await service.process("request", deadline=30.0)).output == "answer"
    assert service._home.clock.monotonic() == pytest.approx(20.0, abs=0.1)


async def test_the_settings_say_how_long_a_cache_is_waited_for() -> None:
    caching = CacheSettings(ttl=Duration(60.0), timeout=Duration(3.0))
    provider, clock = ScriptedProvider(["answer"]), VirtualClock()
    service = CachedProviderManager([provider], cache=ScriptedCache(trouble=HANG), caching=caching, clock=clock)
    await service.process("request")
    assert clock.monotonic() == pytest.approx(6.0, abs=0.1)
    assert service.cache_figures.levels["scriptedcache"].last_error == "no answer within 3 s"


async def test_the_figures_say_what_the_system_said_and_nothing_that_may_hold_an_answer() -> None:
    def failing(error: Exception, cause: Exception | None = None) -> Exception:
        error.__cause__ = cause
        return error

    troubles = {
        "ConnectionRefusedError: [Errno 111] refused": ConnectionRefusedError(111, "refused"),
        "ValueError: [Errno 28] No space left": failing(ValueError("planted"), OSError(28, "No space left")),
        "ValueError": failing(ValueError("planted"), KeyError("planted")),
    }
    for expected, trouble in troubles.items():
        service = manager(ScriptedCache(trouble=trouble))
        await service.process("request")
        assert service.cache_figures.levels["scriptedcache"].last_error == expected


async def test_an_answer_that_a_cache_refuses_is_still_an_answer_and_no_fault() -> None:
    service = manager(ScriptedCache(write_trouble=NotKept("too large")))
    for _ in range(10):
        assert (await service.process("request")).cache == "miss"
    figures = service.cache_figures.levels["scriptedcache"]
    assert (figures.refused, figures.errors, figures.skipped) == (10, 0, 0)


async def test_a_full_disk_does_not_fail_a_request() -> None:
    service = manager(ScriptedCache(write_trouble=OSError(28, "No space left on device")))
    assert [(await service.process("request")).output for _ in range(10)] == ["answer"] * 10


async def test_an_answer_that_has_no_form_in_bytes_is_still_an_answer() -> None:
    service = manager(ScriptedCache(), lambda _: {"lock": object()})
    for _ in range(5):
        assert (await service.process("request")).cache == "miss"
    assert service.cache_figures.levels["scriptedcache"].refused == 5


async def test_a_level_that_is_down_does_not_hide_the_others() -> None:
    near = ScriptedCache(trouble=OSError("down"))
    service = manager([Level(cache=near, name="near"), Level(cache=Memory(), name="far")])
    await service.process("request")
    assert (await service.process("request")).cache == "fresh"


async def test_a_foreign_value_under_our_key_is_a_miss_and_is_written_over() -> None:
    cache = ScriptedCache()
    service = manager(cache)
    await service.process("request")
    cache.values = dict.fromkeys(cache.values, b"pickle?")
    assert (await service.process("request")).cache == "miss"
    assert (await service.process("request")).cache == "fresh"
    assert service.cache_figures.levels["scriptedcache"].unreadable == 1


async def test_the_answer_to_another_question_is_noticed_whoever_mixed_them_up() -> None:
    cache = ScriptedCache()
    service = manager(cache, "one", "two", "three")
    await service.process("1")
    await service.process("2")
    (one, other) = cache.values
    cache.values[one], cache.values[other] = cache.values[other], cache.values[one]
    assert (await service.process("1")).output == "three"


async def test_fetching_it_again_takes_no_longer_for_a_cache_in_trouble() -> None:
    cache = ScriptedCache(trouble=HANG)
    provider_time = 1.0
    service = manager(cache, Delay(provider_time, "answer"))
    await service.process("request")
    assert service._home.clock.monotonic() < provider_time + 0.6


def test_a_type_that_has_no_form_in_bytes_is_refused_at_the_start() -> None:
    class Opaque:
        def __init__(self, handle: Any) -> None:
            self.handle = handle

    with pytest.raises(UsageError, match="Opaque cannot be written as bytes"):
        CachedProviderManager([ScriptedProvider(["ok"])], cache=ScriptedCache(), output_type=Opaque)


def test_two_levels_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match="same name"):
        CachedProviderManager([ScriptedProvider(["ok"])], cache=[Memory(), Memory()])
