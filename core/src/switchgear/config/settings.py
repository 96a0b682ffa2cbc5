"""The schema: what a configuration file may say, with the defaults of what it leaves out.

The reference in the docs is generated from these classes; `help` is its text. A table of a mechanism (retry, breaker,
cache ...) is one more field here, typed with the class that the mechanism's own module declares.
"""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from attrs import Factory, field, frozen, validators

from switchgear.config.later import Later
from switchgear.durations import Duration
from switchgear.policies.breaker import Breaker
from switchgear.policies.retry import Retry
from switchgear.rules import Currency, ExchangeRate, Name, Wait, alike, differing

if TYPE_CHECKING:
    from switchgear.caching.settings import CacheSettings
    from switchgear.costs.prices import PriceTable
    from switchgear.costs.settings import Accounting, Alerts, Budget
    from switchgear.policies.health import Health
    from switchgear.policies.hedge import Hedge
    from switchgear.policies.rate_limit import Rate
else:
    CacheSettings = Later("switchgear.caching.settings", "CacheSettings")
    PriceTable = Later("switchgear.costs.prices", "PriceTable")
    Accounting = Later("switchgear.costs.settings", "Accounting")
    Alerts = Later("switchgear.costs.settings", "Alerts")
    Budget = Later("switchgear.costs.settings", "Budget")
    Health = Later("switchgear.policies.health", "Health")
    Hedge = Later("switchgear.policies.hedge", "Hedge")
    Rate = Later("switchgear.policies.rate_limit", "Rate")


def doc(text: str) -> dict[str, str]:
    """A field's metadata. `field()` itself stays visible, since type checkers know no other way to declare one."""
    return {"help": text}


@frozen(kw_only=True)
class Logging:
    """`[switchgear.logging]`: the library logs only when this table is present."""

    __repr__, __eq__ = differing, alike

    format: Literal["text", "json", "stdlib"] = field(
        default="text", metadata=doc('"text" for people, "json" for machines, "stdlib" to forward to `logging`')
    )
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = field(
        default="INFO", metadata=doc("the least severe level that is written")
    )
    file: str | None = field(default=None, metadata=doc("where to write; standard error if absent"))


@frozen(kw_only=True)
class General:
    """`[switchgear]`: what holds for all services."""

    __repr__, __eq__ = differing, alike

    environment: Name | None = field(
        default=None, metadata=doc("the overlay to use; --env and SWITCHGEAR_ENV win over it")
    )
    currency: Currency = field(default="USD", metadata=doc("the currency in which costs and budgets are counted"))
    logging: Logging | None = field(default=None, metadata=doc("the library's own log; silent if absent"))


@frozen(kw_only=True)
class Plugins:
    """`[plugins]`: which installed distributions may, and which must, be there."""

    __repr__, __eq__ = differing, alike

    disable: tuple[str, ...] = field(default=(), metadata=doc("distributions that are never imported"))
    require: tuple[str, ...] = field(
        default=(), metadata=doc('distributions that must be installed, such as "switchgear-rapidocr>=0.1"')
    )


@frozen
class Component:
    """A strategy, validator or observer by its name. The bare name alone is the short form of a table with only it."""

    __repr__, __eq__ = differing, alike

    SHORT_FORM: ClassVar[str] = "type"

    type: str = field(metadata=doc("the name a plugin offers it by; name@distribution picks one of two"))
    enabled: bool = field(default=True, kw_only=True, metadata=doc("false: as if the table were not there"))
    optional: bool = field(
        default=False, kw_only=True, metadata=doc("true: a broken plugin is reported and left out, not an error")
    )
    # Not shown: one that was written down as it is may be a secret.
    options: dict[str, Any] = field(
        default=Factory(dict), kw_only=True, repr=False, metadata=doc("the implementation's own settings")
    )


