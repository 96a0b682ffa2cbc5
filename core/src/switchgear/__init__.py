"""One call, many providers: name the capability, put the provider into configuration."""

from switchgear._version import __version__ as __version__

# `typing` would take longer to import than all that `switchgear --version` does; type checkers go by the name.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from switchgear.alert import Alert as Alert
    from switchgear.app import Switchgear as Switchgear
    from switchgear.blocking import BlockingProvider as BlockingProvider
    from switchgear.cache import (
        Cache as Cache,
    )
    from switchgear.cache import (
        Entry as Entry,
    )
    from switchgear.cache import (
        NotKept as NotKept,
    )
    from switchgear.cache import (
        Size as Size,
    )
    from switchgear.cached import CachedProviderManager as CachedProviderManager
    from switchgear.caching.figures import CacheFigures as CacheFigures
    from switchgear.caching.memory import Memory as Memory
    from switchgear.caching.settings import CacheSettings as CacheSettings
    from switchgear.caching.sqlite import Sqlite as Sqlite
    from switchgear.capability import Capability as Capability
    from switchgear.capability import Effect as Effect
    from switchgear.capability import Validator as Validator
    from switchgear.clock import Clock as Clock
    from switchgear.clock import SystemClock as SystemClock
    from switchgear.context import current_call as current_call
    from switchgear.cost_sink import (
        CostRecord as CostRecord,
    )
    from switchgear.cost_sink import (
        CostSink as CostSink,
    )
    from switchgear.cost_sink import (
        Lease as Lease,
    )
    from switchgear.cost_sink import (
        Ledger as Ledger,
    )
    from switchgear.cost_sink import (
        Selection as Selection,
    )
    from switchgear.cost_sink import (
        SharedLedger as SharedLedger,
    )
    from switchgear.cost_sink import (
        Total as Total,
    )
    from switchgear.costs.tracker import CostTracker as CostTracker
    from switchgear.errors import (
        AllProvidersFailed as AllProvidersFailed,
    )
    from switchgear.errors import (
        AttemptTimeout as AttemptTimeout,
    )
    from switchgear.errors import (
        BadCredentials as BadCredentials,
    )
    from switchgear.errors import (
        BudgetExceeded as BudgetExceeded,
    )
    from switchgear.errors import (
        ConfigError as ConfigError,
    )
    from switchgear.errors import (
        InDoubt as InDoubt,
    )
    from switchgear.errors import (
        InvalidInput as InvalidInput,
    )
    from switchgear.errors import (
        InvalidResult as InvalidResult,
    )
    from switchgear.errors import (
        NotSent as NotSent,
    )
    from switchgear.errors import (
        PluginBug as PluginBug,
    )
    from switchgear.errors import (
        Problem as Problem,
    )
    from switchgear.errors import (
        ProviderError as ProviderError,
    )
    from switchgear.errors import (
        QuotaExceeded as QuotaExceeded,
    )
    from switchgear.errors import (
        Rejected as Rejected,
    )
    from switchgear.errors import (
        SwitchgearError as SwitchgearError,
    )
    from switchgear.errors import (
        Throttled as Throttled,
    )
    from switchgear.errors import (
        Unsupported as Unsupported,
    )
    from switchgear.errors import (
        UsageError as UsageError,
    )
    from switchgear.figures import Figures as Figures
    from switchgear.findings import Finding as Finding
    from switchgear.fingerprints import (
        canonical as canonical,
    )
    from switchgear.fingerprints import (
        content_digest as content_digest,
    )
    from switchgear.fingerprints import (
        fingerprint_of as fingerprint_of,
    )
    from switchgear.guarded_cache import Level as Level
    from switchgear.http_errors import (
        error_for_status as error_for_status,
    )
    from switchgear.http_errors import (
        map_errors as map_errors,
    )
    from switchgear.http_errors import (
        parse_retry_after as parse_retry_after,
    )
    from switchgear.manager import Answer as Answer
    from switchgear.manager import ProviderManager as ProviderManager
    from switchgear.money import Charge as Charge
    from switchgear.money import Price as Price
    from switchgear.money import Tier as Tier
    from switchgear.observer import Observer as Observer
    from switchgear.outcome import Outcome as Outcome
    from switchgear.periods import Period as Period
    from switchgear.plan import Plan as Plan
    from switchgear.plan import PlanRow as PlanRow
    from switchgear.policies.breaker import Breaker as Breaker
    from switchgear.policies.breaker import CircuitBreaker as CircuitBreaker
    from switchgear.policies.health import Health as Health
    from switchgear.policies.hedge import Hedge as Hedge
    from switchgear.policies.rate_limit import Rate as Rate
    from switchgear.policies.retry import Retry as Retry
    from switchgear.protection import Policies as Policies
    from switchgear.provider import (
        BaseProvider as BaseProvider,
    )
    from switchgear.provider import (
        ProviderStatus as ProviderStatus,
    )
    from switchgear.provider import (
        SimpleProvider as SimpleProvider,
    )
    from switchgear.results import (
        Attempt as Attempt,
    )
    from switchgear.results import (
        Call as Call,
    )
    from switchgear.results import (
        ProviderResult as ProviderResult,
    )
    from switchgear.results import (
        StateChange as StateChange,
    )
    from switchgear.secret import Secret as Secret
    from switchgear.secret_store import SecretStore as SecretStore
    from switchgear.strategy import Candidate as Candidate
    from switchgear.strategy import SelectionStrategy as SelectionStrategy
    from switchgear.strategy import Strategy as Strategy
    from switchgear.tariff import Tariff as Tariff


# Where each public name lives: nothing is imported before it is asked for, so that the command line starts at once.
_HOMES = {
    "app": ["Switchgear"],
    "blocking": ["BlockingProvider"],
    "cache": ["Cache", "Entry", "NotKept", "Size"],
    "cached": ["CachedProviderManager"],
    "caching.figures": ["CacheFigures"],
    "caching.memory": ["Memory"],
    "caching.settings": ["CacheSettings"],
    "caching.sqlite": ["Sqlite"],
    "fingerprints": ["canonical", "content_digest", "fingerprint_of"],
    "capability": ["Capability", "Effect", "Validator"],
    "clock": ["Clock", "SystemClock"],
    "errors": [
        "AllProvidersFailed",
        "AttemptTimeout",
        "BadCredentials",
        "BudgetExceeded",
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
    "alert": ["Alert"],
    "costs.tracker": ["CostTracker"],
    "periods": ["Period"],
    "cost_sink": ["CostRecord", "CostSink", "Lease", "Ledger", "Selection", "SharedLedger", "Total"],
    "figures": ["Figures"],
    "findings": ["Finding"],
    "guarded_cache": ["Level"],
    "http_errors": ["error_for_status", "map_errors", "parse_retry_after"],
    "manager": ["Answer", "ProviderManager"],
    "money": ["Charge", "Price", "Tier"],
    "observer": ["Observer"],
    "outcome": ["Outcome"],
    "plan": ["Plan", "PlanRow"],
    "provider": ["BaseProvider", "ProviderStatus", "SimpleProvider"],
    "protection": ["Policies"],
    "policies.breaker": ["Breaker", "CircuitBreaker"],
    "policies.health": ["Health"],
    "policies.hedge": ["Hedge"],
    "policies.rate_limit": ["Rate"],
    "policies.retry": ["Retry"],
    "results": ["Attempt", "Call", "ProviderResult", "StateChange"],
    "secret": ["Secret"],
    "secret_store": ["SecretStore"],
    "tariff": ["Tariff"],
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
