"""The built-in orders; each is an entry point like anybody else's."""

from collections.abc import Callable
from typing import Any

from switchgear.strategies.cost import Cost
from switchgear.strategies.least_busy import LeastBusy
from switchgear.strategies.p2c import PowerOfTwoChoices
from switchgear.strategies.priority import Priority
from switchgear.strategies.quality import Quality
from switchgear.strategies.round_robin import RoundRobin
from switchgear.strategies.speed import Speed
from switchgear.strategies.weighted import Weighted
from switchgear.strategy import SelectionStrategy

# For managers made in code; configurations find the same classes through their entry points.
BUILT_IN: dict[SelectionStrategy, Callable[[], Any]] = {
    SelectionStrategy.PRIORITY: Priority,
    SelectionStrategy.COST: Cost,
    SelectionStrategy.QUALITY: Quality,
    SelectionStrategy.SPEED: Speed,
    SelectionStrategy.ROUND_ROBIN: RoundRobin,
    SelectionStrategy.WEIGHTED: Weighted,
    SelectionStrategy.LEAST_BUSY: LeastBusy,
    SelectionStrategy.P2C: PowerOfTwoChoices,
}
