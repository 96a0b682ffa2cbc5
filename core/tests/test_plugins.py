"""Finding what is installed without importing it, loading what is named, and registering what is live."""

import logging
import re
from collections.abc import Callable
from typing import Any

import attrs
import pytest
import stevedore
from switchgear.hookspecs import SPECS
from switchgear.plugins import Catalog, Offer, PluginProblem, Registry, installed_version
from switchgear.strategies.priority import Priority

LOUD = """
import attrs
from switchgear import ProviderResult, SimpleProvider

@attrs.define
class Loud(SimpleProvider):
    async def process(self, request):
        return ProviderResult(request.upper())
"""


@pytest.fixture
def loud(site: Any) -> None:
    site.install("acme-loud", LOUD, providers=["echo.loud = acme_loud:Loud"])


def problem(action: Callable[[], Any]) -> PluginProblem:
    with pytest.raises(PluginProblem) as caught:
        action()
    return caught.value


# What is there


def test_what_is_installed_is_listed_with_its_source_and_imported_by_nobody(site: Any, loud: None) -> None:
    catalog = Catalog()
    offer = catalog.find("providers", "loud", "echo")
    assert str(offer) == "echo.loud (acme_loud:Loud, acme-loud 1.0)"
    assert catalog.names("providers", "echo") == ["loud"]
    assert catalog.names("providers") == ["echo.loud"]
    assert site.imported() == set()


def test_the_built_in_strategies_come_in_by_the_same_door_as_everybody_elses() -> None:
    offer = Catalog().find("strategies", "priority")
    assert (offer.target, offer.distribution) == ("switchgear.strategies.priority:Priority", "switchgear")
    assert Catalog().load(offer) is Priority


def test_offers_are_sorted_by_kind_name_and_distribution(site: Any) -> None:
    site.install("b-last", strategies=["same = b_last:S", "alone = b_last:S"])
    site.install("a-first", strategies=["same = a_first:S"], observers=["ears = a_first:O"])
    found = [
        (each.kind, each.name, each.distribution) for each in Catalog().offers if each.distribution != "switchgear"
    ]
    assert found == [
        ("observers", "ears", "a-first"),
        ("strategies", "alone", "b-last"),
        ("strategies", "same", "a-first"),
        ("strategies", "same", "b-last"),
    ]


def test_a_damaged_distribution_hides_itself_and_nobody_else(site: Any, loud: None) -> None:
    site.install("acme-damaged", providers=["no entry point at all"])
    catalog = Catalog()
    assert catalog.names("providers", "echo") == ["loud"]
    assert catalog.damaged == ("acme-damaged",)


def test_a_distribution_without_metadata_is_called_after_its_folder(site: Any, loud: None) -> None:
    (site.folder / "acme_loud-1.0.dist-info" / "METADATA").unlink()
    offer = Catalog().find("providers", "loud", "echo")
    assert str(offer) == "echo.loud (acme_loud:Loud, acme-loud 1.0)"


def test_where_the_folder_does_not_say_both_its_name_and_version_are_read(site: Any, loud: None) -> None:
    info = (site.folder / "acme_loud-1.0.dist-info").rename(site.folder / "acme_loud.egg-info")
    (info / "METADATA").rename(info / "PKG-INFO")
    assert str(Catalog().find("providers", "loud", "echo")) == "echo.loud (acme_loud:Loud, acme-loud 1.0)"
    (info / "PKG-INFO").write_bytes(b"\xff\xfe")
    assert str(Catalog().find("providers", "loud", "echo")) == "echo.loud (acme_loud:Loud, acme_loud.egg-info)"


def test_the_version_of_what_is_not_installed_is_unknown() -> None:
    assert installed_version("switchgear") is not None
    assert installed_version("switchgear-that-nobody-wrote") is None


# Finding


def test_an_unknown_type_gets_the_nearest_spelling_all_there_are_and_the_pip_command(loud: None) -> None:
    error = problem(lambda: Catalog().find("providers", "luod", "echo"))
    assert str(error) == "unknown echo provider 'luod'; did you mean 'loud'? installed: loud"
    assert error.remedy == "If a plugin offers it, install that first: pip install switchgear-luod"


