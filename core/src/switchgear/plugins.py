"""Finds what is installed without importing it, loads what is named, and holds it to its contract."""

import importlib
import importlib.metadata
import inspect
import re
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from importlib.metadata import EntryPoint, PackageNotFoundError, version
from typing import Any

import attrs
from pluggy import HookimplOpts, HookspecOpts, PluginManager, PluginValidationError
from stevedore.extension import Extension
from stevedore.named import NamedExtensionManager

from switchgear.entries import GROUP_PREFIX, Entries, Point, installed_entries, normalized
from switchgear.errors import SwitchgearError
from switchgear.hookspecs import SPECS, check_contract, methods_of
from switchgear.logs import silence
from switchgear.rules import differing


class PluginProblem(SwitchgearError):
    """A plugin cannot be used; the message says why, `remedy` what to do. Composition adds the place."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


@attrs.frozen(eq=False)
class Offer:
    """One implementation that an installed distribution offers; nothing of it has been imported."""

    __repr__ = differing

    kind: str
    name: str  # providers carry their capability: "ocr.tesseract"
    target: str  # "module:attribute"
    distribution: str
    version: str
    entry_point: EntryPoint | None = attrs.field(default=None, repr=False)
    value: Any = attrs.field(default=None, repr=False)  # handed in by code instead of installed

    def __str__(self) -> str:
        source = f"{self.distribution} {self.version}".rstrip() if self.entry_point else "handed in by code"
        return f"{self.name} ({self.target}, {source})"


class Catalog:
    """All that is on offer. `extra` adds implementations without installing them: (kind, name, value)."""

    def __init__(self, *, extra: Iterable[tuple[str, str, Any]] = (), disabled: Iterable[str] = ()) -> None:
        self._extra = tuple(extra)
        self._disabled = {normalized(name) for name in disabled}
        self.packages = {"switchgear"}  # what has been loaded: whose log lines are the library's

    @cached_property
    def offers(self) -> tuple[Offer, ...]:
        """Everything, sorted by kind and name; reads the installed distributions' entry points once."""
        installed = [_installed(point) for point in self._entries.points]
        given = [Offer(kind, name, repr(value), "", "", value=value) for kind, name, value in self._extra]
        return tuple(sorted([*installed, *given], key=lambda offer: (offer.kind, offer.name, offer.distribution)))

    @property
    def damaged(self) -> tuple[str, ...]:
        """Installed distributions whose metadata cannot be read, so that nobody knows what they offer."""
        return self._entries.damaged

    @cached_property
    def _entries(self) -> Entries:
        return installed_entries()

    def names(self, kind: str, capability: str | None = None) -> list[str]:
        """The names on offer for this kind, as configuration writes them."""
        prefix = f"{capability}." if capability else ""
        return [
            offer.name.removeprefix(prefix)
            for offer in self.offers
            if offer.kind == kind and offer.name.startswith(prefix)
        ]

    def find(self, kind: str, type_name: str, capability: str | None = None) -> Offer:
        """The one offer that a `type` means. `name@distribution` picks among equals; raises `PluginProblem`.

        `capability` is as a service names it, perhaps with its own `@distribution`.
        """
        capability = capability and capability.partition("@")[0]
        name, _, distribution = type_name.partition("@")
        full = f"{capability}.{name}" if capability else name
        named = found = [offer for offer in self.offers if offer.kind == kind and offer.name == full]
        if distribution:
            found = [offer for offer in named if normalized(offer.distribution) == normalized(distribution)]
        # What code hands in stands before what is installed: a test's fake replaces the real one.
        found = [offer for offer in found if offer.entry_point is None][-1:] or found
        if len(found) > 1:  # disabling all but one settles it
            found = [offer for offer in found if not self.is_disabled(offer)] or found[:1]
        if not found:
            raise _of_others(name, distribution, named) if named else self._unknown(kind, type_name, capability)
        if len(found) > 1:
            raise PluginProblem(f"{name!r} is offered by {' and '.join(map(str, found))}", _choice(name, found))
        return found[0]

    def is_disabled(self, offer: Offer) -> bool:
        return bool(self._disabled) and normalized(offer.distribution) in self._disabled

    def load(self, offer: Offer) -> Any:
        """Import it; raises `PluginProblem` with the cause, whatever the module did."""
        if offer.entry_point is None:
            return offer.value
        package = re.split(r"[.:\s]", offer.entry_point.value)[0]
        silence(package)  # before it can say anything
        failures: list[BaseException] = []
        loader = _Loader(offer.entry_point, failures)
        if failures:
            raise PluginProblem(
                f"{offer} cannot be imported: {_reason(failures[0])}",
                f"reinstall or upgrade {offer.distribution}, disable it, or set optional = true",
            ) from failures[0]
        self.packages.add(package)
        return loader[offer.entry_point.name].plugin

    def _unknown(self, kind: str, type_name: str, capability: str | None) -> PluginProblem:
        names = self.names(kind, capability)
        name, _, distribution = type_name.partition("@")
        from difflib import get_close_matches

        near = get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        what = f"{capability} provider" if capability else _SINGULAR[kind]
        return PluginProblem(
            f"unknown {what} {type_name!r}; {hint}installed: {', '.join(dict.fromkeys(names)) or 'none'}",
            f"{distribution} is installed, and does not offer it"
            if distribution and installed_version(distribution)
            else f"If a plugin offers it, install that first: pip install switchgear-{_slug(type_name)}",
        )


