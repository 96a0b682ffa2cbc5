"""The caches that come with the core, held to the contract of all."""

from pathlib import Path

import pytest
from switchgear import Memory, Sqlite
from switchgear.testing import CacheSuite


class TestMemory(CacheSuite):
    is_shared = False

    def make(self) -> Memory:
        return Memory()


class TestSqlite(CacheSuite):
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path) -> None:
        self.path = tmp_path / "cache.db"

    def make(self) -> Sqlite:
        return Sqlite(path=self.path)
