"""Settings and components become managers: the only place that wires."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from switchgear.components import Components, ServiceParts
from switchgear.config.settings import Provider, Service, Settings
from switchgear.home import Home
from switchgear.manager import ProviderManager
from switchgear.protection import Policies
from switchgear.provider import AnyProvider

if TYPE_CHECKING:
    from switchgear.accounting import Books
    from switchgear.caching.identity import Identity

Manager = ProviderManager[Any, Any]


@attrs.frozen(eq=False, repr=False)
class Composed:
    """What came of it: the services, and the books of a board that records costs or limits them."""

    services: Mapping[str, Manager]
    books: "Books | None" = None


def compose(settings: Settings, components: Components, home: Home, folder: Path) -> Composed:
    """Put the services together; nothing of it can fail, for what is wrong was found when the parts were made."""
    books = _books(settings, components, home, folder)
    return Composed(
        {
            name: _manager(name, settings.services[name], parts, components, home, books)
            for name, parts in components.services.items()
        },
        books,
    )


def _books(settings: Settings, components: Components, home: Home, folder: Path) -> "Books | None":
    """Whoever records no costs and limits none pays nothing for it, not even the import."""
    if not components.cost_sinks and not settings.budgets:
        return None
    from switchgear.accounting import Books

    listeners = components.registry("observers")
    return Books(
        settings,
        components.cost_sinks,
        home,
        folder,
        listeners.hearers("cost_recorded"),
        listeners.hearers("alert_raised"),
    )


def _manager(
    name: str, service: Service, parts: ServiceParts, components: Components, home: Home, books: "Books | None"
) -> Manager:
    capability, listeners = parts.capability, components.registry("observers")
    make: Callable[..., Manager] = ProviderManager
    if parts.cache:
        from switchgear.cached import CachedProviderManager

        make = partial(
            CachedProviderManager,
            cache=parts.cache,
            caching=service.cache,
            capability=capability,
            identities=_identities(service, parts.providers),
        )
    tills = books and {each.name: books.till(name, capability.name, each) for each in parts.providers}
    manager = make(
        parts.providers,
        parts.strategy or "priority",
        service=name,
        deadline=service.deadline,
        validators=parts.validators,
        on_refused=service.on_refused,
        request_type=capability.request_type,
        output_type=capability.output_type,
        retry=service.retry,
        breaker=service.breaker,
        policies={key: _policies(service, each) for key, each in service.providers.items()},
        hedge=service.hedge,
        health=service.health,
        all_down=service.all_down,
        effect=capability.effect,
        observers=listeners.hearers("call_finished"),
        state_observers=listeners.hearers("state_changed"),
        home=home,
        tills=tills,
    )
    if books and parts.cache:
        books.count_savings(name, capability.name, manager.cache_figures)  # type: ignore[attr-defined]
    return manager


def _identities(service: Service, providers: list[AnyProvider]) -> "Mapping[str, Identity]":
    """Of all that are configured: of those that are switched off, nobody knows which options change no answer."""
    from switchgear.caching.identity import Identity, engine_of, ignored_options

    made = {provider.name: (ignored_options(provider), engine_of(provider)) for provider in providers}
    return {
        name: Identity(settings.type.partition("@")[0], settings.options, *made.get(name, (None,)))
        for name, settings in service.providers.items()
    }


def _policies(service: Service, provider: Provider) -> Policies:
    return Policies(
        retry=provider.retry or service.retry,
        breaker=provider.breaker or service.breaker,
        rate=provider.rate or service.rate,
        queue=service.queue if provider.queue is None else provider.queue,
        cool_down=provider.cool_down or service.cool_down,
    )
