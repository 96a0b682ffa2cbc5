"""The base class of providers that talk HTTP: a subclass says what is sent and how the answer reads."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, ClassVar

import attrs
from attrs import field, validators
from switchgear import (
    Finding,
    ProviderStatus,
    Secret,
    SimpleProvider,
    UsageError,
    error_for_status,
    parse_retry_after,
)
from switchgear.clock import SYSTEM_CLOCK, Clock
from switchgear.durations import Duration
from switchgear.errors import BadCredentials, OutcomeError
from switchgear.provider import RequestT
from switchgear.results import OutputT
from switchgear.rules import Wait

from switchgear_http.bodies import encode_json, message_in, read_json
from switchgear_http.connections import Connections, proxy_from_environment
from switchgear_http.diagnosis import diagnose
from switchgear_http.scrubbing import scrub
from switchgear_http.transport import NO_HEADERS, HttpAnswer, HttpRequest, Transport

_JSON = {"Content-Type": "application/json"}


@attrs.define(kw_only=True, eq=False, slots=False)
class HttpProvider(SimpleProvider[RequestT, OutputT]):
    """Ask a vendor over HTTP.

    A subclass writes `process`, with `post_json` or `get_json`, and `probe`, which asks for something that is not
    billed. `status_errors` is what the vendor means by a status where that differs from the usual; `remedies` says what
    to do about an error.
    """

    status_errors: ClassVar[Mapping[int, type[OutcomeError]]] = {}
    remedies: ClassVar[Mapping[type[OutcomeError], str]] = {}

    base_url: str = field(metadata={"help": "where the vendor is reached, up to where the paths begin"})
    proxy: Secret | None = field(
        default=None, metadata={"help": "URL of an HTTP proxy; a secret, since it may hold a password", "answer": False}
    )
    trust_env: bool = field(
        default=True, metadata={"help": "without `proxy`: obey HTTPS_PROXY, HTTP_PROXY and NO_PROXY", "answer": False}
    )
    ca_file: Path | None = field(
        default=None, metadata={"help": "PEM file of the authorities to trust; absent: the system's", "answer": False}
    )
    connections: int = field(
        default=32, validator=validators.ge(1), metadata={"help": "at the same time, at most", "answer": False}
    )
    connect_timeout: Wait = field(
        default=Duration(5.0), metadata={"help": "the longest to wait for a connection", "answer": False}
    )
    read_timeout: Wait = field(
        default=Duration(60.0), metadata={"help": "the longest silence within an answer", "answer": False}
    )
    response_limit: int = field(
        default=16 * 1024 * 1024,
        validator=validators.ge(1),
        metadata={"help": "bytes of an answer, at most", "answer": False},
    )

    transport: Transport | None = field(default=None, init=False, repr=False)
    clock: Clock = field(default=SYSTEM_CLOCK, init=False, repr=False)
    server_date: str | None = field(default=None, init=False, repr=False)  # `Date` of the last answer

    # What a subclass may override

    def headers(self) -> Mapping[str, str]:
        """The headers of every request: where most vendors want the key."""
        return NO_HEADERS

    async def probe(self) -> ProviderStatus:
        """Ask the vendor for something that is not billed, best where the key is checked; raise what that raises."""
        raise NotImplementedError(f"{type(self).__name__} has no probe()")

    async def verify(self) -> ProviderStatus:
        """As `probe`, for `switchgear doctor`: where that does not look at the key, this should."""
        return await self.probe()

    def message_of(self, answer: HttpAnswer) -> str:
        """The vendor's own explanation of an error, as it stands there: it is scrubbed before anybody sees it."""
        return message_in(answer)

    def error_for(self, answer: HttpAnswer, message: str) -> OutcomeError:
        """The error for an answer of status 300 and above; `message` is safe to log."""
        if answer.status < 400:  # as with 404: what is configured is not where the vendor is
            return BadCredentials(
                f"HTTP {answer.status}: a redirect, which is not followed",
                remedy="put the address it leads to in `base_url`",
            )
        wait = parse_retry_after(answer.headers.get("Retry-After"), self.clock.utc())
        return error_for_status(answer.status, message, retry_after=wait, overrides=self.status_errors)

    # What a subclass calls

    async def post_json(self, path: str, value: Any) -> Any:
        """Send a value as JSON and return the decoded answer. Raises one of `switchgear.errors`."""
        return read_json(await self.ask("POST", path, encode_json(value), _JSON, content=value))

    async def get_json(self, path: str) -> Any:
        """The decoded answer to a GET. A path with a query must hold no content and no key."""
        return read_json(await self.ask("GET", path))

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
        *,
        content: Any = None,
    ) -> HttpAnswer:
        """Send anything, once, and return an answer of status 200 to 299.

        `content` is what the body says, in texts or tables of them: an error's message that repeats it is withheld.
        """
        if self.transport is None:
            raise UsageError(f"{self.name or type(self).__name__} is not open; await aopen() first")
        own = self.headers()
        request = HttpRequest(method, self.base_url.rstrip("/") + path, {**own, **headers} if own else headers, body)
        try:
            answer = await self.transport.send(request)
        except OutcomeError as error:
            self._advise(error)
            raise
        self.server_date = answer.headers.get("Date")
        if answer.status >= 300:
            raise self._error(answer, content)
        return answer

    # What is done for it

    async def health_check(self) -> ProviderStatus:
        try:
            return await self.probe()
        except OutcomeError:
            return ProviderStatus.UNAVAILABLE

    async def diagnose(self) -> Sequence[Finding]:
        """What `switchgear doctor` shows: whether it can be reached, takes our key, and agrees on the time."""
        return await diagnose(self)

    async def aopen(self) -> None:
        if self.transport is None:
            self.transport = self.open_transport()

    async def aclose(self) -> None:
        transport, self.transport = self.transport, None
        if transport is not None:
            await transport.aclose()

    def open_transport(self) -> Transport:
        """What sends this provider's requests; set `transport` beforehand to use another."""
        proxy = self.proxy.reveal() if self.proxy else None
        if proxy is None and self.trust_env:
            proxy = proxy_from_environment(self.base_url)
        return Connections(
            limit=self.connections,
            connect_timeout=self.connect_timeout,
            read_timeout=self.read_timeout,
            response_limit=self.response_limit,
            ca_file=self.ca_file,
            proxy=proxy,
            user_agent=_user_agent(type(self).__module__.partition(".")[0]),
        )

    def _error(self, answer: HttpAnswer, content: Any) -> OutcomeError:
        said = ""
        with suppress(OutcomeError):  # a body that cannot be read must not hide the status
            said = self.message_of(answer)
        error = self.error_for(answer, scrub(said, self._secrets(), content))
        self._advise(error)
        return error

    def _advise(self, error: OutcomeError) -> None:
        if error.remedy is None:
            error.remedy = self.remedies.get(type(error))

    def _secrets(self) -> Iterator[str]:
        return (value.reveal() for value in self.secrets().values())

    def secrets(self) -> Mapping[str, Secret]:
        """Its options that hold a secret, by name."""
        values = ((each.name, getattr(self, each.name, None)) for each in attrs.fields(type(self)))
        return {name: value for name, value in values if isinstance(value, Secret)}


def _user_agent(package: str) -> str:
    """Some vendors refuse requests without one."""
    name = package.replace("_", "-")
    try:
        return f"{name}/{version(name)}"
    except PackageNotFoundError:
        return f"switchgear-http/{version('switchgear-http')} ({name})"
