"""A third-party plugin's whole life: installed with pip, named, disabled, replaced, uninstalled."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

BROKEN = """
[project]
name = "switchgear-broken"
version = "0.3"
[project.entry-points."switchgear.providers"]
"ocr.broken" = "switchgear_broken:Broken"
"""


@pytest.fixture
def page(environment: Any) -> None:
    shutil.copy(ROOT / "tests/pages/clean-3.png", environment.folder / "page.png")
    (environment.folder / "page.text").write_text("typed by somebody\n", "utf-8")


@pytest.mark.full
def test_plugins_of_the_tutorials_live_from_install_to_uninstall(
    environment: Any, provider_tutorial: Any, strategy_tutorial: Any, page: None
) -> None:
    environment.install(provider_tutorial.project, strategy_tutorial.project)
    listed = environment.switchgear("plugins", "list").stdout
    assert "ocr.mine" in listed
    assert "affordable" in listed

    # Both work by being named.
    choosy = provider_tutorial.configuration.replace('capability = "ocr"', CHOOSY, 1)
    environment.configure(choosy.replace('type = "tesseract"', 'type = "tesseract"\ncost = { per_page = "1" }'))
    answered = environment.switchgear("run", "scans", "page.png", "--json")
    assert answered.returncode == 0, answered.stderr
    line = json.loads(answered.stdout)
    assert (line["provider"], line["output"]["text"].strip()) == ("typed", "typed by somebody")
    plan = json.loads(environment.switchgear("explain", "scans", "page.png", "--json").stdout)
    assert plan["strategy"] == "Affordable"
    engine = plan["candidates"][1]
    assert (engine["provider"], engine["rank"], engine["reason"]) == ("engine", None, "left out by the strategy")

    # Switched off, neither is imported: a module that cannot be imported any more is nobody's trouble.
    disabled = '[plugins]\ndisable = ["switchgear-affordable", "switchgear_mine"]\n'
    environment.configure(disabled + choosy)
    for module in ("switchgear_mine", "switchgear_affordable"):
        found = environment.run("-c", f"import {module}; print({module}.__file__)").stdout.strip()
        Path(found).write_text("raise RuntimeError('imported')\n")
    plan = json.loads(environment.switchgear("explain", "scans", "page.png", "--json").stdout)
    assert plan["strategy"] == "Priority"
    assert [row["provider"] for row in plan["candidates"]] == ["engine"]

    # Gone, it is missed by name, with the command that brings it back.
    environment.pip("uninstall", "--yes", "switchgear-mine", "switchgear-affordable")
    environment.configure(provider_tutorial.configuration)
    refused = environment.switchgear("check")
    assert refused.returncode == 2
    message = " ".join(refused.stderr.split())
    assert "services.scans.providers.typed: unknown ocr provider 'mine'" in message
    assert "pip install switchgear-mine" in message


CHOOSY = 'capability = "ocr"\nstrategy = { type = "affordable", options = { limit = "0.01" } }'


def test_a_broken_plugin_is_named_with_its_cause_and_can_be_replaced_or_removed(
    environment: Any, provider_tutorial: Any, page: None, tmp_path: Path
) -> None:
    project = tmp_path / "broken"
    project.mkdir()
    (project / "pyproject.toml").write_text(BROKEN)
    (project / "switchgear_broken.py").write_text("import libwhatever\n")
    environment.install(project, provider_tutorial.project)

    # Nobody names it, and it is no trouble.
    environment.configure(provider_tutorial.configuration)
    assert environment.switchgear("run", "scans", "page.png").returncode == 0

    environment.configure(provider_tutorial.configuration.replace('"mine"', '"broken"'))
    refused = environment.switchgear("check")
    message = " ".join(refused.stderr.split())
    assert refused.returncode == 2
    assert "services.scans.providers.typed: ocr.broken (switchgear_broken:Broken, switchgear-broken 0.3)" in message
    assert "ModuleNotFoundError: No module named 'libwhatever'" in message
    assert "Traceback" not in refused.stderr

    # A newer release offers another name, and is seen at once.
    (project / "pyproject.toml").write_text(BROKEN.replace("ocr.broken", "ocr.mended").replace("0.3", "0.4"))
    mended = (provider_tutorial.project / "switchgear_mine.py").read_text("utf-8") + "\n\nBroken = Mine\n"
    (project / "switchgear_broken.py").write_text(mended, "utf-8")
    shutil.rmtree(project / "build", ignore_errors=True)
    environment.install(project)
    environment.configure(provider_tutorial.configuration.replace('"mine"', '"mended"'))
    answered = environment.switchgear("run", "scans", "page.png", "--json")
    assert answered.returncode == 0, answered.stderr
    assert json.loads(answered.stdout)["provider"] == "typed"


@pytest.mark.full
def test_everything_installs_from_source_into_a_bare_environment(
    bare: Any, provider_tutorial: Any, tmp_path: Path
) -> None:
    """Plain pip, real wheels, dependencies from the index: what a reader of the tutorial does."""
    sources = []
    for package in ("core", "plugins/ocr", "plugins/tesseract"):
        # Copied: a build leaves its traces beside the source.
        ignored = shutil.ignore_patterns("build", "*.egg-info", "__pycache__", "tests")
        sources.append(shutil.copytree(ROOT / package, tmp_path / "sources" / package, ignore=ignored))
    bare.pip("install", *map(str, sources), str(provider_tutorial.project))
    assert bare.switchgear("--version").stdout.startswith("switchgear ")
    shutil.copy(ROOT / "tests/pages/clean-3.png", bare.folder / "page.png")
    (bare.folder / "page.text").write_text("typed by somebody\n", "utf-8")
    bare.configure(provider_tutorial.configuration)
    answered = bare.switchgear("run", "scans", "page.png", "--json")
    assert answered.returncode == 0, answered.stderr
    assert json.loads(answered.stdout)["provider"] == "typed"
    script = (bare.python.parent / "switchgear").resolve()
    assert script.exists()
