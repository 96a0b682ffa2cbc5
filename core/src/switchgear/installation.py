"""What a configuration wants installed: required distributions, plugins switched off, secret stores."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from switchgear.config import Document, IsActive, Settings
from switchgear.config.references import Unresolved
from switchgear.entries import normalized
from switchgear.errors import Problem
from switchgear.hookspecs import check_contract
from switchgear.options import build
from switchgear.plugins import Catalog, PluginProblem, installed_version


def missing_requirements(settings: Settings) -> Iterator[Problem]:
    """Each `[plugins] require` that the installed distributions do not meet."""
    if not settings.plugins.require:
        return
    # Not at the top: importing it takes longer than most configurations take to check.
    from packaging.requirements import InvalidRequirement, Requirement

    for index, text in enumerate(settings.plugins.require):
        path = f"plugins.require[{index}]"
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            yield Problem(
                path, f"{text!r} is not a requirement", 'Write it as pip takes it: "switchgear-rapidocr>=0.1"'
            )
            continue
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        version = installed_version(requirement.name)
        if version is None:
            yield Problem(path, f"{requirement.name} is not installed", f'Run: pip install "{text}"')
        elif not requirement.specifier.contains(version, prereleases=True):
            yield Problem(path, f"{requirement.name} {version} is installed", f'Run: pip install --upgrade "{text}"')


def disabled_distributions(document: Document) -> tuple[str, ...]:
    """`[plugins] disable` as it stands in the tables; whether it is well formed is for the schema to say."""
    plugins = document.tables.get("plugins")
    names = plugins.get("disable") if isinstance(plugins, Mapping) else None
    return tuple(name for name in names if isinstance(name, str)) if isinstance(names, list) else ()


def misspelled_disabled(settings: Settings, catalog: Catalog) -> Iterator[Problem]:
    """Each `[plugins] disable` that is not installed, but is spelled nearly like a plugin that is.

    No error: a configuration may switch off what only other machines have.
    """
    if not settings.plugins.disable:
        return
    from difflib import get_close_matches

    installed = {normalized(offer.distribution): offer.distribution for offer in catalog.offers if offer.distribution}
    for index, name in enumerate(settings.plugins.disable):
        near = [] if normalized(name) in installed else get_close_matches(normalized(name), installed, 1, 0.8)
        if near:
            remedy = f"Did you mean {installed[near[0]]}?"
            yield Problem(f"plugins.disable[{index}]", f"no plugin {name!r} is installed", remedy)


def activity(document: Document, catalog: Catalog) -> IsActive:
    """Says no to the tables whose plugin is disabled, so that their secrets and options are not looked at."""

    def is_active(path: tuple[str | int, ...], table: Mapping[str, Any]) -> bool:
        type_name = table.get("type")
        if not isinstance(type_name, str):
            return True
        match path:
            case ("services", name, "providers", _):
                kind, capability = "providers", document.tables["services"][name].get("capability")
                if not isinstance(capability, str):
                    return True
            case ("services", _, "strategy"):
                kind, capability = "strategies", None
            case ("services", _, "cache") | ("services", _, "cache", "levels", _):
                kind, capability = "caches", None
            case ("observers" | "cost_sinks" as kind, _):
                capability = None
            case _:
                return True
        try:
            return not catalog.is_disabled(catalog.find(kind, type_name, capability))
        except PluginProblem:
            return True  # composition reports it, with its place

    return is_active


class SecretStores(Mapping[str, Callable[[str, str | None], str]]):
    """The secret stores on offer; one is imported when a reference names it."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._stores: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Callable[[str, str | None], str]:
        if name not in self:
            raise KeyError(name)
        if name not in self._stores:
            self._stores[name] = self._opened(name)
        get: Callable[[str, str | None], str] = self._stores[name].get
        return get

    def __contains__(self, name: object) -> bool:
        return name in list(self)

    def __iter__(self) -> Iterator[str]:
        found = (offer for offer in self._catalog.offers if offer.kind == "secrets")
        return iter(dict.fromkeys(offer.name for offer in found if not self._catalog.is_disabled(offer)))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def _opened(self, name: str) -> Any:
        try:
            store = build(self._catalog.load(self._catalog.find("secrets", name)), {}, name)
        except PluginProblem as error:
            raise Unresolved(str(error), error.remedy or "") from error
        if wrong := "; ".join(check_contract("secrets", store)):
            raise Unresolved(f"secret store {name!r} {wrong}", "Mend the plugin, or ask its authors to")
        return store
