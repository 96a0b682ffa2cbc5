"""The amounts that a ledger can keep: billionths in 64 bits."""

from decimal import Decimal

from switchgear.cost_sink import CostRecord

MOST = Decimal(2**63 - 1).scaleb(-9)


def check_amounts(record: CostRecord) -> None:
    """Raises `ValueError` if an amount of the record is beyond ±9,223,372,036.854775807, or no number."""
    for amount in (record.cost, record.estimate, record.saved):
        if amount is not None and not -MOST <= amount <= MOST:
            raise ValueError(f"record {record.id}: the amount {amount} is beyond ±{MOST:,} and cannot be kept")
