"""Redis over TLS: whom it trusts, and what becomes of requests when it does not."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
import trustme
from loguru import logger
from redis.exceptions import ConnectionError as NotConnected
from switchgear import CachedProviderManager, CacheSettings
from switchgear.durations import Duration
from switchgear.testing import ScriptedProvider
from switchgear_redis import Redis


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path) -> Path:
    """The certificate of those who signed the server's."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return tmp_path / "ca.pem"


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    trustme.CA().cert_pem.write_to_path(tmp_path / "stranger.pem")
    return tmp_path / "stranger.pem"


@pytest.fixture
def port(authority: trustme.CA, trusted: Path, tmp_path: Path, start: Any) -> int:
    """Of a server that answers to the names 127.0.0.1 and localhost, and asks its clients for no certificate."""
    return start_tls(start, authority, trusted, tmp_path, "no")


def start_tls(start: Any, authority: trustme.CA, trusted: Path, folder: Path, auth_clients: str, *names: str) -> int:
    certificate = authority.issue_cert(*(names or ("127.0.0.1", "localhost")))
    certificate.private_key_pem.write_to_path(folder / "server.key")
    certificate.cert_chain_pems[0].write_to_path(folder / "server.pem")
    options = {
        "--tls-cert-file": folder / "server.pem",
        "--tls-key-file": folder / "server.key",
        "--tls-ca-cert-file": trusted,
        "--tls-auth-clients": auth_clients,
    }
    flat = [str(part) for pair in options.items() for part in pair]
    found: int = start(*flat, program="redis", listens="--tls-port").port
    return found


def url(port: int, host: str = "127.0.0.1") -> str:
    return f"rediss://{host}:{port}/0"


async def keep_and_find(cache: Redis) -> None:
    """By the lines that requests take, and by the client that people's commands take."""
    try:
        await cache.set("scans:1", b"value", 60.0)
        assert await cache.get("scans:1") == b"value"
        assert [key async for key in cache.keys("scans:")] == ["scans:1"]
        await cache.clear("scans:")
        assert (await cache.size()).entries == 0
    finally:
        await cache.aclose()


def test_the_authority_in_ca_file_is_trusted(port: int, trusted: Path) -> None:
    asyncio.run(keep_and_find(Redis(url=url(port), ca_file=trusted)))
    asyncio.run(keep_and_find(Redis(url=url(port, "localhost"), ca_file=trusted)))


def test_the_systems_authorities_are_trusted_where_none_is_named(
    port: int, trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    asyncio.run(keep_and_find(Redis(url=url(port))))


def test_by_default_a_certificate_of_nobody_we_trust_is_refused(port: int, stranger: Path) -> None:
    for options in ({}, {"ca_file": stranger}):
        with pytest.raises(NotConnected, match="CERTIFICATE_VERIFY_FAILED"):
            asyncio.run(keep_and_find(Redis(url=url(port), **options)))


def test_a_certificate_for_another_name_is_refused(
    authority: trustme.CA, trusted: Path, tmp_path: Path, start: Any
) -> None:
    port = start_tls(start, authority, trusted, tmp_path, "no", "cache.example.org")
    with pytest.raises(NotConnected, match="CERTIFICATE_VERIFY_FAILED"):
        asyncio.run(keep_and_find(Redis(url=url(port), ca_file=trusted)))


def test_a_server_that_wants_a_certificate_gets_the_one_in_the_url(
    authority: trustme.CA, trusted: Path, tmp_path: Path, start: Any
) -> None:
    port = start_tls(start, authority, trusted, tmp_path, "yes")
    ours = authority.issue_cert("application@example.org")
    ours.private_key_pem.write_to_path(tmp_path / "ours.key")
    ours.cert_chain_pems[0].write_to_path(tmp_path / "ours.pem")
    with pytest.raises(NotConnected):
        asyncio.run(keep_and_find(Redis(url=url(port), ca_file=trusted)))
    pair = f"?ssl_certfile={tmp_path / 'ours.pem'}&ssl_keyfile={tmp_path / 'ours.key'}"
    asyncio.run(keep_and_find(Redis(url=url(port) + pair, ca_file=trusted)))


def test_with_the_wrong_authority_every_request_is_a_miss_and_the_log_says_why(port: int, stranger: Path) -> None:
    lines: list[str] = []
    handler = logger.add(lambda message: lines.append(str(message)), level=logging.WARNING)
    logger.enable("switchgear")

    async def scenario() -> None:
        cache = Redis(url=url(port), ca_file=stranger)
        caching = CacheSettings(ttl=Duration(60.0), timeout=Duration(5.0))
        async with CachedProviderManager([ScriptedProvider(["answer"])], cache=cache, caching=caching) as service:
            for _ in range(10):
                result = await service.process("request")
                assert (result.output, result.cache) == ("answer", "miss")
            figures = service.cache_figures.levels["redis"]
            assert (figures.errors >= 3, figures.skipped > 0, figures.found) == (True, True, 0)
            assert "CERTIFICATE_VERIFY_FAILED" in figures.last_error

    try:
        asyncio.run(scenario())
    finally:
        logger.disable("switchgear")
        logger.remove(handler)
    assert "service.cache.redis: circuit open" in lines[0]
    assert "CERTIFICATE_VERIFY_FAILED" in lines[0]
