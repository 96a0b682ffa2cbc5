"""What the installed plugins make without a configuration: one service for each capability that has a provider."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from switchgear.errors import ConfigError

if TYPE_CHECKING:
    from switchgear.app import Switchgear
    from switchgear.config import Document
    from switchgear.plugins import Catalog, Offer


def service_table(catalog: "Catalog", capability: str) -> dict[str, Any]:
    """The `[services.<name>]` table: all installed providers, in the order that the capability recommends.

    A capability may have a `default_service`, a table of the same shape; of its providers, those installed are taken,
    and the other installed ones come last. Without one, providers are asked by name. All are optional: one that is
    broken, or needs a key, is left out. Raises `PluginProblem` if the capability cannot be imported.
    """
    found = catalog.load(catalog.find("capabilities", capability))
    default = getattr(found, "default_service", None) or {}
    offers = [
        offer for offer in catalog.offers if offer.kind == "providers" and offer.name.startswith(f"{capability}.")
    ]
    recommended = default.get("providers", {})
    providers = _recommended(recommended, offers, capability)
    taken = {table["type"].partition("@")[0] for table in recommended.values()}
    last = max((table.get("priority", 0) for table in providers.values()), default=0)
    rest = [offer for offer in offers if _short(offer, capability) not in taken]
    for place, (name, table) in enumerate(_by_name(rest, capability).items(), start=1):
        providers[name] = {**table, "priority": last + place}
    return {"capability": capability, **default, "providers": providers}


def compose_installed(tables: Mapping[str, Any], extra: Any = ()) -> "Switchgear":
    """The board of such services; raises `ConfigError` with what is wrong with each provider where none is left."""
    from switchgear.app import Switchgear
    from switchgear.config import from_mapping

    try:
        return Switchgear(from_mapping(tables), extra=extra)
    except ConfigError as error:
        raise _spelled_out(tables, from_mapping(_demanding(tables)), extra, error) from None


def _spelled_out(tables: Mapping[str, Any], document: "Document", extra: Any, error: ConfigError) -> ConfigError:
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


def _recommended(providers: Mapping[str, Any], offers: "Iterable[Offer]", capability: str) -> dict[str, Any]:
    installed = {_short(offer, capability) for offer in offers}
    return {
        name: {**table, "optional": True}
        for name, table in providers.items()
        if table["type"].partition("@")[0] in installed
    }


def _by_name(offers: "list[Offer]", capability: str) -> dict[str, dict[str, Any]]:
    """Two distributions may offer one name: then each type says which."""
    counts = Counter(offer.name for offer in offers)
    tables = {}
    for offer in offers:
        name = _short(offer, capability)
        if counts[offer.name] > 1:
            name = f"{name}@{offer.distribution}"
        tables[re.sub(r"[^A-Za-z0-9_-]+", "-", name)] = {"type": name, "optional": True}
    return tables


def _short(offer: "Offer", capability: str) -> str:
    return offer.name.removeprefix(f"{capability}.")
