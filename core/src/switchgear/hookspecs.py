"""What an implementation of each kind must and may have; pluggy and `check_contract` hold plugins to it."""

import inspect
from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar

from switchgear.blocking import BlockingProvider
from switchgear.capability import Capability
from switchgear.provider import BaseProvider, SimpleProvider


class ProviderSpec:
    """A provider: see `switchgear.provider.BaseProvider`."""

    required: ClassVar = ("process", "validate_input", "estimate_cost", "health_check")

    async def process(self, request: Any) -> Any: ...
    def validate_input(self, request: Any) -> None: ...
    def estimate_cost(self, request: Any) -> Any: ...
    def estimate_usage(self, request: Any) -> Any: ...
    async def health_check(self) -> Any: ...
    async def diagnose(self) -> Any: ...
    async def aopen(self) -> None: ...
    async def aclose(self) -> None: ...


class StrategySpec:
    """A strategy: see `switchgear.strategy.Strategy`. `order` may take fewer arguments."""

    required: ClassVar = ("order",)
    by_name: ClassVar = ("turn",)
    may_leave_out: ClassVar = ("request", "turn")

    def order(self, candidates: Any, request: Any, turn: Any) -> Any: ...
    def learn(self, call: Any) -> None: ...
    def mentions(self) -> Any: ...


class ValidatorSpec:
    """A result validator: see `switchgear.capability.Validator`. `refused` may be left out."""

    required: ClassVar = ("check",)
    may_leave_out: ClassVar = ("refused",)

    def check(self, request: Any, result: Any, refused: Any) -> None: ...


class ObserverSpec:
    """A listener: see `switchgear.observer.Observer`. Every method may be left out, but one must be there."""

    required: ClassVar = ()
    may_leave_out: ClassVar = ("call", "change", "record", "alert")

    def call_finished(self, call: Any) -> None: ...
    def state_changed(self, change: Any) -> None: ...
    def cost_recorded(self, record: Any) -> None: ...
    def alert_raised(self, alert: Any) -> None: ...
    def close(self) -> None: ...


class SecretSpec:
    """A secret store: see `switchgear.secret_store.SecretStore`."""

    required: ClassVar = ("get",)

    def get(self, name: Any, key: Any) -> Any: ...


class CapabilitySpec:
    """A capability: see `switchgear.capability.Capability`."""

    required: ClassVar = ("request",)
    described: ClassVar = ("name", "request_type", "output_type")

    def request(self, value: Any) -> Any: ...
    def fingerprint(self, request: Any) -> Any: ...
    def content_size(self, request: Any) -> Any: ...
    def to_json(self, output: Any) -> Any: ...
    def render(self, output: Any, format: Any) -> Any: ...
    def annotate(self, request: Any, output: Any) -> Any: ...


class CacheSpec:
    """A cache: see `switchgear.cache.Cache`."""

    required: ClassVar = ("get", "set", "delete", "clear", "keys", "size", "aclose")

    async def get(self, key: Any) -> Any: ...
    async def set(self, key: Any, value: Any, ttl: Any) -> None: ...
    async def delete(self, key: Any) -> None: ...
    async def clear(self, prefix: Any) -> None: ...
    def keys(self, prefix: Any) -> Any: ...
    async def size(self, prefix: Any) -> Any: ...
    async def aclose(self) -> None: ...


class CostSinkSpec:
    """A cost sink: see `switchgear.cost_sink.CostSink`; all but `cost_recorded` and `flush` may be left out.

    One that has `totals` and `records` is a ledger, one that has `lease`, `give_back` and `spent` keeps shared budgets.
    """

    required: ClassVar = ("cost_recorded", "flush")
    by_name: ClassVar = ("limit", "want", "need", "now", "until")

    def cost_recorded(self, record: Any) -> None: ...
    def flush(self) -> None: ...
    def close(self) -> None: ...
    def totals(self, by: Any, where: Any) -> Any: ...
    def records(self, where: Any) -> Any: ...
    def lease(self, account: Any, holder: Any, limit: Any, want: Any, need: Any, now: Any, until: Any) -> Any: ...
    def give_back(self, account: Any, holder: Any, amount: Any) -> None: ...
    def spent(self, account: Any) -> Any: ...


# By kind, as in the name of the entry-point group `switchgear.<kind>`. Validators come with their capability.
SPECS: dict[str, type[Any]] = {
    "capabilities": CapabilitySpec,
    "providers": ProviderSpec,
    "strategies": StrategySpec,
    "validators": ValidatorSpec,
    "observers": ObserverSpec,
    "caches": CacheSpec,
    "cost_sinks": CostSinkSpec,
    "secrets": SecretSpec,
}

