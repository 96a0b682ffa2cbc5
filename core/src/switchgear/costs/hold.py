"""The money side of one attempt: what it was expected to cost, and from which accounts that was taken."""

from decimal import Decimal

import attrs

from switchgear.cost_sink import Kind
from switchgear.costs.budgets import Account
from switchgear.errors import BudgetExceeded


@attrs.define
class Hold:
    """`number` is the provider's in the journal; `at` is when it was sent (microseconds since 1970).

    `accounts` are those from which `taken` was taken, `budgets` the names of all that the attempt counts against.
    Before that: `missing` has not enough for `taken` and its keeper has to be asked; `reason` is why the provider is
    passed over, `refusal` what ends the whole call.
    """

    number: int
    estimate: Decimal | None
    at: int = 0
    kind: Kind = "first"
    taken: Decimal = Decimal(0)
    accounts: tuple[Account, ...] = ()
    budgets: tuple[str, ...] = ()
    missing: Account | None = None
    reason: str = ""
    refusal: BudgetExceeded | None = None
