"""The program as a whole: what it imports, what it survives, and how it ends."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from switchgear import __version__
from switchgear.cli import check, faults
from switchgear.cli.program import program

Run = Callable[..., Result]
Process = Callable[..., "subprocess.CompletedProcess[str]"]
Install = Callable[..., None]


def imported_by(arguments: list[str], environ: dict[str, str]) -> set[str]:
    """The modules that a command has imported when it ends."""
    code = (
        "import sys, atexit\n"
        "from switchgear.__main__ import main\n"
        "atexit.register(lambda: sys.stderr.write('\\n' + ' '.join(sys.modules)))\n"
        f"sys.argv[1:] = {arguments!r}\n"
        "main()\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)
    return set(ended.stderr.splitlines()[-1].split())


def test_version_is_printed(process: Process) -> None:
    ended = process("--version")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"switchgear {__version__}\n", "")


def test_version_is_answered_before_anything_heavy_is_imported(environ: dict[str, str]) -> None:
    found = imported_by(["--version"], environ)
    assert "switchgear" in found
    assert not found & {"click", "typing", "attr", "importlib.metadata", "asyncio", "switchgear.cli", "re"}


def test_version_is_the_same_when_click_answers(run: Run) -> None:
    assert run("--version").stdout == f"switchgear {__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["plugins", "--help"], ["words", "--help"]])
def test_help_imports_neither_plugins_nor_what_calls_need(
    arguments: list[str], environ: dict[str, str], words: None
) -> None:
    found = imported_by(arguments, environ)
    assert "click" in found
    assert not found & {"rich", "stevedore", "cattrs", "pluggy", "asyncio", "switchgear.app", "acme_words"}


def test_help_lists_commands_and_installed_capabilities(run: Run, words: None) -> None:
    text = run("--help").stdout
    assert "Capabilities:\n  words " in text
    for command in ("init", "run", "explain", "check", "health", "plugins", "completion"):
        assert f"\n  {command} " in text


def test_help_has_no_list_of_capabilities_without_any(run: Run) -> None:
    assert "Capabilities" not in run("--help").stdout


@pytest.mark.usefixtures("words", "broken")
@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["--help"],
        ["plugins", "list"],
        ["plugins", "why", "words.raises"],
        ["plugins", "why", "acme-exits"],
    ],
)
def test_works_with_broken_plugins_and_an_invalid_configuration(
    arguments: list[str], run: Run, configure: Callable[[str], Path]
) -> None:
    configure("[services\nnot toml")
    assert run(*arguments).exit_code == 0
    assert not {"acme_raises", "acme_exits", "acme_words"} & set(sys.modules)


@pytest.mark.parametrize("arguments", [["--help"], ["plugins", "list"], ["check"], ["words", "a b"]])
def test_a_distribution_with_damaged_metadata_hides_only_itself(
    arguments: list[str], run: Run, install: Install, service: None
) -> None:
    install("damaged", "", providers=["this is no entry point"])
    assert run(*arguments).exit_code == 0


def test_plugins_that_nobody_names_are_not_imported(service: None, broken: None, run: Run) -> None:
    assert run("run", "count", "a b").exit_code == 0
    assert "acme_words" in sys.modules
    assert not {"acme_raises", "acme_exits"} & set(sys.modules)


def test_an_unknown_command_gets_the_nearest_right_one(run: Run, words: None) -> None:
    result = run("wrods", "a")
    assert result.exit_code == 2
    assert "'wrods'. Did you mean 'words'?" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "near"),
    [(["plugins", "lst"], "list"), (["cost", "rport"], "report"), (["cache", "claer"], "clear")],
)
def test_an_unknown_command_of_a_group_gets_the_nearest_right_one(arguments: list[str], near: str, run: Run) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"there is no command {arguments[-1]!r}. Did you mean {near!r}? There are: " in result.stderr


def test_a_capability_cannot_take_the_place_of_a_command(run: Run, install: Install) -> None:
    install("acme-check", "raise RuntimeError", capabilities=["check = acme_check:Check"])
    assert "Check the configuration" not in run("check").stdout
    assert "without opening anything" in run("check", "--help").stdout


@pytest.fixture
def defect(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*arguments: Any) -> None:
        raise ZeroDivisionError("the content of a secret document")

    monkeypatch.setattr(check, "_report", break_down)


@pytest.mark.usefixtures("defect")
def test_a_defect_of_ours_is_one_line_with_the_way_to_its_traceback(run: Run) -> None:
    result = run("check")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: unexpected ZeroDivisionError at test_program.py:")
    assert "SWITCHGEAR_DEBUG=1" in result.stderr
    assert "secret document" not in result.output


@pytest.mark.usefixtures("defect")
def test_a_defect_shows_its_traceback_when_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHGEAR_DEBUG", "1")
    assert "Traceback" in CliRunner().invoke(program, ["check"]).stderr


@pytest.mark.parametrize("variable", ["NO_COLOR", None])
def test_colours_are_for_terminals_that_want_them(variable: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if variable:
        monkeypatch.setenv(variable, "1")
    assert faults.wanted_colour() == (False if variable else None)


def test_python_m_and_the_script_are_the_same(process: Process) -> None:
    assert process("nonsense").stderr.startswith("Usage: switchgear [OPTIONS]")


@pytest.mark.parametrize("group", [(), ("plugins",), ("cost",), ("cache",)])
def test_without_a_command_the_help_is_shown_as_it_is(process: Process, group: tuple[str, ...]) -> None:
    ended = process(*group)
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) > 5
    assert "\\n" not in ended.stderr