_NEAR = 0.85  # similarity from which a method's name passes for a slip of the pen
_OURS = (BaseProvider, SimpleProvider, BlockingProvider)
# What a plugin inherits from our base classes keeps the contract: half of the time would go into looking at it.
_SOUND = frozenset(base.__module__ for base in (*_OURS, Capability))


def methods_of(spec: type[Any]) -> list[str]:
    return [name for name, value in vars(spec).items() if inspect.isfunction(value)]


def check_contract(kind: str, implementation: Any) -> Iterator[str]:
    """What is wrong with an implementation of this kind, each with both definitions. Empty: nothing.

    pluggy has checked that its parameters are named as in the specification; this adds that the required methods are
    there, can be called as they will be, are async where they will be awaited, and that none is misspelled.
    """
    spec = SPECS[kind]
    for name in methods_of(spec):
        method = getattr(implementation, name, None)
        if getattr(method, "__module__", None) in _SOUND:
            continue
        if callable(method):
            yield from _wrong_method(spec, getattr(spec, name), method)
        elif name in spec.required:
            yield f"has no {name}(); the contract: {_definition(getattr(spec, name))}"
    for name in getattr(spec, "described", ()):
        if not hasattr(implementation, name):
            yield f"has no `{name}`"
    yield from _misspelled(spec, implementation)


def _wrong_method(spec: type[Any], declared: Any, method: Any) -> Iterator[str]:
    if inspect.iscoroutinefunction(declared) != inspect.iscoroutinefunction(inspect.unwrap(method)):
        word = "async def" if inspect.iscoroutinefunction(declared) else "a plain def"
        yield f"{declared.__name__} must be {word}: {_both(declared, method)}"
    try:
        signature = inspect.signature(method)
    except ValueError:
        return  # some that are written in C have none; then nobody can tell
    passed = list(inspect.signature(declared).parameters)[1:]
    wanted = [
        parameter.name
        for parameter in signature.parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
        and parameter.name not in passed
    ]
    for name in wanted:
        yield f"{declared.__name__} wants {name!r}, which nobody passes: {_both(declared, method)}"
    if not wanted:
        yield from _uncallable(spec, declared, method, signature, passed)


def _uncallable(
    spec: type[Any], declared: Any, method: Any, signature: inspect.Signature, passed: list[str]
) -> Iterator[str]:
    """Whether it can be called as the manager calls it: by position, but for `by_name`."""
    left_out = set(getattr(spec, "may_leave_out", ())) - set(signature.parameters)
    by_name = getattr(spec, "by_name", ())
    given = [name for name in passed if name not in left_out]
    try:
        signature.bind(
            *[name for name in given if name not in by_name], **{name: name for name in given if name in by_name}
        )
    except TypeError as error:
        yield f"{declared.__name__} cannot be called, {error}: {_both(declared, method)}"


def _misspelled(spec: type[Any], implementation: Any) -> Iterator[str]:
    known = methods_of(spec)
    inherited = {name for base in _OURS if isinstance(implementation, base) for name in dir(base)}
    for name in dir(type(implementation)):
        if name.startswith("_") or name in known or name in inherited:
            continue
        alike = [each for each in known if _may_be_near(name, each)]
        if not alike or not inspect.isfunction(inspect.getattr_static(implementation, name)):
            continue
        from difflib import get_close_matches

        near = get_close_matches(name, alike, n=1, cutoff=_NEAR)
        if near:
            yield f"has {name}(), which nobody calls; did you mean {near[0]}()? {_definition(getattr(spec, near[0]))}"


def _may_be_near(name: str, other: str) -> bool:
    """`SequenceMatcher.quick_ratio`, without importing it: their letters alone can rule it out."""
    shared = (Counter(name) & Counter(other)).total()
    return 2 * shared >= _NEAR * (len(name) + len(other))


def _both(declared: Any, method: Any) -> str:
    code = getattr(inspect.unwrap(getattr(method, "__func__", method)), "__code__", None)
    where = f" in {code.co_filename}:{code.co_firstlineno}" if code else ""
    return f"contract {_definition(declared)}, found {_definition(method, declared.__name__)}{where}"


def _definition(function: Any, name: str = "") -> str:
    word = "async def" if inspect.iscoroutinefunction(function) else "def"
    try:
        parameters = [name for name in inspect.signature(function).parameters if name != "self"]
    except ValueError:
        parameters = ["..."]
    return f"`{word} {name or function.__name__}({', '.join(['self', *parameters])})`"
