"""`switchgear cost reconcile`: a vendor's bill against the ledger."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from switchgear.cli import flags
from switchgear.cli.cost.chosen import Chosen, chosen

if TYPE_CHECKING:
    from switchgear.cli.cost.ledgers import Opened
    from switchgear.reports.bill import Bill, Line
    from switchgear.reports.calendar import Calendar
    from switchgear.reports.reconciliation import Pair

_DIFFERENT = 1


@attrs.frozen
class Tolerance:
    """An amount, or a share of what the bill says."""

    value: Decimal
    is_share: bool = False

    def allows(self, pair: "Pair") -> bool:
        allowed = abs(pair.theirs) * self.value if self.is_share else self.value
        return abs(pair.difference) <= allowed


def _tolerance(ctx: click.Context, param: click.Parameter, value: str) -> Tolerance:
    is_share = value.endswith("%")
    try:
        amount = Decimal(value.removesuffix("%"))
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount < 0:
        raise click.BadParameter(f"{value!r} is neither an amount such as 0.01 nor a share such as 0.5%")
    return Tolerance(amount / 100 if is_share else amount, is_share)


def _pairs(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> dict[str, str]:
    found = {}
    for value in values:
        key, equals, name = value.rpartition("=") if param.name == "names" else value.partition("=")
        if not (key and equals and name):
            raise click.BadParameter(f"{value!r} is not {param.make_metavar(ctx)}")
        found[key] = name
    return found


@click.command("reconcile", short_help="Compare a vendor's bill with the ledger.")
@click.argument("invoice", metavar="INVOICE.csv", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--per",
    type=click.Choice(["day", "week", "month"]),
    default="month",
    show_default=True,
    help="Compare by this period.",
)
@click.option(
    "--map",
    "columns",
    metavar="KIND=COLUMN",
    multiple=True,
    callback=_pairs,
    help="Which column is the date, amount, provider, quantity or currency, where its heading does not tell. "
    "May be repeated.",
)
@click.option(
    "--name",
    "names",
    metavar="THEIRS=PROVIDER",
    multiple=True,
    callback=_pairs,
    help="What the bill calls a provider. May be repeated.",
)
@click.option(
    "--unit",
    default="calls",
    show_default=True,
    metavar="NAME",
    help="What the bill's quantities count, such as pages.",
)
@click.option("--currency", metavar="CODE", help="The bill's. Default: what it says, else the configuration's.")
@click.option("--date-format", metavar="FORMAT", help="How to read its dates, such as %d/%m/%Y.")
@click.option("--decimal", type=click.Choice([".", ","]), help="What stands before the cents.")
@click.option(
    "--tolerance",
    default="0.01",
    show_default=True,
    callback=_tolerance,
    metavar="AMOUNT|SHARE%",
    help="The largest difference that is none.",
)
@flags.as_json
@chosen
def command(
    invoice: Path,
    per: str,
    columns: Mapping[str, str],
    names: Mapping[str, str],
    unit: str,
    currency: str | None,
    date_format: str | None,
    decimal: str | None,
    tolerance: Tolerance,
    json: bool,
    chosen: Chosen,
) -> None:
    """Say for each provider and period what the ledger and the bill have, and why they may differ.

    The status is 1 if a difference is above the tolerance. With one --provider, lines that name nobody are from it.
    """
    from switchgear.cli.cost.ledgers import opened
    from switchgear.cli.cost.waiting import reading
    from switchgear.cli.lines import print_json
    from switchgear.periods import Period
    from switchgear.reports.bill import Reading, read_bill
    from switchgear.reports.calendar import Calendar
    from switchgear.reports.reconciliation import Terms, reconcile

    with opened(chosen) as ledger:
        calendar = Calendar(Period(per), ledger.zone)
        how = Reading(
            per=calendar.per,
            zone=calendar.zone,
            columns=columns,
            date_format=date_format,
            decimal=decimal,
            unit=unit,
        )
        bill = read_bill(_text(invoice).splitlines(keepends=True), how)
        lines, rates = _converted(bill.lines, currency, ledger)
        _say(bill, rates)
        terms = Terms(
            calendar=calendar,
            currency=ledger.currency,
            names=names,
            provider=chosen.providers[0] if len(chosen.providers) == 1 else None,
            unit=unit,
        )
        with reading(ledger.name):
            pairs = reconcile(ledger.ledger, lines, terms, ledger.where)
    different = [pair for pair in pairs if not tolerance.allows(pair)]
    if json:
        rows = [_described(pair, calendar, ledger.currency, tolerance) for pair in pairs]
        print_json({"agrees": not different, "columns": bill.columns, "skipped": bill.skipped, "pairs": rows})
    else:
        _show(pairs, calendar, ledger.currency, len(different))
    if different:
        click.get_current_context().exit(_DIFFERENT)


def _text(file: Path) -> str:
    data = file.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What spreadsheets write where they are not asked for anything else.
        return data.decode("cp1252", errors="replace")


def _converted(lines: "Sequence[Line]", given: str | None, opened: "Opened") -> "tuple[list[Line], dict[str, Decimal]]":
    """The lines in the board's currency, and the rates that took."""
    from switchgear.errors import UsageError

    found = []
    used: dict[str, Decimal] = {}
    for line in lines:
        currency = given or line.currency or opened.currency
        if currency != opened.currency:
            rate = opened.settings.currencies.get(currency)
            if rate is None:
                problem = UsageError(
                    f"line {line.number} of the bill is in {currency}, the ledger in {opened.currency}"
                )
                problem.remedy = f'Add {currency} = "..." to [currencies], or say --currency'
                raise problem
            used[currency] = rate
            line = attrs.evolve(line, amount=line.amount * rate)
        found.append(line)
    return found, used


