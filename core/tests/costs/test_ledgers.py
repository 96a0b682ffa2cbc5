"""The ledgers that come with the core, held to the contract of all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from switchgear.costs.jsonl import JsonLines
from switchgear.costs.sqlite import SqliteLedger
from switchgear.testing import CostSinkSuite, MemoryLedger


class TestMemoryLedger(CostSinkSuite):
    is_shared = is_lasting = False

    def make(self) -> MemoryLedger:
        return MemoryLedger()


class TestSqlite(CostSinkSuite):
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path) -> None:
        self.path = tmp_path / "state" / "ledger.db"

    def make(self) -> SqliteLedger:
        return SqliteLedger(path=self.path)

    @contextmanager
    def trouble(self) -> Iterator[None]:
        """Something else is where the folder should be."""
        self.path.parent.touch()
        yield
        self.path.parent.unlink()


class TestJsonLines(CostSinkSuite):
    is_shared = False
    examples = 5  # each reading reads everything

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path) -> None:
        self.path = tmp_path / "state" / "ledger.jsonl"

    def make(self) -> JsonLines:
        return JsonLines(path=self.path)

    @contextmanager
    def trouble(self) -> Iterator[None]:
        self.path.parent.touch()
        yield
        self.path.parent.unlink()


class TestJsonLinesInManyFiles(TestJsonLines):
    examples = 2

    def make(self) -> JsonLines:
        return JsonLines(path=self.path, max_bytes=12_000, max_files=1000)
