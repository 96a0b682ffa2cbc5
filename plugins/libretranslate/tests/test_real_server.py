"""The provider, and the fake, against LibreTranslate's own HTTP server; only the models behind it are not there."""

import asyncio
import json
import os
import socket
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from switchgear import BadCredentials, ProviderError, ProviderStatus, Secret, Throttled, Unsupported
from switchgear_http.testing import LocalServer
from switchgear_libretranslate import LibreTranslate
from switchgear_libretranslate.testing import KEY, FakeLibreTranslate
from switchgear_translation import TranslationRequest

pytestmark = pytest.mark.full

DATA = Path(__file__).parent / "data"
PATIENCE = 30.0  # seconds for the server to start

Start = Callable[..., str]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("libretranslate")
    venv.create(folder, with_pip=True)
    python = folder / "bin/python"
    for wanted in (["--requirement", str(DATA / "server-requirements.txt")], ["--no-deps", "libretranslate==1.9.6"]):
        pip = subprocess.run(
            [python, "-m", "pip", "install", "-q", *wanted], capture_output=True, text=True, check=False
        )
        if pip.returncode:
            pytest.skip(f"LibreTranslate cannot be installed here: {pip.stderr[-300:]}")
    return python


@pytest.fixture
def start(python: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts a server with these arguments and gives its address."""
    running: list[subprocess.Popen[bytes]] = []

    def one(*arguments: str) -> str:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = str(found.getsockname()[1])
        command = [str(python), str(DATA / "server.py"), "--host", "127.0.0.1", "--port", port, *arguments]
        with (tmp_path / "log").open("wb") as log:
            running.append(subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log, env={**os.environ}))
        url = f"http://127.0.0.1:{port}"
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and running[-1].poll() is None:
            try:
                urllib.request.urlopen(f"{url}/health", timeout=5).close()
                return url
            except OSError:
                time.sleep(0.1)
        raise AssertionError((tmp_path / "log").read_text())

    yield one
    for process in running:
        process.kill()
        process.wait()


def add_key(folder: Path, key: str) -> None:
    """As the server's own `ltmanage keys add 120` does."""
    (folder / "db").mkdir()
    with closing(sqlite3.connect(folder / "db/api_keys.db")) as database, database:
        database.execute(
            'CREATE TABLE api_keys ("api_key" TEXT NOT NULL, "req_limit" INTEGER NOT NULL, '
            '"char_limit" INTEGER DEFAULT NULL, PRIMARY KEY("api_key"))'
        )
        database.execute("INSERT INTO api_keys VALUES (?, 120, NULL)", (key,))


def used(url: str, method: str, *arguments: Any, **options: Any) -> Any:
    async def run() -> Any:
        provider = LibreTranslate(base_url=url, name="libre", **options)
        await provider.aopen()
        try:
            return await getattr(provider, method)(*arguments)
        finally:
            await provider.aclose()

    return asyncio.run(run())


def test_it_translates_one_text_and_several(start: Start) -> None:
    url = start()
    assert used(url, "process", TranslationRequest("Hello", source="en", target="de")).output.texts == ("[de] Hello",)
    request = TranslationRequest(["Good morning, my friends", "", "<b>Bye</b>"], target="pt-BR", format="html")
    result = used(url, "process", request)
    assert result.output.texts == ("[pb] Good morning, my friends", "", "[pb] <b>Bye</b>")
    assert result.output.detected == ("en", None, "en")


def test_the_codes_of_models_are_taken_and_come_back_as_tags(start: Start) -> None:
    url = start()
    result = used(url, "process", TranslationRequest("Hello", source="en", target="zh-TW"))
    assert result.output.texts == ("[zt] Hello",)


def test_its_limits_are_unsupported(start: Start) -> None:
    url = start("--char-limit", "50", "--batch-limit", "2")
    for request in (
        TranslationRequest("a" * 51, source="en", target="de"),
        TranslationRequest(["a"] * 3, source="en", target="de"),
        TranslationRequest("a", source="en", target="fr"),
        TranslationRequest("a", source="en", target="es"),
    ):
        with pytest.raises(Unsupported, match="HTTP 400"):
            used(url, "process", request)


def test_the_limit_counts_for_each_text_by_itself(start: Start) -> None:
    url = start("--char-limit", "50")
    request = TranslationRequest(["a" * 50] * 3, source="en", target="de")
    assert len(used(url, "process", request).output.texts) == 3


def test_its_rate_limit_is_throttling_with_a_wait(start: Start) -> None:
    url = start("--req-limit", "3")
    request = TranslationRequest("Hello", source="en", target="de")
    for _ in range(3):
        used(url, "process", request)
    with pytest.raises(Throttled) as caught:
        used(url, "process", request)
    assert caught.value.retry_after == 60.0


def test_an_engine_that_breaks_is_transient_and_its_words_stay_away(start: Start) -> None:
    url = start()
    with pytest.raises(ProviderError) as caught:
        used(url, "process", TranslationRequest("please break the engine now", source="en", target="de"))
    assert type(caught.value) is ProviderError
    assert "engine" not in str(caught.value)


def test_a_key_is_asked_for_looked_at_and_tried_by_the_doctor(start: Start, tmp_path: Path) -> None:
    key = "7e8b6a1c-0000-4000-8000-000000000000"
    add_key(tmp_path, key)
    url = start("--api-keys", "--require-api-key-origin", "nobody")
    request = TranslationRequest("Hello", source="en", target="de")
    with pytest.raises(BadCredentials, match="HTTP 400"):
        used(url, "process", request)
    with pytest.raises(BadCredentials, match="HTTP 403"):
        used(url, "process", request, api_key=Secret("wrong"))
    assert used(url, "process", request, api_key=Secret(key)).output.texts == ("[de] Hello",)

    def credentials(**options: Any) -> bool | None:
        found = {finding.check: finding.ok for finding in used(url, "diagnose", **options)}
        return found["credentials"]

    assert credentials(api_key=Secret(key)) is True
    assert credentials(api_key=Secret("wrong")) is False
    assert credentials() is False


def test_its_health_is_told(start: Start) -> None:
    assert used(start(), "health_check") is ProviderStatus.AVAILABLE


def answered(url: str, path: str, body: Any) -> tuple[int, Any]:
    request = urllib.request.Request(
        url + path, json.dumps(body).encode() if body else None, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_the_fake_answers_as_the_real_one_does(start: Start) -> None:
    asked = [
        ("/health", None),
        ("/translate", {"q": "Hello", "source": "en", "target": "de"}),
        ("/translate", {"q": ["Hello", "Bye"], "source": "en", "target": "de", "format": "text"}),
        ("/translate", {}),
        ("/translate", {"q": "Hello"}),
        ("/translate", {"q": "Hello", "source": "en"}),
        ("/translate", {"q": "Hello", "source": "xx", "target": "de"}),
        ("/translate", {"q": "Hello", "source": "en", "target": "xx"}),
        ("/translate", {"q": "a" * 51, "source": "en", "target": "de"}),
        ("/translate", {"q": ["a"] * 3, "source": "en", "target": "de"}),
    ]
    real = start("--char-limit", "50", "--batch-limit", "2")
    with LocalServer(FakeLibreTranslate(char_limit=50, batch_limit=2)) as fake:
        for path, body in asked:
            assert answered(fake.url, path, body or None if path == "/health" else body or {"z": 1}) == answered(
                real, path, body or None if path == "/health" else body or {"z": 1}
            )


def test_the_fake_asks_for_keys_as_the_real_one_does(start: Start) -> None:
    real = start("--api-keys", "--require-api-key-origin", "nobody")
    with LocalServer(FakeLibreTranslate(key=KEY)) as fake:
        for body in ({"q": "Hello", "source": "en", "target": "de"}, {"api_key": "wrong"}):
            assert answered(fake.url, "/translate", body) == answered(real, "/translate", body)
