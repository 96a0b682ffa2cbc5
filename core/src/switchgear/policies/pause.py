"""A provider that told us to wait, or that our credentials do not open, is left alone until a moment."""

import math


class Pause:
    """Until when nobody should ask, why, and whether a call may wait for it. The later of two moments wins.

    `guessed`: the provider named no moment, so everybody who waits should come back at one of their own after it.
    `trial_at`: from when on somebody who has nobody else left may try all the same.
    """

    __slots__ = ("guessed", "reason", "trial_at", "until", "worth_waiting")

    def __init__(self) -> None:
        self.until = float("-inf")
        self.trial_at = math.inf
        self.reason = ""
        self.worth_waiting = True
        self.guessed = False

    def extend(
        self,
        until: float,
        reason: str,
        *,
        worth_waiting: bool = True,
        guessed: bool = False,
        trial_at: float = math.inf,
    ) -> None:
        if until > self.until:
            self.until, self.reason, self.worth_waiting, self.guessed = until, reason, worth_waiting, guessed
            self.trial_at = trial_at

    def allows_trial(self, now: float) -> bool:
        """Whether a trial may go through in spite of it."""
        return now >= self.trial_at

    def end(self) -> None:
        """A trial went well."""
        self.until, self.trial_at = -math.inf, math.inf
