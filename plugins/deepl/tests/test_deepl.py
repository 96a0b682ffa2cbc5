"""The provider against a DeepL on this machine."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import attrs
import pytest
from switchgear import (
    BadCredentials,
    Price,
    ProviderError,
    ProviderManager,
    ProviderResult,
    ProviderStatus,
    QuotaExceeded,
    Secret,
    Switchgear,
    Throttled,
    Unsupported,
)
from switchgear.errors import OutcomeError
from switchgear_deepl import DeepL
from switchgear_deepl.testing import KEY, FakeDeepL
from switchgear_http.testing import FAULTS, LocalServer, Reply
from switchgear_translation import TranslationOutput, TranslationRequest
from switchgear_translation.testing import TranslationProviderSuite


@pytest.fixture
def vendor() -> FakeDeepL:
    return FakeDeepL()


@pytest.fixture
def server(vendor: FakeDeepL) -> Iterator[LocalServer]:
    with LocalServer(vendor) as server:
        yield server


def make(server: LocalServer, **options: Any) -> DeepL:
    return DeepL(**{"api_key": Secret(KEY), "base_url": server.url, "name": "deepl", **options})


def translate(server: LocalServer, request: TranslationRequest, **options: Any) -> ProviderResult[TranslationOutput]:
    async def run() -> ProviderResult[TranslationOutput]:
        provider = make(server, **options)
        await provider.aopen()
        try:
            return await provider.process(request)
        finally:
            await provider.aclose()

    return asyncio.run(run())


def sent(server: LocalServer) -> Any:
    return server.requests("/v2/translate")[-1].json


class TestConformance(TranslationProviderSuite):
    conditional_options = (
        "outline_detection",
        "splitting_tags",
        "non_splitting_tags",
        "ignore_tags",
        "tag_handling_version",
        "more_languages",
    )

    @pytest.fixture(autouse=True)
    def start(self, server: LocalServer) -> None:
        self.server = server

    def make(self) -> DeepL:
        return make(self.server)

    def options(self) -> dict[str, Any]:
        return {"api_key": KEY, "base_url": self.server.url, "model_type": "latency_optimized", "connect_timeout": "2s"}

    def wire_calls(self) -> int:
        return len(self.server.requests("/v2/translate"))

    def break_wire(self) -> None:
        self.server.fault = FAULTS["error-503"]


def test_a_request_is_sent_as_deepl_wants_it(server: LocalServer) -> None:
    request = TranslationRequest(
        ["Hello", "<b>Bye</b>"],
        source="en-GB",
        target="de-AT",
        formality="prefer_more",
        format="html",
        glossary="g1",
        context="A letter.",
    )
    translate(server, request, model_type="quality_optimized", tag_handling_version="v2", ignore_tags=("x",))
    assert sent(server) == {
        "text": ["Hello", "<b>Bye</b>"],
        "source_lang": "EN",
        "target_lang": "DE",
        "formality": "prefer_more",
        "context": "A letter.",
        "glossary_id": "g1",
        "model_type": "quality_optimized",
        "show_billed_characters": True,
        "tag_handling": "html",
        "tag_handling_version": "v2",
        "ignore_tags": ["x"],
    }
    headers = server.received[-1].headers
    assert headers["authorization"] == f"DeepL-Auth-Key {KEY}"
    assert headers["user-agent"].startswith("switchgear-deepl/")


def test_what_deepl_would_do_anyway_is_not_sent(server: LocalServer) -> None:
    translate(server, TranslationRequest("Hello", target="de"))
    assert sent(server) == {"text": ["Hello"], "target_lang": "DE", "show_billed_characters": True}


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("split_sentences", "nonewlines", {"split_sentences": "nonewlines"}),
        ("preserve_formatting", True, {"preserve_formatting": True}),
        ("tag_handling", "xml", {"tag_handling": "xml"}),
        ("style_id", "s1", {"style_id": "s1"}),
        ("custom_instructions", ("Use short words.",), {"custom_instructions": ["Use short words."]}),
        ("translation_memory_id", "m1", {"translation_memory_id": "m1"}),
        ("translation_memory_threshold", 80, {"translation_memory_threshold": 80}),
    ],
)
def test_every_option_is_sent_when_it_is_set(server: LocalServer, option: str, value: Any, expected: Any) -> None:
    translate(server, TranslationRequest("Hello", target="de"), **{option: value})
    rest = {"text": ["Hello"], "target_lang": "DE", "show_billed_characters": True}
    assert sent(server) == {**rest, **expected}


def test_xml_options_go_with_xml(server: LocalServer) -> None:
    options = {"outline_detection": False, "splitting_tags": ("p",), "non_splitting_tags": ("b",)}
    translate(server, TranslationRequest("<p>Hello</p>", target="de"), tag_handling="xml", **options)
    assert {name: sent(server)[name] for name in options} == {
        "outline_detection": False,
        "splitting_tags": ["p"],
        "non_splitting_tags": ["b"],
    }


@pytest.mark.parametrize(
    ("glossaries", "expected"), [(("one",), {"glossary_id": "one"}), (("one", "two"), {"glossary_ids": ["one", "two"]})]
)
def test_glossaries_of_the_options_serve_requests_without_one(
    server: LocalServer, glossaries: tuple[str, ...], expected: dict[str, Any]
) -> None:
    translate(server, TranslationRequest("Hello", source="en", target="de"), glossaries=glossaries)
    assert {name: value for name, value in sent(server).items() if "glossar" in name} == expected
    translate(server, TranslationRequest("Hello", source="en", target="de", glossary="own"), glossaries=glossaries)
    assert sent(server)["glossary_id"] == "own"
    assert "glossary_ids" not in sent(server)


@pytest.mark.parametrize("text", [None, 3, ["Hallo"]])
def test_a_translation_that_is_no_text_is_none(server: LocalServer, text: Any) -> None:
    async def play(wire: Any, reply: Reply) -> None:
        await wire.reply(Reply.json({"translations": [{"text": text}]}))

    server.fault = attrs.evolve(FAULTS["error-500"], play=play)
    with pytest.raises(ProviderError, match="documented shape"):
        translate(server, TranslationRequest("Hello", target="de"))


def test_the_answer_tells_languages_and_what_is_billed(server: LocalServer) -> None:
    result = translate(server, TranslationRequest(["<b>Hello</b>", "Bye"], target="pt", format="html"))
    assert result.output.texts == ("[PT-BR] <b>Hello</b>", "[PT-BR] Bye")
    assert result.output.detected == ("en", "en")
    assert result.output.billed_characters == 8
    assert result.usage == {"characters": Decimal(8)}


def test_the_model_that_was_used_is_told(server: LocalServer) -> None:
    result = translate(server, TranslationRequest("Hello", target="de"), model_type="prefer_quality_optimized")
    assert result.metadata["model"] == "quality_optimized"


def test_the_cost_is_that_of_what_was_billed(server: LocalServer) -> None:
    async def run() -> Any:
        async with ProviderManager([make(server, price=Price(per_unit={"characters": Decimal("0.01")}))]) as manager:
            request = TranslationRequest("<i>abc</i>", target="de", format="html")
            return manager.estimate_cost(request)["deepl"], (await manager.process(request)).cost

    assert asyncio.run(run()) == (Decimal("0.10"), Decimal("0.03"))


def test_a_key_of_the_free_api_costs_nothing_and_goes_to_its_own_host() -> None:
    free, paid = DeepL(api_key=Secret("a:fx")), DeepL(api_key=Secret("a"))
    assert (free.base_url, paid.base_url) == ("https://api-free.deepl.com", "https://api.deepl.com")
    request = TranslationRequest("a" * 1000, target="de")
    assert (free.estimate_cost(request), paid.estimate_cost(request)) == (Decimal(0), Decimal("0.025"))


def test_a_price_in_the_configuration_beats_the_documented_one() -> None:
    board = Switchgear.compose(
        {
            "services": {
                "letters": {
                    "capability": "translation",
                    "providers": {
                        "deepl": {"type": "deepl", "cost": {"per_character": "0.5"}, "options": {"api_key": "a"}},
                        "other": {"type": "deepl", "options": {"api_key": "a"}},
                    },
                }
            }
        }
    )
    costs = board["letters"].estimate_cost(TranslationRequest("ab", target="de"))
    assert costs == {"deepl": Decimal("1.0"), "other": Decimal("0.00005")}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, Unsupported),
        (403, BadCredentials),
        (404, BadCredentials),
        (413, Unsupported),
        (414, Unsupported),
        (429, Throttled),
        (456, QuotaExceeded),
        (529, Throttled),
    ],
)
@pytest.mark.parametrize("body", [b"", b'{"message": "Hello, it did not work"}'])
def test_a_status_means_what_deepl_means_by_it(
    server: LocalServer, status: int, expected: type[OutcomeError], body: bytes
) -> None:
    async def play(wire: Any, reply: Reply) -> None:
        await wire.reply(Reply(body, status))

    server.fault = attrs.evolve(FAULTS["error-500"], play=play)
    with pytest.raises(expected) as caught:
        translate(server, TranslationRequest("Hello, what a day it is", target="de"))
    assert type(caught.value) is expected
    assert "Hello" not in str(caught.value) or "did not work" in str(caught.value)


def test_a_wrong_key_names_the_remedy(server: LocalServer) -> None:
    with pytest.raises(BadCredentials, match="HTTP 403") as caught:
        translate(server, TranslationRequest("Hello", target="de"), api_key=Secret("wrong"))
    assert ":fx" in str(caught.value.remedy)


def test_a_quota_that_is_used_up_moves_the_call_on(server: LocalServer, vendor: FakeDeepL) -> None:
    vendor.limit = 3
    with pytest.raises(QuotaExceeded, match="HTTP 456"):
        translate(server, TranslationRequest("Hello", target="de"))


def requests_it_refuses() -> list[Any]:
    return [
        pytest.param(TranslationRequest(["a"] * 51, target="de"), id="texts"),
        pytest.param(TranslationRequest("a" * 128 * 1024, target="de"), id="bytes"),
        pytest.param(TranslationRequest("\x01" * 30_000, target="de"), id="bytes-when-escaped"),
        pytest.param(TranslationRequest("a", target="de", context="b" * 128 * 1024), id="context"),
        pytest.param(TranslationRequest("a", target="de", glossary="g"), id="glossary-without-source"),
    ]


@pytest.mark.parametrize("request_", requests_it_refuses())
def test_what_deepl_would_refuse_is_not_sent(server: LocalServer, request_: TranslationRequest) -> None:
    with pytest.raises(Unsupported):
        make(server).validate_input(request_)


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(TranslationRequest(["a"] * 50, target="de"), id="texts"),
        pytest.param(TranslationRequest("a" * 119_000, target="de"), id="bytes"),
        pytest.param(TranslationRequest("ä" * 59_000, target="de"), id="bytes-of-two"),
    ],
)
def test_what_is_just_within_the_limits_is_sent_and_fits(server: LocalServer, request_: TranslationRequest) -> None:
    make(server).validate_input(request_)
    translate(server, request_)
    assert len(server.received[-1].body) <= 128 * 1024


def test_a_language_that_deepl_has_learned_since_can_be_named(server: LocalServer) -> None:
    request = TranslationRequest("Hello", target="tlh")
    with pytest.raises(Unsupported, match="tlh"):
        make(server).validate_input(request)
    make(server, more_languages=("TLH",)).validate_input(request)


def status(server: LocalServer, **options: Any) -> ProviderStatus:
    async def run() -> ProviderStatus:
        provider = make(server, **options)
        await provider.aopen()
        try:
            return await provider.health_check()
        finally:
            await provider.aclose()

    return asyncio.run(run())


def test_health_is_that_of_the_account_and_costs_nothing(server: LocalServer, vendor: FakeDeepL) -> None:
    assert status(server) is ProviderStatus.AVAILABLE
    vendor.used = vendor.limit
    assert status(server) is ProviderStatus.UNAVAILABLE
    assert [each.path for each in server.received] == ["/v2/usage", "/v2/usage"]


def test_a_key_whose_own_limit_is_used_up_is_unavailable(server: LocalServer) -> None:
    usage = {
        "character_count": 5,
        "character_limit": 1_000,
        "api_key_character_count": 10,
        "api_key_character_limit": 10,
    }

    async def play(wire: Any, reply: Reply) -> None:
        await wire.reply(Reply.json(usage))

    server.fault = attrs.evolve(FAULTS["error-500"], play=play)
    assert status(server) is ProviderStatus.UNAVAILABLE


def test_a_wrong_key_is_no_healthy_provider(server: LocalServer) -> None:
    assert status(server, api_key=Secret("wrong")) is ProviderStatus.UNAVAILABLE


def findings(server: LocalServer, **options: Any) -> dict[str, Any]:
    async def run() -> dict[str, Any]:
        provider = make(server, **options)
        await provider.aopen()
        try:
            return {finding.check: finding for finding in await provider.diagnose()}
        finally:
            await provider.aclose()

    return asyncio.run(run())


def test_the_doctor_learns_that_all_is_well(server: LocalServer) -> None:
    found = findings(server)
    assert {check: finding.ok for check, finding in found.items()} == {
        "reachable": True,
        "credentials": True,
        "clock": True,
    }
    assert "api_key" in found["credentials"].detail


def test_the_doctor_learns_that_the_key_is_wrong(server: LocalServer) -> None:
    found = findings(server, api_key=Secret("wrong"))
    assert (found["reachable"].ok, found["credentials"].ok) == (True, False)
    assert ":fx" in found["credentials"].remedy


def test_the_doctor_learns_that_the_quota_is_used_up(server: LocalServer, vendor: FakeDeepL) -> None:
    vendor.used = vendor.limit
    found = findings(server)
    assert (found["credentials"].ok, found["quota"].ok) == (True, False)


def test_the_doctor_learns_that_nobody_is_there(server: LocalServer) -> None:
    server.fault = FAULTS["refused"]
    found = findings(server)
    assert (found["reachable"].ok, found["credentials"].ok) == (False, None)
    assert "refused" in found["reachable"].detail
