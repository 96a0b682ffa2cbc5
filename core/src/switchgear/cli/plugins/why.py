"""`switchgear plugins why`: whether a plugin is used, where, and if not, why not."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from switchgear.cli import flags, names

if TYPE_CHECKING:
    from switchgear.cli.plugins.situation import Situation
    from switchgear.plugins import Offer


@click.command("why", short_help="Say why a plugin is used or not.")
@click.argument("name", metavar="NAME_OR_DISTRIBUTION", shell_complete=names.complete_plugin)
@flags.as_json
@flags.place
def command(name: str, json: bool, place: flags.Place) -> None:
    """Say whether the configuration uses a plugin, where, and why not. Nothing is imported, nothing need be right."""
    from switchgear.cli.faults import say_note
    from switchgear.cli.lines import print_json
    from switchgear.cli.plugins.naming import matching
    from switchgear.cli.plugins.situation import look

    situation = look(place)
    if not matching(situation.catalog, name):
        raise click.UsageError(_not_installed(name, situation))
    found = [_verdict(offer, situation) for offer in matching(situation.catalog, name)]
    if json:
        print_json({"configuration": str(situation.file or ""), "trouble": situation.trouble, "offers": found})
        return
    if situation.trouble:
        say_note(f"no configuration can be read, so nothing is used: {situation.trouble}")
    for each in found:
        _print(each)


def _not_installed(name: str, situation: "Situation") -> str:
    from switchgear.cli.plugins.naming import unknown

    missed = [use.path for use in situation.uses if name in (use.name, use.name.partition(".")[2], use.distribution)]
    if not missed:
        return unknown(situation.catalog, name)
    return (
        f"{name} is named by {', '.join(missed)}, but not installed: pip install switchgear-{name.rpartition('.')[2]}"
    )


def _verdict(offer: "Offer", situation: "Situation") -> dict[str, Any]:
    uses = situation.uses_of(offer)
    is_disabled = situation.catalog.is_disabled(offer)
    rivals = _rivals(offer, situation)
    active = [use.path for use in uses if not use.is_off and not is_disabled and not (rivals and not use.distribution)]
    return {
        "kind": offer.kind,
        "name": offer.name,
        "distribution": offer.distribution,
        "version": offer.version,
        "target": offer.target,
        "active": bool(active),
        "used_by": active,
        "switched_off_at": [use.path for use in uses if use.is_off],
        "disabled": is_disabled,
        "rivals": rivals,
        "reasons": list(_reasons(offer, situation, rivals)),
    }


def _rivals(offer: "Offer", situation: "Situation") -> list[str]:
    """The other distributions that offer the same name."""
    same = [other for other in situation.catalog.offers if (other.kind, other.name) == (offer.kind, offer.name)]
    return [other.distribution for other in same if other is not offer]


def _reasons(offer: "Offer", situation: "Situation", rivals: list[str]) -> Iterator[str]:
    """Why it is not used, or not everywhere."""
    uses = situation.uses_of(offer)
    if situation.catalog.is_disabled(offer):
        yield f"plugins.disable names {offer.distribution}: all its uses are switched off"
    if not uses and situation.file is not None:
        yield f"{situation.file} does not name it; what is not named is never imported"
    for use in uses:
        if use.is_off and not situation.catalog.is_disabled(offer):
            yield f"{use.path} or a table around it has enabled = false"
        if rivals and not use.distribution and not use.is_off:
            yield f'{use.path} does not say which: write type = "{_short(offer)}@{offer.distribution}" for this one'
    if rivals:
        yield f"{', '.join(rivals)} offers the same name"


def _short(offer: "Offer") -> str:
    return offer.name.partition(".")[2] if offer.kind == "providers" else offer.name


def _print(verdict: dict[str, Any]) -> None:
    word = "used" if verdict["active"] else "not used"
    origin = f"{verdict['distribution']} {verdict['version']}, {verdict['target']}"
    click.echo(f"{verdict['kind']} {verdict['name']} ({origin}): {word}")
    for path in verdict["used_by"]:
        click.echo(f"  used by {path}")
    for reason in verdict["reasons"]:
        click.echo(f"  {reason}")
