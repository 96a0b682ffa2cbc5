"""Runs tests against one mutant: in a fork, so that nothing but the package and the tests is imported again."""

import os
import resource
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

MEMORY = 2 << 30  # bytes: a mutant may well collect things for ever

settings.register_profile(
    "mutation",
    # The same examples for each mutant, and no search for the simplest once one has shown the fault.
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class _Loader(SourceFileLoader):
    """Loads the mutant in place of the file."""

    code: CodeType

    def get_code(self, fullname: str) -> CodeType:
        return self.code


class _Finder:
    """Finds one module: the mutant."""

    def __init__(self, name: str, path: Path, code: CodeType) -> None:
        loader = _Loader(name, str(path))
        loader.code = code
        self._name = name
        self._spec = spec_from_file_location(name, path, loader=loader)

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        return self._spec if fullname == self._name else None


def start(name: str, path: Path, code: CodeType, tests: Sequence[str], cpu_seconds: int, output: int) -> int:
    """The process id of a fork that runs the tests until one fails; it exits with what pytest says.

    `output`: the file descriptor that its report goes to.
    """
    assert not any(module.partition(".")[0] == "switchgear" for module in sys.modules), "imported before the fork"
    child = os.fork()
    if child:
        return child
    status = 70
    try:
        os.setsid()
        # The loop of a mutant that never ends is stopped by the time it has used: that does not depend on the machine.
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        os.dup2(output, 1)
        os.dup2(output, 2)
        settings.load_profile("mutation")
        sys.meta_path.insert(0, _Finder(name, path, code))
        options = ["-x", "-q", "--tb=line", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
        status = pytest.main([*options, *tests])
    except BaseException as error:
        print(repr(error), flush=True)
    finally:
        sys.stdout.flush()
        os._exit(status)


def stop(child: int) -> None:
    """End a fork with whatever it has started."""
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
