"""A provider and a strategy, written from nothing but the tutorials and installed with pip, work by being named."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CAPTIONED = re.compile(r"^```\{code-block\} \w+\n:caption: (?P<name>\S+)\n+(?P<body>.*?)^```", re.DOTALL | re.MULTILINE)
CONFIGURATION = re.compile(r"^```toml\n(?P<body>\[services.*?)^```", re.DOTALL | re.MULTILINE)


def install(tutorial: str, project: Path, site: Path) -> str:
    """Write the tutorial's files, install them as pip does for anybody; gives the tutorial's configuration."""
    text = (ROOT / "docs/tutorial" / tutorial).read_text("utf-8")
    project.mkdir()
    for block in CAPTIONED.finditer(text):
        (project / block["name"]).write_text(block["body"], "utf-8")
    # Without isolation, so that the test needs no index.
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--target", str(site)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(project)], check=True)
    return CONFIGURATION.search(text)["body"]  # type: ignore[index]


def switchgear(folder: Path, site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(site)}
    environment.pop("SWITCHGEAR_CONFIG", None)
    command = [sys.executable, "-m", "switchgear", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "tests/pages/clean-3.png", tmp_path / "page.png")
    (tmp_path / "page.text").write_text("typed by somebody\n", "utf-8")
    return tmp_path


def test_the_tutorials_provider_is_installed_named_and_disabled(folder: Path) -> None:
    site = folder / "site"
    configuration = install("provider-plugin.md", folder / "mine", site)
    path = folder / "switchgear.toml"
    path.write_text(configuration, "utf-8")

    assert "ocr.mine" in switchgear(folder, site, "plugins", "list").stdout
    answered = switchgear(folder, site, "run", "scans", "page.png", "--json")
    line = json.loads(answered.stdout)
    assert (line["provider"], line["output"]["text"].strip()) == ("typed", "typed by somebody")
    assert line["cost"] == {"amount": "0.001", "currency": "USD"}

    path.write_text('[plugins]\ndisable = ["switchgear-mine"]\n' + configuration, "utf-8")
    line = json.loads(switchgear(folder, site, "run", "scans", "page.png", "--json").stdout)
    assert line["provider"] == "engine"

    path.write_text(configuration.replace("suffix", "sufix"), "utf-8")
    refused = switchgear(folder, site, "check")
    assert refused.returncode == 2
    assert "Did you mean suffix?" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_tutorials_strategy_orders_the_providers(folder: Path) -> None:
    site = folder / "site"
    configuration = install("strategy-plugin.md", folder / "affordable", site)
    path = folder / "switchgear.toml"
    path.write_text(configuration, "utf-8")

    plan = json.loads(switchgear(folder, site, "explain", "scans", "page.png", "--json").stdout)
    assert [row["provider"] for row in plan["candidates"]] == ["good", "fast"]

    path.write_text(configuration.replace("0.01", "0.001"), "utf-8")
    plan = json.loads(switchgear(folder, site, "explain", "scans", "page.png", "--json").stdout)
    assert [row["provider"] for row in plan["candidates"] if row["rank"]] == ["fast"]

    path.write_text('[plugins]\ndisable = ["switchgear-affordable"]\n' + configuration, "utf-8")
    plan = json.loads(switchgear(folder, site, "explain", "scans", "page.png", "--json").stdout)
    assert plan["strategy"] != "Affordable"
