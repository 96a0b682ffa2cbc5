"""A strategy made ready to run: called with what it takes, and held to its contract."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from switchgear.errors import UsageError
from switchgear.guarded import GuardedProvider
from switchgear.hookspecs import check_contract
from switchgear.logs import report_defect
from switchgear.strategies import BUILT_IN
from switchgear.strategy import SelectionStrategy, Strategy

Order = Callable[[Sequence[GuardedProvider], Any, int], Sequence[GuardedProvider]]


def find_strategy(strategy: str | SelectionStrategy | Strategy) -> Strategy:
    """An instance as it is, a built-in one by its name or member. Raises `UsageError` for what cannot be asked."""
    if not isinstance(strategy, str | SelectionStrategy):
        if wrong := "; ".join(check_contract("strategies", strategy)):
            raise UsageError(f"strategy {strategy!r} {wrong}")
        return strategy
    try:
        found: Strategy = BUILT_IN[SelectionStrategy(strategy)]()
        return found
    except ValueError:
        names = ", ".join(member.value for member in SelectionStrategy)
        raise UsageError(f"unknown strategy {strategy!r}; built in: {names}; or pass an instance") from None


def compile_order(strategy: Strategy) -> Order:
    """One function of (candidates, request, turn), whichever of them the strategy wants.

    A strategy that raises, or names somebody twice or somebody else's candidate, is reported; the call then goes by the
    configured order, because a broken preference must not take a service down.
    """
    ask = _arguments_fitted(strategy)

    def order(candidates: Sequence[GuardedProvider], request: Any, turn: int) -> Sequence[GuardedProvider]:
        # Foreign code.
        try:
            ranked = ask(candidates, request, turn)
            if not isinstance(ranked, list):
                ranked = list(ranked)
            distinct = set(ranked)
        except Exception as error:
            report_defect(f"strategy {type(strategy).__name__} failed, using the configured order", error)
            return candidates
        if len(ranked) != len(distinct) or not distinct.issubset(candidates):
            wrong = ValueError("order() must return each of its candidates at most once, and nobody else")
            report_defect(f"strategy {type(strategy).__name__} is wrong, using the configured order", wrong)
            return candidates
        return ranked

    return _once(order) if getattr(strategy, "static", False) else order


def _once(order: Order) -> Order:
    """The order of a strategy that says it never changes, asked for once."""
    known: Sequence[GuardedProvider] | None = None

    def known_order(candidates: Sequence[GuardedProvider], request: Any, turn: int) -> Sequence[GuardedProvider]:
        nonlocal known
        if known is None:
            known = order(candidates, request, turn)
        return known

    return known_order


def _arguments_fitted(strategy: Strategy) -> Callable[[Any, Any, int], Iterable[Any]]:
    method: Any = strategy.order
    parameters = inspect.signature(method).parameters
    takes_request, takes_turn = "request" in parameters, "turn" in parameters
    if takes_request and takes_turn:
        return lambda candidates, request, turn: method(candidates, request, turn=turn)
    if takes_request:
        return lambda candidates, request, turn: method(candidates, request)
    if takes_turn:
        return lambda candidates, request, turn: method(candidates, turn=turn)
    return lambda candidates, request, turn: method(candidates)
