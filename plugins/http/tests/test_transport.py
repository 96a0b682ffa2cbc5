"""The transport against a real server that fails on purpose."""

import asyncio
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import trustme
from switchgear import AttemptTimeout, NotSent, ProviderError
from switchgear_http import Connections, HttpAnswer, HttpRequest
from switchgear_http.testing import FAULTS, LocalServer, Received, Reply


def echo(request: Received) -> Reply:
    return Reply.json({"path": request.path, "text": request.body.decode()})


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with LocalServer(echo) as server:
        yield server


def send(server: LocalServer, *, method: str = "POST", times: int = 1, **options: Any) -> HttpAnswer:
    async def run() -> HttpAnswer:
        connections = Connections(**{"connect_timeout": 2.0, "read_timeout": 0.2, **options})
        try:
            for _ in range(times):
                answer = await connections.send(HttpRequest(method, f"{server.url}/echo?q=planted", body=b"planted"))
            return answer
        finally:
            await connections.aclose()

    return asyncio.run(run())


def failure(server: LocalServer, fault: str, **options: Any) -> Exception:
    server.fault = FAULTS[fault]
    with pytest.raises(Exception) as caught:  # noqa: PT011  # which one is what the tests look at
        send(server, **options)
    return caught.value


def test_an_answer_comes_back_whole(server: LocalServer) -> None:
    answer = send(server)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.body) == {"path": "/echo?q=planted", "text": "planted"}


def test_connections_are_kept(server: LocalServer) -> None:
    send(server, times=5)
    assert (len(server.received), server.most_open) == (5, 1)


def test_connections_are_bounded(server: LocalServer) -> None:
    async def run() -> None:
        server.fault = FAULTS["slow"]
        connections = Connections(limit=3)
        await asyncio.gather(*(connections.send(HttpRequest("GET", server.url)) for _ in range(12)))
        await connections.aclose()

    asyncio.run(run())
    assert (len(server.received), server.most_open) == (12, 3)


def test_who_gets_no_connection_in_time_has_not_sent_anything(server: LocalServer) -> None:
    async def run() -> list[Any]:
        server.fault = FAULTS["hanging"]
        connections = Connections(limit=1, connect_timeout=0.05, read_timeout=0.3)
        asked = (connections.send(HttpRequest("GET", server.url)) for _ in range(2))
        answers = await asyncio.gather(*asked, return_exceptions=True)
        await connections.aclose()
        return answers

    first, second = asyncio.run(run())
    assert isinstance(first, AttemptTimeout)
    assert isinstance(second, NotSent)
    assert len(server.received) == 1


@pytest.mark.parametrize("fault", ["reset", "gone", "truncated", "garbled"])
def test_an_answer_that_breaks_off_is_transient(server: LocalServer, fault: str) -> None:
    assert type(failure(server, fault)) is ProviderError


@pytest.mark.parametrize("fault", ["hanging", "stalling"])
def test_silence_is_a_timeout(server: LocalServer, fault: str) -> None:
    assert type(failure(server, fault)) is AttemptTimeout


def test_nobody_there_means_not_sent_and_says_why(server: LocalServer) -> None:
    error = failure(server, "refused")
    assert type(error) is NotSent
    assert str(error) == "Connection refused"
    assert isinstance(error.__cause__, ConnectionRefusedError)


def test_an_unknown_host_means_not_sent() -> None:
    async def run() -> None:
        connections = Connections(connect_timeout=5.0)
        try:
            await connections.send(HttpRequest("GET", "http://nobody.invalid/?q=planted"))
        finally:
            await connections.aclose()

    with pytest.raises(NotSent, match="name is not known"):
        asyncio.run(run())


def test_an_answer_without_an_end_is_cut_off(server: LocalServer) -> None:
    error = failure(server, "endless", response_limit=100_000)
    assert type(error) is ProviderError
    assert "longer than 100000 bytes" in str(error)


@pytest.mark.parametrize("fault", ["gone", "reset", "error-503", "moved"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nothing_is_sent_twice(server: LocalServer, fault: str, method: str) -> None:
    """aiohttp repeats a GET by itself when the connection it had kept is closed, and follows redirects."""

    async def run() -> None:
        connections = Connections()
        await connections.send(HttpRequest(method, server.url))
        server.fault = FAULTS[fault]
        try:
            await connections.send(HttpRequest(method, server.url))
        except ProviderError:
            pass
        finally:
            await connections.aclose()

    asyncio.run(run())
    assert len(server.received) == 2


@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "slow"])
def test_no_error_repeats_what_was_sent(server: LocalServer, fault: str) -> None:
    server.fault = FAULTS[fault]
    try:
        send(server, response_limit=1000)
    except ProviderError as error:
        seen: BaseException | None = error
        while seen is not None:
            assert "planted" not in f"{seen} {seen!r} {seen.args}"
            seen = seen.__cause__ or seen.__context__


def test_the_status_of_an_error_counts_even_if_its_body_breaks_off(server: LocalServer) -> None:
    async def throttled_and_truncated(wire: Any, reply: Reply) -> None:
        await wire.send(Reply(b"x" * 1000, 429, {"Retry-After": "3"}).head() + b"x")
        wire.close()

    server.fault = attrs.evolve(FAULTS["truncated"], play=throttled_and_truncated)
    answer = send(server)
    assert (answer.status, answer.headers["Retry-After"]) == (429, "3")


def test_a_request_that_is_cancelled_leaves_no_connection_in_use(server: LocalServer) -> None:
    async def run() -> HttpAnswer:
        connections = Connections(limit=1)
        server.fault = FAULTS["hanging"]
        task = asyncio.ensure_future(connections.send(HttpRequest("GET", server.url)))
        while not server.received:  # noqa: ASYNC110  # which another thread fills
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.wait([task])
        server.fault = None
        answer = await connections.send(HttpRequest("GET", server.url))
        await connections.aclose()
        return answer

    assert asyncio.run(run()).status == 200


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[LocalServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with LocalServer(echo, tls=context) as server:
        yield server


def test_a_certificate_of_an_unknown_authority_is_refused(secure: LocalServer) -> None:
    with pytest.raises(NotSent) as caught:
        send(secure)
    assert "ca_file" in str(caught.value.remedy)
    assert secure.received == []


def test_a_certificate_of_a_named_authority_is_trusted(
    secure: LocalServer, authority: trustme.CA, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    assert send(secure, ca_file=path).status == 200


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_that_cannot_be_used_is_named(server: LocalServer, content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(NotSent, match="cannot be used"):
        send(server, ca_file=path)


def test_a_proxy_gets_the_requests(server: LocalServer) -> None:
    async def run() -> HttpAnswer:
        connections = Connections(proxy=server.url)
        try:
            return await connections.send(HttpRequest("GET", "http://vendor.invalid/v2/usage"))
        finally:
            await connections.aclose()

    assert asyncio.run(run()).status == 200
    assert server.received[0].path == "http://vendor.invalid/v2/usage"
