"""What became of an attempt, and the one table that says what each mechanism makes of it."""

from enum import Enum

import attrs

from switchgear.money import Charge


class Retry(Enum):
    """Whether the same provider may be asked again."""

    NO = "no"
    REPEATABLE = "repeatable"  # if the request may be sent twice: pure, or idempotent with a key
    ALWAYS = "always"  # it never left, so even ONCE may be repeated
    LAST = "last"  # only when nobody else is left, after the provider's own waiting time
    SAME_KEY = "same-key"  # only here and only with the same idempotency key


class Verdict(Enum):
    """What a circuit breaker makes of it."""

    SUCCESS = "success"
    FAILURE = "failure"
    SLOW_FAILURE = "slow-failure"
    COOL_DOWN = "cool-down"  # misconfigured: a long pause of its own, not a trip
    IGNORED = "ignored"


class Sample(Enum):
    """Whether its duration says something about the provider's latency."""

    YES = "yes"
    IF_SLOWER = "if-slower"  # a fast failure must never make a provider look fast
    NO = "no"


@attrs.frozen(eq=False, repr=False)
class Rule:
    """One row of the table: what retry, fallback, breaker, latency figure, retry budget, cache and accounts do."""

    retry: Retry
    falls_over: bool
    breaker: Verdict
    sample: Sample
    withdraw: float  # tokens that a retry after it takes from the retry budget
    serves_stale: bool
    charge: Charge  # unless the error knows better


class Outcome(Enum):
    """How one attempt ended. `outcome.rule` is its row of the table."""

    SUCCESS = "success"
    TRANSIENT = "transient"  # 5xx, 408, reset, unreadable or truncated answer
    ATTEMPT_TIMEOUT = "attempt_timeout"  # our own clock ran out
    NOT_SENT = "not_sent"  # refused connection, DNS, pool: it never left
    THROTTLED = "throttled"  # 429 and its kind
    INVALID_INPUT = "invalid_input"  # the request itself is wrong, for everybody
    UNSUPPORTED = "unsupported"  # this provider cannot, another may
    CREDENTIALS = "credentials"  # 401, 403, 404
    QUOTA = "quota"  # 402, DeepL 456: paid-for volume is used up
    INVALID_RESULT = "invalid_result"  # answered, and turned down by a validator
    CANCELLED = "cancelled"  # by the caller
    REJECTED = "rejected"  # by us, before it was sent: open, full, over budget, too late
    PLUGIN_BUG = "plugin_bug"  # TypeError and the like, a broken contract
    IN_DOUBT = "in_doubt"  # sent once, and nobody knows what became of it

    rule: Rule


_BILLED, _FREE, _DOUBT = Charge.BILLED, Charge.FREE, Charge.IN_DOUBT

# fmt: off
RULES = {
    #                             retry same        over   breaker               latency           budget stale  money
    Outcome.SUCCESS:         Rule(Retry.NO,         False, Verdict.SUCCESS,      Sample.YES,       0.0, False, _BILLED),
    Outcome.TRANSIENT:       Rule(Retry.REPEATABLE, True,  Verdict.FAILURE,      Sample.IF_SLOWER, 1.0, True,  _DOUBT),
    Outcome.ATTEMPT_TIMEOUT: Rule(Retry.REPEATABLE, True,  Verdict.SLOW_FAILURE, Sample.YES,       2.0, True,  _DOUBT),
    Outcome.NOT_SENT:        Rule(Retry.ALWAYS,     True,  Verdict.FAILURE,      Sample.NO,        0.0, True,  _FREE),
    Outcome.THROTTLED:       Rule(Retry.LAST,       True,  Verdict.IGNORED,      Sample.NO,        1.0, True,  _FREE),
    Outcome.INVALID_INPUT:   Rule(Retry.NO,         False, Verdict.IGNORED,      Sample.NO,        0.0, False, _FREE),
    Outcome.UNSUPPORTED:     Rule(Retry.NO,         True,  Verdict.IGNORED,      Sample.NO,        0.0, False, _FREE),
    Outcome.CREDENTIALS:     Rule(Retry.NO,         True,  Verdict.COOL_DOWN,    Sample.NO,        0.0, True,  _FREE),
    Outcome.QUOTA:           Rule(Retry.NO,         True,  Verdict.COOL_DOWN,    Sample.NO,        0.0, True,  _FREE),
    Outcome.INVALID_RESULT:  Rule(Retry.NO,         True,  Verdict.IGNORED,      Sample.YES,       0.0, True,  _BILLED),
    Outcome.CANCELLED:       Rule(Retry.NO,         False, Verdict.IGNORED,      Sample.NO,        0.0, False, _DOUBT),
    Outcome.REJECTED:        Rule(Retry.NO,         True,  Verdict.IGNORED,      Sample.NO,        0.0, True,  _FREE),
    Outcome.PLUGIN_BUG:      Rule(Retry.NO,         True,  Verdict.FAILURE,      Sample.NO,        0.0, True,  _DOUBT),
    Outcome.IN_DOUBT:        Rule(Retry.SAME_KEY,   False, Verdict.FAILURE,      Sample.YES,       2.0, False, _DOUBT),
}
# fmt: on
for _outcome, _rule in RULES.items():
    _outcome.rule = _rule