def test_where_nothing_is_near_only_what_is_there_is_named(site: Any) -> None:
    error = problem(lambda: Catalog().find("observers", "prometheus"))
    assert str(error) == "unknown observer 'prometheus'; installed: log, webhook"
    assert str(problem(lambda: Catalog().find("secrets", "vault"))) == "unknown secret store 'vault'; installed: none"


@pytest.mark.parametrize("kind", SPECS)
def test_an_unknown_name_of_any_kind_is_a_problem_in_words(site: Any, kind: str) -> None:
    error = problem(lambda: Catalog().find(kind, "nobodys"))
    assert re.match(r"unknown [a-z ]+ 'nobodys'; installed: ", str(error))


def test_a_name_that_its_distribution_does_not_offer_tells_who_does(site: Any, loud: None) -> None:
    site.install("acme-quiet", providers=["echo.quiet = acme_quiet:Quiet"])
    error = problem(lambda: Catalog().find("providers", "loud@acme-quiet", "echo"))
    offer = "echo.loud (acme_loud:Loud, acme-loud 1.0)"
    assert str(error) == f"acme-quiet does not offer 'loud'; it is offered by {offer}"
    assert error.remedy == 'write type = "loud@acme-loud"'


def test_a_distribution_that_is_not_installed_can_be_and_the_others_can_be_taken(site: Any, loud: None) -> None:
    error = problem(lambda: Catalog().find("providers", "loud@acme-gone", "echo"))
    assert str(error).startswith("acme-gone is not installed, to offer 'loud'; it is offered by echo.loud (")
    assert error.remedy == 'pip install acme-gone, or write type = "loud@acme-loud"'


def test_nobody_is_told_to_install_what_is_installed(site: Any, loud: None) -> None:
    error = problem(lambda: Catalog().find("providers", "luod@acme-loud", "echo"))
    assert str(error) == "unknown echo provider 'luod@acme-loud'; did you mean 'loud'? installed: loud"
    assert error.remedy == "acme-loud is installed, and does not offer it"


def test_what_code_hands_in_needs_no_distribution_to_be_picked() -> None:
    error = problem(lambda: Catalog(extra=[("providers", "echo.loud", 1)]).find("providers", "loud@acme", "echo"))
    assert error.remedy == 'pip install acme, or write type = "loud"'


def test_one_of_two_capabilities_is_picked_by_its_own_key(site: Any) -> None:
    for name in ("acme-echo", "zeta-echo"):
        site.install(name, capabilities=[f"echo = {name.replace('-', '_')}:Echo"])
    error = problem(lambda: Catalog().find("capabilities", "echo"))
    assert error.remedy == 'write capability = "echo@acme-echo" or "echo@zeta-echo"'


def test_the_pip_command_names_the_distribution_that_was_asked_for(site: Any) -> None:
    error = problem(lambda: Catalog().find("providers", "loud@switchgear-Acme_Loud", "echo"))
    assert error.remedy is not None
    assert error.remedy.endswith("pip install switchgear-acme-loud")


def test_llm_clashing_names_are_an_error_that_names_both_and_how_to_pick(site: Any, loud: None) -> None:
    """There, the second became `two_1`; elsewhere the last one installed wins."""
    site.install("zeta-loud", LOUD, version="2.0", providers=["echo.loud = zeta_loud:Loud"])
    error = problem(lambda: Catalog().find("providers", "loud", "echo"))
    assert str(error) == (
        "'loud' is offered by echo.loud (acme_loud:Loud, acme-loud 1.0) and echo.loud (zeta_loud:Loud, zeta-loud 2.0)"
    )
    assert error.remedy == 'write type = "loud@acme-loud" or "loud@zeta-loud"'


@pytest.mark.parametrize("spelling", ["zeta-loud", "zeta_loud", "Zeta.Loud"])
def test_a_distribution_behind_the_name_picks_one_of_two(site: Any, loud: None, spelling: str) -> None:
    site.install("zeta-loud", LOUD, providers=["echo.loud = zeta_loud:Loud"])
    assert Catalog().find("providers", f"loud@{spelling}", "echo").distribution == "zeta-loud"


