"""Shell completion: the scripts, and the names they ask for."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from switchgear.cli.program import program

Run = Callable[..., Result]
Complete = Callable[[str], set[str]]


def told(line: str) -> list[list[str]]:
    """What fish is told about a line whose last word is unfinished: kinds and names."""
    words, _, last = line.rpartition(" ")
    environ = {"_SWITCHGEAR_COMPLETE": "fish_complete", "COMP_WORDS": words, "COMP_CWORD": last}
    result = CliRunner().invoke(program, env=environ)
    return [each.split("\t")[0].split(",") for each in result.stdout.split("\n") if each]


@pytest.fixture
def complete() -> Complete:
    return lambda line: {name for kind, name in told(line) if kind == "plain"}


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
            ("switchgear plugins show wro", {"wrong"}),
            ("switchgear plugins show acme-", {"acme-words"}),
            ("switchgear plugins list --kind c", {"capabilities", "caches", "cost_sinks"}),
            ("switchgear run count a --format ", {"text", "loud"}),
            ("switchgear words a --format l", {"loud"}),
            ("switchgear run nobodys a --format ", set()),
        ],
    )
    def test_are_found(self, line: str, names: set[str], complete: Complete) -> None:
        assert complete(line) == names

    @pytest.mark.parametrize("line", ["run count ", "run count a.t", "words ", "explain count b", "cache show count "])
    def test_of_inputs_are_files(self, line: str) -> None:
        assert ["file", line.rpartition(" ")[2]] in told(f"switchgear {line}")

    @pytest.mark.parametrize("command", ["run count a", "check", "plugins list", "cost report", "words a"])
    def test_of_environments_are_those_that_the_file_declares(self, command: str, complete: Complete) -> None:
        with Path("switchgear.toml").open("a") as file:
            file.write("[environments.prod]\n[environments.staging]\n")
        assert complete(f"switchgear {command} --env ") == {"prod", "staging"}
        assert complete(f"switchgear {command} --env p") == {"prod"}

    @pytest.mark.parametrize("code", ["raise RuntimeError", "raise SystemExit", "print('hello')", "Broken = 3"])
    def test_of_formats_are_silently_missing_from_a_broken_capability(
        self, code: str, complete: Complete, install: Callable[..., None]
    ) -> None:
        install("acme-broken", code, capabilities=["broken = acme_broken:Broken"])
        assert told("switchgear broken a --format ") == []

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
