"""The contract of a provider: what a vendor's or an engine's plugin implements."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar, Generic, TypeVar

import attrs

from switchgear.figures import Figures
from switchgear.money import Price
from switchgear.results import OutputT, ProviderResult
from switchgear.rules import differing
from switchgear.tariff import Tariff

RequestT = TypeVar("RequestT")


class ProviderStatus(Enum):
    """What a provider can be used for right now."""

    AVAILABLE = "available"
    DEGRADED = "degraded"  # used, but it is slow, recovering or partly misconfigured
    UNAVAILABLE = "unavailable"  # not asked


_SEVERITY = list(ProviderStatus)


@attrs.define(kw_only=True, eq=False, slots=False)
class BaseProvider(ABC, Generic[RequestT, OutputT]):
    """One vendor's or engine's answer to a capability.

    A subclass is an attrs class (`@attrs.define`); the fields it declares are its options. The fields here come from
    the provider's own TOML table: `priority` (lower is asked first), `quality_score` (0-1), `timeout` (seconds for one
    attempt), `concurrency` (requests at a time, None for no bound of ours), `price`. A provider does not retry, cache
    or time out: that is done around it. `suspends = False` on the class promises that its coroutines never wait for
    anything (tables, rules, arithmetic): calls from ordinary code then need no loop. `default_price` on the class is
    the vendor's list price, documented with its date: it holds where the configuration names none; `Price()` is free.
    `own_units` on the class are what its usage counts beside the `units` of its capability.
    """

    __repr__ = differing

    suspends: ClassVar[bool] = True
    default_price: ClassVar[Price | None] = None
    own_units: ClassVar[Collection[str]] = ()

    name: str = ""
    priority: int = 100
    quality_score: float = 0.5
    timeout: float | None = None
    concurrency: int | None = None
    price: Price | Tariff | None = attrs.field(default=attrs.Factory(lambda self: self.default_price, takes_self=True))
    figures: Figures = attrs.field(factory=Figures, init=False, repr=False)
    _reported: ProviderStatus = attrs.field(default=ProviderStatus.AVAILABLE, init=False)
    _observed: Callable[[], ProviderStatus] | None = attrs.field(default=None, init=False, repr=False)

    @classmethod
    def __attrs_init_subclass__(cls) -> None:
        # Two providers with the same options are still two: `@attrs.define` alone would compare them by value.
        cls.__eq__ = object.__eq__  # type: ignore[method-assign]
        cls.__hash__ = object.__hash__  # type: ignore[method-assign]

    @property
    def engine_version(self) -> str:
        """Which release of an engine or model answers, where that is known without asking it; else empty.

        Kept answers count as long as it stays the same. Asked once, at the start, and only where there is a cache.
        """
        return ""

    @property
    def status(self) -> ProviderStatus:
        """The worse of what the last health check reported and what traffic shows right now."""
        observed = self._reported if self._observed is None else self._observed()
        return max(self._reported, observed, key=_SEVERITY.index)

    @status.setter
    def status(self, reported: ProviderStatus) -> None:
        self._reported = reported

    @property
    def is_available(self) -> bool:
        return self.status is not ProviderStatus.UNAVAILABLE

    @abstractmethod
    async def process(self, request: RequestT) -> ProviderResult[OutputT]:
        """Answer with a fresh `ProviderResult`, or raise one of `switchgear.errors`.

        Anything else that is raised counts as a defect of the plugin, and the call goes on to the next provider.
        """

    @abstractmethod
    def validate_input(self, request: RequestT) -> None:
        """Raise `InvalidInput` or `Unsupported` if this provider cannot take the request. Cheap, and sends nothing."""

    @abstractmethod
    def estimate_cost(self, request: RequestT) -> Decimal | None:
        """What `process` would cost, in the board's currency; None where unknown, never 0 for unknown."""

    @abstractmethod
    async def health_check(self) -> ProviderStatus:
        """Ask the service how it is, in a way that is not billed."""

    def estimate_usage(self, request: RequestT) -> Mapping[str, Decimal]:
        """How much of each unit (`pages`, `characters`, `tokens`) the request will use."""
        return {}

    async def aopen(self) -> None:
        """Get ready (connections, processes). Called once, before the first request."""

    async def aclose(self) -> None:
        """Give everything back. Called once; nothing follows."""


class SimpleProvider(BaseProvider[RequestT, OutputT]):
    """A provider with the usual answers filled in: only `process` is left to write.

    It accepts every request, estimates price x usage, and its health is what its traffic shows.
    """

    def validate_input(self, request: RequestT) -> None:
        pass

    def estimate_cost(self, request: RequestT) -> Decimal | None:
        return None if self.price is None else self.price.amount(self.estimate_usage(request))

    async def health_check(self) -> ProviderStatus:
        return ProviderStatus.AVAILABLE if self._observed is None else self._observed()


AnyProvider = BaseProvider[Any, Any]
