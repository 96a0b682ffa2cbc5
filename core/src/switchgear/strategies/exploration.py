"""Keeps strategies that follow measurements from never measuring anybody else."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

EVERY = 100  # calls: one in a hundred costs little, and an hour of traffic measures everybody


def explored(ranked: Sequence[T], turn: int) -> list[T]:
    """The ranking; every hundredth turn with one of the others in front, each in its turn.

    Deterministic, so that `explain` tells what the next call does: a random draw would need its own state.
    """
    order = list(ranked)
    round_, within = divmod(turn, EVERY)
    if within == EVERY - 1 and len(order) > 1:
        # Never the first itself: it is measured by everything else.
        order.insert(0, order.pop(1 + round_ % (len(order) - 1)))
    return order
