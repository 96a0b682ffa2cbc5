"""What observers hear of when somebody should look."""

from datetime import datetime
from typing import Literal

import attrs

AlertKind = Literal["budget", "spike", "unknown_price", "expired_price", "records_lost", "ledger_unreachable"]


@attrs.frozen
class Alert:
    """Something about money that a person should know. `subject` is what it is about: a budget, `scans.fast`."""

    kind: AlertKind
    subject: str
    message: str
    at: datetime
