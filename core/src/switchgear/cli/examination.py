"""Looks at configured providers one by one: what is wrong with one must not hide another."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import attrs

from switchgear.app import Switchgear
from switchgear.config import Document
from switchgear.config.wording import dotted
from switchgear.errors import ConfigError, OutcomeError
from switchgear.findings import Finding
from switchgear.installation import disabled_distributions
from switchgear.messages import plugin_bug, safe_message
from switchgear.plugins import Catalog, PluginProblem
from switchgear.provider import AnyProvider, ProviderStatus, SimpleProvider
from switchgear.tariff import Tariff

SECONDS = 10.0  # real ones: the longest that a look at one provider may take
# What a provider alone is composed with, table by table; the rest of the file is looked at as a whole.
_SHARED = {"switchgear": ("currency",), "currencies": None, "plugins": ("disable",)}


@attrs.frozen
class Examined:
    """One provider, and what was found, in order."""

    service: str
    provider: str
    findings: Sequence[Finding]

    @property
    def is_well(self) -> bool:
        return all(finding.ok is not False for finding in self.findings)


async def examine(document: Document, services: Sequence[str] = ()) -> list[Examined]:
    """All providers of these services, or of all, in file order; they are asked at the same time."""
    catalog = Catalog(disabled=disabled_distributions(document))
    found = [
        (service, provider, tables)
        for service, provider, tables in _alone(document.tables)
        if not services or service in services
    ]
    looks = (_look(attrs.evolve(document, tables=tables, source=tables, problems=()), catalog) for *_, tables in found)
    findings = await asyncio.gather(*looks)
    return [Examined(service, provider, each) for (service, provider, _), each in zip(found, findings, strict=True)]


def _alone(tables: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each provider with the tables that it needs, as the only one of its service."""
    services = tables.get("services")
    for service, table in services.items() if isinstance(services, Mapping) else ():
        providers = table.get("providers") if isinstance(table, Mapping) else None
        for name, provider in providers.items() if isinstance(providers, Mapping) else ():
            lonely = {"capability": table.get("capability"), "providers": {name: provider}}
            yield service, name, {**_shared(tables), "services": {service: lonely}}


def _shared(tables: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name, keys in _SHARED.items():
        table = tables.get(name)
        if isinstance(table, Mapping):
            found[name] = {key: value for key, value in table.items() if keys is None or key in keys}
    return found


async def _look(document: Document, catalog: Catalog) -> list[Finding]:
    return [finding async for finding in _findings(document, catalog)]


async def _findings(document: Document, catalog: Catalog) -> AsyncIterator[Finding]:
    ((service, table),) = document.tables["services"].items()
    ((name, settings),) = table["providers"].items()
    if not isinstance(settings, Mapping) or settings.get("enabled") is False:
        yield Finding("configured", None, "switched off")
        return
    installed = _installed(str(settings.get("type")), str(table["capability"]), catalog)
    yield installed
    if installed.ok is False:
        return
    board = _composed(document, dotted(f"{dotted('services', service)}.providers", name))
    if isinstance(board, Finding):
        yield board
        return
    provider = board[service].providers[name]
    yield Finding("configured", True, "its table is sound")
    yield _priced(provider)
    async for finding in _asked(board, service, name):
        yield finding


def _installed(type_name: str, capability: str, catalog: Catalog) -> Finding:
    try:
        offer = catalog.find("providers", type_name, capability)
        if catalog.is_disabled(offer):
            return Finding("installed", False, f"{offer.distribution} is disabled", "take it out of [plugins] disable")
        catalog.load(offer)
    except PluginProblem as error:
        return Finding("installed", False, str(error), error.remedy or "")
    return Finding("installed", True, f"{offer.distribution} {offer.version}")


def _composed(document: Document, path: str) -> Switchgear | Finding:
    try:
        return Switchgear(document)
    except ConfigError as error:
        said = [(problem.path.removeprefix(path).lstrip("."), problem) for problem in error.problems]
        detail = "; ".join(f"{where}: {problem.message}" if where else problem.message for where, problem in said)
        return Finding("configured", False, detail, "; ".join(problem.remedy for _, problem in said if problem.remedy))


def _priced(provider: AnyProvider) -> Finding:
    if isinstance(provider.price, Tariff) and provider.price.has_expired:
        return Finding("price", None, "known, but it was to end before today", "give the price of today in `cost`")
    if provider.price is not None:
        return Finding("price", True, "known")
    remedy = 'say what it charges: cost = { per_call = "0.01" } in its table; "0" if it is free'
    return Finding("price", None, "unknown, so that neither budgets nor the strategy `cost` can count it", remedy)


async def _asked(board: Switchgear, service: str, name: str) -> AsyncIterator[Finding]:
    """What it says of itself, within `SECONDS`."""
    provider = board[service].providers[name]
    # Foreign code: whatever goes wrong is what was looked for.
    try:
        async with board, asyncio.timeout(SECONDS):
            await board[service].open(name)
            findings = await _own_findings(provider)
    except TimeoutError:
        findings = [Finding("reachable", False, f"no answer within {SECONDS:g} s", "check the network and the service")]
    except OutcomeError as error:
        findings = [Finding("opens", False, safe_message(error), error.remedy or "")]
    except Exception as error:
        bug = plugin_bug(error)
        findings = [Finding("opens", False, str(bug), bug.remedy or "")]
    for finding in findings:
        yield finding


async def _own_findings(provider: AnyProvider) -> Sequence[Finding]:
    diagnose = getattr(provider, "diagnose", None)
    if diagnose is not None:
        found: Sequence[Finding] = await diagnose()
        return found
    if type(provider).health_check is SimpleProvider.health_check:
        return [Finding("opens", True, "says nothing of its health")]
    status = ProviderStatus(await provider.health_check())
    usable = status is not ProviderStatus.UNAVAILABLE
    return [Finding("healthy", usable, status.value, "" if usable else "look at what its health check looks at")]
