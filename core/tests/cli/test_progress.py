"""The progress bar: for watchers only, late, and out of the way of answers."""

import asyncio
import io

import pytest
from switchgear.cli import progress
from switchgear.cli.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def work_through(inputs: int, stderr: io.StringIO, monkeypatch: pytest.MonkeyPatch, patience: float) -> str:
    monkeypatch.setattr("sys.stderr", stderr)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress, "_PATIENCE", patience)

    async def work() -> None:
        with Progress(inputs) as shown:
            for _ in range(inputs):
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                with shown.one_done():
                    stderr.write("|answer|")

    asyncio.run(work())
    return stderr.getvalue()


def test_a_terminal_sees_what_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    text = work_through(3, Terminal(), monkeypatch, patience=0)
    assert "0/3" in text
    assert "2/3" in text
    assert text.count("|answer|") == 3


def test_what_is_quick_has_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    assert work_through(3, Terminal(), monkeypatch, patience=60) == "|answer|" * 3


def test_a_file_gets_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    assert work_through(3, io.StringIO(), monkeypatch, patience=0) == "|answer|" * 3
