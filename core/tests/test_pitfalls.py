"""What other systems' plugins did to them; named after where it happened. The rest is beside what it is about."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

import attrs
import pytest
import switchgear
from switchgear import Switchgear
from switchgear.config.settings import Settings
from switchgear.config.wording import bare
from switchgear.options import option_fields
from switchgear.plugins import Catalog

SOURCE = Path(switchgear.__file__).parent

ECHO = """
import attrs
from switchgear import Capability, ProviderResult, SimpleProvider

class Echo(Capability):
    name = "echo"
    request_type = output_type = str

@attrs.define
class Loud(SimpleProvider):
    async def process(self, request):
        return ProviderResult(request.upper())
"""

TABLES = {"services": {"talk": {"capability": "echo", "providers": {"one": {"type": "loud"}}}}}


def in_a_process(site: Any, *command: str) -> "subprocess.CompletedProcess[str]":
    environ = {**os.environ, "PYTHONPATH": str(site.folder), "SWITCHGEAR_CONFIG": ""}
    return subprocess.run(
        [sys.executable, *command],
        env=environ,
        cwd=site.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def echo(site: Any) -> None:
    points = {"capabilities": ["echo = acme_echo:Echo"], "providers": ["echo.loud = acme_echo:Loud"]}
    site.install("acme-echo", ECHO, **points)


WAYS_TO_BREAK = ["raise RuntimeError", "import sys; sys.exit(1)", "assert False", "import libwhatever", "def ("]


def test_llm_1280_a_tool_full_of_broken_plugins_still_tells_which_to_uninstall(site: Any) -> None:
    """There, one broken plugin took every command with it, and the one that would have removed it too."""
    for number, code in enumerate(WAYS_TO_BREAK):
        site.install(f"acme-broken{number}", code, providers=[f"echo.broken{number} = acme_broken{number}:P"])
    (site.folder / "switchgear.toml").write_text("[services.talk")
    assert in_a_process(site, "-m", "switchgear", "--version").returncode == 0
    listed = in_a_process(site, "-m", "switchgear", "plugins", "list")
    assert listed.returncode == 0, listed.stderr
    for number in range(len(WAYS_TO_BREAK)):
        assert f"acme-broken{number}" in listed.stdout


def test_conda_12455_a_broken_plugin_beside_a_good_one_stops_nobody(site: Any, echo: None) -> None:
    for number, code in enumerate(WAYS_TO_BREAK):
        points = [f"broken{number} = acme_broken{number}:P"]
        site.install(
            f"acme-broken{number}",
            code,
            providers=[f"echo.{points[0]}"],
            capabilities=points,
            strategies=points,
            observers=points,
            secrets=points,
        )
    with Switchgear.compose(TABLES) as board:
        assert board.process_sync("talk", "hello").output == "HELLO"
    assert site.imported() == {"acme_echo"}


def test_llm_732_two_hundred_installed_plugins_are_not_imported_and_load_nothing_else(site: Any, echo: None) -> None:
    """There, starting took 1.3 s without plugins and 10.7 s with. Counted in modules, since seconds vary."""
    script = f"""
import json, sys
from switchgear import Switchgear
with Switchgear.compose({TABLES!r}) as board:
    assert board.process_sync("talk", "hello").output == "HELLO"
json.dump(sorted(sys.modules), sys.stdout)
"""
    alone = in_a_process(site, "-c", script)
    for number in range(200):
        site.install(
            f"acme-more{number}",
            "raise AssertionError('imported')",
            providers=[f"echo.more{number} = acme_more{number}:P"],
            strategies=[f"more{number} = acme_more{number}:S"],
            observers=[f"more{number} = acme_more{number}:O"],
        )
    crowded = in_a_process(site, "-c", script)
    assert crowded.returncode == 0, crowded.stderr
    assert json.loads(crowded.stdout) == json.loads(alone.stdout)
    assert "acme_echo" in json.loads(crowded.stdout)


def test_kedro_a_plugin_that_is_disabled_while_it_is_named_everywhere_is_not_imported(site: Any, echo: None) -> None:
    points = ["off = acme_off:Off"]
    site.install("acme-off", "raise SystemExit", providers=[f"echo.{points[0]}"], strategies=points, observers=points)
    tables = {
        "plugins": {"disable": ["acme-off"]},
        "observers": {"ears": {"type": "off"}},
        "services": {
            "talk": {
                "capability": "echo",
                "strategy": "off",
                "providers": {"off": {"type": "off", "warm": True}, "on": {"type": "loud"}},
            }
        },
    }
    with Switchgear.compose(tables) as board:
        assert board.process_sync("talk", "hello").provider == "on"
    assert site.imported() == {"acme_echo"}


# msaas-ocr: an option that was declared, documented and set, and that no line of code ever read.


@cache
def names_read_in_the_core() -> set[str]:
    """Every name that is read as an attribute of something."""
    trees = [ast.parse(path.read_text()) for path in SOURCE.rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    return {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)}


def tables_in(wanted: Any) -> Iterator[type[Any]]:
    """The attrs classes that a type is made of, with those in their fields."""
    wanted = bare(wanted)
    if isinstance(wanted, type) and attrs.has(wanted):
        yield wanted
        for hint in get_type_hints(wanted, include_extras=True).values():
            yield from tables_in(hint)
    for part in get_args(wanted):
        yield from tables_in(part)


TABLES_OF_THE_FILE = sorted({*tables_in(Settings)}, key=lambda table: table.__name__)


def test_the_tables_of_the_file_are_found() -> None:
    assert {"Service", "Provider", "Breaker", "Retry", "Logging", "Budget", "CacheLevel"} <= {
        table.__name__ for table in TABLES_OF_THE_FILE
    }


@pytest.mark.usefixtures("unbroken")
@pytest.mark.parametrize("table", TABLES_OF_THE_FILE, ids=lambda table: table.__name__)
def test_msaas_ocr_every_setting_that_a_file_may_have_is_read_somewhere(table: type[Any]) -> None:
    read = names_read_in_the_core()
    # The chosen overlay has been merged by the time settings are made; what was declared is only kept.
    kept = {"environments"}
    unread = {field.name for field in attrs.fields(table)} - read - kept
    assert not unread, f"declared and never read: {', '.join(sorted(unread))}"


@pytest.mark.usefixtures("unbroken")
def test_msaas_ocr_every_option_of_what_the_core_offers_is_read_in_its_own_module() -> None:
    catalog = Catalog()
    for offer in catalog.offers:
        if offer.distribution == "switchgear":
            implementation = catalog.load(offer)
            module = Path(sys.modules[implementation.__module__].__file__ or "")
            read = {node.attr for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.Attribute)}
            assert {field.name for field in option_fields(implementation)} <= read, offer