def test_disabling_one_of_two_settles_whom_the_name_means(site: Any, loud: None) -> None:
    site.install("zeta-loud", LOUD, providers=["echo.loud = zeta_loud:Loud"])
    assert Catalog(disabled=["Acme_Loud"]).find("providers", "loud", "echo").distribution == "zeta-loud"


def test_with_both_of_two_disabled_the_name_means_a_disabled_one(site: Any, loud: None) -> None:
    site.install("zeta-loud", LOUD, providers=["echo.loud = zeta_loud:Loud"])
    catalog = Catalog(disabled=["acme-loud", "zeta-loud"])
    assert catalog.is_disabled(catalog.find("providers", "loud", "echo"))


def test_a_capability_that_was_picked_by_its_distribution_has_the_same_providers(loud: None) -> None:
    assert Catalog().find("providers", "loud", "echo@acme-echo").name == "echo.loud"


def test_what_code_hands_in_stands_before_what_is_installed(loud: None) -> None:
    catalog = Catalog(extra=[("providers", "echo.loud", "a fake")])
    offer = catalog.find("providers", "loud", "echo")
    assert catalog.load(offer) == "a fake"
    assert str(offer) == "echo.loud ('a fake', handed in by code)"


# Loading


def test_loading_imports_the_one_module_that_was_named(site: Any, loud: None) -> None:
    site.install("acme-other", providers=["echo.other = acme_other:Other"])
    catalog = Catalog()
    assert catalog.load(catalog.find("providers", "loud", "echo")).__name__ == "Loud"
    assert site.imported() == {"acme_loud"}
    assert catalog.packages == {"switchgear", "acme_loud"}


BROKEN = {
    "raise RuntimeError('no\\n engine')": "RuntimeError: no engine (at {file}:1)",
    "import sys\nsys.exit(3)": "SystemExit while importing: 3 (at {file}:2)",
    "assert 1 == 2": "AssertionError (at {file}:1)",
    "import libwhatever": "ModuleNotFoundError: No module named 'libwhatever' (at {file}:1)",
    "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ImportError('needs libfoo') from e": (
        "ImportError: needs libfoo (at {file}:4)"
    ),
    "def broken(:": "SyntaxError: invalid syntax (acme_broken.py, line 1)",
    "": "AttributeError: module 'acme_broken' has no attribute 'Provider'",
}


@pytest.mark.parametrize("code", BROKEN)
def test_llm_1280_a_plugin_that_cannot_be_imported_is_a_problem_with_its_source_and_cause(site: Any, code: str) -> None:
    site.install("acme-broken", code, version="0.3", providers=["echo.broken = acme_broken:Provider"])
    catalog = Catalog()
    error = problem(lambda: catalog.load(catalog.find("providers", "broken", "echo")))
    cause = BROKEN[code].format(file=site.folder / "acme_broken.py")
    assert str(error) == f"echo.broken (acme_broken:Provider, acme-broken 0.3) cannot be imported: {cause}"
    assert error.remedy == "reinstall or upgrade acme-broken, disable it, or set optional = true"
    assert error.__cause__ is not None
    assert catalog.packages == {"switchgear"}


@pytest.mark.parametrize("target", ["acme_gone:Provider", "not a target", "acme_broken.deeper:Provider"])
def test_an_entry_point_that_leads_nowhere_is_a_problem_too(site: Any, target: str) -> None:
    site.install("acme-broken", providers=[f"echo.broken = {target}"])
    catalog = Catalog()
    error = problem(lambda: catalog.load(catalog.find("providers", "broken", "echo")))
    assert "acme-broken 1.0) cannot be imported: " in str(error)


def test_ctrl_c_while_a_plugin_is_imported_ends_the_program(site: Any) -> None:
    site.install("acme-slow", "raise KeyboardInterrupt", providers=["echo.slow = acme_slow:Provider"])
    catalog = Catalog()
    with pytest.raises(KeyboardInterrupt):
        catalog.load(catalog.find("providers", "slow", "echo"))


