"""`switchgear cost report`: what was spent, by whom and when."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from switchgear.cli import flags
from switchgear.cli.cost.chosen import Chosen, chosen

if TYPE_CHECKING:
    from switchgear.cli.cost.ledgers import Opened
    from switchgear.reports.comparison import Prices

_PERIODS = ("hour", "day", "week", "month")


def _groups(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    from switchgear.reports.summary import GROUPINGS

    names = [name.strip() for value in values for name in value.split(",")]
    for name in names:
        if name not in GROUPINGS:
            raise click.BadParameter(f"{name!r} is none of {', '.join(GROUPINGS)}")
    return tuple(dict.fromkeys(names))


@click.command("report", short_help="What was spent, by whom and when.")
@click.option(
    "--by",
    multiple=True,
    callback=_groups,
    default=("service,provider",),
    show_default=True,
    metavar="GROUP,...",
    help="Group by service, provider, capability, tenant, tags, kind, charge, outcome. May be repeated.",
)
@click.option("--per", type=click.Choice(_PERIODS), help="Group by this period, too.")
@click.option(
    "--top", type=click.IntRange(min=1), metavar="N", help="Also the N most expensive calls; reads all records."
)
@click.option("--compare", is_flag=True, help="Also what the same traffic would have cost with each other provider.")
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="OUT.png",
    help="Also draw it, as a .png or .svg. Needs switchgear[plot].",
)
@flags.as_json
@chosen
def command(
    chosen: Chosen, by: tuple[str, ...], per: str | None, top: int | None, compare: bool, plot: Path | None, json: bool
) -> None:
    """Add up what attempts cost, as far as it is known, with those in doubt.

    What running applications have not yet handed to the ledger is not in it.
    """
    from switchgear.cli.cost import findings
    from switchgear.cli.cost.ledgers import opened
    from switchgear.cli.cost.waiting import reading
    from switchgear.cli.lines import print_json

    with opened(chosen) as ledger:
        with reading(ledger.name):
            found = findings.find(ledger, by=by, per=per, top=top, compare_with=_prices(chosen) if compare else None)
        if json:
            print_json(findings.as_json(found))
        else:
            findings.show(found)
        if plot is not None:
            _draw(ledger, per, plot)


def _prices(chosen: Chosen) -> "Prices":
    from switchgear.cli.cost.ledgers import prices

    return prices(chosen)


def _draw(opened: "Opened", per: str | None, file: Path) -> None:
    from switchgear.cli.faults import say_note
    from switchgear.errors import UsageError
    from switchgear.periods import Period
    from switchgear.reports.plot import draw, picture

    what = picture(
        opened.ledger,
        per=Period(per) if per else None,
        zone=opened.zone,
        where=opened.where,
        currency=opened.currency,
    )
    try:
        draw(what, file)
    except OSError as error:
        raise UsageError(f"--plot: {file} cannot be written: {error.strerror}") from None
    if what.left_out:
        say_note(f"{file} shows {what.currency} only, not {', '.join(what.left_out)}")
