"""Everything that settings name, made and held to its contract: what `check` looks at, and composition wires."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from switchgear.capability import AnyCapability, Effect, Validator
from switchgear.config.settings import Component, Provider, Service, Settings
from switchgear.config.wording import suggestion
from switchgear.errors import ConfigError, Problem
from switchgear.options import build
from switchgear.plugins import Catalog, Offer, PluginProblem, Registry
from switchgear.policies.retry import Retry
from switchgear.pricing import Pricing, units_of
from switchgear.provider import AnyProvider, BaseProvider

if TYPE_CHECKING:
    from switchgear.caching.settings import CacheLevel, CacheSettings
    from switchgear.guarded_cache import Level


@attrs.frozen(eq=False, repr=False)
class ServiceParts:
    """What a service is put together from. `strategy`: None where it is optional and broken, or switched off."""

    capability: AnyCapability
    strategy: Any
    validators: list[Validator]
    providers: list[AnyProvider]
    cache: "list[Level]"


@attrs.frozen(eq=False, repr=False)
class Components:
    """Everything that was made: by service, who listens, where costs go, what was left out as optional.

    `made` is all of it, in order.
    """

    services: dict[str, ServiceParts] = attrs.Factory(dict)
    observers: list[Any] = attrs.Factory(list)
    cost_sinks: dict[str, Any] = attrs.Factory(dict)
    degraded: list[Problem] = attrs.Factory(list)
    made: list[Any] = attrs.Factory(list)
    registries: dict[str, Registry] = attrs.Factory(dict)

    def registry(self, kind: str) -> Registry:
        if kind not in self.registries:
            self.registries[kind] = Registry(kind)
        return self.registries[kind]


def make(settings: Settings, catalog: Catalog, utc: Callable[[], datetime], folder: Path | None = None) -> Components:
    """Make everything that the settings name; relative files start at `folder`, and `utc` tells prices the time.

    Raises `ConfigError` with every problem of every component.
    """
    return _Making(settings, catalog, utc, folder or Path()).run()


class _Making:
    def __init__(self, settings: Settings, catalog: Catalog, utc: Callable[[], datetime], folder: Path) -> None:
        self.settings = settings
        self.catalog = catalog
        self.folder = folder
        self.made = Components()
        self.problems: list[Problem] = []
        self.objects: list[AnyProvider] = []
        self.pricing = Pricing(settings, utc, self.note)

    def run(self) -> Components:
        self.observers()
        self.cost_sinks()
        self.budgets()
        for name, service in self.settings.services.items():
            path = f"services.{name}"
            with self.noting(path):
                parts = self.service(service, path)
                if parts is not None:
                    self.made.services[name] = parts
        if self.problems:
            raise ConfigError(self.problems)
        return self.made

    def observers(self) -> None:
        components = dict(self.settings.observers)
        if self.settings.switchgear.logging is not None:
            components.setdefault("log", Component("log"))
        built = (self.component("observers", each, f"observers.{name}") for name, each in components.items())
        self.made.observers.extend(observer for observer in built if observer is not None)

    def cost_sinks(self) -> None:
        for name, each in self.settings.cost_sinks.items():
            sink = self.component("cost_sinks", each, f"cost_sinks.{name}")
            if sink is not None:
                if hasattr(sink, "folder"):
                    sink.folder = self.folder
                self.made.cost_sinks[name] = sink

    def budgets(self) -> None:
        """Whoever limits no costs pays nothing for it, not even the import."""
        if not self.settings.budgets:
            return
        from switchgear.budget_check import wrong_budgets

        # What is wrong with a cost sink is not wrong once more with the budget that is shared through it.
        broken = {problem.path.split(".")[1] for problem in self.problems if problem.path.startswith("cost_sinks.")}
        self.problems += wrong_budgets(self.settings, self.made.cost_sinks, broken)

    def service(self, service: Service, path: str) -> ServiceParts | None:
        before = len(self.problems)
        capability = self.capability(service, path)
        strategy = self.component("strategies", service.strategy, f"{path}.strategy")
        self.check_mentioned(strategy, service, f"{path}.strategy.options")
        cache = self.cache(service, capability, path)
        if capability is None:
            return None
        validators = self.validators(service, capability, path)
        providers = self.providers(service, capability, path)
        if not providers and len(self.problems) == before:
            self.note(path, "no provider is left", "Enable one, or add another to the table `providers`")
        if service.hedge is not None and capability.effect is not Effect.PURE:
            self.note(f"{path}.hedge", f"{capability.name} must not be done twice", "Remove the table")
        if len(self.problems) > before:
            return None
        return ServiceParts(capability, strategy, validators, providers, cache)

    def capability(self, service: Service, path: str) -> AnyCapability | None:
        with self.noting(f"{path}.capability"):
            offer = self.catalog.find("capabilities", service.capability)
            if self.catalog.is_disabled(offer):
                raise PluginProblem(f"{offer} is disabled", "Enable its distribution, or remove the service")
            capability: AnyCapability = build(self.catalog.load(offer), {}, f"{path}.capability")
            self.contract("capabilities", f"{path}.capability", capability)
            return capability
        return None  # type: ignore[unreachable]  # `noting` swallows what it notes

    def validators(self, service: Service, capability: AnyCapability, path: str) -> list[Validator]:
        found = []
        for index, component in enumerate(service.validate):
            where = f"{path}.validate[{index}]"
            with self.noting(where, optional=component.optional):
                if component.enabled:
                    validator = build(_validator_class(capability, component.type), component.options, where)
                    self.contract("validators", where, validator)
                    found.append(validator)
        return found

    def providers(self, service: Service, capability: AnyCapability, path: str) -> list[AnyProvider]:
        found = []
        for key, settings in service.providers.items():
            where = f"{path}.providers.{key}"
            with self.noting(where, optional=settings.optional):
                provider = self.provider(key, settings, service, capability, where)
                if provider is not None:
                    found.append(provider)
        return found

    def provider(
        self, name: str, settings: Provider, service: Service, capability: AnyCapability, path: str
    ) -> AnyProvider | None:
        if not settings.enabled:
            return None
        offer = self.catalog.find("providers", settings.type, service.capability)
        if self.catalog.is_disabled(offer):
            return None
        implementation = self.catalog.load(offer)
        self.check_provider(implementation, offer)
        self.check_retry(settings, f"{path}.retry")
        prices = self.pricing.configured(settings, units_of(capability, implementation), f"{path}.cost")
        provider: AnyProvider = build(
            implementation,
            settings.options,
            path,
            name=name,
            priority=settings.priority,
            quality_score=settings.quality_score,
            timeout=settings.timeout or service.timeout,
            concurrency=settings.concurrency or service.concurrency,
        )
        price = self.pricing.of(provider, prices, f"{path}.cost")
        if price is not None:
            provider.price = price
        self.contract("providers", path, provider)
        return provider

    def cache(self, service: Service, capability: AnyCapability | None, path: str) -> "list[Level]":
        """The levels of a service's cache, the nearest first; none where it has no cache.

        Also looked at where nobody offers the capability: what is wrong with it is wrong all the same.
        """
        settings = service.cache
        if settings is None or not settings.enabled:
            return []
        where = f"{path}.cache"
        if capability is not None and capability.effect is not Effect.PURE:
            self.note(where, f"answers of {capability.name} must not be given twice", "Remove the table")
        if bool(settings.type) is bool(settings.levels):
            self.note(where, "a cache has a `type`, or `levels`", "Give one of them")
        found: list[Level] = []
        for place, level in _levels(where, settings):
            with self.noting(place):
                found += self.level(level, settings, capability, place)
        if not settings.type and len({level.name for level in found}) < len(found):
            self.note(f"{where}.levels", "two of them are of the same type", "Name each type of cache once")
        return found

    def level(
        self, level: "CacheLevel", settings: "CacheSettings", capability: AnyCapability | None, path: str
    ) -> "Iterator[Level]":
        from switchgear.guarded_cache import Level, trouble_with

        offer = self.catalog.find("caches", level.type)
        if self.catalog.is_disabled(offer):
            return
        made = build(self.catalog.load(offer), level.options, path)
        self.contract("caches", path, made)
        if hasattr(made, "folder"):
            made.folder = self.folder
        trouble = None if capability is None else trouble_with(made, capability.output_type)
        if trouble:
            raise PluginProblem(trouble, 'Use type = "memory"')
        yield Level(cache=made, name=level.type, ttl=level.ttl, timeout=level.timeout or settings.timeout)

    def check_provider(self, implementation: Any, offer: Offer) -> None:
        """A class of providers, or one provider that nobody else uses: it takes its name and rank from here."""
        if not isinstance(implementation, BaseProvider) and not (
            isinstance(implementation, type) and issubclass(implementation, BaseProvider)
        ):
            raise PluginProblem(f"{offer} is no BaseProvider", "Derive it from one of switchgear's base classes")
        if implementation in self.objects:
            raise PluginProblem(f"{offer} is one object, and used twice", "Offer a class, to make one for each use")
        if isinstance(implementation, BaseProvider):
            self.objects.append(implementation)

    def component(self, kind: str, component: Component, path: str) -> Any:
        """A strategy or an observer; None if it is switched off, or optional and broken."""
        if not component.enabled:
            return None
        with self.noting(path, optional=component.optional):
            offer = self.catalog.find(kind, component.type)
            if not self.catalog.is_disabled(offer):
                made = build(self.catalog.load(offer), component.options, path)
                self.contract(kind, path, made)
                return made
        return None

    def check_retry(self, settings: Provider, path: str) -> None:
        """The whole service has one budget and one cap; in the table of a provider they would be read by nobody."""
        for name in ("call_attempts", "budget", "earn"):
            if settings.retry is not None and getattr(settings.retry, name) != getattr(Retry(), name):
                self.note(f"{path}.{name}", "it holds for the whole service", "Move it to the service's table `retry`")

    def check_mentioned(self, strategy: Any, service: Service, path: str) -> None:
        """A strategy may say which providers its options mention: a misspelled one would count for nobody."""
        mentions = getattr(strategy, "mentions", tuple)
        for name in mentions():
            # A service without any is reported as that.
            if service.providers and name not in service.providers:
                self.note(path, f"there is no provider {name!r}", suggestion(name, service.providers))

    def contract(self, kind: str, path: str, implementation: Any) -> None:
        wrong = self.made.registry(kind).add(path, implementation)
        if wrong:
            raise ConfigError([Problem(path, each, "Mend the plugin, or ask its authors to") for each in wrong])
        self.made.made.append(implementation)

    @contextmanager
    def noting(self, path: str, *, optional: bool = False) -> Iterator[None]:
        """Collect what is wrong with one component, and go on to the next."""
        target = self.made.degraded if optional else self.problems
        try:
            yield
        except ConfigError as error:
            target.extend(error.problems)
        except PluginProblem as error:
            target.append(Problem(path, str(error), error.remedy or ""))

    def note(self, path: str, message: str, remedy: str) -> None:
        self.problems.append(Problem(path, message, remedy))


def _validator_class(capability: AnyCapability, type_name: str) -> type[Any]:
    try:
        return capability.validators[type_name]
    except KeyError:
        remedy = suggestion(type_name, capability.validators)
        raise PluginProblem(f"{capability.name} has no validator {type_name!r}", remedy) from None


def _levels(path: str, settings: "CacheSettings") -> "Iterator[tuple[str, CacheLevel]]":
    from switchgear.caching.settings import CacheLevel

    if settings.type:
        yield path, CacheLevel(type=settings.type, options=settings.options)
    for index, level in enumerate(settings.levels):
        yield f"{path}.levels[{index}]", level
