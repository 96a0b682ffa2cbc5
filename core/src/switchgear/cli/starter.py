"""What the installed plugins make without a configuration: one service for each capability that has a provider."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from switchgear.entries import normalized
from switchgear.errors import ConfigError

if TYPE_CHECKING:
    from switchgear.app import Switchgear
    from switchgear.config import Document
    from switchgear.plugins import Catalog, Offer


Offers = Mapping[str, "Sequence[Offer]"]  # by what configuration calls them; several where distributions clash


def service_table(catalog: "Catalog", capability: str) -> dict[str, Any]:
    """The `[services.<name>]` table: all installed providers, in the order that the capability recommends.

    A capability may have a `default_service`, a table of the same shape; of its providers, those installed are taken,
    and the other installed ones come last. Without one, providers are asked by name. All are optional: one that is
    broken, or needs a key, is left out. Of those that share a name, the first distribution's is taken; see `clashes`.
    Raises `PluginProblem` if the capability cannot be imported.
    """
    found = catalog.load(catalog.find("capabilities", capability))
    default = getattr(found, "default_service", None) or {}
    offers = _offers(catalog, capability)
    recommended = default.get("providers", {})
    providers = _recommended(recommended, offers)
    taken = {table["type"].partition("@")[0] for table in recommended.values()}
    last = max((table.get("priority", 0) for table in providers.values()), default=0)
    for place, name in enumerate((name for name in offers if name not in taken), start=1):
        key = re.sub(r"[^A-Za-z0-9_-]+", "-", name)
        providers[key] = {"type": _type_of(name, offers), "optional": True, "priority": last + place}
    return {"capability": capability, **default, "providers": providers}


def clashes(catalog: "Catalog", service: Mapping[str, Any]) -> Iterator[str]:
    """Which provider a service table takes of several that share a name, and how to say otherwise."""
    offers = _offers(catalog, service["capability"])
    for table in service["providers"].values():
        name, _, chosen = table["type"].partition("@")
        others = [offer.distribution for offer in offers[name] if normalized(offer.distribution) != normalized(chosen)]
        if chosen and others:
            choices = " or ".join(f'type = "{name}@{other}"' for other in others)
            yield f"{name} is that of {chosen}; a configuration can choose {choices}"


def document_of(tables: Mapping[str, Any]) -> "Document":
    """Tables that no file has written: SWITCHGEAR_ENV is about another configuration."""
    from switchgear.config import from_mapping
    from switchgear.config.environments import ENV_VARIABLE

    return from_mapping(tables, environ={name: value for name, value in os.environ.items() if name != ENV_VARIABLE})


def compose_installed(tables: Mapping[str, Any], extra: Any = ()) -> "Switchgear":
    """The board of such services; raises `ConfigError` with what is wrong with each provider where none is left."""
    from switchgear.app import Switchgear

    try:
        return Switchgear(document_of(tables), extra=extra)
    except ConfigError as error:
        raise _spelled_out(document_of(_demanding(tables)), extra, error) from None


def _spelled_out(document: "Document", extra: Any, error: ConfigError) -> ConfigError:
    """Composed again with nothing optional: now each provider says why it cannot be used."""
    from switchgear.app import Switchgear

    try:
        Switchgear(document, extra=extra)
    except ConfigError as detailed:
        return detailed
    return error


def _demanding(tables: Mapping[str, Any]) -> dict[str, Any]:
    services = {
        name: {**service, "providers": {key: {**each, "optional": False} for key, each in service["providers"].items()}}
        for name, service in tables["services"].items()
    }
    return {**tables, "services": services}


def _recommended(providers: Mapping[str, Any], offers: Offers) -> dict[str, Any]:
    """Those that are installed; one that says which distribution it means stays as it is."""
    return {
        name: {**table, "type": _type_of(table["type"], offers), "optional": True}
        for name, table in providers.items()
        if table["type"].partition("@")[0] in offers
    }


def _type_of(type_name: str, offers: Offers) -> str:
    first, *others = offers[type_name.partition("@")[0]]
    return f"{type_name}@{first.distribution}" if others and "@" not in type_name else type_name


def _offers(catalog: "Catalog", capability: str) -> Offers:
    found: dict[str, list[Offer]] = {}
    prefix = f"{capability}."
    for offer in catalog.offers:
        if offer.kind == "providers" and offer.name.startswith(prefix):
            found.setdefault(offer.name.removeprefix(prefix), []).append(offer)
    return found
