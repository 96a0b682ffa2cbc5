"""The cache in a file: several processes, crashes, foreign and damaged files, and what goes when it is full."""

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from switchgear import CachedProviderManager, NotKept, Sqlite
from switchgear.testing import FakeClock, ScriptedProvider


def with_cache(path: Path, use: Callable[[Sqlite], Awaitable[Any]], **options: Any) -> Any:
    """On a real loop: a worker thread keeps its own time."""

    async def life() -> Any:
        cache = Sqlite(path=path, **options)
        try:
            return await use(cache)
        finally:
            await cache.aclose()

    return asyncio.run(life())


def test_what_is_kept_survives_the_process_and_is_nobody_elses_business(tmp_path: Path) -> None:
    path = tmp_path / "state" / "cache.db"
    os.umask(0o022)

    async def put(cache: Sqlite) -> None:
        await cache.set("key", b"value", 60.0)
        assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}

    with_cache(path, put)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert with_cache(path, lambda cache: cache.get("key")) == b"value"


def test_a_relative_path_starts_at_the_configurations_folder(tmp_path: Path) -> None:
    async def scenario() -> None:
        cache = Sqlite(path=Path("cache.db"))
        cache.folder = tmp_path
        await cache.set("key", b"value", 60.0)
        await cache.aclose()

    asyncio.run(scenario())
    assert (tmp_path / "cache.db").exists()


def test_the_oldest_go_first_when_there_are_too_many_or_too_large_ones(tmp_path: Path) -> None:
    async def fill(cache: Sqlite) -> list[str]:
        for number in range(401):
            await cache.set(f"{number:03}", bytes(100), 60.0)
        return [key async for key in cache.keys("")]

    assert with_cache(tmp_path / "few.db", fill, max_entries=50) == [f"{number:03}" for number in range(351, 401)]
    assert with_cache(tmp_path / "small.db", fill, max_bytes=5000) == [f"{number:03}" for number in range(351, 401)]
    with pytest.raises(NotKept):
        with_cache(tmp_path / "tiny.db", fill, max_bytes=50)


def test_the_longest_unused_go_first(tmp_path: Path) -> None:
    """A use is noted to the minute, and those of a minute together."""
    clock = FakeClock()

    async def use(cache: Sqlite) -> list[str]:
        cache.clock = clock
        for number in range(50):
            await cache.set(f"{number:03}", b"value", 6000.0)
            clock.advance(1.0)
        clock.advance(60.0)
        for _ in range(2):
            for number in range(10):
                assert await cache.get(f"{number:03}") == b"value"
        for number in range(50, 201):
            clock.advance(1.0)
            await cache.set(f"{number:03}", b"value", 6000.0)
        return [key async for key in cache.keys("")]

    kept = with_cache(tmp_path / "cache.db", use, max_entries=161)
    assert kept == [f"{number:03}" for number in [*range(10), *range(50, 201)]]


def test_a_use_is_noted_before_the_file_is_closed_and_not_at_every_look(tmp_path: Path) -> None:
    path, clock = tmp_path / "cache.db", FakeClock()

    async def fill(cache: Sqlite) -> None:
        cache.clock = clock
        for number in range(3):
            await cache.set(f"{number}", b"value", 6000.0)

    async def look(cache: Sqlite) -> None:
        cache.clock = clock
        for _ in range(500):
            await cache.get("0")
        clock.advance(61.0)
        for number in (0, 1):
            await cache.get(f"{number}")
        assert uses(path) == [0.0] * 3

    start = clock.utc().timestamp()

    def uses(path: Path) -> list[float]:
        with sqlite3.connect(path) as connection:
            found = [used - start for (used,) in connection.execute("SELECT used FROM entry ORDER BY key")]
        connection.close()
        return found

    with_cache(path, fill)
    with_cache(path, look)
    assert uses(path) == [61.0, 61.0, 0.0]


def test_its_counts_are_those_of_its_entries_whatever_happens_to_them(tmp_path: Path) -> None:
    path, dice = tmp_path / "cache.db", random.Random(0)

    async def use(cache: Sqlite) -> None:
        for _ in range(900):
            key = f"{dice.choice(['scans', 'letters'])}:{dice.randrange(150)}"
            if dice.random() < 0.2:
                await cache.delete(key)
            else:
                await cache.set(key, bytes(dice.randrange(500)), dice.choice([-1.0, 60.0]))
        await cache.clear("letters:1")
        with sqlite3.connect(path) as connection:
            for prefix in ("scans:", "letters:", ""):
                query = "SELECT count(*), total(size) FROM entry WHERE key GLOB ?"
                ((entries, total),) = connection.execute(query, (f"{prefix}*",))
                size = await cache.size(prefix)
                assert (size.entries, size.bytes) == (entries, total)
                assert entries > 0
        connection.close()

    with_cache(path, use, max_entries=100)


