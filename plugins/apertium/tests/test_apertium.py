"""The provider against an Apertium server, started here on a port of its own."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from switchgear import (
    AllProvidersFailed,
    NotSent,
    ProviderError,
    ProviderManager,
    ProviderResult,
    ProviderStatus,
    Retry,
    Unsupported,
)
from switchgear_apertium import Apertium
from switchgear_apertium.languages import codes, pair_of
from switchgear_apertium.marks import hide, read
from switchgear_apertium.testing import missing, running_server
from switchgear_http.testing import FAULTS, LocalServer, Received, Reply
from switchgear_translation import TranslationOutput, TranslationRequest
from switchgear_translation.leftovers import KnownWords
from switchgear_translation.testing import TranslationProviderSuite

needs_program = pytest.mark.skipif(
    bool(missing("eng-spa", "spa-cat", "fr-es")), reason=missing("eng-spa", "spa-cat", "fr-es")
)


@pytest.fixture(scope="module")
def apy() -> Iterator[str]:
    """The address of a running server."""
    with running_server() as url:
        yield url


@needs_program
class TestServer(TranslationProviderSuite):
    is_free = True
    source, target = "en", "es"

    @pytest.fixture(autouse=True)
    def start(self, apy: str) -> None:
        self.url = apy

    def make(self) -> Apertium:
        return Apertium(name="apertium", base_url=self.url)

    def options(self) -> dict[str, Any]:
        return {"base_url": self.url, "keep_marks": False}


class Fake:
    """The server's answers in its own words, and each text in capitals: `*` marks words with an x."""

    def __call__(self, request: Received) -> Reply:
        path = request.path.partition("?")[0]
        if path == "/listPairs":
            pairs = [("eng", "spa"), ("spa", "cat_valencia"), ("spa", "cat")]
            data = [{"sourceLanguage": one, "targetLanguage": other} for one, other in pairs]
            return Reply.json({"responseData": data, "responseDetails": None, "responseStatus": 200})
        text = request.fields["q"]
        marked = " ".join(f"*{word}" if "x" in word else word.upper() for word in text.split(" "))
        return Reply.json({"responseData": {"translatedText": f" {marked}"}, "responseStatus": 200})


class Broken(Fake):
    """A server that cannot translate one word."""

    def __call__(self, request: Received) -> Reply:
        if request.fields.get("q") in ("bad", "house"):
            return Reply.json({"status": "error", "code": 500, "explanation": "it broke"}, 500)
        return super().__call__(request)


class TestWire(TranslationProviderSuite):
    """What the real server cannot be made to do: count, fail."""

    is_free = True
    source, target = "en", "es"

    @pytest.fixture(autouse=True)
    def start(self) -> Iterator[None]:
        with LocalServer(Fake()) as self.server:
            yield

    def make(self) -> Apertium:
        return Apertium(name="apertium", base_url=self.server.url)

    def requests(self) -> list[TranslationRequest]:
        return [self.request("Good morning.")]

    def wire_calls(self) -> int:
        return len(self.server.requests("/translate"))

    def break_wire(self) -> None:
        self.server.fault = FAULTS["error-500"]


def ask(url: str, *texts: str, **options: Any) -> ProviderResult[TranslationOutput]:
    keep = options.pop("keep_marks", False)
    request = TranslationRequest(texts, **{"source": "en", "target": "es", **options})

    async def use() -> ProviderResult[TranslationOutput]:
        provider = Apertium(name="apertium", base_url=url, keep_marks=keep)
        await provider.aopen()
        try:
            provider.validate_input(request)
            return await provider.process(request)
        finally:
            await provider.aclose()

    return asyncio.run(use())


@needs_program
def test_unknown_words_are_counted_and_their_marks_removed(apy: str) -> None:
    result = ask(apy, "The floobar is big.", "The house is big.")
    assert result.output.texts == ("El floobar es grande.", "La casa es grande.")
    assert result.metadata["unknown_words"] == (1, 0)
    assert result.confidence == pytest.approx(7 / 8)


@needs_program
def test_marks_stay_where_they_are_wanted_and_the_texts_own_asterisks_always(apy: str) -> None:
    assert ask(apy, "The *house* and the floobar.").output.texts == ("La *casa* y el floobar.",)
    kept = ask(apy, "The *house* and the floobar.", keep_marks=True)
    assert kept.output.texts == ("La *casa* y el *floobar.",)
    assert kept.metadata["unknown_words"] == (1,)


