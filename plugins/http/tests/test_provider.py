"""The base class, with the smallest vendor there can be at the other end."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

import attrs
import pytest
from switchgear import (
    BadCredentials,
    InvalidInput,
    NotSent,
    ProviderError,
    ProviderResult,
    ProviderStatus,
    QuotaExceeded,
    Secret,
    Throttled,
    Unsupported,
    UsageError,
)
from switchgear.errors import OutcomeError
from switchgear.testing import ProviderSuite
from switchgear_http import HttpAnswer, HttpProvider, HttpRequest, expected_shape, read_json
from switchgear_http.connections import proxy_from_environment
from switchgear_http.testing import FAULTS, LocalServer, Received, Reply

KEY = "the-key-of-the-shouter"


@attrs.define(kw_only=True)
class Shouter(HttpProvider[str, str]):
    """Has a text put into capitals."""

    status_errors = {418: QuotaExceeded}  # noqa: RUF012
    remedies = {BadCredentials: "get a key at example.com", NotSent: "is the shouter at home?"}  # noqa: RUF012

    api_key: Secret = attrs.field(factory=lambda: Secret(KEY))

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.api_key.reveal()}"}

    async def process(self, request: str) -> ProviderResult[str]:
        answer = await self.post_json("/v1/shout", {"text": request})
        with expected_shape():
            return ProviderResult(answer["text"], usage={"characters": Decimal(len(request))})

    async def probe(self) -> ProviderStatus:
        await self.get_json("/v1/account")
        return ProviderStatus.AVAILABLE


def vendor(request: Received) -> Reply:
    if request.headers.get("authorization") != f"Bearer {KEY}":
        return Reply.json({"error": {"message": "who are you?"}}, 401)
    if request.path == "/v1/account":
        return Reply.json({"name": "me"})
    return Reply.json({"text": request.json["text"].upper()})


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with LocalServer(vendor) as server:
        yield server


def used(server: LocalServer, use: Callable[[Shouter], Any], **options: Any) -> Any:
    async def run() -> Any:
        provider = Shouter(name="shouter", base_url=server.url, **options)
        await provider.aopen()
        try:
            return await use(provider)
        finally:
            await provider.aclose()

    return asyncio.run(run())


def replying(reply: Reply) -> Any:
    async def play(wire: Any, right: Reply) -> None:
        await wire.reply(reply)

    return attrs.evolve(FAULTS["error-500"], play=play)


def error(server: LocalServer, reply: Reply, request: str = "a text of some length") -> OutcomeError:
    server.fault = replying(reply)
    with pytest.raises(OutcomeError) as caught:
        used(server, lambda provider: provider.process(request))
    return caught.value


class TestConformance(ProviderSuite):
    output_type = str

    @pytest.fixture(autouse=True)
    def start(self, server: LocalServer) -> None:
        self.server = server

    def make(self) -> Shouter:
        return Shouter(base_url=self.server.url)

    def requests(self) -> list[str]:
        return ["a", "b"]

    def options(self) -> Mapping[str, Any]:
        return {"base_url": self.server.url, "ca_file": "ca.pem", "proxy": "http://a:b@c", "connect_timeout": "1s"}

    def wire_calls(self) -> int:
        return len(self.server.requests("/v1/shout"))

    def break_wire(self) -> None:
        self.server.fault = FAULTS["reset"]


def test_what_is_sent_is_compact_json_with_the_providers_headers(server: LocalServer) -> None:
    assert used(server, lambda provider: provider.process("grüße")).output == "GRÜSSE"
    (request,) = server.received
    assert (request.method, request.path, request.body) == ("POST", "/v1/shout", '{"text":"grüße"}'.encode())
    assert request.headers["content-type"] == request.headers["accept"] == "application/json"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["user-agent"].startswith("switchgear-http/")


def test_an_address_may_end_in_a_slash_and_have_a_path(server: LocalServer) -> None:
    async def ask(provider: Shouter) -> None:
        provider.base_url = f"{server.url}/proxied/"
        await provider.post_json("/v1/shout", {"text": "a"})

    used(server, ask)
    assert server.received[0].path == "/proxied/v1/shout"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Unsupported),
        (401, BadCredentials),
        (404, BadCredentials),
        (418, QuotaExceeded),
        (429, Throttled),
        (500, ProviderError),
    ],
)
def test_a_status_is_what_the_table_or_the_plugin_says(
    server: LocalServer, status: int, kind: type[OutcomeError]
) -> None:
    found = error(server, Reply.json({"message": "no"}, status))
    assert type(found) is kind
    assert str(found) == f"HTTP {status}: no"


def test_the_plugin_says_what_to_do_about_it(server: LocalServer) -> None:
    assert error(server, Reply(status=401)).remedy == "get a key at example.com"


def test_a_redirect_is_an_address_that_is_wrong(server: LocalServer) -> None:
    found = error(server, Reply(status=308, headers={"Location": "https://example.com"}))
    assert isinstance(found, BadCredentials)
    assert "base_url" in str(found.remedy)


@pytest.mark.parametrize(
    "body",
    [
        {"message": "slow down"},
        {"error": "slow down"},
        {"error": {"message": "slow down", "code": 7}},
        {"detail": "slow down"},
        {"explanation": "slow down"},
        "slow down",
    ],
)
def test_the_vendors_words_are_found_wherever_vendors_put_them(server: LocalServer, body: Any) -> None:
    assert str(error(server, Reply.json(body, 429))) == "HTTP 429: slow down"


@pytest.mark.parametrize("body", [b"", b"<html>slow down</html>", b"[]", b"3", b'{"message": null}', b"\xff"])
def test_a_body_without_words_of_its_own_adds_none(server: LocalServer, body: bytes) -> None:
    assert str(error(server, Reply(body, 500))) == "HTTP 500"


def test_a_key_in_the_vendors_words_is_hidden(server: LocalServer) -> None:
    assert str(error(server, Reply.json({"message": f"{KEY} is no key"}, 403))) == "HTTP 403: *** is no key"


def test_words_that_repeat_the_request_are_withheld(server: LocalServer) -> None:
    found = error(server, Reply.json({"message": "cannot shout 'a text of some length'"}, 500))
    assert "length" not in str(found)


def test_what_cannot_be_encoded_is_the_callers_fault(server: LocalServer) -> None:
    with pytest.raises(InvalidInput) as caught:
        used(server, lambda provider: provider.process("half a \ud83d"))
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert server.received == []


def test_an_answer_of_another_shape_is_the_vendors_failure_and_repeats_nothing(server: LocalServer) -> None:
    found = error(server, Reply.json({"txet": "planted"}))
    assert type(found) is ProviderError
    assert "KeyError" in str(found)
    assert found.__cause__ is None
    assert found.__context__ is None or found.__context__.args == ()


def test_one_that_is_not_open_says_so(server: LocalServer) -> None:
    with pytest.raises(UsageError, match="aopen"):
        asyncio.run(Shouter(base_url=server.url).process("a"))


@attrs.define
class Scripted:
    """Another transport: no network at all."""

    answer: HttpAnswer
    sent: list[HttpRequest] = attrs.field(factory=list)
    closed: bool = False

    async def send(self, request: HttpRequest) -> HttpAnswer:
        self.sent.append(request)
        return self.answer

    async def aclose(self) -> None:
        self.closed = True


def test_another_transport_can_take_the_place_of_the_usual_one() -> None:
    transport = Scripted(HttpAnswer(200, {"Content-Type": "application/json"}, b'{"text": "A"}'))

    async def run() -> str:
        provider = Shouter(base_url="https://api.example.com")
        provider.transport = transport
        await provider.aopen()
        result = await provider.process("a")
        await provider.aclose()
        return result.output

    assert asyncio.run(run()) == "A"
    assert transport.sent[0].url == "https://api.example.com/v1/shout"
    assert transport.closed
    assert KEY not in repr(transport.sent)


def test_the_proxy_comes_from_the_options_or_else_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://from-environment:3128")
    monkeypatch.setenv("NO_PROXY", "internal.example.com")

    def proxy(url: str, **options: Any) -> str | None:
        found: str | None = Shouter(base_url=url, **options).open_transport().proxy  # type: ignore[attr-defined]
        return found

    assert proxy("https://api.example.com") == "http://from-environment:3128"
    assert proxy("https://api.example.com", proxy=Secret("http://mine:1")) == "http://mine:1"
    assert proxy("https://api.example.com", trust_env=False) is None
    assert proxy("https://internal.example.com:8443") is None
    assert proxy_from_environment("http://internal.example.com") is None


def findings(server: LocalServer, **options: Any) -> dict[str, Any]:
    return {finding.check: finding for finding in used(server, lambda provider: provider.diagnose(), **options)}


@pytest.mark.parametrize(("minutes", "way"), [(5, "behind"), (-5, "ahead of")])
def test_a_clock_that_goes_wrong_is_noticed(server: LocalServer, minutes: int, way: str) -> None:
    theirs = format_datetime(datetime.now(UTC) + timedelta(minutes=minutes), usegmt=True)
    server.fault = replying(Reply.json({}, Date=theirs))
    clock = findings(server)["clock"]
    assert (clock.ok, way in clock.detail, "NTP" in clock.remedy) == (False, True, True)


@pytest.mark.parametrize("date", ["yesterday", ""])
def test_a_date_that_is_none_says_nothing_about_the_clock(server: LocalServer, date: str) -> None:
    server.fault = replying(Reply.json({}, Date=date))
    assert "clock" not in findings(server)


def test_a_wrong_key_is_told_from_a_vendor_that_is_away(server: LocalServer) -> None:
    found = findings(server, api_key=Secret("wrong"))
    assert (found["reachable"].ok, found["credentials"].ok) == (True, False)
    assert found["credentials"].remedy == "get a key at example.com"
    server.fault = FAULTS["refused"]
    found = findings(server)
    assert (found["reachable"].ok, found["credentials"].ok) == (False, None)
    assert (found["reachable"].remedy, "healthy" in found) == ("is the shouter at home?", False)


def test_a_vendor_that_answers_nonsense_is_reachable_and_not_well(server: LocalServer) -> None:
    server.fault = FAULTS["error-500"]
    found = findings(server)
    assert (found["reachable"].ok, found["healthy"].ok) == (True, False)


def test_a_vendor_that_wants_fewer_requests_is_reachable(server: LocalServer) -> None:
    server.fault = FAULTS["throttled"]
    found = findings(server)
    assert (found["reachable"].ok, found["credentials"].ok) == (True, None)


def test_a_plugin_that_cannot_read_the_vendors_words_still_tells_the_status(server: LocalServer) -> None:
    class Pedant(Shouter):
        def message_of(self, answer: HttpAnswer) -> str:
            with expected_shape():
                found: str = read_json(answer)["explanation"]
                return found

    async def run() -> None:
        provider = Pedant(base_url=server.url)
        await provider.aopen()
        try:
            await provider.process("a")
        finally:
            await provider.aclose()

    server.fault = FAULTS["throttled-mutely"]
    with pytest.raises(Throttled):
        asyncio.run(run())
