"""The transport that is used unless another is given: a bounded pool of aiohttp's connections."""

import asyncio
import os
import ssl
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import attrs
from switchgear import AttemptTimeout, NotSent, ProviderError, map_errors
from switchgear.errors import OutcomeError

from switchgear_http.transport import HttpAnswer, HttpRequest

# In this order: the first that fits counts. What was not connected was not sent, and may go to anybody.
CLIENT_ERRORS: dict[type[Exception], type[OutcomeError]] = {
    aiohttp.ConnectionTimeoutError: NotSent,
    aiohttp.ClientConnectorError: NotSent,
    aiohttp.ClientConnectorCertificateError: NotSent,
    aiohttp.ClientHttpProxyError: NotSent,
    aiohttp.InvalidURL: NotSent,
    aiohttp.ServerTimeoutError: AttemptTimeout,
    aiohttp.ClientError: ProviderError,
}
_ERROR_BODY = 64 * 1024  # of an answer that is an error, as much as may hold a message


@attrs.define(kw_only=True, eq=False)
class Connections:
    """Keeps connections of one event loop: make it there, and close it there.

    TLS certificates are always checked, against the system's authorities or those in `ca_file`. At most `limit`
    connections are open; further requests wait, together with connecting for at most `connect_timeout` seconds.
    `read_timeout` is the longest silence of the other end. An answer of more than `response_limit` bytes is an error.
    """

    limit: int = 32
    connect_timeout: float = 5.0
    read_timeout: float = 60.0
    response_limit: int = 16 * 1024 * 1024
    ca_file: Path | None = None
    proxy: str | None = attrs.field(default=None, repr=False)
    user_agent: str = "switchgear-http"
    _session: aiohttp.ClientSession | None = attrs.field(default=None, init=False, repr=False)

    async def send(self, request: HttpRequest) -> HttpAnswer:
        try:
            return await self._exchange(request)
        # Translated here, not around it: requests that go well need not pay for that. A bug comes out as it is.
        except (aiohttp.ClientError, OSError, TimeoutError):
            try:
                with map_errors(CLIENT_ERRORS):
                    raise
            except OutcomeError as error:
                _without_request(error)
                raise

    async def aclose(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()
            # Transports close on the loop's next turn; until then they would count as left open.
            await asyncio.sleep(0)  # noqa: TID251

    async def _exchange(self, request: HttpRequest) -> HttpAnswer:
        session = self._session or self._open()
        async with session.request(
            request.method,
            request.url,
            data=request.body,
            headers=request.headers,
            allow_redirects=False,
            proxy=self.proxy,
        ) as response:
            if response.status < 400:
                body = await self._whole(response)
            else:
                body = await _beginning(response)
            return HttpAnswer(response.status, response.headers, body)

    async def _whole(self, response: aiohttp.ClientResponse) -> bytes:
        content, limit = response.content, self.response_limit
        body = await content.readany()
        if not content.at_eof():
            chunks, size = [body], len(body)
            while size <= limit and (chunk := await content.readany()):
                chunks.append(chunk)
                size += len(chunk)
            body = b"".join(chunks)
        if len(body) > limit:
            raise ProviderError(
                f"the answer is longer than {limit} bytes", remedy="raise `response_limit` if such answers are expected"
            )
        return body

    def _open(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=self.limit, ssl=_trusting(self.ca_file))
        timeout = aiohttp.ClientTimeout(total=None, connect=self.connect_timeout, sock_read=self.read_timeout)
        session = self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=timeout,
            headers={"User-Agent": self.user_agent, "Accept": "application/json"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=True,
            trust_env=False,  # it would look at the environment in every request, and send passwords out of ~/.netrc
        )
        # aiohttp sends a GET again when a kept connection turns out to be closed. Retries are the manager's.
        session._retry_connection = False
        return session


def proxy_from_environment(url: str) -> str | None:
    """The proxy that `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` name for this URL."""
    parts = urlsplit(url)
    if proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    return getproxies().get(parts.scheme)


def _trusting(ca_file: Path | None) -> ssl.SSLContext | bool:
    if ca_file is None:
        return True
    reason = ""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # an unreadable certificate is one as well
        reason = error.strerror or type(error).__name__
    raise NotSent(f"ca_file {ca_file} cannot be used: {reason}", remedy="name a file of PEM certificates")


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """What an error's body begins with. The status is what counts: a body that breaks off does not hide it."""
    body = b""
    with suppress(aiohttp.ClientError, TimeoutError, OSError):
        while len(body) < _ERROR_BODY and (chunk := await response.content.readany()):
            body += chunk
    return body[:_ERROR_BODY]


def _without_request(error: OutcomeError) -> None:
    """Keep of aiohttp's error what names no URL, header or body, in words; the system's own stays as the cause."""
    cause = error.__cause__
    if cause is None:
        return
    root: BaseException | None = cause
    while root is not None and type(root).__module__.partition(".")[0] == "aiohttp":
        root = root.__cause__
    root = root if isinstance(root, OSError) else None
    if root is not None and root.errno and root.errno > 0:
        error.args = (os.strerror(root.errno),)  # by number: asyncio's own text repeats the address
    elif isinstance(cause, aiohttp.ClientConnectorDNSError):
        error.args = ("the host's name is not known",)
    if isinstance(cause, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        error.remedy = "name the authority that signed the server's certificate in `ca_file`"
    error.__cause__, error.__context__, error.__suppress_context__ = root, None, True
