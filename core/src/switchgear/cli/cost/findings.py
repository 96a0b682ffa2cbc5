"""What a report found, on a terminal and as JSON."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs
import click

from switchgear.cli.cost.layout import UNKNOWN, Column, amounts, counts, figures, print_columns
from switchgear.cli.cost.sparkline import cell_size, sparkline
from switchgear.cli.faults import say_note
from switchgear.cli.tables import console
from switchgear.cost_sink import NOTHING, Total
from switchgear.money import from_microseconds
from switchgear.periods import Period
from switchgear.reports.calls import CallCost, dearest
from switchgear.reports.comparison import Alternative, Prices, compare
from switchgear.reports.fields import amount_text, moment_text
from switchgear.reports.summary import Report, average, per_attempt, summarize

if TYPE_CHECKING:
    from switchgear.cli.cost.ledgers import Opened

_KINDS = {
    "first": "first attempts",
    "retry": "retries",
    "fallback": "fallbacks",
    "hedge": "hedges",
}


@attrs.frozen(kw_only=True)
class Findings:
    """A report with what else was asked for; None where it was not."""

    opened: "Opened"
    report: Report
    dearest: Sequence[CallCost] | None
    alternatives: Sequence[Alternative] | None


def find(
    opened: "Opened", *, by: tuple[str, ...], per: str | None, top: int | None, compare_with: Prices | None
) -> Findings:
    """Read the ledger: once, and once more for each of the calls and the comparison."""
    ledger, where = opened.ledger, opened.where
    return Findings(
        opened=opened,
        report=summarize(ledger, by, per=Period(per) if per else None, zone=opened.zone, where=where),
        dearest=None if top is None else dearest(ledger.records(where), top),
        alternatives=None if compare_with is None else compare(ledger, compare_with, opened.currency, where),
    )


def show(found: Findings) -> None:
    """On standard output, as tables."""
    report, currency = found.report, found.opened.currency
    click.echo(_title(found))
    if not report.totals:
        say_note("the ledger has nothing of it. Widen --since and --until, or drop filters")
        return
    if report.per:
        _show_periods(report, currency)
    _show_groups(report, currency)
    _show_kinds(report, currency)
    if found.alternatives is not None:
        _show_alternatives(found.alternatives, currency)
    if found.dearest is not None:
        _show_calls(found.dearest)
    for total in report.totals:
        _summarize(total, _calls(found, total))


def _title(found: Findings) -> str:
    where = found.opened.where
    zone = found.opened.zone
    since = "" if where.since is None else f" from {where.since.astimezone(zone):%Y-%m-%d %H:%M}"
    until = "" if where.until is None else f" until {where.until.astimezone(zone):%Y-%m-%d %H:%M}"
    return f"Costs in {found.opened.name}{since}{until}, {zone}\n"


def _show_periods(report: Report, currency: str) -> None:
    rows = [row.total for row in report.rows]
    labels = [
        Column(report.calendar.per.value, [*(row.label for row in report.rows), *(["total"] * len(report.totals))])
    ]
    print_columns(
        [*labels, *_keys(report, rows), *figures([*rows, *report.totals], currency)], totals=len(report.totals)
    )
    click.echo()


def _show_groups(report: Report, currency: str) -> None:
    ascii_only = console().options.ascii_only
    rows = [course.total for course in report.courses]
    lines = [sparkline(course.over_time, ascii_only=ascii_only) for course in report.courses]
    keys = _keys(report, rows)
    if keys:
        keys[0] = attrs.evolve(keys[0], cells=[*keys[0].cells[: len(rows)], *(["total"] * len(report.totals))])
    over_time = Column(_span(report), [*lines, *([""] * len(report.totals))])
    columns = [*keys, *figures([*rows, *report.totals], currency), over_time]
    if keys:
        print_columns(columns, totals=len(report.totals))
    else:
        print_columns([attrs.evolve(column, cells=column.cells[: len(rows)]) for column in columns])
    click.echo()


def _keys(report: Report, rows: Sequence[Total]) -> list[Column]:
    blank = [""] * len(report.totals)
    return [Column(group, [*(row.key[place] or "-" for row in rows), *blank]) for place, group in enumerate(report.by)]


def _span(report: Report) -> str:
    size, per = cell_size(len(report.times)), report.calendar.per.value
    return f"over time, per {per}" if size == 1 else f"over time, per {size} {per}s"


def _show_kinds(report: Report, currency: str) -> None:
    """What asking again has cost: left out where nobody was asked twice."""
    kinds = [total for total in report.kinds if total.key[0] in _KINDS]
    if {total.key[0] for total in kinds} <= {"first"}:
        return
    kinds.sort(key=lambda total: (list(_KINDS).index(total.key[0]), total.currency))
    print_columns([Column("spent on", [_KINDS[total.key[0]] for total in kinds]), *figures(kinds, currency)])
    click.echo()


def _show_alternatives(found: Sequence[Alternative], currency: str) -> None:
    print_columns(
        [
            Column("service", [each.service for each in found]),
            Column("all with", [each.provider for each in found]),
            counts("attempts", [each.attempts for each in found]),
            amounts(f"paid {currency}", [each.paid for each in found]),
            amounts(f"would cost {currency}", [each.cost if each.attempts else None for each in found]),
            amounts("difference", [each.difference if each.attempts else None for each in found], sign=True),
            counts("not comparable", [each.unknown for each in found]),
        ]
    )
    click.echo()


def _show_calls(calls: Sequence[CallCost]) -> None:
    print_columns(
        [
            Column("most expensive call", [call.call_id for call in calls]),
            Column("at (UTC)", [f"{from_microseconds(call.at):%Y-%m-%d %H:%M:%S}" for call in calls]),
            Column("service", [call.service for call in calls]),
            Column("tenant", [call.tenant or "-" for call in calls]),
            Column("asked", [", ".join(call.providers) for call in calls]),
            amounts("cost", [None if call.unknown and not call.cost else call.cost for call in calls]),
            Column("currency", [call.currency for call in calls]),
        ]
    )
    click.echo()


def _summarize(total: Total, calls: int | None) -> None:
    in_calls = "" if calls is None else f" in {_counted(calls, 'call')}"
    texts = [f"{_counted(total.attempts, 'attempt')}{in_calls}: {_cost(total)}"]
    each = [(per_attempt(total), "an attempt"), (average(total.cost, calls or 0), "a call")]
    if total.cost or not total.unknown:
        texts += [f"{_money(amount, total.currency)} {what}" for amount, what in each if amount is not None]
    click.echo(", ".join(texts))
    if total.doubts:
        click.echo(f"in doubt: {_counted(total.doubts, 'attempt')}, {_money(total.in_doubt, total.currency)} of it")
    if total.unknown:
        click.echo(f"unknown: what {_counted(total.unknown, 'attempt')} cost, which is not in it")
    if total.hits:
        click.echo(f"saved by the cache: {_money(total.saved, total.currency)} in {_counted(total.hits, 'hit')}")


def _cost(total: Total) -> str:
    return UNKNOWN if total.unknown and not total.cost else _money(total.cost, total.currency)


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _money(amount: Decimal, currency: str) -> str:
    return f"{amount.normalize() + NOTHING:f} {currency}"


def as_json(found: Findings) -> dict[str, Any]:
    """Amounts are texts; everything is there, also what a table leaves out."""
    report, where = found.report, found.opened.where
    value: dict[str, Any] = {
        "ledger": found.opened.name,
        "since": where.since and where.since.isoformat(),
        "until": where.until and where.until.isoformat(),
        "zone": str(found.opened.zone),
        "by": report.by,
        "per": report.per and report.per.value,
        "rows": [_row(report, row.total, row.label, row.start) for row in report.rows],
        "kinds": [{"kind": total.key[0], **_figures(total)} for total in report.kinds],
        "totals": [_total(total, _calls(found, total)) for total in report.totals],
    }
    if found.alternatives is not None:
        value["alternatives"] = [_alternative(each, found.opened.currency) for each in found.alternatives]
    if found.dearest is not None:
        value["most_expensive"] = [_call(call) for call in found.dearest]
    return value


def _row(report: Report, total: Total, label: str, start: Any) -> dict[str, Any]:
    period = {"period": label, "start": start.astimezone(report.calendar.zone).isoformat()} if start else {}
    return {**period, **dict(zip(report.by, total.key, strict=True)), **_figures(total)}


def _figures(total: Total) -> dict[str, Any]:
    return {
        "currency": total.currency,
        "attempts": total.attempts,
        "cost": amount_text(total.cost),
        "per_attempt": amount_text(per_attempt(total)),
        "in_doubt": amount_text(total.in_doubt),
        "doubts": total.doubts,
        "unknown": total.unknown,
        "saved": amount_text(total.saved),
        "hits": total.hits,
    }


def _total(total: Total, calls: int | None) -> dict[str, Any]:
    return {**_figures(total), "calls": calls, "per_call": amount_text(average(total.cost, calls or 0))}


def _calls(found: Findings, total: Total) -> int | None:
    """None where only some of the calls' attempts were looked at: their first ones may be others'."""
    return None if found.opened.where.providers else found.report.calls(total.currency)


def _alternative(each: Alternative, currency: str) -> dict[str, Any]:
    return {
        "service": each.service,
        "provider": each.provider,
        "currency": currency,
        "attempts": each.attempts,
        "paid": amount_text(each.paid),
        "cost": amount_text(each.cost),
        "difference": amount_text(each.difference),
        "not_comparable": each.unknown,
    }


def _call(call: CallCost) -> dict[str, Any]:
    return {
        "call_id": call.call_id,
        "at": moment_text(call.at),
        "service": call.service,
        "tenant": call.tenant,
        "providers": call.providers,
        "attempts": call.attempts,
        "unknown": call.unknown,
        "cost": amount_text(call.cost),
        "currency": call.currency,
    }
