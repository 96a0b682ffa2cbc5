"""From what HTTP clients raise and answer to outcomes: the one table of statuses."""

import email.utils
import math
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from switchgear.errors import (
    AttemptTimeout,
    BadCredentials,
    NotSent,
    OutcomeError,
    ProviderError,
    QuotaExceeded,
    Throttled,
    Unsupported,
)
from switchgear.money import Charge
from switchgear.outcome import Outcome

# RFC 9110 section 15, and what vendors make of it. A request that one vendor finds too large or badly formed may suit
# the next, so 400 is this provider's "unsupported"; a plugin that knows better overrides it with InvalidInput.
STATUS_ERRORS: Mapping[int, type[OutcomeError]] = {
    400: Unsupported,
    401: BadCredentials,
    402: QuotaExceeded,
    403: BadCredentials,
    404: BadCredentials,
    408: ProviderError,
    413: Unsupported,
    415: Unsupported,
    422: Unsupported,
    425: ProviderError,
    429: Throttled,
}


def error_for_status(
    status: int,
    message: str = "",
    *,
    retry_after: float | None = None,
    overrides: Mapping[int, type[OutcomeError]] | None = None,
) -> OutcomeError:
    """The error to raise for an HTTP status of 400 and above.

    `message` must be safe to log; `retry_after` is in seconds; `overrides` is the plugin's own knowledge of statuses.
    """
    error = _error_for_status(status, message, retry_after, overrides)
    if error.outcome is Outcome.TRANSIENT:
        error.charge = Charge.FREE  # it answered that it did not do the work: nobody bills that
    return error


def _error_for_status(
    status: int, message: str, retry_after: float | None, overrides: Mapping[int, type[OutcomeError]] | None
) -> OutcomeError:
    kind = (overrides or {}).get(status) or STATUS_ERRORS.get(status)
    if kind is None:
        kind = Unsupported if 400 <= status < 500 else ProviderError
    text = f"HTTP {status}: {message}" if message else f"HTTP {status}"
    # A 503 may carry Retry-After as well; its sender wants fewer requests just as a 429's does.
    if issubclass(kind, Throttled) or (kind is ProviderError and status == 503 and retry_after is not None):
        return Throttled(text, retry_after=retry_after)
    return kind(text)


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait, from a `Retry-After` header: a number or an HTTP date (RFC 9110, section 10.2.3).

    None for garbage and for negative numbers; a date that has passed is 0. `now` is `Clock.utc()`.
    """
    if value is None:
        return None
    text = value.strip()
    # The standard has whole seconds; some vendors give fractions.
    if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
        seconds = float(text)
        return seconds if math.isfinite(seconds) else None
    return _until(text, now)


def _until(text: str, now: datetime) -> float | None:
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


@contextmanager
def map_errors(also: Mapping[type[Exception], type[OutcomeError]] | None = None) -> Iterator[None]:
    """Around a client's call: its exceptions come out as outcomes, with the cause kept.

    The standard library's network errors are known; `also` adds the client's own classes, and comes first. Their texts
    stay out of the message, since they may repeat what was sent.
    """
    try:
        yield
    except OutcomeError:
        raise
    except Exception as error:
        # Foreign code: only what is known is translated; the rest is for the manager to report as a defect.
        for known, kind in (*(also or {}).items(), *_NETWORK.items()):
            if isinstance(error, known):
                raise kind(type(error).__name__) from error
        raise


_NETWORK: Mapping[type[Exception], type[OutcomeError]] = {
    ConnectionRefusedError: NotSent,
    socket.gaierror: NotSent,
    TimeoutError: AttemptTimeout,
    ConnectionError: ProviderError,
}
