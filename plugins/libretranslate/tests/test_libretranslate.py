"""The provider against a LibreTranslate on this machine."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import attrs
import pytest
from libretranslatepy import LibreTranslateAPI
from switchgear import (
    BadCredentials,
    ProviderError,
    ProviderResult,
    ProviderStatus,
    Secret,
    Throttled,
    Unsupported,
)
from switchgear.errors import OutcomeError
from switchgear_http.testing import FAULTS, LocalServer, Reply
from switchgear_libretranslate import LibreTranslate
from switchgear_libretranslate.languages import MODELS, code_of, tag_of
from switchgear_libretranslate.testing import KEY, FakeLibreTranslate
from switchgear_translation import TranslationOutput, TranslationRequest
from switchgear_translation.testing import TranslationProviderSuite

REQUEST = TranslationRequest(["Hello", "Bye"], source="en", target="de")


@pytest.fixture
def vendor() -> FakeLibreTranslate:
    return FakeLibreTranslate()


@pytest.fixture
def server(vendor: FakeLibreTranslate) -> Iterator[LocalServer]:
    with LocalServer(vendor) as server:
        yield server


def make(server: LocalServer, **options: Any) -> LibreTranslate:
    return LibreTranslate(**{"base_url": server.url, "name": "libre", **options})


def used(server: LocalServer, method: str, *arguments: Any, **options: Any) -> Any:
    async def run() -> Any:
        provider = make(server, **options)
        await provider.aopen()
        try:
            return await getattr(provider, method)(*arguments)
        finally:
            await provider.aclose()

    return asyncio.run(run())


def translate(server: LocalServer, request: TranslationRequest, **options: Any) -> ProviderResult[TranslationOutput]:
    result: ProviderResult[TranslationOutput] = used(server, "process", request, **options)
    return result


def answering(status: int, message: str) -> Any:
    async def play(wire: Any, reply: Reply) -> None:
        await wire.reply(Reply.json({"error": message}, status))

    return attrs.evolve(FAULTS["error-500"], play=play)


class TestConformance(TranslationProviderSuite):
    is_free = True
    conditional_options = ("char_limit", "batch_limit", "languages")  # which validate_input reads

    @pytest.fixture(autouse=True)
    def start(self, server: LocalServer) -> None:
        self.server = server

    def make(self) -> LibreTranslate:
        return make(self.server, char_limit=2000, batch_limit=20)

    def options(self) -> dict[str, Any]:
        return {"base_url": self.server.url, "api_key": "k", "char_limit": 2000, "languages": ["en", "de"]}

    def wire_calls(self) -> int:
        return len(self.server.requests("/translate"))

    def break_wire(self) -> None:
        self.server.fault = FAULTS["error-500"]


def test_several_texts_are_sent_in_one_request(server: LocalServer) -> None:
    result = translate(server, REQUEST, api_key=Secret("k"))
    assert server.received[-1].json == {
        "q": ["Hello", "Bye"],
        "source": "en",
        "target": "de",
        "format": "text",
        "api_key": "k",
    }
    assert result.output.texts == ("[de] Hello", "[de] Bye")
    assert result.usage == {"characters": Decimal(8)}


def test_one_text_is_sent_as_servers_of_any_age_take_it(server: LocalServer) -> None:
    result = translate(server, TranslationRequest("<p>Hi</p>", target="zh-Hans", format="html"))
    assert server.received[-1].json == {"q": "<p>Hi</p>", "source": "auto", "target": "zh", "format": "html"}
    assert result.output.detected == ("en",)


def test_empty_texts_are_not_sent_since_the_server_would_refuse_them(server: LocalServer) -> None:
    request = TranslationRequest(["", "Hello", " \n"], source="en", target="de")
    assert translate(server, request).output.texts == ("", "[de] Hello", " \n")
    assert server.received[-1].json["q"] == "Hello"
    assert translate(server, TranslationRequest("", target="de")).output.texts == ("",)
    assert len(server.received) == 1


def test_a_text_of_signs_that_have_no_language_has_none(server: LocalServer) -> None:
    async def play(wire: Any, reply: Reply) -> None:
        await wire.reply(
            Reply.json({"translatedText": "🙂", "detectedLanguage": {"confidence": 0.0, "language": "en"}})
        )

    server.fault = attrs.evolve(FAULTS["error-500"], play=play)
    assert translate(server, TranslationRequest("🙂", target="de")).output.detected == (None,)


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        (400, "Please contact the server operator to get an API key", BadCredentials),
        (400, "Visit https://portal.libretranslate.com to get an API key", BadCredentials),
        (400, "xx is not supported", Unsupported),
        (400, "Invalid request: request (60) exceeds text limit (50)", Unsupported),
        (403, "Invalid API key", BadCredentials),
        (403, "Too many request limits violations", Throttled),
        (429, "Slowdown: 9 per 1 minute", Throttled),
        (500, "Cannot translate text: it did not work", ProviderError),
    ],
)
def test_an_error_means_what_the_server_means_by_it(
    server: LocalServer, status: int, message: str, expected: type[OutcomeError]
) -> None:
    server.fault = answering(status, message)
    with pytest.raises(expected) as caught:
        translate(server, REQUEST)
    assert type(caught.value) is expected
    assert str(status) in str(caught.value)


@pytest.mark.parametrize(
    ("message", "seconds"),
    [("Slowdown: 9 per 1 minute", 60.0), ("Slowdown: 50 per 2 hour", 7200.0), ("Slowdown: now", None)],
)
def test_the_wait_is_read_from_the_servers_words(server: LocalServer, message: str, seconds: float | None) -> None:
    server.fault = answering(429, message)
    with pytest.raises(Throttled) as caught:
        translate(server, REQUEST)
    assert caught.value.retry_after == seconds


def test_an_error_that_repeats_the_text_is_withheld(server: LocalServer) -> None:
    server.fault = answering(500, "Cannot translate text: 'a text that nobody but us may read'")
    with pytest.raises(ProviderError) as caught:
        translate(server, TranslationRequest("A text that nobody but us may read", source="en", target="de"))
    assert "nobody" not in str(caught.value)


@pytest.mark.parametrize(
    "request_",
    [
        TranslationRequest("a" * 51, target="de"),
        TranslationRequest(["a"] * 4, target="de"),
        TranslationRequest("a", target="tlh"),
        TranslationRequest("a", source="tlh", target="de"),
        TranslationRequest("a", target="de", formality="more"),
        TranslationRequest("a", target="de", glossary="g"),
    ],
    ids=["text", "batch", "target", "source", "formality", "glossary"],
)
def test_what_the_server_would_refuse_is_not_sent(server: LocalServer, request_: TranslationRequest) -> None:
    with pytest.raises(Unsupported):
        make(server, char_limit=50, batch_limit=3).validate_input(request_)


def test_the_limit_counts_for_each_text_by_itself(server: LocalServer, vendor: FakeLibreTranslate) -> None:
    vendor.char_limit = 50
    request = TranslationRequest(["a" * 50] * 3, source="en", target="de")
    make(server, char_limit=50).validate_input(request)
    assert len(translate(server, request).output.texts) == 3


def test_the_servers_own_languages_beat_the_known_models(server: LocalServer) -> None:
    provider = make(server, languages=("en", "tlh", "pt-BR"))
    provider.validate_input(TranslationRequest("a", target="tlh"))
    provider.validate_input(TranslationRequest("a", target="pt-BR"))
    with pytest.raises(Unsupported, match="this server"):
        provider.validate_input(TranslationRequest("a", target="de"))


@pytest.mark.parametrize(
    ("tag", "code"),
    [("pt-PT", "pt"), ("pt-BR", "pb"), ("zh-TW", "zt"), ("zh-CN", "zh"), ("zh", "zh"), ("de-AT", "de"), ("no", "nb")],
)
def test_tags_become_the_servers_codes(tag: str, code: str) -> None:
    assert code_of(tag) == code
    assert code in MODELS


@pytest.mark.parametrize(("code", "tag"), [("pb", "pt-BR"), ("zt", "zh-Hant"), ("zh", "zh-Hans"), ("pt-BR", "pt-BR")])
def test_the_servers_codes_become_tags(code: str, tag: str) -> None:
    assert tag_of(code) == tag


def test_health_asks_for_nothing_that_counts(server: LocalServer) -> None:
    assert used(server, "health_check") is ProviderStatus.AVAILABLE
    assert [each.path for each in server.received] == ["/health"]


def findings(server: LocalServer, **options: Any) -> dict[str, bool | None]:
    return {finding.check: finding.ok for finding in used(server, "diagnose", **options)}


def test_the_doctor_tries_the_key_without_translating_anything(server: LocalServer, vendor: FakeLibreTranslate) -> None:
    vendor.key = KEY
    assert findings(server, api_key=Secret(KEY)) == {"reachable": True, "credentials": True, "clock": True}
    assert findings(server, api_key=Secret("wrong"))["credentials"] is False
    assert findings(server)["credentials"] is False
    assert all("q" not in each.json for each in server.requests("/translate"))


def test_the_doctor_finds_a_server_that_asks_for_no_key_well(server: LocalServer) -> None:
    assert findings(server) == {"reachable": True, "credentials": None, "clock": True}


def test_the_projects_own_client_understands_the_fake(server: LocalServer, vendor: FakeLibreTranslate) -> None:
    vendor.key = KEY
    client = LibreTranslateAPI(server.url, api_key=KEY)
    assert client.translate("Hello", "en", "de") == "[de] Hello"
    assert client.detect("Hello") == [{"confidence": 90.0, "language": "en"}]
    assert {"code": "de", "name": "German"}.items() <= client.languages()[1].items()


def test_the_projects_own_client_sends_the_same_as_we_do(server: LocalServer) -> None:
    LibreTranslateAPI(server.url, api_key="k").translate("Hello", "en", "de")
    translate(server, TranslationRequest("Hello", source="en", target="de"), api_key=Secret("k"))
    theirs, ours = server.received
    assert {**theirs.fields, "format": "text"} == ours.json
