"""The contract of caches on real servers, which the tests start and kill."""

import asyncio
import contextlib
import random
import signal
import time
from typing import Any

import pytest
from switchgear import CachedProviderManager, CacheSettings, NotKept, Secret
from switchgear.durations import Duration
from switchgear.testing import CacheSuite, ScriptedProvider
from switchgear_redis import Redis


class TestRedis(CacheSuite):
    @pytest.fixture(autouse=True)
    def take(self, server: Any) -> None:
        self.server = server

    def make(self) -> Redis:
        return Redis(url=self.server.url)


def manager(url: str, *script: Any, **options: Any) -> CachedProviderManager[Any, Any]:
    return CachedProviderManager(
        [ScriptedProvider(list(script) or ["answer"], name="a")],
        cache=Redis(url=url, **options),
        caching=CacheSettings(ttl=Duration(60.0)),
    )


def test_two_services_on_two_machines_share_answers(server: Any) -> None:
    async def scenario() -> None:
        async with manager(server.url) as one, manager(server.url) as other:
            assert (await one.process("shared request")).cache == "miss"
            assert (await other.process("shared request")).cache == "fresh"

    asyncio.run(scenario())


@pytest.mark.parametrize("signal_sent", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hanging"])
def test_when_the_server_goes_every_request_still_answers_and_when_it_is_back_it_is_used(
    start: Any, signal_sent: signal.Signals
) -> None:
    own_server = start()

    async def scenario() -> None:
        clock = time.monotonic
        async with manager(own_server.url) as service:
            for number in range(5):
                await service.process(f"{number}")
            own_server.process.send_signal(signal_sent)
            waits = []
            for number in range(50):
                started = clock()
                assert (await service.process(f"{number % 10}")).output == "answer"
                waits.append(clock() - started)
            assert max(waits) < 0.7
            assert sum(waits) < 2.5
            if signal_sent is signal.SIGKILL:
                own_server.process.wait()
                own_server.start()
            else:
                own_server.process.send_signal(signal.SIGCONT)
            until = clock() + 20.0
            while clock() < until:
                if (await service.process("back")).cache == "fresh":
                    break
                await asyncio.sleep(0.05)
            else:
                raise AssertionError("it did not come back")

    asyncio.run(scenario())


def test_a_full_server_refuses_cleanly(start: Any) -> None:
    started = start("--maxmemory", "4mb", "--maxmemory-policy", "noeviction")

    async def scenario() -> None:
        cache = Redis(url=started.url)
        await cache.set("key", b"old", 60.0)
        with contextlib.suppress(NotKept):
            for number in range(100):
                await cache.set(f"{number}", bytes(200_000), 60.0)
        with pytest.raises(NotKept):
            await cache.set("key", bytes(200_000), 60.0)
        assert await cache.get("key") is None
        await cache.aclose()

    asyncio.run(scenario())


def test_a_lifetime_ends_on_the_server_too(server: Any) -> None:
    async def scenario() -> None:
        cache = Redis(url=server.url)
        await cache.set("short", b"value", 0.05)
        await asyncio.sleep(0.1)
        assert await cache.get("short") is None
        await cache.aclose()

    asyncio.run(scenario())


def test_the_password_is_used_and_not_shown(start: Any) -> None:
    started = start("--requirepass", "open sesame")

    async def scenario() -> None:
        cache = Redis(url=started.url, password=Secret("open sesame"))
        assert "sesame" not in repr(cache)
        await cache.set("key", b"value", 60.0)
        assert await cache.get("key") == b"value"
        await cache.aclose()

    asyncio.run(scenario())


def test_random_clients_that_are_cut_off_never_get_each_others_answers(server: Any) -> None:
    """Requests are cancelled at random moments; what comes back belongs to its key."""
    dice = random.Random(0)

    async def scenario() -> None:
        cache = Redis(url=server.url, connections=4)
        for number in range(20):
            await cache.set(f"cut:{number}", b"%d" % number, 60.0)

        async def ask(number: int) -> None:
            assert await cache.get(f"cut:{number}") == b"%d" % number

        for _ in range(30):
            tasks = [asyncio.ensure_future(ask(dice.randrange(20))) for _ in range(4)]
            await asyncio.sleep(dice.random() * 0.0005)
            for task in tasks[: dice.randrange(4)]:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(result is None or isinstance(result, asyncio.CancelledError) for result in results)
        await cache.aclose()

    asyncio.run(scenario())
