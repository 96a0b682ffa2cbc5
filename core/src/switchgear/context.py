"""The call that the running code works for: how a plugin learns its key, and a nested call its deadline."""

from contextvars import ContextVar

from switchgear.results import Call

CURRENT_CALL: ContextVar[Call | None] = ContextVar("switchgear_call", default=None)


def current_call() -> Call | None:
    """Inside a provider's `process`: the call it works for. `idempotency_key` is there for providers that take one."""
    return CURRENT_CALL.get()