def _say(bill: "Bill", rates: Mapping[str, Decimal]) -> None:
    from switchgear.cli.faults import say_note

    say_note("columns: " + ", ".join(f"{kind} is {heading!r}" for kind, heading in bill.columns.items()))
    for skipped in bill.skipped:
        say_note(f"left out: {skipped}")
    for currency, rate in rates.items():
        say_note(f"{currency} converted at {rate:f}, as [currencies] says")


def _show(pairs: "Sequence[Pair]", calendar: "Calendar", currency: str, different: int) -> None:
    from switchgear.cli.cost.layout import Column, amounts, print_columns

    columns = [
        Column("provider", [pair.provider for pair in pairs]),
        Column(calendar.per.value, [calendar.label(pair.start) for pair in pairs]),
        amounts(f"ledger {currency}", [_ours(pair) for pair in pairs]),
        amounts(f"bill {currency}", [pair.theirs for pair in pairs]),
        amounts("difference", [pair.difference for pair in pairs], sign=True),
        Column("likely reason", ["; ".join(pair.reasons) or "agree" for pair in pairs]),
    ]
    print_columns(columns)
    click.echo(f"\n{different} of {len(pairs)} differ by more than the tolerance" if different else "\nthe bill agrees")


def _ours(pair: "Pair") -> Decimal | None:
    return None if pair.unknown and not pair.ours else pair.ours


def _described(pair: "Pair", calendar: "Calendar", currency: str, tolerance: Tolerance) -> dict[str, Any]:
    from switchgear.reports.fields import amount_text

    return {
        "provider": pair.provider,
        "period": calendar.label(pair.start),
        "start": pair.start.astimezone(calendar.zone).isoformat(),
        "currency": currency,
        "ours": amount_text(pair.ours),
        "theirs": amount_text(pair.theirs),
        "difference": amount_text(pair.difference),
        "within_tolerance": tolerance.allows(pair),
        "attempts": pair.attempts,
        "in_doubt": amount_text(pair.in_doubt),
        "unknown": pair.unknown,
        "our_quantity": amount_text(pair.our_quantity),
        "their_quantity": amount_text(pair.their_quantity),
        "reasons": pair.reasons,
    }
