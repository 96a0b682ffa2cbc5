"""The built-in orders; each is an entry point like anybody else's."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

from switchgear.strategy import SelectionStrategy


def _make(module: str, name: str) -> Any:
    return getattr(import_module(f"switchgear.strategies.{module}"), name)()


# For managers made in code; configurations find the same classes through their entry points. One that nobody asks for
# is not imported.
BUILT_IN: Mapping[SelectionStrategy, Callable[[], Any]] = {
    SelectionStrategy.PRIORITY: partial(_make, "priority", "Priority"),
    SelectionStrategy.COST: partial(_make, "cost", "Cost"),
    SelectionStrategy.QUALITY: partial(_make, "quality", "Quality"),
    SelectionStrategy.SPEED: partial(_make, "speed", "Speed"),
    SelectionStrategy.ROUND_ROBIN: partial(_make, "round_robin", "RoundRobin"),
    SelectionStrategy.WEIGHTED: partial(_make, "weighted", "Weighted"),
    SelectionStrategy.LEAST_BUSY: partial(_make, "least_busy", "LeastBusy"),
    SelectionStrategy.P2C: partial(_make, "p2c", "PowerOfTwoChoices"),
}
