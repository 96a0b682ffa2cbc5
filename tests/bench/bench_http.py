"""What a request through `HttpProvider` costs beside one with aiohttp alone; the server is in another process.

Target: at most a quarter more CPU time than the bare client. The ratio is the last column.
"""

import asyncio
import json
import multiprocessing
from collections.abc import Awaitable, Callable
from decimal import Decimal
from multiprocessing.connection import Connection
from typing import Any

import aiohttp
import attrs
from figures import Section, judged, parser, show
from measure import Case, Effort, cpu_us
from switchgear import ProviderManager, ProviderResult, ProviderStatus, Secret
from switchgear_http import HttpProvider, expected_shape

RATIO = 1.25
AT_ONCE = 32
TEXT = "The quick brown fox jumps over the lazy dog. " * 5
ANSWER = json.dumps({"translations": [{"detected_source_language": "EN", "text": TEXT}]}).encode()
REPLY = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    b"Date: Tue, 24 Nov 2026 03:00:00 GMT\r\nContent-Length: %d\r\n\r\n"
)


class Answering(asyncio.Protocol):
    """One answer for every request: a server that costs next to nothing."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]) if found else 0
        if found and len(body) >= length:
            self.buffer = b""
            self.transport.write(REPLY % len(ANSWER) + ANSWER)


def serve(line: Connection) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
        line.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


@attrs.define(kw_only=True)
class Vendor(HttpProvider[str, str]):
    """As small as a provider can be, and with what every real one does."""

    api_key: Secret = attrs.field(factory=lambda: Secret("key"))

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.api_key.reveal()}"}

    async def process(self, request: str) -> ProviderResult[str]:
        found = await self.post_json("/v2/translate", {"text": [request], "target_lang": "DE"})
        with expected_shape():
            return ProviderResult(found["translations"][0]["text"], usage={"characters": Decimal(len(request))})

    async def probe(self) -> ProviderStatus:
        return ProviderStatus.AVAILABLE


@attrs.define
class Bare:
    """What one would write with aiohttp: a session, a POST of JSON, the decoded answer."""

    url: str
    session: aiohttp.ClientSession | None = None

    async def ask(self, text: str) -> Any:
        if self.session is None:
            connector = aiohttp.TCPConnector(limit=AT_ONCE)
            self.session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(sock_read=60))
        async with self.session.post(
            f"{self.url}/v2/translate",
            json={"text": [text], "target_lang": "DE"},
            headers={"Authorization": "Bearer key"},
        ) as response:
            response.raise_for_status()
            return (await response.json())["translations"][0]["text"]

    async def close(self) -> None:
        if self.session is not None:
            await self.session.close()


@attrs.define
class Provided:
    """The same with `HttpProvider`."""

    provider: Vendor

    async def ask(self, text: str) -> Any:
        if self.provider.transport is None:
            await self.provider.aopen()
        return (await self.provider.process(text)).output

    async def close(self) -> None:
        await self.provider.aclose()


@attrs.define
class Managed:
    """And with all that a manager does around it."""

    manager: ProviderManager[str, str]

    async def ask(self, text: str) -> Any:
        return (await self.manager.process(text)).output

    async def close(self) -> None:
        await self.manager.aclose()


def one_by_one(ask: Callable[[str], Awaitable[Any]]) -> Case:
    async def case(calls: int) -> None:
        for _ in range(calls):
            await ask(TEXT)

    return case


def at_once(ask: Callable[[str], Awaitable[Any]]) -> Case:
    async def case(calls: int) -> None:
        numbers = iter(range(calls))

        async def caller() -> None:
            for _ in numbers:
                await ask(TEXT)

        await asyncio.gather(*(caller() for _ in range(AT_ONCE)))

    return case


def section(title: str, kind: Callable[[Any], Case], url: str, effort: Effort) -> Section:
    provider, behind = Vendor(name="vendor", base_url=url), Vendor(name="vendor", base_url=url)
    clients = {
        "aiohttp alone": Bare(url),
        "HttpProvider": Provided(provider),
        "behind a ProviderManager": Managed(ProviderManager([behind])),
    }

    async def close() -> None:
        for client in clients.values():
            await client.close()

    figures = cpu_us({name: kind(client.ask) for name, client in clients.items()}, effort, close)
    alone = figures["aiohttp alone"]
    return Section(
        f"CPU of this process per request, us, {title}",
        [
            {
                "case": name,
                "us": figure,
                "x aiohttp": figure / alone,
                "target": RATIO if name == "HttpProvider" else None,
                "": judged(figure / alone, RATIO) if name == "HttpProvider" else "",
            }
            for name, figure in figures.items()
        ],
    )


def main() -> None:
    options = parser(__doc__ or "").parse_args()
    effort = Effort.of(options.quick)
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{ours.recv()}"
    try:
        sections = [
            section("one after the other", one_by_one, url, effort),
            section(f"{AT_ONCE} at a time", at_once, url, effort),
        ]
    finally:
        server.terminate()
        server.join()
    show(sections, options.json)


if __name__ == "__main__":
    main()
