"""What must hold between tables, beyond each value's own type."""

from collections.abc import Iterator, Mapping
from typing import Any

from switchgear.config.wording import dotted
from switchgear.errors import Problem


def check_services(tables: Mapping[str, Any], inactive: frozenset[str]) -> Iterator[Problem]:
    """A service needs a provider that is on. Works on tables, so that it can complain beside the schema."""
    services = tables.get("services")
    for name, service in services.items() if isinstance(services, Mapping) else ():
        path = dotted(dotted(dotted("", "services"), name), "providers")
        providers = service.get("providers", {}) if isinstance(service, Mapping) else None
        if not isinstance(providers, Mapping):
            continue
        if not providers:
            yield Problem(path, "no provider", f"Add [{path}.<name>] with a type")
        elif all(dotted(path, provider) in inactive for provider in providers):
            yield Problem(path, f"no provider left: {', '.join(providers)} switched off", "Enable one, or add another")
