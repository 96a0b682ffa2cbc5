"""The money side of one attempt: what it was expected to cost, and from which accounts that was taken."""

from decimal import Decimal

import attrs

from switchgear.costs.budgets import Account
from switchgear.errors import BudgetExceeded


@attrs.define
class Hold:
    """`estimate` is None where nobody can say.

    `accounts` are those from which `taken` was taken, `budgets` the names of all that the attempt counts against.
    Before that: `missing` has not enough for `taken` and its keeper has to be asked; `reason` is why the provider is
    passed over, `refusal` what ends the whole call.
    """

    estimate: Decimal | None
    taken: Decimal = Decimal(0)
    accounts: tuple[Account, ...] = ()
    budgets: tuple[str, ...] = ()
    missing: Account | None = None
    reason: str = ""
    refusal: BudgetExceeded | None = None
