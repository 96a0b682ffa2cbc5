"""How an answer came about: who was passed over, who was asked, how it went, and why the next one was."""

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from switchgear.cli.calls import Answer
from switchgear.cli.tables import print_table
from switchgear.outcome import Outcome

if TYPE_CHECKING:
    from switchgear.results import Attempt

_COLUMNS = ("provider", "outcome", "time", "cost", "why not")


def print_provenance(answer: Answer, currency: str) -> None:
    """A table on standard error."""
    click.echo(f"{answer.input.shown}: {_summary(answer, currency)}", err=True)
    if rows := list(_rows(answer, currency)):
        print_table(_COLUMNS, rows, stderr=True)


def fallback_note(answer: Answer) -> str | None:
    """One line on a call whose answer is refused, or not by the first one it asked or would have asked."""
    call, result = answer.call, answer.result
    if call is None or result is None:
        return None
    passed_over = [f"{name} was passed over ({reason})" for name, reason in _before(answer)]
    failed = Counter(_failure(each) for each in call.attempts if each.outcome is not Outcome.SUCCESS)
    if not (failed or passed_over):
        return None
    failures = [text if times == 1 else f"{text}, {times} times" for text, times in failed.items()]
    is_refused = "refused" in result.metadata
    ended = (
        f"every answer was refused, the best is {result.provider}'s" if is_refused else f"{result.provider} answered"
    )
    return f"{answer.input.shown}: {'; '.join([*passed_over, *failures])}; {ended}"


def money(amount: Decimal | None, currency: str) -> str:
    return "unknown" if amount is None else f"{amount:f} {currency}"


def _summary(answer: Answer, currency: str) -> str:
    """Of the whole call: its cost is that of all attempts."""
    call, result = answer.call, answer.result
    if call is None:
        return "failed, before anybody was asked"
    cost = money(call.cost, currency)
    if result is None:
        return f"failed, cost {cost}, call {call.id}"
    cache = "" if result.cache in ("off", "miss") else f", from the cache ({result.cache})"
    saved = result.metadata.get("saved")
    cost += f" ({money(saved, currency)} saved)" if saved else ""
    refused = f", though refused ({result.metadata['refused']})" if "refused" in result.metadata else ""
    return f"answered by {result.provider}{refused}{cache}, cost {cost}, call {call.id}"


def _rows(answer: Answer, currency: str) -> Iterator[Sequence[str]]:
    """The attempts in their order, and after them, since they may be the reason, those who were passed over."""
    if answer.call is None:
        return
    for each in answer.call.attempts:
        yield each.provider, each.outcome.value, _time(each.latency), _cost(each, currency), each.message
    for name, reason in answer.call.dropped.items():
        yield name, "passed over", "", "", reason


def _cost(attempt: "Attempt", currency: str) -> str:
    return money(attempt.cost, currency) if attempt.cost is not None or attempt.outcome is Outcome.SUCCESS else ""


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f}ms" if seconds < 1 else f"{seconds:.2f}s"


def _failure(attempt: "Attempt") -> str:
    return f"{attempt.provider} failed ({attempt.outcome.value}: {attempt.message})"


def _before(answer: Answer) -> Iterator[tuple[str, str]]:
    """Those that stood before the one that answered and were not asked; whom the caller left out is no surprise."""
    call, result = answer.call, answer.result
    if call is None or result is None:
        return
    for each in call.candidates:
        if each.provider == result.provider:
            return
        if not each.kept and each.reason != "left out by the caller":
            yield each.provider, each.reason
