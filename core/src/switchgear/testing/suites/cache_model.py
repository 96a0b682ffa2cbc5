"""A cache beside a dictionary: any sequence of steps has to end alike. Needs Hypothesis."""

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from switchgear.cache import Entry

if TYPE_CHECKING:
    from switchgear.testing.suites.cache import CacheSuite

_names = st.sampled_from(["a:1", "a:2", "ab:1", "b:1"])
_plain = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.binary(max_size=3000)
_outputs = st.recursive(_plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)


def compare(suite: "CacheSuite") -> None:
    # A class of its own for each suite: Hypothesis keeps what it learns on the class.
    machine = type("Machine", (Machine,), {"suite": suite})
    limits = settings(max_examples=suite.examples, stateful_step_count=suite.steps, deadline=None, database=None)
    run_state_machine_as_test(machine, settings=limits)


class Machine(RuleBasedStateMachine):
    """The steps, on a clock that is moved by hand. `kept` is the model: each entry, and until when it must be there."""

    suite: "CacheSuite"

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.prefix = f"{uuid4().hex}:"
        self.kept: dict[str, tuple[Entry, float]] = {}
        self.runner.run(self.start())

    async def start(self) -> None:
        self.cache: Any = self.suite.make()
        self.guarded, self.clock = self.suite.guarded(self.cache)

    @rule(name=_names, output=_outputs, keep=st.sampled_from([60.0, 600.0]))
    def put(self, name: str, output: Any, keep: float) -> None:
        made = self.suite.entry(output, self.clock)
        self.runner.run(self.guarded.put(self.prefix + name, made, keep, None))
        self.kept[name] = made, self.clock.monotonic() + keep

    @rule(name=_names)
    def get(self, name: str) -> None:
        found = self.runner.run(self.guarded.get(self.prefix + name, None))
        expected, until = self.kept.get(name, (None, 0.0))
        if found is None:
            assert expected is None or self.clock.monotonic() >= until, f"{name} was forgotten too early"
        else:
            assert expected is not None, f"{name} is there, and should not be"
            assert attrs.evolve(found, stored=0.0) == attrs.evolve(expected, stored=0.0)
            assert abs(found.stored - expected.stored) < 1e-3, "its age is wrong"

    @rule(name=_names)
    def delete(self, name: str) -> None:
        self.runner.run(self.guarded.delete(self.prefix + name))
        self.kept.pop(name, None)

    @rule(start=st.sampled_from(["a:", "a", "b:", "c"]))
    def clear(self, start: str) -> None:
        self.runner.run(self.guarded.clear(self.prefix + start))
        self.kept = {name: each for name, each in self.kept.items() if not name.startswith(start)}

    @rule(seconds=st.sampled_from([0.5, 30.0, 100.0]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @precondition(lambda self: self.suite.is_shared)
    @rule()
    def open_again(self) -> None:
        self.runner.run(self.cache.aclose())
        self.cache = self.guarded.cache = self.suite.make()
        if hasattr(self.cache, "clock"):
            self.cache.clock = self.clock

    def teardown(self) -> None:
        try:
            self.runner.run(self.guarded.clear(self.prefix))
            self.runner.run(self.cache.aclose())
        finally:
            self.runner.close()
        assert self.guarded.figures.errors == self.guarded.figures.unreadable == 0, self.guarded.figures
