"""The page about documents does what it says: every command and program on it is run, and its output compared."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[1] / "docs/how-to/translate-documents.md").read_text("utf-8")
FENCE = re.compile(r"^```(?P<language>\w+)\n(?P<body>.*?)^```", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"`(?P<name>[\w.]+)`:\n\n```\w+\n(?P<body>.*?)^```", re.DOTALL | re.MULTILINE)
PROGRAMS = Path(sys.executable).parent


def blocks(language: str) -> list[str]:
    return [match["body"] for match in FENCE.finditer(PAGE) if match["language"] == language]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "switchgear.toml").write_text(blocks("toml")[0], "utf-8")
    for match in FILE.finditer(PAGE):
        (tmp_path / match["name"]).write_text(match["body"], "utf-8")
    return tmp_path


def said(folder: Path, *command: str) -> str:
    ran = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert ran.returncode == 0, ran.stdout.decode()
    return ran.stdout.decode()


def test_the_commands_say_and_make_what_the_page_shows(folder: Path) -> None:
    steps = [step for block in blocks("console") for step in block.split("$ ") if step]
    tried = 0
    for step in steps:
        line, _, output = step.partition("\n")
        program, *arguments = line.split()
        if program == "cat":
            assert (folder / arguments[0]).read_text("utf-8") == output
        elif program == "switchgear-translate":
            assert said(folder, str(PROGRAMS / program), *arguments) == output
            tried += 1
    assert tried == 3


def test_the_program_prints_what_the_page_shows(folder: Path) -> None:
    (folder / "program.py").write_text(blocks("python")[0], "utf-8")
    assert said(folder, sys.executable, "program.py") == blocks("text")[-1]