def test_what_an_older_version_kept_is_bought_once_more(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE entry (key TEXT PRIMARY KEY, value BLOB)")
        connection.execute("INSERT INTO entry VALUES ('key', 'old')")
        connection.execute(f"PRAGMA application_id = {0x53474341}")
        connection.execute("PRAGMA user_version = 1")
    connection.close()

    async def use(cache: Sqlite) -> bytes | None:
        assert await cache.get("key") is None
        await cache.set("key", b"new", 60.0)
        return await cache.get("key")

    assert with_cache(path, use) == b"new"


def test_what_nobody_wants_any_more_goes(tmp_path: Path) -> None:
    async def fill(cache: Sqlite) -> int | None:
        for number in range(201):
            await cache.set(f"{number}", b"value", -1.0)
        return (await cache.size()).entries

    assert with_cache(tmp_path / "cache.db", fill) == 0


@pytest.mark.parametrize("foreign", ["text", "database", "newer"])
def test_somebody_elses_file_is_left_as_it_is_and_requests_are_answered(tmp_path: Path, foreign: str) -> None:
    path = tmp_path / "cache.db"
    if foreign == "text":
        path.write_text("a letter, of some length, to somebody" * 100)
    else:
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE ledger (amount)")
            if foreign == "newer":
                connection.execute(f"PRAGMA application_id = {0x53474341}")
                connection.execute("PRAGMA user_version = 99")
        connection.close()
    before = path.read_bytes()

    async def scenario() -> None:
        async with CachedProviderManager([ScriptedProvider(["answer"])], cache=Sqlite(path=path)) as service:
            assert [(await service.process("request")).output for _ in range(5)] == ["answer"] * 5
            assert service.cache_figures.levels["sqlite"].errors == 3

    asyncio.run(scenario())
    assert path.read_bytes() == before


def test_a_damaged_file_of_ours_is_set_aside(tmp_path: Path) -> None:
    path, dice = tmp_path / "cache.db", random.Random(0)

    async def fill(cache: Sqlite) -> None:
        for number in range(200):
            await cache.set(f"{number}", dice.randbytes(2000), 60.0)

    with_cache(path, fill)
    content = bytearray(path.read_bytes())
    content[4096:] = dice.randbytes(len(content) - 4096)
    path.write_bytes(content)

    async def use(cache: Sqlite) -> bytes | None:
        await cache.set("new", b"value", 60.0)
        return await cache.get("new")

    assert with_cache(path, use) == b"value"
    assert path.with_name("cache.db.damaged").exists()


def test_a_full_disk_fails_no_request(tmp_path: Path) -> None:
    async def scenario() -> None:
        cache = Sqlite(path=tmp_path / "cache.db")
        await cache.set("first", b"value", 60.0)
        # As SQLite says it when the disk is full.
        await cache._run(lambda: cache._open().execute("PRAGMA max_page_count = 8"))
        large = ScriptedProvider([lambda request: random.Random(request).randbytes(20_000).hex()])
        async with CachedProviderManager([large], cache=cache) as service:
            for number in range(10):
                assert (await service.process(f"{number}")).output
            assert service.cache_figures.levels["sqlite"].errors >= 1
            assert service.cache_figures.levels["sqlite"].last_error.endswith("cache.db: database or disk is full")

    asyncio.run(scenario())


WRITER = """
import asyncio, sys
from pathlib import Path
from switchgear import Sqlite

async def main():
    cache = Sqlite(path=Path(sys.argv[1]))
    for number in range(int(sys.argv[3])):
        await cache.set(f"{sys.argv[2]}:{number}", b"%d" % number * 500, 600.0)
        print(number, flush=True)
    await cache.aclose()

asyncio.run(main())
"""


def writer(path: Path, name: str, count: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(count)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def check_sound(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


def test_killed_in_the_middle_of_writing_it_keeps_what_it_had_acknowledged(tmp_path: Path) -> None:
    kill_one(tmp_path / "cache.db", random.Random(0), "0")


@pytest.mark.full
def test_killed_again_and_again_it_keeps_what_it_had_acknowledged(tmp_path: Path) -> None:
    dice = random.Random(1)
    for number in range(30):
        kill_one(tmp_path / "cache.db", dice, f"{number}")


def kill_one(path: Path, dice: random.Random, name: str) -> None:
    process = writer(path, name, 100_000)
    assert process.stdout is not None
    acknowledged = -1
    for _ in range(dice.randrange(20, 400)):
        acknowledged = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.communicate()
    check_sound(path)

    async def look(cache: Sqlite) -> None:
        for number in range(acknowledged + 1):
            assert await cache.get(f"{name}:{number}") == b"%d" % number * 500

    with_cache(path, look)


def test_four_processes_share_it_without_errors(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    processes = [writer(path, f"{number}", 250) for number in range(4)]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
    check_sound(path)

    async def count(cache: Sqlite) -> int | None:
        return (await cache.size()).entries

    assert with_cache(path, count) == 1000
