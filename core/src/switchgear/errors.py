"""Every error that leaves the library, by whose fault it is.

::

    SwitchgearError
    ├── ConfigError              the configuration's author: all problems of one run
    ├── UsageError               the program's: wrong loop, closed board, unknown service
    ├── InvalidInput             the caller's: no provider can do anything with this request
    ├── ProviderError            the provider's: another one may do better
    │   ├── AttemptTimeout       it did not answer in its time
    │   ├── NotSent              it was never reached (refused, DNS, pool)
    │   ├── Throttled            it asked us to slow down, with `retry_after` seconds where it said so
    │   ├── Unsupported          it cannot do this one
    │   ├── BadCredentials       it does not accept our key, or our key may not do this
    │   ├── QuotaExceeded        what was paid for is used up
    │   ├── InvalidResult        it answered, and a validator turned the answer down
    │   ├── PluginBug            its plugin broke the contract or raised something unknown
    │   └── InDoubt              it got a request that must not be repeated, and nobody knows what came of it
    ├── Rejected                 ours: we declined to send (open circuit, no room, no time)
    │   └── BudgetExceeded       the money for it is spent
    └── AllProvidersFailed       nobody could answer; carries every attempt
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import attrs

from switchgear.money import Charge
from switchgear.outcome import Outcome
from switchgear.rules import alike, differing, hashed

if TYPE_CHECKING:
    from switchgear.results import Attempt

LONGEST_WAIT = 3600.0  # seconds that a provider may ask to be left alone


class SwitchgearError(Exception):
    """The root: catch this to catch everything the library raises on purpose."""

    remedy: str | None = None
    call_id: str | None = None


@attrs.frozen
class Problem:
    """One thing that is wrong in a configuration: where, what, and what to do about it."""

    __repr__, __eq__, __hash__ = differing, alike, hashed

    path: str
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        text = f"{self.path}: {self.message}" if self.path else self.message
        return f"{text}. {self.remedy}" if self.remedy else text


class ConfigError(SwitchgearError):
    """A configuration cannot be used. `problems` holds all that one run found, in file order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UsageError(SwitchgearError):
    """The program uses the library in a way that cannot work; the message says what to do instead."""


class OutcomeError(SwitchgearError):
    """An error that says how an attempt ended."""

    outcome: ClassVar[Outcome]
    charge: Charge | None = None  # whether it is billed, where that is known better than from the outcome alone

    def __init__(self, message: str = "", *, remedy: str | None = None) -> None:
        super().__init__(message)
        if remedy is not None:
            self.remedy = remedy


class InvalidInput(OutcomeError):
    """The request itself is wrong. `process` raises it to end the call, `validate_input` to drop one candidate."""

    outcome = Outcome.INVALID_INPUT


class Rejected(OutcomeError):
    """We declined to send the request."""

    outcome = Outcome.REJECTED


class BudgetExceeded(Rejected):
    """A budget has no room for this request. `retry_after`: seconds until its next period, None if there is none."""

    def __init__(
        self, message: str = "", *, budget: str = "", retry_after: float | None = None, remedy: str | None = None
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.budget = budget
        self.retry_after = retry_after


class ProviderError(OutcomeError):
    """The provider failed in a way that may pass. The message must be safe to log: no content, no keys."""

    outcome = Outcome.TRANSIENT


class AttemptTimeout(ProviderError):
    """The provider did not answer within the attempt's time."""

    outcome = Outcome.ATTEMPT_TIMEOUT


class NotSent(ProviderError):
    """The request never reached the provider, so nothing was done and nothing is billed."""

    outcome = Outcome.NOT_SENT


class Throttled(ProviderError):
    """The provider wants fewer requests. `retry_after`: seconds until it wants the next one, None if it did not say.

    At most an hour: who wants to be left alone for longer is asked again after that. A date that is wrong by a year
    must not take a provider out for a year.
    """

    outcome = Outcome.THROTTLED

    def __init__(self, message: str = "", *, retry_after: float | None = None, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        is_long = retry_after is not None and LONGEST_WAIT < retry_after < math.inf  # infinity is garbage, no wish
        self.retry_after = LONGEST_WAIT if is_long else retry_after


class Unsupported(ProviderError):
    """This provider cannot do this request; another may."""

    outcome = Outcome.UNSUPPORTED


class BadCredentials(ProviderError):
    """The provider does not accept our key, or the key lacks a permission."""

    outcome = Outcome.CREDENTIALS


class QuotaExceeded(ProviderError):
    """The volume that was paid for, or given for free, is used up."""

    outcome = Outcome.QUOTA


class InvalidResult(ProviderError):
    """A validator turned an answer down. `score`: how good it is all the same, 0-1, for `on_refused = "best"`."""

    outcome = Outcome.INVALID_RESULT

    def __init__(self, message: str = "", *, score: float = 0.0, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.score = score


class PluginBug(ProviderError):
    """A plugin broke its contract: wrong type returned, or an exception that nobody foresaw."""

    outcome = Outcome.PLUGIN_BUG


class InDoubt(ProviderError):
    """A request that must happen at most once was sent, and its outcome is unknown. Look before you repeat it."""

    outcome = Outcome.IN_DOUBT


class AllProvidersFailed(SwitchgearError):
    """Nobody could answer.

    `attempts`: every attempt in order; `retry_after`: seconds until it may be worth trying again, None if unknown;
    `__cause__`: the last real error.
    """

    def __init__(self, message: str, attempts: "Sequence[Attempt]" = (), *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.attempts = tuple(attempts)
        self.retry_after = retry_after
