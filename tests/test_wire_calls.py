"""Retries have one owner (S9): what plugins send is counted where they send it."""

import re
from pathlib import Path

import pytest
import tomli

ROOT = Path(__file__).parents[1]


def sends_requests(folder: Path) -> bool:
    """Whether it offers providers that talk HTTP."""
    project = tomli.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    offers = project.get("entry-points", {}).get("switchgear.providers", {})
    return bool(offers) and any(line.startswith("switchgear-http") for line in project["dependencies"])


SENDERS = [path.parent for path in sorted(ROOT.glob("plugins/*/pyproject.toml")) if sends_requests(path.parent)]


def test_there_are_plugins_that_send_requests() -> None:
    assert len(SENDERS) >= 2


@pytest.mark.parametrize("folder", SENDERS, ids=lambda folder: folder.name)
def test_s9_the_suite_of_a_plugin_that_sends_requests_counts_them(folder: Path) -> None:
    tests = "".join(path.read_text("utf-8") for path in sorted(folder.glob("tests/**/*.py")))
    assert re.search(r"class \w+\(\w*ProviderSuite\)", tests), "it does not run the suite of providers"
    for hook in ("wire_calls", "break_wire"):
        assert f"def {hook}(self)" in tests, f"its suite does not fill in {hook}()"
