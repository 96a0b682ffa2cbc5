"""The built-in orders; each is an entry point like anybody else's."""

from switchgear.strategies.cost import Cost
from switchgear.strategies.priority import Priority
from switchgear.strategies.quality import Quality
from switchgear.strategies.round_robin import RoundRobin
from switchgear.strategies.speed import Speed
from switchgear.strategy import SelectionStrategy, Strategy

# For managers made in code; configurations find the same classes through their entry points.
BUILT_IN: dict[SelectionStrategy, type[Strategy]] = {
    SelectionStrategy.PRIORITY: Priority,
    SelectionStrategy.COST: Cost,
    SelectionStrategy.QUALITY: Quality,
    SelectionStrategy.SPEED: Speed,
    SelectionStrategy.ROUND_ROBIN: RoundRobin,
}
