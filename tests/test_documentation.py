"""What the documents show works as it stands there: every TOML block composes, and the README's program runs."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tomli
from switchgear import Switchgear

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "plugins").glob("*/README.md")),
]
CAPABILITIES = {"ocr", "translation"}
PROVIDERS = {"tesseract", "rapidocr", "fasttranslate", "apertium", "deepl", "libretranslate"}
FENCE = re.compile(r"^```(?:\{code-block\} )?(?P<language>\w+)[^\n]*\n(?P<body>.*?)^```", re.DOTALL | re.MULTILINE)


def blocks(document: Path, language: str) -> list[str]:
    found = (match for match in FENCE.finditer(document.read_text("utf-8")) if match["language"] == language)
    return [re.sub(r"\A(:\w+:.*\n)+\n?", "", match["body"]) for match in found]


def configurations() -> list[tuple[str, str]]:
    """Each block that holds a whole configuration, with its place; packages' own pyproject tables are none."""
    return [
        (f"{document.relative_to(ROOT)}[{number}]", text)
        for document in DOCUMENTS
        if "_build" not in document.parts
        for number, text in enumerate(blocks(document, "toml"))
        if "[services." in text and "[project" not in text
    ]


@pytest.mark.parametrize("text", [pytest.param(text, id=place) for place, text in configurations()])
def test_a_documented_configuration_composes(text: str, tmp_path: Path) -> None:
    tables = tomli.loads(text)
    kept = {name: table for name, table in tables["services"].items() if table.get("capability") in CAPABILITIES}
    types = {provider["type"] for table in kept.values() for provider in table.get("providers", {}).values()}
    if not kept or not types <= PROVIDERS or '"affordable"' in text:
        pytest.skip("names a plugin that the reader is to write, or shows a part of a service")
    path = tmp_path / "switchgear.toml"
    path.write_text(text, "utf-8")
    board = Switchgear.open(path, allow_unset=True)
    assert set(board) == set(tables["services"])


def test_there_are_documented_configurations_to_try() -> None:
    places = [place for place, _ in configurations()]
    assert len(places) >= 10
    assert any(place.startswith("README.md") for place in places)


