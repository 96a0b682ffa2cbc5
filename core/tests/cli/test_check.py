"""`switchgear check`: all problems of a configuration in one run, or what it comes to."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]
Configure = Callable[[str], Path]

pytestmark = pytest.mark.usefixtures("words")


def provider(lines: str) -> str:
    return f'[services.count]\ncapability = "words"\n[services.count.providers.fast]\n{lines}\n'


def test_a_sound_configuration_is_summed_up(run: Run, service: None) -> None:
    result = run("check")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"OK: {Path('switchgear.toml').absolute()}")
    assert "count: words by priority: fast (counter), good (counter)" in result.stdout.splitlines()


def test_json_says_the_same(run: Run, service: None) -> None:
    report = json.loads(run("check", "--json").stdout)
    assert report["ok"]
    assert report["services"] == {
        "count": {
            "capability": "words",
            "strategy": "priority",
            "providers": {"fast": "counter", "good": "counter"},
        }
    }
    assert report["left_out"] == report["problems"] == []


@pytest.mark.parametrize(
    ("configuration", "messages"),
    [
        (provider('type = "conter"'), ["unknown words provider 'conter'; did you mean 'counter'?"]),
        (provider('type = "mistral"'), ["pip install switchgear-mistral"]),
        (provider('type = "raises"'), ["acme-raises 1.0) cannot be imported: RuntimeError: no engine"]),
        (provider('type = "exits"'), ["cannot be imported: SystemExit"]),
        (
            provider('type = "counter"\noptions = { separator = 3, ratios = ["x"] }'),
            [
                "services.count.providers.fast.options.separator: expected a string, got 3",
                "services.count.providers.fast.options.ratios[0]: expected an integer, got 'x'",
            ],
        ),
        (provider('type = "counter"\noptions = { seperator = "" }'), ["seperator", "Did you mean separator?"]),
        (provider('type = "strict"'), ["services.count.providers.fast.options.level: missing"]),
        (provider('type = "counter"\noptions = { separator = "${UNSET_NAME}" }'), ["${UNSET_NAME} is not set"]),
        ('[services.count]\ncapability = "words"\n[services.count.providers]\n', ["no provider"]),
        ('[services.count]\ncapability = "wrods"\nproviders = { a = { type = "b" } }', ["did you mean 'words'?"]),
        (provider('type = "counter"') * 2, ["switchgear.toml: not valid TOML"]),
        (
            provider('type = "counter"') + '[services.count.strategy]\ntype = "weighted"\noptions.weights.fsat = 2\n',
            ["services.count.strategy.options: there is no provider 'fsat'. Did you mean fast?"],
        ),
        ("[services\n", ["switchgear.toml: not valid TOML"]),
        ("[service.count]\n", ["unknown", "services"]),
    ],
)
@pytest.mark.usefixtures("broken")
def test_what_is_wrong_is_said_with_its_place(
    configuration: str, messages: list[str], run: Run, configure: Configure
) -> None:
    configure(configuration)
    result = run("check")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ")
    for message in messages:
        assert message in result.stderr
    # What is wrong for `check` is wrong for every command that needs it, in the same words.
    assert run("run", "count", "a").stderr == result.stderr


@pytest.mark.usefixtures("broken")
def test_all_problems_are_listed_in_one_run(run: Run, configure: Configure) -> None:
    configure(provider('type = "raises"\npriorty = 1') + '[services.count.providers.slow]\ntype = "exits"\n')
    result = run("check", "--json")
    report = json.loads(result.stdout)
    assert result.exit_code == 2
    assert not report["ok"]
    assert {problem["path"] for problem in report["problems"]} == {
        "services.count.providers.fast",
        "services.count.providers.fast.priorty",
        "services.count.providers.slow",
    }
    assert all(problem["message"] and problem["remedy"] for problem in report["problems"])


@pytest.mark.usefixtures("broken")
def test_what_was_left_out_is_named(run: Run, configure: Configure) -> None:
    configure(
        provider('type = "counter"')
        + '[services.count.providers.off]\ntype = "exits"\nenabled = false\n'
        + '[services.count.providers.maybe]\ntype = "raises"\noptional = true\n'
    )
    result = run("check")
    assert result.exit_code == 0
    assert "left out: services.count.providers.off: switched off" in result.stdout
    assert "left out: services.count.providers.maybe: optional and broken: words.raises" in result.stdout
    assert "optional = true\n" in result.stdout  # the remedy
    assert "acme_exits" not in sys.modules


def test_secrets_can_be_left_out_of_it(run: Run, configure: Configure) -> None:
    configure(provider('type = "counter"\noptions = { key = "${UNSET_KEY}" }'))
    assert run("check").exit_code == 2
    assert run("check", "--without-secrets").exit_code == 0


def test_an_environment_is_checked_by_its_name(run: Run, configure: Configure) -> None:
    configure(provider('type = "counter"') + '[environments.prod.services.count]\nstrategy = "quality"\n')
    assert ", environment prod\n" in run("check", "--env", "prod").stdout
    assert "quality" in run("check", "--env", "prod").stdout
    assert run("check", "--env", "prd").exit_code == 2


@pytest.mark.usefixtures("service")
def test_the_file_is_the_named_one_or_the_variables_or_the_nearest(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("other.toml").write_text("")
    Path("deep/er").mkdir(parents=True)
    assert "other.toml" in run("check", "--config", "other.toml").stdout
    monkeypatch.setenv("SWITCHGEAR_CONFIG", str(Path("other.toml").absolute()))
    assert "other.toml" in run("check").stdout
    monkeypatch.delenv("SWITCHGEAR_CONFIG")
    monkeypatch.chdir("deep/er")
    assert "count" in run("check").stdout


def test_a_disabled_distribution_that_may_be_misspelled_is_noted(run: Run, configure: Configure) -> None:
    configure(
        provider('type = "counter"') + '[plugins]\ndisable = ["acme-wrods", "switchgear-elsewhere", "Switchgear"]\n'
    )
    result = run("check")
    assert result.exit_code == 0
    note = "plugins.disable[0]: no plugin 'acme-wrods' is installed. Did you mean acme-words?"
    assert result.stderr == f"note: {note}\n"
    assert json.loads(run("check", "--json").stdout)["suspicious"] == [note]


def test_a_file_without_services_is_no_error_and_not_passed_over(run: Run, configure: Configure) -> None:
    configure('[switchgear]\ncurrency = "EUR"\n')
    result = run("check")
    assert result.exit_code == 0
    assert "it has no services" in result.stderr
    (suspicion,) = json.loads(run("check", "--json").stdout)["suspicious"]
    assert "switchgear init" in suspicion


def test_what_only_calls_and_absent_tables_need_is_not_imported(tmp_path: Path) -> None:
    (tmp_path / "switchgear.toml").write_text('[switchgear]\ncurrency = "EUR"\n')
    code = """
import runpy, sys
sys.argv = ["switchgear", "check"]
try:
    runpy.run_module("switchgear", run_name="__main__")
finally:
    print(*sorted(name for name in sys.modules if name.startswith("switchgear.")))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True)
    imported = set(done.stdout.splitlines()[-1].split())
    assert "switchgear.components" in imported
    assert not imported & {"switchgear.manager", "switchgear.costs.settings", "switchgear.caching.settings"}
    assert not {name for name in imported if name.startswith("switchgear.cli.cost")}
