"""A cluster of three nodes: keys lie on all of them, and no command wants two that lie apart."""

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from redis.asyncio import Redis as Client
from redis.asyncio.cluster import RedisCluster
from switchgear import CachedProviderManager, CacheSettings
from switchgear.durations import Duration
from switchgear.testing import CacheSuite, ScriptedProvider
from switchgear_redis import Redis

NODES = 3
MANY = 1200


def free_port() -> int:
    """For what nodes tell each other; by default 10,000 above the other one, which may be none."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@pytest.fixture(scope="module", params=["valkey", "redis"])
def nodes(request: pytest.FixtureRequest, start_in: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Three nodes that have found each other, each with a third of the slots."""
    command = shutil.which("redis-cli")
    if command is None:
        pytest.skip("redis-cli is not installed")
    with start_in(tmp_path_factory.mktemp(request.param)) as start:
        yield made_cluster(command, start, request.param)


def made_cluster(command: str, start: Any, program: str) -> list[Any]:
    options = ("--cluster-enabled", "yes", "--cluster-port")
    started = [start(*options, str(free_port()), program=program) for _ in range(NODES)]
    places = [f"127.0.0.1:{node.port}" for node in started]
    made = subprocess.run(
        [command, "--cluster", "create", *places, "--cluster-replicas", "0", "--cluster-yes"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "All 16384 slots covered" in made.stdout, made.stdout + made.stderr
    for place in places:
        wait_until_ready(command, place)
    return started


def wait_until_ready(command: str, place: str) -> None:
    for _ in range(400):
        shown = subprocess.run([command, "-u", f"redis://{place}", "cluster", "info"], capture_output=True, check=False)
        if b"cluster_state:ok" in shown.stdout:
            return
        time.sleep(0.05)
    raise RuntimeError(f"the cluster is not ready: {shown.stdout!r}")


class TestCluster(CacheSuite):
    """The contract of every cache, also where its keys lie on three nodes."""

    examples = 5

    @pytest.fixture(autouse=True)
    def take(self, nodes: list[Any]) -> None:
        self.nodes = nodes

    def make(self) -> Redis:
        return Redis(url=self.nodes[0].url, cluster=True)


@pytest.fixture
def empty(nodes: list[Any]) -> list[Any]:
    async def flush() -> None:
        for node in nodes:
            async with Client.from_url(node.url) as client:
                await client.flushall()

    asyncio.run(flush())
    return nodes


async def sizes(nodes: list[Any]) -> list[int]:
    """How many keys lie on each node, asked of each by itself."""
    found = []
    for node in nodes:
        async with Client.from_url(node.url) as client:
            found.append(await client.dbsize())
    return found


def test_keys_lie_on_all_nodes_and_one_service_is_cleared_on_all_of_them(empty: list[Any]) -> None:
    async def scenario() -> None:
        cache = Redis(url=empty[0].url, cluster=True)
        await asyncio.gather(*(cache.set(f"scans:{number}", b"%d" % number, 60.0) for number in range(MANY)))
        await asyncio.gather(*(cache.set(f"letters:{number}", b"%d" % number, 60.0) for number in range(90)))
        assert isinstance(cache._connected(), RedisCluster)
        spread = await sizes(empty)
        assert sum(spread) == MANY + 90
        assert min(spread) > MANY / 10, f"they lie on one node: {spread}"
        assert [await cache.get(f"scans:{number}") for number in range(50)] == [b"%d" % number for number in range(50)]
        assert {key async for key in cache.keys("scans:")} == {f"scans:{number}" for number in range(MANY)}
        assert (await cache.size()).entries == MANY + 90
        await cache.clear("scans:")
        assert sum(await sizes(empty)) == 90
        assert len([key async for key in cache.keys("letters:")]) == 90
        assert [key async for key in cache.keys("scans:")] == []
        await cache.delete("letters:1")
        assert await cache.get("letters:1") is None
        await cache.aclose()

    asyncio.run(scenario())


def test_a_service_uses_it_and_forgets_by_service_and_provider(empty: list[Any]) -> None:
    def service(name: str, node: Any) -> CachedProviderManager[Any, Any]:
        cache = Redis(url=node.url, cluster=True)
        caching = CacheSettings(ttl=Duration(600.0), timeout=Duration(5.0))
        provider = ScriptedProvider(["answer"], name="a")
        return CachedProviderManager([provider], service=name, cache=cache, caching=caching)

    async def scenario() -> None:
        async with service("scans", empty[0]) as scans, service("letters", empty[1]) as letters:
            for each in (scans, letters):
                found = [(await each.process(f"{number % 60}")).cache for number in range(120)]
                assert found == ["miss"] * 60 + ["fresh"] * 60
            assert min(await sizes(empty)) > 0
            assert await letters.invalidate(provider="a") == 60
            assert (await letters.process("1")).cache == "miss"
            await scans.invalidate()
            assert sum(await sizes(empty)) == 1
            levels = [each.cache_figures.levels["redis"] for each in (scans, letters)]
            assert [(level.errors, level.timeouts, level.unreadable) for level in levels] == [(0, 0, 0)] * 2

    asyncio.run(scenario())


def test_when_a_node_is_killed_every_request_still_answers(nodes: list[Any]) -> None:
    """The last in this file: the cluster is of no use afterwards."""

    async def scenario() -> None:
        cache = Redis(url=nodes[0].url, cluster=True)
        provider = ScriptedProvider([lambda request: f"answer to {request}"], name="a")
        caching = CacheSettings(ttl=Duration(600.0))
        async with CachedProviderManager([provider], cache=cache, caching=caching) as service:
            for number in range(60):
                await service.process(f"{number}")
            nodes[2].kill()
            for number in range(120):
                started = time.monotonic()
                assert (await service.process(f"{number}")).output == f"answer to {number}"
                assert time.monotonic() - started < 2.0

    asyncio.run(scenario())
