"""Mutation testing of the mechanisms: `nox -s mutation`, or `nox -s mutation -- policies/breaker.py` for some of them.

Each small fault that can be planted in them is planted, one at a time, and the tests of that mechanism have to fail.
It is an error if a mutant survives that survivors.toml does not explain, if one that it explains is killed after all,
and if fewer than 95 % are killed.
"""

import argparse
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import IO, Any

import attrs
import tomli
from mutants import Mutant, mutants_of
from trial import start, stop

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "core/src/switchgear"
TESTS = ROOT / "core/tests"
SURVIVORS = Path(__file__).with_name("survivors.toml")
ENOUGH = 0.95
WALL = 120.0  # seconds: only for mutants that wait for each other, the others are stopped by the time they use

# What tests a mechanism, the quickest first. Those of policies/ have a file of their own besides.
ALSO = {
    "policies/breaker.py": ["policies/test_breaker_model.py"],
    "outcome.py": [
        "test_outcome.py",
        "policies/test_latency.py",
        "resilience/test_outcomes.py",
        "resilience/test_retrying.py",
    ],
    "http_errors.py": ["test_http_errors.py"],
    "ordering.py": ["test_ordering.py", "test_manager.py"],
    "repeating.py": [
        "resilience/test_last_resort.py",
        "resilience/test_deadlines.py",
        "resilience/test_retrying.py",
        "resilience/test_outcomes.py",
        "resilience/test_once.py",
    ],
    "hedging.py": ["resilience/test_hedging.py"],
    "last_resort.py": [
        "resilience/test_last_resort.py",
        "resilience/test_deadlines.py",
        "resilience/test_failing.py",
        "resilience/test_circuits.py",
        "resilience/test_retrying.py",
        "resilience/test_limits.py",
    ],
}


