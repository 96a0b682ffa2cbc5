"""Answers as JSON, one object a line."""

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from switchgear.cli.calls import Answer
    from switchgear.cli.shown import Shown
    from switchgear.results import Attempt


def print_json(value: Any) -> None:
    """On one line; characters outside ASCII are escaped, since the reader's encoding is not known."""
    click.echo(json.dumps(value, allow_nan=False))


def line(answer: "Answer", shown: "Shown", currency: str) -> dict[str, Any]:
    """What a program wants to know of an answer; `cost` and `latency` (seconds) are the whole call's."""
    result, call, error = answer.result, answer.call, shown.error
    return {
        "input": answer.input.name,
        "ok": error is None,
        "output": shown.value,
        "refused": result.metadata.get("refused") if result else None,
        "provider": result.provider if result else None,
        "cost": cost_of(call.cost if call else None, currency),
        "latency": call.latency if call else None,
        "cache": result.cache if result else None,
        "saved": cost_of(result.metadata.get("saved") if result else None, currency),
        "attempts": [_attempt(attempt, currency) for attempt in (call.attempts if call else ())],
        "error": error and {"type": type(error).__name__, "message": str(error), "remedy": error.remedy},
        "call_id": call.id if call else None,
    }


def cost_of(amount: Decimal | None, currency: str) -> dict[str, str] | None:
    return None if amount is None else {"amount": f"{amount:f}", "currency": currency}


def _attempt(attempt: "Attempt", currency: str) -> dict[str, Any]:
    return {
        "provider": attempt.provider,
        "outcome": attempt.outcome.value,
        "latency": attempt.latency,
        "cost": cost_of(attempt.cost, currency),
        "message": attempt.message,
    }