def test_the_readmes_program_reads_a_page_with_the_readmes_configuration(tmp_path: Path) -> None:
    readme = ROOT / "README.md"
    configuration = next(text for text in blocks(readme, "toml") if "validate" in text)
    program = blocks(readme, "python")[0]
    assert len(configuration.split("\n")) <= 20
    assert len(program.strip().split("\n")) <= 12
    (tmp_path / "switchgear.toml").write_text(configuration, "utf-8")
    (tmp_path / "read.py").write_text(program, "utf-8")
    shutil.copy(ROOT / "tests/pages/clean-3.png", tmp_path / "page.png")
    ran = subprocess.run([sys.executable, "read.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "fast success" in ran.stdout
    assert len(ran.stdout) > 200


CAPTIONED = re.compile(r"^```\{code-block\} \w+\n:caption: (?P<name>\S+)\n+(?P<body>.*?)^```", re.DOTALL | re.MULTILINE)


def write_captioned(document: Path, folder: Path) -> list[str]:
    """The files that a document shows under their names."""
    names = []
    for block in CAPTIONED.finditer(document.read_text("utf-8")):
        path = folder / block["name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block["body"], "utf-8")
        names.append(block["name"])
    return names


def test_the_tests_that_the_how_to_shows_pass(tmp_path: Path) -> None:
    write_captioned(ROOT / "docs/tutorial/provider-plugin.md", tmp_path / "mine")
    (module,) = (tmp_path / "mine").rglob("switchgear_mine*")
    tests = write_captioned(ROOT / "docs/how-to/test.md", tmp_path / "tests")
    assert {"test_reading.py", "test_time.py", "test_mine.py", "test_shout.py"} <= {*tests}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-ra", "-p", "no:cacheprovider", "--rootdir=.", "."],
        cwd=tmp_path / "tests",
        env={**os.environ, "PYTHONPATH": str(module.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    # S9: what reaches the wire is counted, but for the page in a folder, which reaches none.
    skipped = re.findall(r"SKIPPED \[(\d+)\].*(?:wire_calls|break_wire)\(\)", ran.stdout)
    assert sum(map(int, skipped)) == 3, ran.stdout


TUTORIAL = ROOT / "docs/tutorial/first-page.md"
VARIES = re.compile(r"\b\d+ms\b|\b\d+\.\d\ds\b|\bcall \w+|/\S*(?=/switchgear\.toml)")


def plain(output: str) -> list[str]:
    """What was printed, but for times, names of calls, folders, rules and the widths of columns."""
    lines = (" ".join(VARIES.sub("...", line).split()) for line in output.splitlines())
    return [line for line in lines if line.strip("─")]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the tutorial makes."""
    folder = tmp_path_factory.mktemp("first")
    for file in ("docs/examples/demo/switchgear.toml", "tests/pages/columns-1.png", "tests/pages/photo-1.jpg"):
        assert f"../{file}" in TUTORIAL.read_text("utf-8")
        shutil.copy(ROOT / file, folder)
    return folder


def run_in(folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


SESSION = re.compile(r"^```console\n(?P<body>.*?)^```", re.DOTALL | re.MULTILINE)
COSTS = ROOT / "docs/examples/costs"


def sessions(document: Path) -> dict[str, str]:
    """What a document says that each command prints."""
    bodies = [block["body"] for block in SESSION.finditer(document.read_text("utf-8"))]
    found = (command.partition("\n") for body in bodies for command in body.split("$ ")[1:])
    return {command: output for command, _, output in found}


TUTORED = {command: output for command, output in sessions(TUTORIAL).items() if command.startswith("switchgear ")}


@pytest.mark.parametrize("command", TUTORED)
def test_what_the_tutorial_shows_is_what_is_printed(command: str, demo: Path) -> None:
    ran = run_in(demo, "-m", *shlex.split(command))
    assert ran.returncode == 0, ran.stderr
    printed = [*plain(ran.stdout), *plain(ran.stderr)]
    assert [line for line in plain(TUTORED[command]) if line not in (*printed, "...")] == []


def test_the_tutorials_program_reads_the_photo(demo: Path) -> None:
    assert write_captioned(TUTORIAL, demo) == ["read.py"]
    ran = run_in(demo, "read.py")
    assert ran.returncode == 0, ran.stderr
    assert "good success" in ran.stdout


def test_with_the_first_engine_switched_off_the_second_answers(tmp_path: Path) -> None:
    (switched_off,) = blocks(TUTORIAL, "toml")
    (tmp_path / "switchgear.toml").write_text(switched_off, "utf-8")
    ran = run_in(tmp_path, "-m", "switchgear", "run", "scans", str(ROOT / "tests/pages/clean-3.png"), "-v")
    assert "answered by good" in ran.stderr
    assert "fast" not in ran.stderr


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the example about costs, with its ledger."""
    folder = tmp_path_factory.mktemp("costs")
    for file in COSTS.glob("*.*"):
        shutil.copy(file, folder)
    subprocess.run([sys.executable, "make_ledger.py", "ledger.db"], cwd=folder, check=True)
    return folder


REPORTS = sessions(ROOT / "docs/how-to/cost-reports.md")


def test_there_are_documented_reports_to_try() -> None:
    assert len(REPORTS) == 5
    assert all(REPORTS.values())


@pytest.mark.parametrize("command", REPORTS)
def test_a_documented_report_is_what_is_printed(command: str, books: Path) -> None:
    _, *arguments = shlex.split(command)
    ran = subprocess.run(
        [sys.executable, "-m", "switchgear", *arguments],
        cwd=books,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert ran.returncode == (1 if "reconcile" in arguments else 0), ran.stderr
    printed = [line.rstrip() for line in ran.stdout.splitlines()]
    assert "\n".join(printed).strip("\n") == REPORTS[command].strip("\n")


def test_the_configuration_of_the_example_about_costs_is_the_documented_one() -> None:
    (shown,) = blocks(ROOT / "docs/how-to/cost-reports.md", "toml")
    assert shown == (COSTS / "switchgear.toml").read_text("utf-8")
