"""The contract of caches on a real server, which the tests start and kill."""

import asyncio
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from switchgear import CachedProviderManager, CacheSettings, NotKept
from switchgear.durations import Duration
from switchgear.testing import CacheSuite, ScriptedProvider
from switchgear_memcached import Memcached
from switchgear_memcached.connection import Broken, Connection

PROGRAM = shutil.which("memcached")

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="memcached is not installed")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@attrs.define
class Server:
    """One on a free port. `kill()` it and `start()` it again."""

    port: int = attrs.Factory(free_port)
    process: Any = None

    def start(self) -> "Server":
        self.process = subprocess.Popen([str(PROGRAM), "-u", "nobody", "-l", "127.0.0.1", "-p", str(self.port)])
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except OSError:
                time.sleep(0.01)
            else:
                return self
        raise RuntimeError("memcached does not start")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    started = Server().start()
    yield started
    started.kill()


@pytest.fixture
def own_server() -> Iterator[Server]:
    started = Server().start()
    yield started
    started.kill()


class TestMemcached(CacheSuite):
    @pytest.fixture(autouse=True)
    def take(self, server: Server) -> None:
        self.server = server

    def make(self) -> Memcached:
        return Memcached(host="127.0.0.1", port=self.server.port)


def manager(port: int) -> CachedProviderManager[Any, Any]:
    return CachedProviderManager(
        [ScriptedProvider(["answer"], name="a")],
        cache=Memcached(host="127.0.0.1", port=port),
        caching=CacheSettings(ttl=Duration(60.0)),
    )


@pytest.mark.parametrize("signal_sent", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hanging"])
def test_when_the_server_goes_every_request_still_answers_and_when_it_is_back_it_is_used(
    own_server: Server, signal_sent: signal.Signals
) -> None:
    async def scenario() -> None:
        clock = time.monotonic
        async with manager(own_server.port) as service:
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


def test_more_than_the_server_takes_is_refused_and_the_connection_goes_on(server: Server) -> None:
    async def scenario() -> None:
        cache = Memcached(host="127.0.0.1", port=server.port, connections=1)
        with pytest.raises(NotKept, match="too large"):
            await cache.set("large", bytes(1_100_000), 60.0)
        await cache.set("small", b"value", 60.0)
        assert await cache.get("small") == b"value"
        await cache.aclose()

    asyncio.run(scenario())


def test_a_lifetime_of_years_is_not_taken_for_a_date(server: Server) -> None:
    async def scenario() -> None:
        cache = Memcached(host="127.0.0.1", port=server.port)
        await cache.set("long", b"value", 3 * 365 * 86400.0)
        assert await cache.get("long") == b"value"
        await cache.aclose()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"VALUE other 0 1\r\nx\r\nEND\r\n",
        b"VALUE key 0 1\r\nxy\r\nEND\r\n",
        b"ERROR\r\n",
        b"HTTP/1.1 400\r\n",
        b"END",
    ],
)
def test_a_server_that_talks_nonsense_is_an_error_not_an_answer(answer: bytes) -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        writer.close()

    async def scenario() -> None:
        async with await asyncio.start_server(nonsense, "127.0.0.1", 0) as started:
            connection = await Connection.open("127.0.0.1", started.sockets[0].getsockname()[1], tls=False)
            with pytest.raises((Broken, ValueError, asyncio.IncompleteReadError)):
                await connection.get(b"key")
            connection.close()

    asyncio.run(scenario())
