"""`switchgear plugins list`: every implementation on offer, none of it imported."""

import click

from switchgear.cli import flags

KINDS = ("capabilities", "providers", "strategies", "caches", "cost_sinks", "observers", "secrets")


@click.command("list", short_help="List what is installed.")
@click.option("--kind", type=click.Choice(KINDS), help="Only this kind.")
@flags.as_json
@flags.place
def command(kind: str | None, json: bool, place: flags.Place) -> None:
    """List every implementation that installed distributions offer, and whether the configuration uses it."""
    from switchgear.cli.faults import say_note
    from switchgear.cli.lines import print_json
    from switchgear.cli.plugins.situation import look
    from switchgear.cli.tables import print_table

    situation = look(place)
    for name in situation.catalog.damaged:
        say_note(f"{name} has broken metadata: what it offers is not known; reinstall it")
    offers = [offer for offer in situation.catalog.offers if kind in (None, offer.kind)]
    rows = [
        {
            "kind": offer.kind,
            "name": offer.name,
            "distribution": offer.distribution,
            "version": offer.version,
            "target": offer.target,
            "disabled": situation.catalog.is_disabled(offer),
            "used_by": [use.path for use in situation.uses_of(offer) if not use.is_off],
        }
        for offer in offers
    ]
    if json:
        print_json(rows)
        return
    columns = ("kind", "name", "distribution", "version", "target")
    used = ["disabled" if row["disabled"] else "yes" if row["used_by"] else "no" for row in rows]
    if situation.file is None:
        print_table(columns, [[str(row[column]) for column in columns] for row in rows])
    else:
        cells = [[*(str(row[column]) for column in columns), use] for row, use in zip(rows, used, strict=True)]
        print_table((*columns, "used"), cells)
