"""The quick start, `switchgear <capability> INPUT...`: no configuration, only what is installed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Run = Callable[..., Result]
Install = Callable[..., None]
Lines = Callable[[Result], list[dict[str, Any]]]

TINY = """
import attrs
from switchgear import Capability, ProviderResult, SimpleProvider


class Tiny(Capability):
    name, request_type, output_type = "tiny", str, str
    {default}

    def request(self, value, **options):
        return value


@attrs.define
class Answer(SimpleProvider):
    async def process(self, request):
        return ProviderResult(self.name)


@attrs.define
class NeedsKey(Answer):
    api_key: str
"""


@pytest.fixture
def tiny(install: Install) -> Callable[..., None]:
    """Install the capability `tiny` with some providers, and perhaps a `default_service`."""

    def install_it(*providers: str, default: str = "") -> None:
        points = [f"tiny.{name} = acme_tiny:Answer" for name in providers]
        install("acme-tiny", TINY.format(default=default), capabilities=["tiny = acme_tiny:Tiny"], providers=points)

    return install_it


def asked(result: Result) -> list[str]:
    """The providers in the order in which they are asked."""
    [line] = [line for line in result.stderr.splitlines() if "no configuration is used" in line]
    return line.partition("asking ")[2].partition(" with")[0].split(", ")


def test_asks_all_installed_providers_and_says_so(run: Run, tiny: Callable[..., None]) -> None:
    tiny("b", "a")
    result = run("tiny", "x")
    assert (result.exit_code, result.stdout) == (0, "a\n")
    assert asked(result) == ["a", "b"]


def test_ignores_a_configuration_even_a_broken_one(
    run: Run, tiny: Callable[..., None], configure: Callable[[str], Path]
) -> None:
    tiny("a")
    configure("broken")
    assert run("tiny", "x").stdout == "a\n"


ONE = '[services.say]\ncapability = "tiny"\nproviders = { mine = { type = "a" } }\n'


def test_with_a_configuration_its_own_service_is_asked(
    run: Run, tiny: Callable[..., None], configure: Callable[[str], Path]
) -> None:
    tiny("a", "b")
    path = configure(ONE + "[environments.prod.services.say]\nproviders = { other = { type = 'b', priority = 1 } }\n")
    result = run("tiny", "x", "--config", str(path))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "mine\n", "")
    assert run("tiny", "x", "--env", "prod").stdout == "other\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no service of tiny: name one with `switchgear run`. It has: none"),
        (ONE + ONE.replace("say", "tell"), "has several services of tiny: name one with `switchgear run`. It has: say"),
    ],
)
def test_a_configuration_without_the_one_service_is_a_usage_error(
    text: str, message: str, run: Run, tiny: Callable[..., None], configure: Callable[[str], Path]
) -> None:
    tiny("a")
    result = run("tiny", "x", "--config", str(configure(text)))
    assert result.exit_code == 2
    assert message in result.stderr


def test_takes_the_options_of_run(run: Run, lines: Lines, tiny: Callable[..., None]) -> None:
    tiny("a", "b")
    [line] = lines(run("tiny", "x", "--fail", "a", "--json"))
    assert (line["provider"], line["attempts"][0]["message"]) == ("b", "made to fail by --fail")
    assert run("tiny", "x", "--only", "b").stdout == "b\n"
    assert run("tiny", "x", "--fail", "c").exit_code == 2


@pytest.mark.usefixtures("words", "broken")
def test_reports_and_skips_what_is_broken_or_needs_options(run: Run) -> None:
    result = run("words", "a b", "--only", "counter")
    assert (result.exit_code, result.stdout) == (0, "2 words\n")
    for reason in (
        "words.providers.raises: words.raises (acme_raises:Provider, acme-raises 1.0) cannot be imported: "
        "RuntimeError: no engine",
        "cannot be imported: SystemExit",
        "words.providers.strict.options.level: missing",
    ):
        assert reason in result.stderr
    assert "counter" in asked(result)
    assert not {"raises", "exits", "strict"} & set(asked(result))


def test_says_of_each_provider_what_is_wrong_where_none_is_left(
    run: Run, tiny: Callable[..., None], install: Install
) -> None:
    tiny()
    install("acme-raises", "raise RuntimeError('no engine')", providers=["tiny.a = acme_raises:Provider"])
    install("acme-key", "from acme_tiny import NeedsKey", providers=["tiny.b = acme_key:NeedsKey"])
    result = run("tiny", "x")
    assert result.exit_code == 2
    assert "RuntimeError: no engine" in result.stderr
    assert "api_key" in result.stderr


def test_says_so_where_no_provider_is_installed(run: Run, tiny: Callable[..., None]) -> None:
    tiny()
    result = run("tiny", "x")
    assert result.exit_code == 2
    assert "no provider of tiny is installed" in result.stderr
    assert "pip install" in result.stderr


def test_a_capability_that_cannot_be_imported_is_one_line(run: Run, install: Install) -> None:
    install("acme-tiny", "raise RuntimeError('halfway')", capabilities=["tiny = acme_tiny:Tiny"])
    result = run("tiny", "x")
    assert result.exit_code == 2
    assert "tiny (acme_tiny:Tiny, acme-tiny 1.0) cannot be imported: RuntimeError: halfway" in result.stderr


@pytest.mark.parametrize("default", ["", 'default_service = {"providers": {"a": {"type": "a"}}}'])
def test_of_two_distributions_that_offer_one_name_the_first_is_asked_and_the_other_named(
    run: Run, tiny: Callable[..., None], install: Install, default: str
) -> None:
    tiny("a", "b", default=default)
    for name in ("zeta", "acme-more"):
        install(name, "from acme_tiny import Answer", providers=[f"tiny.a = {name.replace('-', '_')}:Answer"])
    result = run("tiny", "x")
    assert asked(result) == ["a", "b"]
    choices = 'type = "a@acme-tiny" or type = "a@zeta"'
    assert f"note: a is that of acme-more; a configuration can choose {choices}\n" in result.stderr


def test_a_capability_may_recommend_one_of_two_distributions(
    run: Run, tiny: Callable[..., None], install: Install
) -> None:
    tiny("a", default='default_service = {"providers": {"a": {"type": "a@zeta"}}}')
    install("zeta", "from acme_tiny import Answer", providers=["tiny.a = zeta:Answer"])
    assert 'a is that of zeta; a configuration can choose type = "a@acme-tiny"' in run("tiny", "x").stderr


def test_a_variable_that_names_an_environment_is_about_a_configuration_and_not_about_the_quick_start(
    run: Run, tiny: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny("a")
    monkeypatch.setenv("SWITCHGEAR_ENV", "prod")
    assert run("tiny", "x").stdout == "a\n"


def test_its_help_says_when_a_configuration_is_read(run: Run, tiny: Callable[..., None]) -> None:
    tiny("a")
    text = " ".join(run("tiny", "--help").stdout.split())
    assert "Ask its only service of tiny. Default: no configuration is read, unless there is --env." in text
    assert "Ask a configuration in this environment" in text


def test_the_capabilitys_own_order_comes_first(run: Run, tiny: Callable[..., None]) -> None:
    default = json.dumps(
        {
            "strategy": "quality",
            "providers": {
                "good": {"type": "c", "quality_score": 0.9, "priority": 1},
                "fair": {"type": "b", "quality_score": 0.6, "priority": 2},
                "gone": {"type": "not-installed", "priority": 3},
            },
        }
    )
    tiny("a", "b", "c", default=f"default_service = {default}")
    result = run("tiny", "x", "-v", "--fail", "good")
    assert asked(result) == ["good", "fair", "a"]
    assert result.stdout == "fair\n"


def test_logs_where_asked_to(run: Run, tiny: Callable[..., None]) -> None:
    tiny("a")
    assert "tiny: a answered after 1 attempts" in run("tiny", "x", "--log-level", "info").stderr
    assert "answered after" not in run("tiny", "x").stderr
