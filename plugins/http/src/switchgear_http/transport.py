"""The seam between providers and the HTTP client: one request in, one answer out."""

from collections.abc import Mapping
from typing import Protocol

import attrs

NO_HEADERS: Mapping[str, str] = {}


@attrs.frozen
class HttpRequest:
    """What is sent. `url` is absolute; it holds neither keys nor content, which belong into headers and body."""

    method: str
    url: str
    headers: Mapping[str, str] = attrs.field(default=NO_HEADERS, repr=False)
    body: bytes | None = attrs.field(default=None, repr=False)


@attrs.frozen
class HttpAnswer:
    """What came back, whole: the headers are case-insensitive, the body is decompressed."""

    status: int
    headers: Mapping[str, str] = attrs.field(default=NO_HEADERS, repr=False)
    body: bytes = attrs.field(default=b"", repr=False)


class Transport(Protocol):
    """Sends one request once: it follows no redirect and tries nothing again.

    An answer of any status is an answer. Whatever else happens is raised as one of `switchgear.errors`, whose texts
    and causes hold neither the URL's query nor headers nor bodies.
    """

    async def send(self, request: HttpRequest) -> HttpAnswer: ...

    async def aclose(self) -> None: ...
