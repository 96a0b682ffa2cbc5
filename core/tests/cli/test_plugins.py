"""`switchgear plugins`: what is installed, what it can be told, and why it is used or not."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from switchgear import __version__
from switchgear.cli.plugins.list import KINDS
from switchgear.hookspecs import SPECS

Run = Callable[..., Result]
Install = Callable[..., None]
Configure = Callable[[str], Path]

CONFIG = """
[plugins]
disable = ["Acme_Exits"]

[switchgear.logging]

[services.count]
capability = "words"
strategy = { type = "quality" }
[services.count.providers.fast]
type = "counter"
options = { key = "${vault:count#key}" }
[services.count.providers.off]
type = "raises"
enabled = false
[services.count.providers.templated]
type = "strict"
enabled = "${SWITCH:-false}"
[services.count.providers.disabled]
type = "exits"
[services.count.providers.gone]
type = "gone"
optional = true
"""


@pytest.fixture(autouse=True)
def nothing_gets_imported(words: None, broken: None, request: pytest.FixtureRequest) -> Any:
    yield
    if "show" not in request.node.name:
        assert not {name for name in sys.modules if name.startswith("acme_")}


def test_list_has_everything_with_its_origin(run: Run) -> None:
    rows = [line.split() for line in run("plugins", "list").stdout.splitlines()]
    assert ["capabilities", "words", "acme-words", "1.0", "acme_words:Words"] in rows
    assert ["strategies", "cost", "switchgear", __version__, "switchgear.strategies.cost:Cost"] in rows
    assert ["providers", "words.raises", "acme-raises", "1.0", "acme_raises:Provider"] in rows


def test_list_says_what_the_configuration_uses(run: Run, configure: Configure) -> None:
    configure(CONFIG)
    rows = json.loads(run("plugins", "list", "--kind", "providers", "--json").stdout)
    found = {row["name"]: (row["used_by"], row["disabled"]) for row in rows}
    assert found["words.counter"] == (["services.count.providers.fast"], False)
    assert found["words.raises"] == found["words.strict"] == ([], False)
    assert found["words.exits"] == ([], True)
    text = run("plugins", "list", "--kind", "providers").stdout
    used = {line.split()[1]: line.split()[-1] for line in text.splitlines()[2:]}
    assert [used[f"words.{name}"] for name in ("counter", "raises", "exits")] == ["yes", "no", "disabled"]


def test_list_knows_every_kind_and_no_other(run: Run) -> None:
    assert set(KINDS) == SPECS.keys() - {"validators"}  # they come with their capability
    result = run("plugins", "list", "--kind", "provider")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'provider' is not one of 'capabilities', 'providers'" in result.stderr


@pytest.mark.parametrize("command", [["list"], ["why", "counter"], ["show", "counter"]])
def test_an_environment_that_is_not_declared_is_refused_not_only_by_show(
    command: list[str], run: Run, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(CONFIG + "[environments.prod]\n")
    result = run("plugins", *command, "--env", "pord")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == run("check", "--env", "pord").stderr.splitlines(keepends=True)[0]
    assert "no environment is called 'pord'" in result.stderr
    assert run("plugins", *command, "--env", "prod").exit_code == 0
    # A variable is not of this command line: the plugins can still be looked at.
    monkeypatch.setenv("SWITCHGEAR_ENV", "pord")
    assert run("plugins", *command).exit_code == 0
    configure("[services\nnot toml")
    assert run("plugins", *command, "--env", "pord").exit_code == 0


def test_list_tells_of_damaged_metadata(run: Run, install: Install) -> None:
    install("damaged", "", providers=["this is no entry point"])
    assert "damaged has broken metadata" in run("plugins", "list").stderr


def test_show_has_options_documentation_and_file(run: Run) -> None:
    result = run("plugins", "show", "counter")
    rows = [line.split() for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert result.stdout.startswith("providers: words.counter\nfrom acme-words 1.0, acme_words:Counter\nin /")
    assert "Counts what stands between separators.\n\nKnows no grammar." in result.stdout
    assert ["separator", "str", "'", "'", "what", "stands", "between", "words"] in rows
    assert ["ratios", "list[int]", "list()"] in rows


def test_show_knows_required_options_and_json(run: Run) -> None:
    [shown] = json.loads(run("plugins", "show", "words.strict", "--json").stdout)
    assert shown["options"] == [{"name": "level", "type": "int", "default": None, "help": ""}]
    assert shown["file"].endswith("acme_words.py")
    assert "required" in run("plugins", "show", "strict").stdout


def test_show_says_where_the_configuration_uses_it(run: Run, service: None) -> None:
    used = ["services.count.providers.fast", "services.count.providers.good"]
    [shown] = json.loads(run("plugins", "show", "counter", "--config", "switchgear.toml", "--json").stdout)
    assert shown["used_by"] == used
    assert "used by services.count.providers.fast\n" in run("plugins", "show", "counter").stdout


def test_show_of_what_takes_no_options_says_so(run: Run) -> None:
    assert "It takes no options." in run("plugins", "show", "log").stdout


def test_show_of_a_broken_plugin_says_where_it_comes_from_and_what_is_wrong(run: Run) -> None:
    result = run("plugins", "show", "raises")
    assert result.exit_code == 1
    assert "from acme-raises 1.0, acme_raises:Provider" in result.stdout
    assert "RuntimeError: no engine" in result.stderr
    assert result.stderr.endswith(". reinstall or upgrade acme-raises, disable it, or set optional = true\n")


@pytest.mark.parametrize("command", ["show", "why"])
def test_an_unknown_name_gets_the_nearest_right_one_show_and_why(command: str, run: Run) -> None:
    result = run("plugins", command, "conter")
    assert result.exit_code == 2
    assert "nothing that is installed is called 'conter'. Did you mean 'counter'?" in result.stderr


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "counter",
            ["words.counter (acme-words 1.0, acme_words:Counter): used", "used by services.count.providers.fast"],
        ),
        ("words.raises", [": not used", "services.count.providers.off or a table around it has enabled = false"]),
        ("strict", [": not used", "services.count.providers.templated or a table around it has enabled = false"]),
        ("acme-exits", [": not used", "plugins.disable names acme-exits: all its uses are switched off"]),
        ("failing", [": not used", "switchgear.toml does not name it; what is not named is never imported"]),
        ("words", ["capabilities words", "used by services.count.capability"]),
        ("quality", [": used", "used by services.count.strategy"]),
        ("priority", [": not used"]),
        ("log", [": used", "used by switchgear.logging"]),
    ],
)
def test_why_says_where_it_is_used_or_why_not(name: str, expected: list[str], run: Run, configure: Configure) -> None:
    configure(CONFIG)
    result = run("plugins", "why", name)
    assert result.exit_code == 0
    for text in expected:
        assert text in result.stdout


def test_why_follows_variables_that_switch_something_on(
    run: Run, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(CONFIG)
    monkeypatch.setenv("SWITCH", "true")
    assert "used by services.count.providers.templated" in run("plugins", "why", "strict").stdout


def test_why_names_secret_stores(run: Run, configure: Configure, install: Install) -> None:
    install("acme-vault", "raise RuntimeError", secrets=["vault = acme_vault:Store"])
    configure(CONFIG)
    assert "used by services.count.providers.fast.options.key" in run("plugins", "why", "vault").stdout


def test_why_tells_of_names_that_clash(run: Run, configure: Configure, install: Install) -> None:
    install("rival", "raise RuntimeError", providers=["words.counter = rival:Counter"])
    configure(CONFIG)
    found = json.loads(run("plugins", "why", "counter", "--json").stdout)["offers"]
    assert [(each["distribution"], each["active"], each["rivals"]) for each in found] == [
        ("acme-words", False, ["rival"]),
        ("rival", False, ["acme-words"]),
    ]
    assert 'does not say which: write type = "counter@rival" for this one' in run("plugins", "why", "rival").stdout
    configure(CONFIG.replace('"counter"', '"counter@rival"'))
    assert "rival 1.0, rival:Counter): used" in run("plugins", "why", "counter@rival").stdout
    assert "acme-words 1.0, acme_words:Counter): not used" in run("plugins", "why", "counter@acme-words").stdout


def test_why_knows_what_is_named_but_not_installed(run: Run, configure: Configure) -> None:
    configure(CONFIG)
    result = run("plugins", "why", "gone")
    assert result.exit_code == 2
    assert (
        "gone is named by services.count.providers.gone, but not installed: pip install switchgear-gone"
        in result.stderr
    )


@pytest.mark.parametrize(
    "text", ["[services\n", "services = 3", '[services.count]\ncapability = []\nproviders = ["x"]']
)
def test_why_copes_with_a_broken_configuration(text: str, run: Run, configure: Configure) -> None:
    configure(text)
    result = run("plugins", "why", "counter")
    assert result.exit_code == 0
    assert "words.counter" in result.stdout
    assert ": not used" in result.stdout


def test_why_says_that_the_configuration_cannot_be_read(run: Run, configure: Configure) -> None:
    configure("[services\n")
    assert "no configuration can be read, so nothing is used: " in run("plugins", "why", "counter").stderr
