"""What the package offers, and what importing it costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import switchgear

HEAVY = [
    "asyncio",
    "attr",
    "backoff",
    "cattrs",
    "click",
    "hypothesis",
    "loguru",
    "pluggy",
    "rich",
    "stevedore",
    "tomli",
]


def modules_after(code: str) -> set[str]:
    """What a fresh process has loaded after running some code."""
    script = f"{code}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.split())


def test_every_public_name_is_there_and_every_other_is_refused() -> None:
    for name in switchgear.__all__:
        assert getattr(switchgear, name) is not None
    assert dir(switchgear) == switchgear.__all__
    with pytest.raises(AttributeError, match="has no attribute 'Providor'"):
        _ = switchgear.Providor


def test_type_checkers_see_the_same_names_at_the_same_places() -> None:
    tree = ast.parse(Path(switchgear.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    seen = {alias.name: node.module for node in imports for alias in node.names}
    assert {*seen, "__version__"} == {*switchgear.__all__}
    for name, module in seen.items():
        assert getattr(sys.modules[str(module)], name) is getattr(switchgear, name)


def test_star_import_gives_exactly_the_public_names() -> None:
    names: dict[str, object] = {}
    exec("from switchgear import *", names)
    assert names.keys() - {"__builtins__"} == {*switchgear.__all__}


def test_litellm_2677_importing_the_package_loads_next_to_nothing() -> None:
    loaded = modules_after("import switchgear")
    assert loaded.isdisjoint(HEAVY)
    assert {name for name in loaded if name.startswith("switchgear")} == {"switchgear", "switchgear._version"}


def test_litellm_2677_the_manager_needs_no_command_line_no_configuration_and_no_plugins() -> None:
    loaded = modules_after("from switchgear import ProviderManager, SimpleProvider")
    assert loaded.isdisjoint(["cattrs", "click", "hypothesis", "pluggy", "rich", "stevedore", "tomli"])


def test_aider_3111_importing_everything_starts_no_thread_and_no_process_and_asks_no_network() -> None:
    script = """
import importlib, pkgutil, sys, threading

heard = []
WATCHED = ("socket.connect", "socket.getaddrinfo", "socket.bind", "os.fork", "os.posix_spawn", "subprocess.Popen")
sys.addaudithook(lambda event, arguments: heard.append(event) if event in WATCHED else None)
threading.Thread.start = lambda self: heard.append(f"thread {self.name}")

import switchgear

for found in pkgutil.walk_packages(switchgear.__path__, "switchgear."):
    if found.name != "switchgear.__main__":
        importlib.import_module(found.name)
print(heard, threading.active_count())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[] 1\n"
    assert done.stderr == ""
