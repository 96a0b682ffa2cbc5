"""`switchgear init`: a configuration that works for what is installed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import tomli
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st
from switchgear.cli.toml import tables

Run = Callable[..., Result]


@pytest.mark.usefixtures("words")
def test_what_it_writes_passes_the_check_and_runs(run: Run) -> None:
    assert run("init").exit_code == 0
    assert run("check").exit_code == 0
    assert run("run", "words", "a b", "--only", "counter").stdout == "2 words\n"


@pytest.mark.usefixtures("words", "broken")
def test_what_cannot_be_used_as_it_is_is_switched_off_with_the_reason(run: Run) -> None:
    run("init")
    text = Path("switchgear.toml").read_text()
    providers = tomli.loads(text)["services"]["words"]["providers"]
    assert {name for name, table in providers.items() if not table.get("enabled", True)} == {
        "exits",
        "raises",
        "strict",
    }
    assert "# Switched off: words.raises (acme_raises:Provider, acme-raises 1.0) cannot be imported" in text
    assert "# Switched off: options.level: missing, expected an integer\n" in text
    assert run("check").exit_code == 0


MANY = """
import attrs
from acme_words import Strict


@attrs.define
class Many(Strict):
    token: str
"""


@pytest.mark.usefixtures("words")
def test_the_reason_names_every_option_that_is_missing(run: Run, install: Callable[..., None]) -> None:
    install("acme-many", MANY, providers=["words.many = acme_many:Many"])
    run("init")
    reason = Path("switchgear.toml").read_text().partition("\n[services.words.providers.many]")[0].splitlines()[-1]
    missing = {"options.level: missing, expected an integer", "options.token: missing, expected a string"}
    assert set(reason.removeprefix("# Switched off: ").split("; ")) == missing


@pytest.mark.usefixtures("words", "broken")
def test_a_variable_that_names_an_environment_is_not_about_the_file_to_be_written(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("init")
    monkeypatch.setenv("SWITCHGEAR_ENV", "elsewhere")
    run("init", "--config", "other.toml")
    assert Path("other.toml").read_text() == Path("switchgear.toml").read_text()


@pytest.mark.usefixtures("words")
def test_of_two_distributions_that_offer_one_name_the_first_is_written_and_the_other_named(
    run: Run, install: Callable[..., None]
) -> None:
    install("zeta-words", "from acme_words import Counter", providers=["words.counter = zeta_words:Counter"])
    result = run("init")
    assert (
        'note: counter is that of acme-words; a configuration can choose type = "counter@zeta-words"' in result.stderr
    )
    assert run("check").exit_code == 0
    assert '[services.words.providers.counter]\ntype = "counter@acme-words"' in Path("switchgear.toml").read_text()


def test_its_help_says_what_its_options_do_here(run: Run) -> None:
    text = " ".join(run("init", "--help").stdout.split())
    assert "Where to write. Default: switchgear.toml here." in text
    assert "What the file calls its environment. Default: dev." in text
    assert "SWITCHGEAR_CONFIG" not in text


def test_without_plugins_it_shows_how_to_go_on(run: Run) -> None:
    assert run("init").exit_code == 0
    assert "# [services.scans]" in Path("switchgear.toml").read_text()
    assert run("check").exit_code == 0


def test_never_overwrites_unless_forced(run: Run) -> None:
    Path("switchgear.toml").write_text("mine")
    result = run("init")
    assert result.exit_code == 2
    assert "switchgear.toml is there already; --force overwrites it" in result.stderr
    assert Path("switchgear.toml").read_text() == "mine"
    assert run("init", "--force").exit_code == 0
    assert Path("switchgear.toml").read_text() != "mine"


def test_keeps_secrets_and_state_out_of_git(run: Run) -> None:
    Path(".gitignore").write_text("*.pyc")
    run("init")
    assert Path(".gitignore").read_text() == "*.pyc\n.env\n.switchgear/\n"


def test_adds_only_what_git_does_not_ignore_yet(run: Run) -> None:
    Path(".gitignore").write_text("/.env\n.switchgear\n")
    result = run("init", "--json")
    assert json.loads(result.stdout) == {"file": "switchgear.toml", "ignored": []}
    assert Path(".gitignore").read_text() == "/.env\n.switchgear\n"


def test_file_and_environment_can_be_named(run: Run) -> None:
    Path("deploy").mkdir()
    run("init", "--config", "deploy/x.toml", "--env", 'st"aging')
    assert tomli.loads(Path("deploy/x.toml").read_text())["switchgear"]["environment"] == 'st"aging'
    assert Path("deploy/.gitignore").exists()


@pytest.mark.parametrize(
    ("name", "message"), [("x.yaml", "init writes TOML"), ("no/x.toml", "cannot be written: No such file or directory")]
)
def test_a_file_that_cannot_be_is_a_usage_error(name: str, message: str, run: Run) -> None:
    result = run("init", "--config", name)
    assert result.exit_code == 2
    assert message in result.stderr


scalars = (
    st.text() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


@settings(max_examples=40)
@given(st.dictionaries(st.text(), values))
def test_toml_comes_back_as_it_was(content: dict[str, object]) -> None:
    content.pop("providers", None)
    assert tomli.loads("\n".join(tables("a", content))) == {"a": content}