@frozen(kw_only=True)
class Provider:
    """`[services.<name>.providers.<name>]`: one configured provider."""

    __repr__, __eq__ = differing, alike

    type: str = field(metadata=doc("the name a plugin offers it by, within the service's capability"))
    enabled: bool = field(default=True, metadata=doc("false: never imported, as if the table were not there"))
    optional: bool = field(default=False, metadata=doc("true: a broken plugin is reported and left out, not an error"))
    warm: bool = field(default=False, metadata=doc("true: opened at start, not at the first use"))
    priority: int = field(default=100, metadata=doc("lower is asked first"))
    quality_score: float = field(
        default=0.5,
        validator=[validators.ge(0), validators.le(1)],
        metadata=doc("how good its answers are, 0 to 1, for the quality strategy"),
    )
    timeout: Wait | None = field(default=None, metadata=doc("in place of the service's"))
    concurrency: int | None = field(
        default=None, validator=validators.optional(validators.ge(1)), metadata=doc("in place of the service's")
    )
    queue: int | None = field(
        default=None, validator=validators.optional(validators.ge(0)), metadata=doc("in place of the service's")
    )
    rate: Rate | None = field(default=None, metadata=doc("in place of the service's table"))
    retry: Retry | None = field(
        default=None,
        metadata=doc("in place of the service's table; `call_attempts`, `budget` and `earn` stay the service's"),
    )
    breaker: Breaker | None = field(default=None, metadata=doc("in place of the service's table"))
    cool_down: Wait | None = field(default=None, metadata=doc("in place of the service's"))
    cost: PriceTable | tuple[PriceTable, ...] | None = field(
        default=None, metadata=doc('its price, such as { per_page = "0.0015" }; beats the plugin\'s own')
    )
    options: dict[str, Any] = field(default=Factory(dict), repr=False, metadata=doc("the provider's own settings"))


@frozen(kw_only=True)
class Service:
    """`[services.<name>]`: one use of a capability."""

    __repr__, __eq__ = differing, alike

    capability: str = field(metadata=doc("the kind of work: ocr, translation, chat ..."))
    strategy: Component = field(default=Component("priority"), metadata=doc("orders the providers for each request"))
    deadline: Wait | None = field(
        default=Duration(60.0),
        metadata=doc('the longest a call may take with all its attempts; "none" for no limit'),
    )
    validate: tuple[Component, ...] = field(default=(), metadata=doc("checks that every answer must pass, in order"))
    on_refused: Literal["fail", "best"] = field(
        default="fail", metadata=doc('when all answers are refused: "fail", or "best" for the highest-scored one')
    )
    timeout: Wait | None = field(
        default=None,
        metadata=doc("the longest one attempt at a provider may take; absent: a fair share of the deadline"),
    )
    concurrency: int | None = field(
        default=None,
        validator=validators.optional(validators.ge(1)),
        metadata=doc("how many requests each provider gets at the same time; absent: no limit"),
    )
    queue: int = field(
        default=1000,
        validator=validators.ge(0),
        metadata=doc("how many requests may wait for a provider's place or rate; more are rejected"),
    )
    rate: Rate | None = field(
        default=None, metadata=doc("how many requests each provider gets in how long; absent: no limit")
    )
    retry: Retry = field(default=Retry(), metadata=doc("when the same provider is asked again"))
    breaker: Breaker = field(default=Breaker(), metadata=doc("when a failing provider is left alone"))
    cool_down: Wait = field(
        default=Duration(300.0),
        metadata=doc("how long a provider is left alone after it refused our credentials or quota"),
    )
    hedge: Hedge | None = field(default=None, metadata=doc("when a second provider is asked as well; absent: never"))
    health: Health | None = field(
        default=None, metadata=doc("active health checks; absent: health is what traffic shows")
    )
    cache: CacheSettings | None = field(
        default=None, metadata=doc("where answers are kept, to be given again; absent: nowhere")
    )
    all_down: Literal["probe", "least_bad", "fail_fast"] = field(
        default="probe",
        metadata=doc('when every circuit is open: "probe" one call at a time, ask the "least_bad", or "fail_fast"'),
    )
    providers: dict[Name, Provider] = field(
        default=Factory(dict), metadata=doc("the interchangeable providers, by your names for them")
    )


@frozen(kw_only=True)
class Settings:
    """A whole configuration: merged, filled in and checked."""

    __repr__, __eq__ = differing, alike

    switchgear: General = field(default=General(), metadata=doc("what holds for all services"))
    plugins: Plugins = field(default=Plugins(), metadata=doc("which distributions may and must be there"))
    services: dict[Name, Service] = field(default=Factory(dict), metadata=doc("the services, by your names for them"))
    observers: dict[Name, Component] = field(
        default=Factory(dict), metadata=doc("listeners for metrics, traces and alerts, by your names for them")
    )
    cost_sinks: dict[Name, Component] = field(
        default=Factory(dict), metadata=doc("where the record of every priced attempt goes, by your names for them")
    )
    budgets: dict[Name, Budget] = field(default=Factory(dict), metadata=doc("limits on money, by your names for them"))
    accounting: Accounting | None = field(default=None, metadata=doc("how costs are recorded"))
    alerts: Alerts | None = field(default=None, metadata=doc("when to raise an alert about money"))
    currencies: dict[Currency, ExchangeRate] = field(
        default=Factory(dict), metadata=doc('what one unit of another currency is worth here: { EUR = "1.08" }')
    )
    environments: dict[Name, dict[str, Any]] = field(
        default=Factory(dict), metadata=doc("overlays as declared; the chosen one is already merged into the rest")
    )