def test_a_failed_load_says_nothing_beside_its_error(
    site: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    site.install("acme-broken", "1 / 0", providers=["echo.broken = acme_broken:Provider"])
    catalog = Catalog()
    problem(lambda: catalog.load(catalog.find("providers", "broken", "echo")))
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


def test_a_plugin_that_logs_while_it_is_imported_is_not_heard(site: Any, capfd: pytest.CaptureFixture[str]) -> None:
    code = "from loguru import logger\nlogger.warning('hello from the plugin')\nProvider = None"
    site.install("acme-chatty", code, providers=["echo.chatty = acme_chatty:Provider"])
    catalog = Catalog()
    assert catalog.load(catalog.find("providers", "chatty", "echo")) is None
    assert capfd.readouterr() == ("", "")


def test_stevedore_cache_is_never_asked(loud: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its time stamps are 32-bit floats: for two minutes after a reinstallation it can give the old entry points."""

    def ask(*arguments: object) -> None:
        raise AssertionError("stevedore's cache was asked")

    for name in ("get_group_all", "get_group_named", "get_single"):
        monkeypatch.setattr(stevedore._cache, name, ask, raising=False)
    catalog = Catalog()
    catalog.load(catalog.find("providers", "loud", "echo"))


def test_stevedore_cache_what_has_just_been_reinstalled_is_found_at_once(site: Any, loud: None) -> None:
    assert Catalog().names("providers", "echo") == ["loud"]
    site.install("acme-loud", LOUD, providers=["echo.loud = acme_loud:Loud", "echo.louder = acme_loud:Loud"])
    assert Catalog().names("providers", "echo") == ["loud", "louder"]


# What is live


@attrs.define
class Ears:
    heard: list[Any] = attrs.field(factory=list, init=False)

    def call_finished(self, call: Any) -> None:
        self.heard.append(call)


class Deaf:
    """Takes no argument, as if it had been written before the event had one."""

    count = 0

    def call_finished(self) -> None:
        self.count += 1


class Closed:
    close = None

    def state_changed(self, change: Any) -> None: ...


def test_pluggy_knows_every_instance_by_its_path_in_the_configuration() -> None:
    registry = Registry("strategies")
    assert registry.add("services.scans.strategy", Priority()) == []
    assert [name for name, _ in registry._manager.list_name_plugin()] == ["services.scans.strategy"]


def test_two_services_may_have_equal_strategies() -> None:
    """pluggy compares plugins by `==`, and two frozen instances without options are equal."""
    registry = Registry("strategies")
    assert registry.add("services.one.strategy", Priority()) == []
    assert registry.add("services.two.strategy", Priority()) == []


def test_one_object_may_be_live_in_two_places() -> None:
    registry, ears = Registry("observers"), Ears()
    assert registry.add("observers.one", ears) == []
    assert registry.add("observers.two", ears) == []
    assert len(registry.hearers("call_finished")) == 2


def test_events_are_compiled_in_the_order_of_the_configuration() -> None:
    registry, first, second = Registry("observers"), Ears(), Ears()
    registry.add("observers.z", first)
    registry.add("observers.a", second)
    assert registry.hearers("call_finished") == (first.call_finished, second.call_finished)


def test_nobody_is_told_what_nobody_listens_to() -> None:
    registry = Registry("observers")
    registry.add("observers.ears", Ears())
    assert registry.hearers("state_changed") == ()


def test_a_listener_that_takes_fewer_arguments_is_told_without_them() -> None:
    registry, deaf = Registry("observers"), Deaf()
    assert registry.add("observers.deaf", deaf) == []
    for hear in registry.hearers("call_finished"):
        hear("a call")
    assert deaf.count == 1


def test_an_attribute_that_is_no_method_hears_nothing() -> None:
    registry = Registry("observers")
    assert registry.add("observers.closed", Closed()) == []
    assert registry.hearers("close") == ()


def test_one_that_breaks_its_contract_is_not_live() -> None:
    class Async(Ears):
        async def call_finished(self, call: Any) -> None: ...  # type: ignore[override]

    registry = Registry("observers")
    assert len(registry.add("observers.async", Async())) == 1
    assert registry.hearers("call_finished") == ()


def test_an_offer_shows_neither_its_entry_point_nor_its_value() -> None:
    assert repr(Offer("secrets", "vault", "m:V", "acme", "1", value=object())).endswith("version='1')")
