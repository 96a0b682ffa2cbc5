"""Which of the implementations on offer a name on the command line means."""

from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from switchgear.plugins import Catalog, Offer


def matching(catalog: "Catalog", name: str) -> "list[Offer]":
    """By full name, by what follows the capability, by distribution, or as `name@distribution`."""
    from switchgear.entries import normalized

    wanted, _, distribution = name.partition("@")
    return [
        offer
        for offer in catalog.offers
        if (
            wanted in (offer.name, offer.name.partition(".")[2]) or normalized(wanted) == normalized(offer.distribution)
        )
        and (not distribution or normalized(distribution) == normalized(offer.distribution))
    ]


def find(catalog: "Catalog", name: str) -> "list[Offer]":
    """The same; raises `UsageError`, with the nearest right spelling, for a name that nobody offers."""
    found = matching(catalog, name)
    if not found:
        raise click.UsageError(unknown(catalog, name))
    return found


def unknown(catalog: "Catalog", name: str) -> str:
    known = {offer.name for offer in catalog.offers} | {offer.name.partition(".")[2] for offer in catalog.offers}
    known |= {offer.distribution for offer in catalog.offers}
    near = get_close_matches(name, known - {""}, n=1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    return f"nothing that is installed is called {name!r}. {hint}`switchgear plugins list` shows all"
