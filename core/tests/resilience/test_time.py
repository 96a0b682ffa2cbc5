"""Durations come from the clock that never steps, chance from the injected dice (S4)."""

import ast
import asyncio
from pathlib import Path
from typing import Any

import pytest
import switchgear
from switchgear import Policies, ProviderManager, Rate
from switchgear.durations import Duration
from switchgear.testing import HANG, Flapping, Outage, Report, Throttle, World, simulate

HOUR, DAY, YEAR = 3600.0, 86_400.0, 31_536_000.0
STEPS = {5.0: HOUR, 12.0: -2 * DAY, 31.0: YEAR, 45.0: -YEAR, 61.0: -HOUR, 90.5: 3 * YEAR}  # when, and by how much


def traffic(steps: dict[float, float]) -> Report:
    """Two minutes of everything that looks at a clock: timeouts, back-off, circuits, Retry-After, a rate, a line."""

    def build(world: World) -> ProviderManager[Any, Any]:
        for moment, seconds in steps.items():
            asyncio.get_running_loop().call_later(moment, world.clock.step_utc, seconds)
        providers = [
            world.provider("a", 0.1, [Outage(10.0, 30.0), Flapping(40.0, 70.0, 7.0)], timeout=1.0),
            world.provider("b", 0.3, [Throttle(20.0, 50.0, 4.0, 0.5), Outage(60.0, 80.0, HANG)], concurrency=2),
            world.provider("c", 0.2, [Throttle(60.0, 100.0, None, 0.3)], timeout=0.5),
        ]
        policies = {"b": Policies(queue=5), "c": Policies(rate=Rate(calls=5, per=Duration(1.0), burst=3))}
        return world.manager(providers, "speed", policies=policies, deadline=5.0)

    return simulate(build, rate=10.0, seconds=120.0, arrivals="poisson", seed=3)


def test_s4_a_calendar_that_jumps_changes_no_timeout_pause_circuit_rate_or_line() -> None:
    still, jumping = traffic({}), traffic(STEPS)
    assert still.success_rate() not in (None, 0.0, 1.0), "nothing went wrong that could have been affected"
    assert jumping == still


SOURCE = Path(switchgear.__file__).parent
# The clock itself, and what only tests use.
ALLOWED = {"clock.py", "testing"}
MODULES = [path for path in SOURCE.rglob("*.py") if path.relative_to(SOURCE).parts[0] not in ALLOWED]
FORBIDDEN = {
    *(f"time.{name}" for name in ("time", "monotonic", "perf_counter", "sleep", "time_ns", "monotonic_ns")),
    *("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "asyncio.sleep"),
    *(f"random.{name}" for name in ("random", "uniform", "choice", "randrange", "randint", "shuffle", "sample")),
}


def names_read(path: Path) -> set[str]:
    """What a module asks of those it imports: `time.time`, also where it was imported by itself."""
    imported, found = set(), set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names):
                imported |= {alias.name for alias in names}
            case ast.ImportFrom(of, names) if of:
                imported |= {of, *(alias.name for alias in names)}
                found |= {f"{of}.{alias.name}" for alias in names}
            case ast.Attribute(ast.Name(of) | ast.Attribute(attr=of), name):
                found.add(f"{of}.{name}")
    # `random.random()` of dice that were handed in is right: only who imports the module has the global ones.
    return {name for name in found if name.partition(".")[0] in imported}


@pytest.mark.usefixtures("unbroken")
def test_s4_nobody_but_the_clock_looks_at_the_time_and_nobody_rolls_the_global_dice() -> None:
    offenders = {path.relative_to(SOURCE).as_posix(): names_read(path) & FORBIDDEN for path in MODULES}
    assert not {module: names for module, names in offenders.items() if names}


@pytest.mark.parametrize(
    "line", ["import time\ntime.time()", "from time import monotonic", "import datetime\ndatetime.datetime.now()"]
)
def test_s4_what_is_forbidden_would_be_found(line: str, tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(line)
    assert names_read(module) & FORBIDDEN
