"""The cache table of a configuration: what it makes, what it refuses, and what counts when providers change."""

import asyncio
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest
from switchgear import (
    CachedProviderManager,
    Capability,
    ConfigError,
    Effect,
    ProviderResult,
    Secret,
    SimpleProvider,
    Switchgear,
)
from switchgear.testing import ScriptedCache


class Echo(Capability[str, str]):
    name = "echo"
    request_type = str
    output_type = str


class Payment(Capability[str, str]):
    name = "payment"
    request_type = str
    output_type = str
    effect = Effect.ONCE


class Opaque:
    def __init__(self, handle: Any) -> None:
        self.handle = handle


class Closed(Capability[str, Opaque]):
    name = "closed"
    request_type = str
    output_type = Opaque


@attrs.define
class Loud(SimpleProvider[str, str]):
    asked: ClassVar[list[str]] = []

    mark: str = "!"
    threads: int = attrs.field(default=1, metadata={"answer": False})
    key: Secret | None = None

    release: ClassVar[str] = ""

    @property
    def engine_version(self) -> str:
        return self.release

    async def process(self, request: str) -> ProviderResult[str]:
        self.asked.append(request)
        return ProviderResult(request + self.mark)


FAR = ScriptedCache()
EXTRA = [
    ("capabilities", "echo", Echo),
    ("capabilities", "payment", Payment),
    ("capabilities", "closed", Closed),
    ("providers", "echo.loud", Loud),
    ("providers", "payment.loud", Loud),
    ("providers", "closed.loud", Loud),
    ("caches", "far", FAR),
]


def board(cache: Any, providers: Any = None, capability: str = "echo", **more: Any) -> Switchgear:
    service = {"capability": capability, "cache": cache, "providers": providers or {"a": {"type": "loud"}}}
    return Switchgear.compose({"services": {"words": {**service, **more}}}, extra=EXTRA)


def states(*boards: Switchgear) -> list[str]:
    found = []
    for each in boards:
        with each:
            found.append(each.process_sync("words", "hello").cache)
    return found


def problems(cache: Any, **options: Any) -> str:
    with pytest.raises(ConfigError) as raised:
        board(cache, **options)
    return str(raised.value)


@pytest.fixture(autouse=True)
def empty() -> None:
    FAR.values.clear()


def test_the_name_alone_makes_a_cache() -> None:
    with board("memory") as composed:
        assert isinstance(composed["words"], CachedProviderManager)
        assert [composed.process_sync("words", "hello").cache for _ in range(2)] == ["miss", "fresh"]


def test_without_the_table_or_switched_off_there_is_none() -> None:
    assert not isinstance(board({"type": "memory", "enabled": False})["words"], CachedProviderManager)


def test_levels_come_in_the_order_of_the_file_with_their_own_numbers() -> None:
    levels = [{"type": "memory", "ttl": "5m", "options": {"max_entries": 5}}, "far"]
    with board({"levels": levels, "ttl": "7d", "stale_if_error": "1d"}) as composed:
        service = composed["words"]
        composed.process_sync("words", "hello")
        assert tuple(service.cache_figures.levels) == ("memory", "far")  # type: ignore[attr-defined]
        assert len(FAR.values) == 1


@pytest.mark.parametrize(
    ("cache", "options", "message"),
    [
        ({}, {}, "services.words.cache: a cache has a `type`, or `levels`"),
        ({"type": "memory", "levels": ["memory"]}, {}, "a cache has a `type`, or `levels`"),
        ("memry", {}, "unknown cache 'memry'; did you mean 'memory'?"),
        ({"type": "memory", "ttl": 60}, {}, "services.words.cache.ttl: expected a duration"),
        ({"type": "memory", "options": {"max_entry": 5}}, {}, "services.words.cache.options.max_entry"),
        ({"type": "memory", "jitter": 2}, {}, "services.words.cache.jitter"),
        ({"levels": ["memory", "fra"]}, {}, "services.words.cache.levels[1]: unknown cache 'fra'"),
        ({"levels": ["memory", "memory"]}, {}, "services.words.cache.levels: two of them are of the same type"),
        ("memory", {"capability": "payment"}, "answers of payment must not be given twice"),
        ("sqlite", {"capability": "closed"}, "Opaque cannot be written as bytes"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(cache: Any, options: Any, message: str) -> None:
    assert message in problems(cache, **options)


def test_an_answer_counts_while_its_provider_is_configured_on_or_off_with_the_same_options() -> None:
    def options(**given: Any) -> Any:
        return {"type": "loud", "options": given}

    first = {"a": options(mark="?", key="secret", threads=2)}
    other = {"b": {"type": "loud", "priority": 200}}
    assert states(board("far", first)) == ["miss"]
    same = [
        first,
        {**first, **other},
        {"a": options(mark="?")},
        {"a": options(mark="?", key="another", threads=8)},
        {"a": {**first["a"], "enabled": False}, **other},
        {"a": {**options(mark="?", key="${UNSET}"), "enabled": False}, **other},
    ]
    assert states(*(board("far", providers) for providers in same)) == ["fresh"] * len(same)
    changed = [other, {"a": options(mark="!")}, {"a": {**options(mark="!"), "enabled": False}, **other}]
    for providers in changed:
        kept = dict(FAR.values)
        assert states(board("far", providers)) == ["miss"]
        FAR.values.clear()
        FAR.values.update(kept)


def test_an_answer_of_an_older_engine_counts_only_while_its_provider_is_switched_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is imported of what is switched off, so nobody knows which release it has by now."""
    own = {"a": {"type": "loud", "options": {"mark": "?"}}}
    off = {"a": {**own["a"], "enabled": False}, "b": {"type": "loud", "priority": 200}}
    monkeypatch.setattr(Loud, "release", "tesseract 5|3")
    assert states(board("far", own), board("far", own), board("far", off)) == ["miss", "fresh", "fresh"]
    monkeypatch.setattr(Loud, "release", "tesseract 5|4")
    assert states(board("far", off), board("far", own)) == ["fresh", "miss"]


def test_validators_are_part_of_what_an_answer_depends_on() -> None:
    @attrs.frozen
    class Short:
        limit: int = 100

        def check(self, request: Any, result: Any) -> None:
            pass

    Echo.validators = {"short": Short}
    try:
        checks = [None, [{"type": "short"}], [{"type": "short", "options": {"limit": 5}}], [{"type": "short"}]]
        boards = [board("far", validate=check) if check else board("far") for check in checks]
        assert states(*boards) == ["miss", "miss", "miss", "fresh"]
    finally:
        Echo.validators = {}


def test_no_secret_is_in_keys_or_values() -> None:
    states(board("far", {"a": {"type": "loud", "options": {"key": "sesame"}}}))
    assert "sesame" not in repr(FAR.values)


def test_a_file_starts_at_the_configurations_folder(tmp_path: Path) -> None:
    (tmp_path / "switchgear.toml").write_text(
        '[services.words]\ncapability = "echo"\ncache = "sqlite"\nproviders = { a = { type = "loud" } }\n'
    )

    async def scenario() -> None:
        async with Switchgear.open(tmp_path / "switchgear.toml", extra=EXTRA) as composed:
            await composed.process("words", "hello")

    asyncio.run(scenario())
    assert (tmp_path / ".switchgear" / "cache.db").exists()
