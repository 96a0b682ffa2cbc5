"""HTTP/1.1 as a server sees it, as far as tests need it: requests with a length, answers of any kind of wrongness."""

import asyncio
import json
import socket
import struct
from collections.abc import Mapping
from email.utils import formatdate
from http.client import responses
from typing import Any
from urllib.parse import parse_qsl

import attrs


@attrs.frozen
class Received:
    """A request that has arrived. `path` has the query; header names are lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def fields(self) -> dict[str, str]:
        """Those of a form, and those of the query, each once."""
        return dict(parse_qsl(self.path.partition("?")[2]) + parse_qsl(self.body.decode()))


@attrs.frozen
class Reply:
    """An answer. Length and date are added to the headers unless they are there."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = attrs.Factory(dict)

    @classmethod
    def json(cls, value: Any, status: int = 200, **headers: str) -> "Reply":
        """`headers` by name, with underscores for the hyphens."""
        given = {name.replace("_", "-"): text for name, text in headers.items()}
        return cls(json.dumps(value).encode(), status, {"Content-Type": "application/json", **given})

    def head(self) -> bytes:
        phrase = responses.get(self.status, "Whatever")
        headers = {"Content-Length": str(len(self.body)), "Date": formatdate(usegmt=True), **self.headers}
        lines = [f"HTTP/1.1 {self.status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode()


class Wire:
    """One connection, from the server's end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def receive(self) -> Received | None:
        """The next request; None when the client has gone."""
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
            line, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
            body = await self._reader.readexactly(int(headers.get("content-length", 0)))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        method, path, _ = line.split(" ")
        return Received(method, path, headers, body)

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def reply(self, reply: Reply) -> None:
        await self.send(reply.head() + reply.body)

    async def wait_until_the_client_leaves(self) -> None:
        await self._reader.read()

    def reset(self) -> None:
        """Close so that the client sees `connection reset`, not an orderly end."""
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def close(self) -> None:
        self._writer.close()
