"""What `switchgear doctor` asks of a provider that talks HTTP."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from switchgear import BadCredentials, Finding, ProviderError, ProviderStatus, QuotaExceeded, Throttled
from switchgear.errors import OutcomeError

if TYPE_CHECKING:
    from switchgear_http.provider import HttpProvider

SKEW = 30.0  # seconds between two clocks from which signatures, Retry-After dates and records go wrong
_ANSWERED = (BadCredentials, QuotaExceeded, Throttled)


async def diagnose(provider: "HttpProvider[Any, Any]") -> Sequence[Finding]:
    """One free request, and what follows from how it went."""
    error: OutcomeError | None = None
    status = ProviderStatus.UNAVAILABLE
    provider.server_date = None
    try:
        status = await provider.verify()
    except OutcomeError as raised:
        error = raised
    now = provider.clock.utc()
    reachable = _reachable(provider, error)
    usable = _usable(status, error) if reachable.ok else ()
    return (reachable, *_accepted(provider, error), *usable, *_in_step(provider.server_date, now))


def _reachable(provider: "HttpProvider[Any, Any]", error: OutcomeError | None) -> Finding:
    host = urlsplit(provider.base_url).hostname or "nowhere"
    if error is None or isinstance(error, _ANSWERED) or provider.server_date is not None:
        return Finding("reachable", True, host)
    remedy = error.remedy or "check `base_url`, the network, and `proxy` or NO_PROXY"
    return Finding("reachable", False, f"{host}: {error}", remedy)


def _accepted(provider: "HttpProvider[Any, Any]", error: OutcomeError | None) -> Iterator[Finding]:
    keys = [name for name, secret in provider.secrets().items() if secret and name != "proxy"]
    if not keys and not isinstance(error, BadCredentials):
        yield Finding("credentials", None, "none are configured")
    elif isinstance(error, BadCredentials):
        yield Finding("credentials", False, str(error), error.remedy or "check the key, and what it may do")
    elif error is None or isinstance(error, QuotaExceeded):
        yield Finding("credentials", True, f"{', '.join(keys)} accepted")
    else:
        yield Finding("credentials", None, "not known: the vendor did not get to look at them")


def _usable(status: ProviderStatus, error: OutcomeError | None) -> Iterator[Finding]:
    if isinstance(error, QuotaExceeded) or (error is None and status is ProviderStatus.UNAVAILABLE):
        detail = "used up" if error is None else str(error)
        yield Finding("quota", False, detail, "wait for the next period, or buy more")
    elif isinstance(error, ProviderError) and not isinstance(error, BadCredentials):
        yield Finding("healthy", False, str(error), error.remedy or "look at the vendor's status page")


def _in_step(date: str | None, now: datetime) -> Iterator[Finding]:
    """By the answer's `Date`, which counts whole seconds."""
    if date is None:
        return
    try:
        theirs = parsedate_to_datetime(date)
    except (ValueError, TypeError):
        return
    skew = (now - (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC))).total_seconds()
    if abs(skew) <= SKEW:
        yield Finding("clock", True, f"within {abs(skew):.0f} s of the vendor's")
    else:
        way = "ahead of" if skew > 0 else "behind"
        yield Finding("clock", False, f"{abs(skew):.0f} s {way} the vendor's", "let NTP set this machine's clock")