@needs_program
def test_lines_and_the_space_around_a_text_stay(apy: str) -> None:
    assert ask(apy, "\n The house.\n\nThe house. \n").output.texts == ("\n La casa.\n\nLa casa. \n",)


@needs_program
def test_html_keeps_its_tags(apy: str) -> None:
    assert ask(apy, "<p>The house is <b>big</b>.</p>", format="html").output.texts == (
        "<p>La casa es <b>grande</b>.</p>",
    )


@needs_program
@pytest.mark.parametrize(
    ("source", "target", "text"),
    [("es", "ca", "la casa"), ("es", "en-US", "la casa"), ("fr", "es", "la maison"), ("es", "ca-valencia", "la casa")],
)
def test_it_speaks_the_pairs_that_are_installed(apy: str, source: str, target: str, text: str) -> None:
    (found,) = ask(apy, text, source=source, target=target).output.texts
    assert found
    assert found != "la maison"


@needs_program
def test_a_pair_that_is_not_installed_is_unsupported_once_the_server_was_asked(apy: str) -> None:
    with pytest.raises(Unsupported, match="this Apertium server does not translate en to ca") as caught:
        ask(apy, "house", target="ca")
    assert "apertium-eng-cat" in str(caught.value.remedy)


@needs_program
def test_an_answer_with_too_many_unknown_words_falls_over(apy: str) -> None:
    async def call() -> ProviderResult[TranslationOutput]:
        providers = [Apertium(name="one", base_url=apy), Apertium(name="two", base_url=apy)]
        manager = ProviderManager(providers, validators=[KnownWords()], on_refused="best")
        try:
            return await manager.process(TranslationRequest("A floobar.", source="en", target="es"))
        finally:
            await manager.aclose()

    result = asyncio.run(call())
    assert [attempt.outcome.value for attempt in result.attempts] == ["invalid_result"] * 2
    assert "knew 50% of the words" in result.metadata["refused"]


def test_what_was_translated_before_a_failure_is_kept_for_documents_alone() -> None:
    with LocalServer(Broken()) as server:
        result = ask(server.url, "good", "bad", "good", per_item=True)
        assert result.output.texts == ("GOOD", None, None)
        assert result.metadata["partial"] is True
        with pytest.raises(ProviderError, match="it broke"):
            ask(server.url, "good", "bad", "good")


def test_a_server_that_is_not_there_was_not_reached_and_the_remedy_says_how_to_start_one() -> None:
    with pytest.raises(NotSent):
        ask("http://127.0.0.1:9", "house")


def test_its_health_is_that_of_the_server() -> None:
    async def health(url: str) -> ProviderStatus:
        provider = Apertium(base_url=url)
        await provider.aopen()
        try:
            return await provider.health_check()
        finally:
            await provider.aclose()

    with LocalServer(Fake()) as server:
        assert asyncio.run(health(server.url)) is ProviderStatus.AVAILABLE
    assert asyncio.run(health("http://127.0.0.1:9")) is ProviderStatus.UNAVAILABLE


def test_a_tag_becomes_the_codes_a_server_may_use() -> None:
    assert list(codes("pt-BR")) == ["por_BR", "por"]
    assert list(codes("ca-valencia")) == ["cat_valencia", "cat"]
    assert list(codes("hr")) == ["hrv", "hbs_HR", "hbs"]


def test_the_most_exact_pair_that_is_installed_is_taken() -> None:
    installed = {("spa", "cat"), ("spa", "cat_valencia"), ("nob", "dan")}
    assert pair_of("es", "ca-valencia", installed) == ("spa", "cat_valencia")
    assert pair_of("es-MX", "ca", installed) == ("spa", "cat")
    assert pair_of("no", "da", installed) == ("nob", "dan")
    assert pair_of("fr", "es", ()) == ("fra", "spa")


def test_marks_are_told_from_asterisks() -> None:
    assert read(hide("a *b* **c** * %*s"), keep=False) == ("a *b* **c** * %*s", 0)
    assert read("El *floobar y %*s", keep=False) == ("El floobar y %s", 2)
    assert read("El *floobar", keep=True) == ("El *floobar", 1)


def test_retries_are_the_managers_alone() -> None:
    async def call(url: str) -> int:
        manager = ProviderManager([Apertium(name="a", base_url=url)], retry=Retry(attempts=1))
        try:
            with pytest.raises(AllProvidersFailed):
                await manager.process(TranslationRequest("house", source="en", target="es"))
        finally:
            await manager.aclose()
        return len(server.requests("/translate"))

    with LocalServer(Broken()) as server:
        assert asyncio.run(call(server.url)) == 1
