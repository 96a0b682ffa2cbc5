"""`switchgear doctor`: one provider after the other, what is wrong with it, and the remedy."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from switchgear.cli import examination

Run = Callable[..., Result]
Configure = Callable[[str], Path]
Install = Callable[..., None]

pytestmark = pytest.mark.usefixtures("words")

VENDORS = '''
"""Providers that have something to say of themselves."""

import asyncio

import attrs
from switchgear import BadCredentials, Finding, NotSent, Price, ProviderResult, SimpleProvider


@attrs.define
class Frank(SimpleProvider):
    default_price = Price()
    key: str = "right"

    async def process(self, request):
        return ProviderResult(1)

    async def diagnose(self):
        yes = self.key == "right"
        remedy = "" if yes else "get a key at example.com"
        return [Finding("reachable", True, "example.com"), Finding("credentials", yes, "looked at", remedy)]


class Locked(Frank):
    async def aopen(self):
        raise NotSent("the door is locked", remedy="bring the key")


class Silent(Frank):
    async def diagnose(self):
        await asyncio.Event().wait()


class Buggy(Frank):
    async def diagnose(self):
        raise ZeroDivisionError("planted")
'''


@pytest.fixture(autouse=True)
def vendors(install: Install) -> None:
    names = ("Frank", "Locked", "Silent", "Buggy")
    install("acme-vendors", VENDORS, providers=[f"words.{name.lower()} = acme_vendors:{name}" for name in names])


def service(*providers: str) -> str:
    tables = [f"[services.count.providers.{number}]\n{lines}\n" for number, lines in enumerate(providers)]
    return '[services.count]\ncapability = "words"\n' + "\n".join(tables)


def findings(run: Run, configure: Configure, *providers: str) -> list[dict[str, Any]]:
    configure(service(*providers))
    report = json.loads(run("doctor", "--json").stdout)
    return [{found["check"]: found for found in each["findings"]} for each in report["providers"]]


def test_a_provider_that_works_is_told_to_be_well(run: Run, configure: Configure) -> None:
    configure(service('type = "frank"'))
    result = run("doctor")
    rows = [line.split() for line in result.stdout.splitlines()]
    for row in (
        ["installed", "ok", "acme-vendors", "1.0"],
        ["configured", "ok", "its", "table", "is", "sound"],
        ["price", "ok", "known"],
        ["reachable", "ok", "example.com"],
        ["credentials", "ok", "looked", "at"],
    ):
        assert ["count", "0", *row] in rows
    assert result.exit_code == 0


def test_what_failed_comes_with_its_remedy_and_status_1(run: Run, configure: Configure) -> None:
    configure(service('type = "frank"', 'type = "frank"\noptions = { key = "wrong" }'))
    result = run("doctor")
    assert "count.1, credentials: get a key at example.com" in result.stdout
    assert "FAILED" in result.stdout
    assert result.exit_code == 1


def test_json_says_the_same(run: Run, configure: Configure) -> None:
    configure(service('type = "frank"\noptions = { key = "wrong" }'))
    result = run("doctor", "--json")
    report = json.loads(result.stdout)
    assert (report["ok"], report["problems"], result.exit_code) == (False, [], 1)
    assert report["providers"][0]["findings"][-1] == {
        "check": "credentials",
        "ok": False,
        "detail": "looked at",
        "remedy": "get a key at example.com",
    }


def test_a_provider_that_is_not_installed_hides_no_other(run: Run, configure: Configure) -> None:
    gone, frank = findings(run, configure, 'type = "gone"', 'type = "frank"')
    assert gone.keys() == {"installed"}
    assert "pip install switchgear-gone" in gone["installed"]["remedy"]
    assert frank["credentials"]["ok"] is True


@pytest.mark.usefixtures("broken")
def test_a_plugin_that_cannot_be_imported_is_told_from_one_that_is_missing(run: Run, configure: Configure) -> None:
    (raises,) = findings(run, configure, 'type = "raises"')
    assert "no engine" in raises["installed"]["detail"]


def test_a_misspelled_option_and_an_unset_variable_are_named(run: Run, configure: Configure) -> None:
    (one,) = findings(run, configure, 'type = "frank"\noptions = { kye = "a" }')
    assert (one["configured"]["ok"], "kye" in one["configured"]["detail"]) == (False, True)
    (other,) = findings(run, configure, 'type = "frank"\noptions = { key = "${NOWHERE_SET}" }')
    assert "NOWHERE_SET" in f"{other['configured']['detail']} {other['configured']['remedy']}"


def test_what_is_switched_off_is_left_alone(run: Run, configure: Configure) -> None:
    off, on = findings(run, configure, 'type = "gone"\nenabled = false', 'type = "frank"')
    assert off["configured"] == {"check": "configured", "ok": None, "detail": "switched off", "remedy": ""}
    assert on["reachable"]["ok"] is True


def test_an_unknown_price_is_no_failure_but_has_a_remedy(run: Run, configure: Configure) -> None:
    configure(service('type = "counter"'))
    result = run("doctor")
    assert "count.0, price: say what it charges" in result.stdout
    assert result.exit_code == 0


def test_one_that_cannot_be_opened_says_why(run: Run, configure: Configure) -> None:
    (locked,) = findings(run, configure, 'type = "locked"')
    assert (locked["opens"]["detail"], locked["opens"]["remedy"]) == ("the door is locked", "bring the key")


def test_one_that_does_not_answer_is_given_up(run: Run, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "SECONDS", 0.05)
    silent, frank = findings(run, configure, 'type = "silent"', 'type = "frank"')
    assert "no answer within" in silent["reachable"]["detail"]
    assert frank["reachable"]["ok"] is True


def test_a_plugins_own_fault_is_told_by_its_place_without_its_text(run: Run, configure: Configure) -> None:
    (buggy,) = findings(run, configure, 'type = "buggy"')
    assert "ZeroDivisionError at acme_vendors.py" in buggy["opens"]["detail"]
    assert "planted" not in str(buggy)


def test_one_without_a_word_of_its_own_is_asked_for_its_health(run: Run, configure: Configure) -> None:
    counter, ill = findings(run, configure, 'type = "counter"', 'type = "ill"')
    assert counter["opens"]["ok"] is True
    assert ill["opens"]["ok"] is False


def test_what_is_wrong_with_the_rest_of_the_file_is_told_too(run: Run, configure: Configure) -> None:
    configure(service('type = "frank"') + "\n[services.count.retry]\ntries = 2\n")
    result = run("doctor")
    assert "tries" in result.stderr
    assert "example.com" in result.stdout
    assert result.exit_code == 1


def test_an_unknown_service_is_a_usage_error(run: Run, configure: Configure) -> None:
    configure(service('type = "frank"'))
    result = run("doctor", "cuont")
    assert (result.exit_code, "Did you mean 'count'?" in result.stderr) == (2, True)


def test_only_the_named_services_are_looked_at(run: Run, configure: Configure) -> None:
    configure(
        service('type = "frank"')
        + '[services.other]\ncapability = "words"\n[services.other.providers.a]\ntype = "ill"\n'
    )
    result = run("doctor", "count")
    assert result.exit_code == 0
    assert "other" not in result.stdout


def test_a_price_that_has_ended_is_told(run: Run, configure: Configure) -> None:
    (one,) = findings(run, configure, 'type = "frank"\ncost = { per_call = "1", valid_until = 2020-01-01 }')
    assert (one["price"]["ok"], "end" in one["price"]["detail"]) == (None, True)


def test_what_the_rest_of_the_file_lacks_is_told_once(run: Run, configure: Configure) -> None:
    configure('[plugins]\nrequire = ["nobody-has-this"]\n' + service('type = "frank"', 'type = "frank"'))
    report = json.loads(run("doctor", "--json").stdout)
    assert [problem["path"] for problem in report["problems"]] == ["plugins.require[0]"]
    assert all(each["ok"] for each in report["providers"])


def test_the_log_of_the_file_says_nothing_about_the_look(run: Run, configure: Configure) -> None:
    configure('[switchgear.logging]\nlevel = "DEBUG"\n' + service('type = "buggy"'))
    assert run("doctor").stderr == ""


def test_prices_are_looked_at_in_the_files_currency(run: Run, configure: Configure) -> None:
    text = '[switchgear]\ncurrency = "EUR"\n[currencies]\nUSD = "0.9"\n'
    configure(text + service('type = "frank"\ncost = { per_call = "1", currency = "USD" }'))
    assert run("doctor").exit_code == 0