@attrs.frozen
class Mechanism:
    """A module of the core and what tests it."""

    module: str
    tests: list[str]

    @property
    def path(self) -> Path:
        return SOURCE / self.module

    @property
    def name(self) -> str:
        return ".".join(("switchgear", *self.path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")


def mechanisms() -> list[Mechanism]:
    policies = sorted(path.relative_to(SOURCE).as_posix() for path in SOURCE.glob("policies/*.py"))
    strategies = sorted(path.relative_to(SOURCE).as_posix() for path in SOURCE.glob("strategies/*.py"))
    others = [module for module in ALSO if "/" not in module]
    return [Mechanism(module, _tests_of(module)) for module in (*policies, *strategies, *others)]


def _tests_of(module: str) -> list[str]:
    if module.startswith("strategies/"):
        return _tests_of_strategy(TESTS / "test_strategies.py", SOURCE / module)
    names = (
        [f"policies/test_{Path(module).name}", "policies/test_settings.py"] if module.startswith("policies/") else []
    )
    paths = [TESTS / name for name in (*names, *ALSO.get(module, []))]
    return [str(path) for path in paths if path.exists()]


def _tests_of_strategy(tests: Path, module: Path) -> list[str]:
    """Without the suites of the other strategies, which take long and tell nothing about this one."""
    own = {f"Test{name}" for name in re.findall(r"^class (\w+)", module.read_text(), re.MULTILINE)}
    suites = [name for name in re.findall(r"^class (Test\w+)", tests.read_text(), re.MULTILINE) if name not in own]
    return [str(tests), "-k", f"not ({' or '.join(suites)})"]


@attrs.define
class Tally:
    """One module's mutants."""

    killed: int = 0
    survivors: list[Mutant] = attrs.Factory(list)
    explained: int = 0
    cpu_seconds: float = 0.0

    @property
    def mutants(self) -> int:
        return self.killed + len(self.survivors)

    @property
    def score(self) -> float:
        return self.killed / self.mutants if self.mutants else 1.0


class Trials:
    """Runs mutants, as many at a time as there are processors."""

    def __init__(self, mechanism: Mechanism, cpu_seconds: int, output: IO[Any]) -> None:
        self._mechanism = mechanism
        self._cpu_seconds = cpu_seconds
        self._output = output
        self._running: dict[int, tuple[Mutant, float]] = {}
        self.used = 0.0

    def run(self, mutants: Iterable[Mutant]) -> Iterator[tuple[Mutant, bool]]:
        """Each mutant as it ends, and whether a test failed."""
        room = os.cpu_count() or 1
        for mutant in mutants:
            while len(self._running) >= room:
                yield self._next()
            one = self._mechanism
            child = start(one.name, one.path, mutant.code, one.tests, self._cpu_seconds, self._output.fileno())
            self._running[child] = mutant, time.monotonic() + WALL
        while self._running:
            yield self._next()

    def _next(self) -> tuple[Mutant, bool]:
        while True:
            child, status, usage = os.wait3(os.WNOHANG)
            if child:
                stop(child)
                self.used += usage.ru_utime + usage.ru_stime
                mutant, _ = self._running.pop(child)
                return mutant, status != 0
            for late, (_, ends) in self._running.items():
                if time.monotonic() > ends:
                    os.kill(late, signal.SIGKILL)
            time.sleep(0.005)


def without_fault(mechanism: Mechanism, output: IO[Any]) -> float:
    """The CPU seconds that the tests take of the module as it is; ends the session if they fail."""
    code = compile(mechanism.path.read_text(), mechanism.path, "exec")
    child = start(mechanism.name, mechanism.path, code, mechanism.tests, 600, output.fileno())
    _, status, usage = os.wait4(child, 0)
    if status:
        output.seek(0)
        sys.exit(f"{mechanism.module}: its tests fail without any fault\n{output.read()}")
    return usage.ru_utime + usage.ru_stime


# Imported once and before any fork: what the package and its tests need of others. A mutant only imports the package.
FOREIGN = (
    *("asyncio", "attrs", "backoff", "cattrs", "click", "hypothesis.stateful", "hypothesis.strategies", "loguru"),
    *("msgspec", "packaging.version", "pluggy", "sqlite3", "stevedore", "tomli", "_pytest.assertion.rewrite"),
)


def explained(file: Path) -> dict[tuple[str, str, str, str], str]:
    """The survivors that are known, and why each is left."""
    tables = tomli.loads(file.read_text())["survivor"]
    return {
        (each["module"], each["where"], each["line"], change): each["why"]
        for each in tables
        for change in each["changes"]
    }


def examine(mechanism: Mechanism) -> Tally:
    tally = Tally()
    with tempfile.TemporaryFile("w+") as output:
        trials = Trials(mechanism, 5 + int(3 * without_fault(mechanism, output)), output)
        for mutant, killed in trials.run(mutants_of(mechanism.path, mechanism.module)):
            if killed:
                tally.killed += 1
            else:
                tally.survivors.append(mutant)
        tally.cpu_seconds = trials.used
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="such as policies/breaker.py; default: all")
    parser.add_argument("--survivors", type=Path, default=SURVIVORS, metavar="FILE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    chosen = [one for one in mechanisms() if not options.modules or one.module in options.modules]
    if strangers := set(options.modules) - {one.module for one in chosen}:
        parser.error(f"no mechanism: {', '.join(sorted(strangers))}; there are {', '.join(_names())}")
    for name in FOREIGN:
        import_module(name)
    known, wrong, total = explained(options.survivors), [], Tally()
    print(f"{'module':<28}{'mutants':>8}{'killed':>8}{'explained':>10}{'score':>8}{'CPU s':>8}", flush=True)
    for mechanism in chosen:
        tally = examine(mechanism)
        survived = {mutant.key for mutant in tally.survivors}
        tally.explained = len(survived & known.keys())
        wrong += [f"survived: {' | '.join(key)}" for key in sorted(survived - known.keys())]
        stale = {key for key in known if key[0] == mechanism.module} - survived
        wrong += [f"explained in survivors.toml, but killed or gone: {' | '.join(key)}" for key in sorted(stale)]
        print(row(mechanism.module, tally), flush=True)
        total.killed += tally.killed
        total.survivors += tally.survivors
        total.explained += tally.explained
        total.cpu_seconds += tally.cpu_seconds
    print(row("all", total))
    if total.score < ENOUGH:
        wrong.append(f"{total.score:.1%} are killed; it has to be {ENOUGH:.0%}")
    print(*wrong, sep="\n")
    return 1 if wrong else 0


def _names() -> list[str]:
    return [one.module for one in mechanisms()]


def row(name: str, tally: Tally) -> str:
    return (
        f"{name:<28}{tally.mutants:>8}{tally.killed:>8}{tally.explained:>10}"
        f"{tally.score:>8.1%}{tally.cpu_seconds:>8.0f}"
    )


if __name__ == "__main__":
    sys.exit(main())
