"""A planted key and a planted text appear in nothing that a whole run says or keeps about itself."""

import asyncio
import io
import logging
import traceback
from pathlib import Path
from typing import Any

import pytest
from switchgear import AllProvidersFailed, Secret, Switchgear
from switchgear.logs import logger
from switchgear.testing import MemoryObserver
from switchgear_deepl.testing import FakeDeepL
from switchgear_http.testing import FAULTS, LocalServer, Received, Reply
from switchgear_libretranslate.testing import FakeLibreTranslate
from switchgear_translation import TranslationRequest

KEY = "planted-key-0xC0FFEE"
TEXT = "Planted text: Aunt Agatha's recipe is in the blue drawer."
CONTEXT = "Planted context: a letter to nobody."
REQUEST = TranslationRequest([TEXT, "Bye"], source="en", target="de", context=CONTEXT)


class Parrot:
    """Fails, and repeats in its message all that it was told: the key, the text, in several spellings."""

    def __call__(self, request: Received) -> Reply:
        told = f"{request.headers.get('authorization')} {request.body.decode()} {request.body.decode().upper()}"
        return Reply.json({"message": told, "error": told, "explanation": told}, 500)


def settings(url: str, folder: Path) -> dict[str, Any]:
    options = {"connect_timeout": "1s", "read_timeout": "100ms", "response_limit": 100_000}
    return {
        "switchgear": {"logging": {"level": "DEBUG", "format": "json"}},
        "observers": {"memory": {"type": "memory"}},
        "services": {
            "letters": {
                "capability": "translation",
                "deadline": "900ms",  # too short to wait for a vendor that wants fewer requests
                "retry": {"attempts": 2, "base": "1ms"},
                "breaker": {"enabled": False},
                "cache": {"type": "sqlite", "options": {"path": str(folder / "cache.db")}},
                "providers": {
                    "deepl": {
                        "type": "deepl",
                        "cost": {"per_character": "0.01"},
                        "options": {"api_key": "${PLANTED_KEY}", "base_url": url, **options},
                    },
                    "libre": {
                        "type": "libretranslate",
                        "options": {"api_key": "${PLANTED_KEY}", "base_url": url, **options},
                    },
                },
            }
        },
    }


class Ears:
    """Everything that is said during a run."""

    def __init__(self) -> None:
        self.said = io.StringIO()

    def hear(self, *things: object) -> None:
        for thing in things:
            print(thing, repr(thing), file=self.said)

    def hear_error(self, error: BaseException) -> None:
        """With all that hangs on it, as error trackers collect it."""
        self.said.write("".join(traceback.format_exception(error)))
        seen: BaseException | None = error
        while seen is not None:
            self.hear(seen, seen.args, getattr(seen, "remedy", None), getattr(seen, "attempts", None))
            seen = seen.__cause__ or seen.__context__

    def check(self) -> None:
        said = self.said.getvalue()
        assert len(said) > 1000, "nothing was heard"
        for planted in (KEY, "Aunt Agatha", "AUNT AGATHA", "blue drawer", "BLUE DRAWER", "letter to nobody"):
            place = said.find(planted)
            assert place < 0, f"{planted!r} shows in: ...{said[max(0, place - 300) : place + 100]}..."


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANTED_KEY", KEY)


@pytest.fixture
def ears(caplog: pytest.LogCaptureFixture) -> Any:
    ears = Ears()
    sink = logger.add(ears.said, level=0, format="{level} {name} {message} {extra} {exception}", diagnose=False)
    caplog.set_level(0)
    logging.getLogger("aiohttp").setLevel(0)
    yield ears
    logger.remove(sink)
    ears.said.write(caplog.text)
    ears.check()


async def use(board: Switchgear, ears: Ears) -> None:
    ears.hear(board, board.settings, board["letters"], board["letters"].providers, board["letters"].explain(REQUEST))
    ears.hear(board["letters"].explain(REQUEST).to_json())
    for provider in board["letters"].providers.values():
        ears.hear(provider, provider.figures, provider.status)
    try:
        result = await board.process("letters", REQUEST)
        ears.hear(result.provider, result.metadata, result.attempts, result.usage)
    except AllProvidersFailed as error:
        ears.hear_error(error)
    ears.hear(await board["letters"].health_check_all())
    for provider in board["letters"].providers.values():
        ears.hear(await provider.diagnose())  # type: ignore[attr-defined]


def run(url: str, folder: Path, ears: Ears) -> MemoryObserver:
    memory = MemoryObserver()

    async def life() -> None:
        async with Switchgear.compose(settings(url, folder), extra=[("observers", "memory", memory)]) as board:
            await use(board, ears)

    asyncio.run(life())
    ears.hear(memory.calls, [call.attempts for call in memory.calls], [call.error for call in memory.calls])
    return memory


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("app", [FakeDeepL(key=KEY), FakeLibreTranslate(key=KEY)], ids=["deepl", "libretranslate"])
def test_nothing_shows_whatever_goes_wrong(app: Any, fault: Any, tmp_path: Path, ears: Ears) -> None:
    with LocalServer(app) as server:
        server.fault = fault
        run(server.url, tmp_path, ears)


def test_nothing_shows_where_the_vendor_repeats_what_it_was_told(tmp_path: Path, ears: Ears) -> None:
    with LocalServer(Parrot()) as server:
        memory = run(server.url, tmp_path, ears)
    assert any(
        "withheld" in (attempt.message or "") or "repeats" in (attempt.message or "")
        for call in memory.calls
        for attempt in call.attempts
    )


def test_no_key_and_no_text_is_in_a_cache_key(tmp_path: Path, ears: Ears) -> None:
    with LocalServer(FakeDeepL(key=KEY)) as server:
        run(server.url, tmp_path, ears)
    import sqlite3

    with sqlite3.connect(tmp_path / "cache.db") as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = [row for table in tables for row in database.execute(f"SELECT * FROM {table}")]
    database.close()
    keys = [value for row in rows for value in row if isinstance(value, str)]
    assert keys
    ears.hear(keys)
    assert not any(KEY.encode() in value for row in rows for value in row if isinstance(value, bytes))


def test_the_ears_would_hear_it() -> None:
    """A check that cannot fail checks nothing."""
    ears = Ears()
    ears.hear("x" * 1000, Secret(KEY))
    ears.check()
    ears.hear_error(ValueError(TEXT))
    with pytest.raises(AssertionError, match="shows in"):
        ears.check()
