"""One call, many providers: name the capability, put the provider into configuration."""
# ruff: noqa: F401 - the imports below are for type checkers

from switchgear._version import __version__ as __version__

# `typing` would take longer to import than all that `switchgear --version` does; type checkers go by the name.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from switchgear.app import Switchgear
    from switchgear.blocking import BlockingProvider
    from switchgear.capability import Capability, Effect, Validator
    from switchgear.clock import Clock, SystemClock
    from switchgear.context import current_call
    from switchgear.errors import (
        AllProvidersFailed,
        AttemptTimeout,
        BadCredentials,
        ConfigError,
        InDoubt,
        InvalidInput,
        InvalidResult,
        NotSent,
        PluginBug,
        Problem,
        ProviderError,
        QuotaExceeded,
        Rejected,
        SwitchgearError,
        Throttled,
        Unsupported,
        UsageError,
    )
    from switchgear.figures import Figures
    from switchgear.http_errors import error_for_status, map_errors, parse_retry_after
    from switchgear.manager import Answer, ProviderManager
    from switchgear.money import Price
    from switchgear.outcome import Outcome
    from switchgear.plan import Plan, PlanRow
    from switchgear.policies import Policies
    from switchgear.policies.breaker import Breaker, CircuitBreaker
    from switchgear.policies.health import Health
    from switchgear.policies.hedge import Hedge
    from switchgear.policies.rate_limit import Rate
    from switchgear.policies.retry import Retry
    from switchgear.provider import BaseProvider, ProviderStatus, SimpleProvider
    from switchgear.results import Attempt, Call, ProviderResult, StateChange
    from switchgear.secret import Secret
    from switchgear.strategy import Candidate, SelectionStrategy, Strategy

# Where each public name lives: nothing is imported before it is asked for, so that the command line starts at once.
_HOMES = {
    "app": ["Switchgear"],
    "blocking": ["BlockingProvider"],
    "capability": ["Capability", "Effect", "Validator"],
    "clock": ["Clock", "SystemClock"],
    "errors": [
        "AllProvidersFailed",
        "AttemptTimeout",
        "BadCredentials",
        "ConfigError",
        "InDoubt",
        "InvalidInput",
        "InvalidResult",
        "NotSent",
        "PluginBug",
        "Problem",
        "ProviderError",
        "QuotaExceeded",
        "Rejected",
        "SwitchgearError",
        "Throttled",
        "Unsupported",
        "UsageError",
    ],
    "context": ["current_call"],
    "figures": ["Figures"],
    "http_errors": ["error_for_status", "map_errors", "parse_retry_after"],
    "manager": ["Answer", "ProviderManager"],
    "money": ["Price"],
    "outcome": ["Outcome"],
    "plan": ["Plan", "PlanRow"],
    "provider": ["BaseProvider", "ProviderStatus", "SimpleProvider"],
    "policies": ["Policies"],
    "policies.breaker": ["Breaker", "CircuitBreaker"],
    "policies.health": ["Health"],
    "policies.hedge": ["Hedge"],
    "policies.rate_limit": ["Rate"],
    "policies.retry": ["Retry"],
    "results": ["Attempt", "Call", "ProviderResult", "StateChange"],
    "secret": ["Secret"],
    "strategy": ["Candidate", "SelectionStrategy", "Strategy"],
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted([*_HOME_OF, "__version__"])  # noqa: PLE0605


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    value: object = getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