class Registry:
    """The live instances of one kind, under their paths in the configuration."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._manager = _Manager(kind)

    def add(self, path: str, implementation: Any) -> list[str]:
        """Register it, or say in what it breaks its contract."""
        wrong = list(check_contract(self.kind, implementation))
        if not wrong:
            try:
                self._manager.register(_Live(implementation, self._manager.methods), name=path)
            except PluginValidationError as error:
                wrong = [" ".join(str(error).split())]
        return wrong

    def hearers(self, event: str) -> tuple[Callable[[Any], None], ...]:
        """All implementations of an event, in configured order; empty when nobody listens."""
        found = getattr(self._manager.hook, event).get_hookimpls()
        return tuple(_with_arguments(impl.function, impl.argnames) for impl in found)


class _Live:
    """One registration. pluggy compares plugins by `==`, and two services may well have equal strategies."""

    def __init__(self, implementation: Any, methods: Iterable[str]) -> None:
        found = ((name, getattr(implementation, name, None)) for name in methods)
        vars(self).update((name, method) for name, method in found if _is_hookable(method))


def _is_hookable(method: Any) -> bool:
    """Whether pluggy can bind it: what is written in C has no arguments that it could read."""
    return inspect.isfunction(method) or inspect.ismethod(method)


class _Manager(PluginManager):
    """Takes a specification's methods by name, without decorators on either side."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"switchgear.{kind}")
        self.methods = frozenset(methods_of(SPECS[kind]))
        self.add_hookspecs(SPECS[kind])

    def parse_hookspec_opts(self, module_or_class: Any, name: str) -> HookspecOpts | None:
        return (
            HookspecOpts(firstresult=False, historic=False, warn_on_impl=None, warn_on_impl_args=None)
            if name in self.methods
            else None
        )

    def parse_hookimpl_opts(self, plugin: Any, name: str) -> HookimplOpts | None:
        if name not in self.methods:
            return None
        return HookimplOpts(
            wrapper=False, hookwrapper=False, optionalhook=False, tryfirst=False, trylast=False, specname=None
        )


class _Loader(NamedExtensionManager[Any]):
    """Loads the one entry point that was resolved, past stevedore's own look-up and its disk cache."""

    def __init__(self, chosen: EntryPoint, failures: list[BaseException]) -> None:
        self._chosen = chosen
        self._failures = failures
        super().__init__(
            chosen.group,
            names=[chosen.name],
            on_load_failure_callback=lambda manager, point, error: failures.append(error),
            # Its own would log what is reported as a failure already.
            on_missing_entrypoints_callback=lambda names: None,
        )

    def list_entry_points(self) -> list[EntryPoint]:
        return [self._chosen]

    def _load_one_plugin(self, ep: EntryPoint, *arguments: Any, **options: Any) -> Extension[Any] | None:
        try:
            return super()._load_one_plugin(ep, *arguments, **options)
        # A module that calls sys.exit() or asserts at import must not take the host down with it.
        except (SystemExit, AssertionError) as error:
            self._failures.append(error)
            return None


_SINGULAR: Mapping[str, str] = {
    "capabilities": "capability",
    "providers": "provider",
    "strategies": "strategy",
    "observers": "observer",
    "caches": "cache",
    "cost_sinks": "cost sink",
    "validators": "validator",
    "secrets": "secret store",
}


def _reason(error: BaseException) -> str:
    """What an import failed of, on one line, and where in the plugin."""
    text = " ".join(str(error).split())
    kind = type(error).__name__ + (" while importing" if isinstance(error, SystemExit) else "")
    reason = f"{kind}: {text}" if text else kind
    own = (importlib.__file__, importlib.metadata.__file__)
    frames = [each for each in traceback.extract_tb(error.__traceback__) if not each.filename.startswith("<")]
    # Where the module itself is not there, nothing of it has run.
    return f"{reason} (at {frames[-1].filename}:{frames[-1].lineno})" if frames[-1].filename not in own else reason


def _of_others(name: str, distribution: str, offers: Sequence[Offer]) -> PluginProblem:
    """The name is on offer, but not by the distribution that was asked for it."""
    is_there = installed_version(distribution)
    message = f"{distribution} {'does not offer' if is_there else 'is not installed, to offer'} {name!r}"
    install = "" if is_there else f"pip install {distribution}, or "
    return PluginProblem(
        f"{message}; it is offered by {' and '.join(map(str, offers))}", install + _choice(name, offers)
    )


def _choice(name: str, offers: Sequence[Offer]) -> str:
    """How to say which of several is meant."""
    key = "capability" if offers[0].kind == "capabilities" else "type"
    return f"write {key} = {' or '.join(_picked(name, offer) for offer in offers)}"


def _picked(name: str, offer: Offer) -> str:
    return f'"{name}@{offer.distribution}"' if offer.distribution else f'"{name}"'


def _slug(type_name: str) -> str:
    name, _, distribution = type_name.partition("@")
    return normalized(distribution.removeprefix("switchgear-") or name)


def _installed(point: Point) -> Offer:
    entry = point.entry
    kind = entry.group.removeprefix(GROUP_PREFIX)
    return Offer(kind, entry.name, entry.value, point.distribution, point.version, entry)


def _with_arguments(function: Any, names: Sequence[str]) -> Callable[[Any], None]:
    """A listener that takes fewer arguments than the specification goes on working when the specification gains one."""
    return function if names else lambda event: function()


def installed_version(distribution: str) -> str | None:
    """The version of an installed distribution, None if it is not there."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
