"""A provider that told us to wait, or that our credentials do not open, is left alone until a moment."""


class Pause:
    """Until when nobody should ask, why, and whether a call may wait for it. The later of two moments wins.

    `guessed`: the provider named no moment, so everybody who waits should come back at one of their own after it.
    """

    __slots__ = ("guessed", "reason", "until", "worth_waiting")

    def __init__(self) -> None:
        self.until = float("-inf")
        self.reason = ""
        self.worth_waiting = True
        self.guessed = False

    def extend(self, until: float, reason: str, *, worth_waiting: bool = True, guessed: bool = False) -> None:
        if until > self.until:
            self.until, self.reason, self.worth_waiting, self.guessed = until, reason, worth_waiting, guessed
