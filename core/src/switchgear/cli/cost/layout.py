"""A table made of columns: exact amounts with their points below each other, and no column that has nothing to say."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

import attrs

from switchgear.cli.tables import print_table
from switchgear.cost_sink import NOTHING, Total
from switchgear.reports.summary import per_attempt

UNKNOWN = "unknown"


@attrs.frozen
class Column:
    """A heading and a cell for each row."""

    name: str
    cells: Sequence[str]
    right: bool = False


def print_columns(columns: Iterable[Column], *, totals: int = 0) -> None:
    """The last `totals` rows stand under a line."""
    shown = list(columns)
    rows = list(zip(*(column.cells for column in shown), strict=True))
    end = len(rows) - totals
    right = {column.name for column in shown if column.right}
    print_table([column.name for column in shown], rows[:end], right=right, totals=rows[end:])


def figures(totals: Sequence[Total], currency: str) -> list[Column]:
    """What totals say. Amounts in more than one currency get a column that names it."""
    currencies = {total.currency for total in totals}
    unit = f" {next(iter(currencies), currency)}" if len(currencies) <= 1 else ""
    columns = [
        counts("attempts", [total.attempts for total in totals]),
        amounts(f"cost{unit}", [_cost(total) for total in totals]),
        amounts("per attempt", [per_attempt(total) for total in totals], missing=""),
    ]
    if any(total.doubts for total in totals):
        columns.append(amounts("of it in doubt", [total.in_doubt for total in totals]))
    if any(total.unknown for total in totals):
        columns.append(counts("unknown", [total.unknown for total in totals]))
    if any(total.hits for total in totals):
        columns += [
            amounts(f"saved{unit}", [total.saved for total in totals]),
            counts("hits", [total.hits for total in totals]),
        ]
    if len(currencies) > 1:
        columns.append(Column("currency", [total.currency for total in totals]))
    return columns


def counts(name: str, values: Iterable[int]) -> Column:
    return Column(name, [str(value) for value in values], right=True)


def amounts(name: str, values: Sequence[Decimal | None], *, missing: str = UNKNOWN, sign: bool = False) -> Column:
    """To the last digit that any of them has."""
    places = max((places_of(value) for value in values if value is not None), default=0)
    form = f"{'+' if sign else ''}.{places}f"
    return Column(name, [missing if value is None else format(value, form) for value in values], right=True)


def places_of(amount: Decimal) -> int:
    """How many decimals an amount has, zeros at its end not counted."""
    exponent = amount.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _cost(total: Total) -> Decimal | None:
    """Where nothing is known of any attempt that costs, 0 would be a lie."""
    return None if total.unknown and total.cost == NOTHING else total.cost
