"""A provider that told us to wait, or that our credentials do not open, is left alone until a moment."""


class Pause:
    """Until when nobody should ask, why, and whether a call may wait for it. The later of two moments wins."""

    __slots__ = ("reason", "until", "worth_waiting")

    def __init__(self) -> None:
        self.until = float("-inf")
        self.reason = ""
        self.worth_waiting = True

    def extend(self, until: float, reason: str, *, worth_waiting: bool = True) -> None:
        if until > self.until:
            self.until, self.reason, self.worth_waiting = until, reason, worth_waiting

    def clear(self) -> None:
        self.until = float("-inf")
        self.reason = ""
