"""What the tests of the core share: a folder to install distributions into, found as the real ones are."""

import gc
import importlib
import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import attrs
import pytest
from hypothesis import settings
from switchgear import entries

# A busy machine makes no example wrong, however long it takes. Whoever wants more than 50 examples says so.
settings.register_profile("core", deadline=None, max_examples=50)
settings.load_profile("core")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Who waits for seconds begins first: at the end, no other process would have anything left to do meanwhile."""
    items.sort(key=lambda item: item.get_closest_marker("waits") is None)


@pytest.fixture
def unbroken() -> Iterator[None]:
    """For tests that parse sources: Python 3.11 may fail to where the collector comes in between (its gh-106905)."""
    gc.disable()
    yield
    gc.enable()


@attrs.frozen
class Site:
    """A folder on `sys.path`. Beside what is put here, only the core is installed."""

    folder: Path

    def install(self, name: str, code: str = "", version: str = "1.0", **groups: list[str]) -> None:
        """A distribution of one module, with its entry points by kind: `providers=["echo.loud = acme_loud:Loud"]`."""
        module = name.replace("-", "_")
        (self.folder / f"{module}.py").write_text(code)
        info = self.folder / f"{module}-{version}.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        sections = [f"[switchgear.{kind}]\n" + "\n".join(lines) for kind, lines in groups.items()]
        (info / "entry_points.txt").write_text("\n".join(sections))
        importlib.invalidate_caches()

    def imported(self) -> set[str]:
        """The modules from here that somebody has imported."""
        here = str(self.folder)
        loaded = list(sys.modules.items())
        return {name for name, module in loaded if str(getattr(module, "__file__", None) or "").startswith(here)}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    core = distribution("switchgear")
    monkeypatch.setattr(entries, "distributions", lambda: [*entries.distributions_in(str(folder)), core])
    found = Site(folder)
    yield found
    for name in found.imported():
        del sys.modules[name]
