"""Shell completion: the scripts, and the names they ask for."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from switchgear.cli.program import program

Run = Callable[..., Result]
Complete = Callable[[str], set[str]]


@pytest.fixture
def complete() -> Complete:
    """What fish is told about a line whose last word is unfinished."""

    def ask(line: str) -> set[str]:
        words, _, last = line.rpartition(" ")
        environ = {"_SWITCHGEAR_COMPLETE": "fish_complete", "COMP_WORDS": words, "COMP_CWORD": last}
        result = CliRunner().invoke(program, env=environ)
        kinds_and_names = [each.split("\t")[0].split(",") for each in result.stdout.split("\n") if each]
        return {name for kind, name in kinds_and_names if kind == "plain"}

    return ask


@pytest.mark.parametrize(
    ("shell", "sign"), [("bash", "complete -o"), ("zsh", "#compdef"), ("fish", "complete --no-files")]
)
def test_each_shell_gets_its_script(shell: str, sign: str, run: Run) -> None:
    result = run("completion", shell)
    assert result.exit_code == 0
    assert sign in result.stdout
    assert "_SWITCHGEAR_COMPLETE" in result.stdout


def test_an_unknown_shell_is_a_usage_error(run: Run) -> None:
    assert run("completion", "tcsh").exit_code == 2


@pytest.mark.usefixtures("service")
class TestNames:
    @pytest.mark.parametrize(
        ("line", "names"),
        [
            ("switchgear pl", {"plugins"}),
            ("switchgear w", {"words"}),
            ("switchgear run c", {"count"}),
            ("switchgear explain ", {"count"}),
            ("switchgear run count a --only ", {"fast", "good"}),
            ("switchgear run count a --fail g", {"good"}),
            ("switchgear words a --exclude s", {"strict", "stuck"}),
            ("switchgear plugins why words.i", {"words.interrupted", "words.ill"}),
            ("switchgear plugins s", {"show"}),
        ],
    )
    def test_are_found(self, line: str, names: set[str], complete: Complete) -> None:
        assert complete(line) == names

    @pytest.mark.parametrize("text", ["[services\n", "services = 3", "[services]\ncount = 3"])
    def test_are_silently_missing_from_a_broken_file(
        self, text: str, complete: Complete, configure: Callable[[str], Path]
    ) -> None:
        configure(text)
        assert complete("switchgear run x") == set()

    def test_come_from_the_file_that_the_line_names(self, complete: Complete) -> None:
        Path("other.toml").write_text("[services.elsewhere]")
        assert complete("switchgear run --config other.toml e") == {"elsewhere"}


def test_names_are_missing_without_a_file(complete: Complete) -> None:
    assert complete("switchgear run x") == set()
