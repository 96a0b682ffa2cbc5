"""Where a configuration uses a plugin, found in its tables without importing anything and without their being right."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from switchgear.config.wording import dotted
from switchgear.entries import normalized

if TYPE_CHECKING:
    from switchgear.config import Document
    from switchgear.plugins import Catalog, Offer

_STORE = re.compile(r"\$\{([a-z][a-z0-9_-]*):[^-]", re.ASCII)
_TABLES = {"strategy": "strategies", "cache": "caches"}


@attrs.frozen
class Use:
    """One place that names an implementation: its path, the kind and full name, and whether it is switched off."""

    path: str
    kind: str
    name: str
    distribution: str
    is_off: bool

    def means(self, offer: "Offer") -> bool:
        by_name = (self.kind, self.name) == (offer.kind, offer.name)
        return by_name and (not self.distribution or normalized(self.distribution) == normalized(offer.distribution))


def uses(document: "Document", catalog: "Catalog") -> tuple[Use, ...]:
    """Every place, in file order."""
    from switchgear.config.interpolate import interpolate
    from switchgear.config.references import References
    from switchgear.installation import activity

    references = References(environ=document.environ, directory=document.folder, offline=True)
    filled = interpolate(document.tables, references, is_active=activity(document, catalog))
    return tuple(
        Use(path, kind, *_named(name, capability), is_off=any(_is_within(path, off) for off in filled.inactive))
        for path, kind, name, capability in _places(filled.tables)
    )


_Place = tuple[str, str, Any, str]  # path, kind, type, capability of providers


def _places(tables: Mapping[str, Any]) -> Iterator[_Place]:
    for name, service in _tables_in(tables, "services"):
        yield from _of_service(dotted("services", name), service)
    for kind in ("observers", "cost_sinks"):
        for name, component in _components_in(tables, kind):
            yield dotted(kind, name), kind, component, ""
    general = tables.get("switchgear")
    if isinstance(general, Mapping) and "logging" in general:
        yield "switchgear.logging", "observers", "log", ""
    yield from _stores(tables, "")


def _of_service(path: str, service: Mapping[str, Any]) -> Iterator[_Place]:
    capability = service.get("capability")
    yield f"{path}.capability", "capabilities", capability, ""
    yield f"{path}.strategy", "strategies", _type_of(service.get("strategy", "priority")), ""
    cache = service.get("cache")
    levels = cache.get("levels") if isinstance(cache, Mapping) else None
    for index, level in enumerate(levels if isinstance(levels, list) else ()):
        yield f"{path}.cache.levels[{index}]", "caches", _type_of(level), ""
    if cache is not None and not levels:
        yield f"{path}.cache", "caches", _type_of(cache), ""
    for name, provider in _components_in(service, "providers"):
        yield f"{path}.providers.{name}", "providers", provider, str(capability)


def _stores(value: Any, path: str) -> Iterator[_Place]:
    """`${store:...}` anywhere; what is not looked up is still there as it was written."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _stores(item, dotted(path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _stores(item, dotted(path, index))
    elif isinstance(value, str):
        for name in _STORE.findall(getattr(value, "template", value)):
            yield path, "secrets", name, ""


def _tables_in(tables: Mapping[str, Any], key: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    found = tables.get(key)
    for name, table in found.items() if isinstance(found, Mapping) else ():
        if isinstance(table, Mapping):
            yield name, table


def _components_in(tables: Mapping[str, Any], key: str) -> Iterator[tuple[str, Any]]:
    found = tables.get(key)
    for name, component in found.items() if isinstance(found, Mapping) else ():
        yield name, _type_of(component)


def _type_of(component: Any) -> Any:
    return component.get("type") if isinstance(component, Mapping) else component


def _named(type_name: Any, capability: str) -> tuple[str, str]:
    name, _, distribution = str(type_name).partition("@")
    return f"{capability}.{name}" if capability else name, distribution


def _is_within(path: str, table: str) -> bool:
    return path == table or path.startswith((f"{table}.", f"{table}["))
