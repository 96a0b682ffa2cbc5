"""A row of amounts as a row of little bars."""

from collections.abc import Sequence
from decimal import Decimal

from switchgear.cost_sink import NOTHING

CELLS = 40  # what fits beside the figures
_BARS = "▁▂▃▄▅▆▇█"
_ASCII = ".:-=+*#@"


def cell_size(count: int) -> int:
    """How many amounts share a cell, so that all of them fit."""
    return max(1, -(-count // CELLS))


def sparkline(amounts: Sequence[Decimal], *, ascii_only: bool = False) -> str:
    """The highest bar is the largest sum of a cell; nothing is a blank, and more than nothing at least the lowest."""
    size = cell_size(len(amounts))
    sums = [sum(amounts[start : start + size], NOTHING) for start in range(0, len(amounts), size)]
    largest = max(sums, default=NOTHING)
    bars = _ASCII if ascii_only else _BARS
    return "".join(bars[min(len(bars) - 1, int(each / largest * len(bars)))] if each > 0 else " " for each in sums)
