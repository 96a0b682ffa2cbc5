"""What is wrong with budgets beyond their shape: names of services, providers and sinks that are not there."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from switchgear.config.settings import Settings
from switchgear.config.wording import suggestion
from switchgear.costs.settings import Budget
from switchgear.errors import Problem

LOCAL = "none"  # what a budget is shared by that every process has for itself


def wrong_budgets(settings: Settings, sinks: Mapping[str, Any], broken: Collection[str] = ()) -> Iterator[Problem]:
    """What is wrong with the budgets of these settings; of sinks that are `broken`, nothing is known."""
    for name, budget in settings.budgets.items():
        yield from _misspelled(budget, f"budgets.{name}", settings)
        if budget.shared_by not in broken:
            yield from _unshared(budget, f"budgets.{name}", sinks)


def _misspelled(budget: Budget, path: str, settings: Settings) -> Iterator[Problem]:
    """A misspelled name would limit nobody, and nobody would notice."""
    services = settings.services
    empty = {name for name, service in services.items() if not service.providers}  # reported as that
    providers = {name for service in services.values() for name in service.providers}
    full = {f"{name}.{each}" for name, service in services.items() for each in service.providers}
    for name in budget.services:
        if name not in services:
            yield Problem(f"{path}.services", f"there is no service {name!r}", suggestion(name, services))
    for name in budget.providers:
        service, dot, _ = name.rpartition(".")
        if name not in providers | full and not (service in empty if dot else empty):
            near = suggestion(name, full if "." in name else providers)
            yield Problem(f"{path}.providers", f"there is no provider {name!r}", near)


def _unshared(budget: Budget, path: str, sinks: Mapping[str, Any]) -> Iterator[Problem]:
    names = sharing(sinks)
    if budget.shared_by not in (None, LOCAL, *names):
        there = ", ".join(names) or "none is configured"
        yield Problem(
            f"{path}.shared_by",
            f"{budget.shared_by!r} is no cost sink that several processes can share a budget through",
            f'Name one of [cost_sinks]: {there}; or "none", for a limit of each process',
        )


def sharing(sinks: Mapping[str, Any]) -> list[str]:
    """The names of those that several processes can share a budget through."""
    return [name for name, sink in sinks.items() if hasattr(sink, "lease")]
