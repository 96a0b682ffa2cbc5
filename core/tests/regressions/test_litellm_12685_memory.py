"""litellm #12685 and its many successors: memory grew for days.

Here every map and queue of the engine has a bound: after any number of calls nothing has grown.
"""

import asyncio
import gc
import random
import tracemalloc
from typing import Any

from switchgear import (
    BadCredentials,
    Breaker,
    Hedge,
    NotSent,
    Policies,
    ProviderError,
    ProviderManager,
    Rate,
    Retry,
    Throttled,
    Unsupported,
)
from switchgear.durations import Duration
from switchgear.testing import HANG, Delay, ScriptedProvider, VirtualClock

ENDS = ["good", ProviderError("down"), Unsupported("no"), NotSent("no"), Throttled("wait"), HANG, ZeroDivisionError()]


def busy_service() -> ProviderManager[Any, Any]:
    """Something of everything: whatever can happen to a request does, again and again."""
    dice = random.Random(9)

    def anything(_: Any) -> Any:
        return Delay(dice.random(), dice.choice(ENDS))

    providers = [
        ScriptedProvider([anything], name="a", timeout=1.0, concurrency=3),
        ScriptedProvider([anything], name="b", timeout=0.5),
        ScriptedProvider([BadCredentials("HTTP 401")], name="c"),
    ]
    for provider in providers:
        provider.requests = NothingKept()
    policies = {"b": Policies(rate=Rate(calls=50, burst=5), cool_down=1.0)}
    return ProviderManager(
        providers,
        policies=policies,
        hedge=Hedge(min_samples=5),
        retry=Retry(base=Duration(0.01)),
        breaker=Breaker(open_for=Duration(1.0), open_cap=Duration(5.0)),
        deadline=5.0,
        clock=VirtualClock(),
        random=dice,
    )


class NothingKept(list[Any]):
    """What a fake remembers is not what is measured."""

    def append(self, _: Any) -> None:
        pass


async def some_calls(service: ProviderManager[Any, Any], number: int) -> None:
    calls = [asyncio.ensure_future(service.process(None)) for _ in range(number)]
    for call in calls[::7]:
        asyncio.get_running_loop().call_later(0.3, call.cancel)
    await asyncio.wait(calls)
    for call in calls:
        if not call.cancelled():
            call.exception()


def sizes(service: ProviderManager[Any, Any]) -> list[int]:
    timers = service._home.timers
    found = [len(timers._buckets), len(timers._ticks), len(timers._endless), len(service._changes)]
    for candidate in service._by_name.values():
        found += [len(candidate.figures.outcomes), len(candidate.figures.latency._recent)]
        if candidate.bulkhead is not None:
            found.append(candidate.bulkhead.waiting)
    return found


async def test_nothing_grows_with_the_number_of_calls() -> None:
    service = busy_service()
    for _ in range(20):
        await some_calls(service, 50)
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(60):
        await some_calls(service, 50)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 60_000, f"{(after - before) / 3000:.0f} bytes for each call"
    assert all(size < 700 for size in sizes(service))
    await service.aclose()
