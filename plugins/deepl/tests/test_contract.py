"""Our requests, and our fake's answers, against what DeepL publishes: its OpenAPI description and its own client."""

import asyncio
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import deepl
import pytest
import yaml
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse
from switchgear import Secret
from switchgear.errors import OutcomeError
from switchgear_deepl import DeepL
from switchgear_deepl.testing import KEY, FakeDeepL
from switchgear_http.testing import LocalServer, Received, Reply
from switchgear_translation import TranslationRequest

HOST = "https://api.deepl.com"
SPECIFICATION = Path(__file__).parent / "data/deepl-openapi.yaml"


@functools.cache
def openapi() -> OpenAPI:
    """DeepL's description (MIT, github.com/DeepLcom/openapi, 3.11.0), with what it says of our two paths."""
    document = yaml.safe_load(SPECIFICATION.read_text("utf-8"))
    document["paths"] = {path: document["paths"][path] for path in ("/v2/translate", "/v2/usage")}
    # It is not quite valid itself: a default that is not among the values.
    return OpenAPI.from_dict(_strict(document), config=Config(spec_validator_cls=None))


def _strict(document: Any) -> Any:
    """With status codes as texts, as OpenAPI has them, and without anything that the description does not name."""
    if isinstance(document, list):
        return [_strict(each) for each in document]
    if not isinstance(document, dict):
        return document
    found = {str(key): _strict(value) for key, value in document.items()}
    if isinstance(found.get("properties"), dict):
        found.setdefault("additionalProperties", False)
    return found


class Recorder:
    """An app that validates what it is asked and what it answers."""

    def __init__(self, app: FakeDeepL) -> None:
        self.app = app
        self.checked = 0
        self.problems: list[Exception] = []

    def __call__(self, request: Received) -> Reply:
        reply = self.app(request)
        try:
            self._check(request, reply)
        except Exception as error:  # in the server's thread, where nobody would see it
            self.problems.append(error)
        return reply

    def _check(self, request: Received, reply: Reply) -> None:
        asked = MockRequest(
            HOST,
            request.method.lower(),
            request.path,
            headers={"Authorization": request.headers.get("authorization", "")},
            data=request.body or None,
            content_type=request.headers.get("content-type", "application/json"),
        )
        openapi().validate_request(asked)
        if reply.body:
            answered = MockResponse(reply.body, reply.status, content_type=reply.headers["Content-Type"])
            openapi().validate_response(asked, answered)
        self.checked += 1


@pytest.fixture
def vendor() -> FakeDeepL:
    return FakeDeepL()


@pytest.fixture
def recorder(vendor: FakeDeepL) -> Recorder:
    return Recorder(vendor)


@pytest.fixture
def server(recorder: Recorder) -> Iterator[LocalServer]:
    with LocalServer(recorder) as server:
        yield server
    assert recorder.checked or recorder.problems
    for problem in recorder.problems:
        raise problem


EVERYTHING: list[dict[str, Any]] = [
    {},
    {"model_type": "prefer_quality_optimized", "split_sentences": "0", "preserve_formatting": True},
    {
        "tag_handling": "xml",
        "tag_handling_version": "v2",
        "outline_detection": False,
        "splitting_tags": ("p",),
        "non_splitting_tags": ("b",),
        "ignore_tags": ("code",),
    },
    {"glossaries": ("g-1", "g-2")},
    {
        "style_id": "7ff9bfd6-cd85-4190-8503-d6215a321519",
        "custom_instructions": ("Use a friendly tone.",),
        "translation_memory_id": "a74d88fb-ed2a-4943-a664-a4512398b994",
        "translation_memory_threshold": 80,
    },
]


@pytest.mark.parametrize("options", EVERYTHING, ids=["defaults", "text", "xml", "glossaries", "style"])
@pytest.mark.parametrize(
    "request_",
    [
        TranslationRequest("Hello", target="de"),
        TranslationRequest(["Hello", "", "Bye"], source="en", target="pt-BR", formality="more", context="A letter."),
        TranslationRequest(["<b>Hi</b>"], source="en", target="zh-TW", format="html", glossary="g-1", formality="less"),
    ],
    ids=["least", "texts", "html"],
)
def test_what_we_send_and_what_the_fake_answers_is_as_deepl_describes_it(
    server: LocalServer, request_: TranslationRequest, options: dict[str, Any]
) -> None:
    async def run() -> None:
        provider = DeepL(api_key=Secret(KEY), base_url=server.url, **options)
        await provider.aopen()
        try:
            await provider.process(request_)
            await provider.health_check()
        finally:
            await provider.aclose()

    asyncio.run(run())


@pytest.mark.parametrize("trouble", ["quota", "key"])
def test_the_fakes_errors_are_as_deepl_describes_them(server: LocalServer, vendor: FakeDeepL, trouble: str) -> None:
    vendor.limit = 1
    key = "wrong" if trouble == "key" else KEY

    async def run() -> None:
        provider = DeepL(api_key=Secret(key), base_url=server.url)
        await provider.aopen()
        try:
            with pytest.raises(OutcomeError):
                await provider.process(TranslationRequest("Hello", target="de"))
        finally:
            await provider.aclose()

    asyncio.run(run())


def test_the_description_would_find_a_misspelled_field() -> None:
    """A check that cannot fail checks nothing."""
    request = MockRequest(
        HOST,
        "post",
        "/v2/translate",
        headers={"Authorization": "DeepL-Auth-Key a"},
        data=b'{"text": ["a"], "target_lang": "DE", "formalty": "more"}',
        content_type="application/json",
    )
    with pytest.raises(Exception, match=r"(?i)request body"):
        openapi().validate_request(request)


@pytest.fixture
def client(server: LocalServer) -> Iterator[deepl.DeepLClient]:
    deepl.http_client.max_network_retries = 0
    client = deepl.DeepLClient(KEY, server_url=server.url, send_platform_info=False)
    yield client
    client.close()


def test_deepls_own_client_understands_the_fake(client: deepl.DeepLClient) -> None:
    one, other = client.translate_text(["Hello", "Bye"], target_lang="DE", source_lang="EN", formality="prefer_more")
    assert (one.text, one.detected_source_lang, other.text) == ("[DE] Hello", "EN", "[DE] Bye")
    assert one.billed_characters == 5
    usage = client.get_usage()
    assert (usage.character.count, usage.character.limit) == (8, 500_000)


def test_deepls_own_client_understands_the_fakes_errors(
    server: LocalServer, client: deepl.DeepLClient, vendor: FakeDeepL
) -> None:
    vendor.limit = 1
    with pytest.raises(deepl.QuotaExceededException):
        client.translate_text("Hello", target_lang="DE")
    stranger = deepl.DeepLClient("wrong", server_url=server.url)
    with pytest.raises(deepl.AuthorizationException):
        stranger.get_usage()
    stranger.close()


def test_deepls_own_client_sends_the_same_as_we_do(server: LocalServer, client: deepl.DeepLClient) -> None:
    client.translate_text(["Hello"], target_lang="DE", source_lang="EN", formality="less", context="A letter.")

    async def run() -> None:
        provider = DeepL(api_key=Secret(KEY), base_url=server.url)
        await provider.aopen()
        request = TranslationRequest("Hello", source="en", target="de", formality="less", context="A letter.")
        await provider.process(request)
        await provider.aclose()

    asyncio.run(run())
    theirs, ours = (each.json for each in server.requests("/v2/translate"))
    assert theirs == ours
