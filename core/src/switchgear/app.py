"""A composed configuration: its services, ready to be called."""

import asyncio
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import attrs

from switchgear.capability import AnyCapability, Capability
from switchgear.clock import SYSTEM_CLOCK, Clock
from switchgear.composition import Manager, compose
from switchgear.config import Document, Settings, from_mapping, read
from switchgear.diagnosis import assemble
from switchgear.errors import Problem, UsageError
from switchgear.home import Home
from switchgear.installation import disabled_distributions, misspelled_disabled
from switchgear.logs import Log, configure, logger, report_defect
from switchgear.manager import ProviderManager
from switchgear.options import secrets_in
from switchgear.plugins import Catalog
from switchgear.provider import RequestT
from switchgear.results import OutputT, ProviderResult
from switchgear.secret import Secret

if TYPE_CHECKING:
    from switchgear.costs.tracker import CostTracker

BOOKS_TIMEOUT = 10.0  # seconds that opening waits for the ledger to be read; it goes on without it

Extra = Iterable[tuple[str, str, Any]]


class Switchgear:
    """All services of one configuration, on one home loop.

    `async with Switchgear.open(...) as board` under asyncio, `with` in ordinary code; `board["scans"]` is the
    `ProviderManager` of a service. Nothing is global: two boards share nothing.
    """

    def __init__(
        self, document: Document, *, extra: Extra = (), clock: Clock = SYSTEM_CLOCK, allow_unset: bool = False
    ) -> None:
        self.document = document
        self.catalog = Catalog(extra=extra, disabled=disabled_distributions(document))
        self._home = Home(clock)
        self._loaded, self._components = assemble(document, self.catalog, clock.utc, allow_unset=allow_unset)
        self.settings: Settings = self._loaded.settings
        self._composed = compose(self.settings, self._components, self._home, document.folder)
        self._log: Log | None = None

    @classmethod
    def open(
        cls,
        path: Path | str | None = None,
        *,
        environment: str | None = None,
        extra: Extra = (),
        clock: Clock = SYSTEM_CLOCK,
        allow_unset: bool = False,
    ) -> "Switchgear":
        """Compose a file: `path`, else SWITCHGEAR_CONFIG, else the nearest switchgear.toml upwards.

        `environment` picks the overlay; `allow_unset` composes without secrets, only to look. Raises `ConfigError`
        with all that is wrong. The log of `[switchgear.logging]` is open from now on, until the board is closed.
        """
        board = cls(read(path, environment=environment), extra=extra, clock=clock, allow_unset=allow_unset)
        board._open_log()
        return board

    @classmethod
    def compose(
        cls,
        settings: Mapping[str, Any],
        *,
        environment: str | None = None,
        extra: Extra = (),
        clock: Clock = SYSTEM_CLOCK,
    ) -> "Switchgear":
        """Compose tables of the shape that a file has. `extra` offers implementations that are not installed."""
        board = cls(from_mapping(settings, environment=environment), extra=extra, clock=clock)
        board._open_log()
        return board

    @property
    def currency(self) -> str:
        return self.settings.switchgear.currency

    @property
    def degraded(self) -> Sequence[Problem]:
        """What is wrong with optional components, which were left out."""
        return tuple(self._components.degraded)

    @property
    def suspicious(self) -> Sequence[Problem]:
        """What is no error, and probably not what was meant."""
        return tuple(misspelled_disabled(self.settings, self.catalog))

    @property
    def inactive(self) -> frozenset[str]:
        """The paths of the tables that are switched off, by `enabled = false` or by `[plugins] disable`."""
        return self._loaded.inactive

    @property
    def cost_sinks(self) -> Mapping[str, Any]:
        """By their names in the configuration."""
        return dict(self._components.cost_sinks)

    def __getitem__(self, service: str) -> Manager:
        try:
            return self._composed.services[service]
        except KeyError:
            names = ", ".join(self._composed.services) or "none"
            raise UsageError(f"there is no service {service!r}; configured: {names}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._composed.services)

    def __len__(self) -> int:
        return len(self._composed.services)

    def capability(self, service: str) -> AnyCapability:
        """The capability that a service is a use of."""
        self[service]
        return self._components.services[service].capability

    def service(self, name: str, capability: Capability[RequestT, OutputT]) -> ProviderManager[RequestT, OutputT]:
        """A service with its types: `board.service("scans", OCR)`; `UsageError` if it is of another capability."""
        manager, found = self[name], self.capability(name)
        if not isinstance(capability, Capability):
            raise UsageError(f"give the capability itself, as in service({name!r}, OCR), and not {capability!r}")
        if type(found) is not type(capability):
            raise UsageError(f"service {name!r} offers {found.name}, not {capability.name}")
        return manager

    async def process(self, service: str, request: Any, **options: Any) -> ProviderResult[Any]:
        """Answer with a service; `request` may also be what its capability makes one of, such as a path."""
        return await self[service].process(self._request(service, request), **options)

    def process_sync(self, service: str, request: Any, **options: Any) -> ProviderResult[Any]:
        """`process` for ordinary code."""
        return self[service].process_sync(self._request(service, request), **options)

    @property
    def costs(self) -> "CostTracker":
        """What was spent, by whom and when. Raises `UsageError` where neither cost sinks nor budgets are configured."""
        if self._composed.books is None:
            raise UsageError("no costs are recorded: configure a cost sink, or a budget")
        return self._composed.books.tracker

    def flush_costs(self) -> None:
        """Bring `costs` and the cost sinks up to date; waits for them, and blocks the calling thread."""
        if self._composed.books is not None:
            self._composed.books.bookkeeper.flush()

    async def aclose(self, drain: float = 5.0) -> None:
        """Close every service and listener, after giving calls under way `drain` seconds. More than once is fine."""
        try:
            await self._home.enter(lambda: self._close_services(drain))
            if self._composed.books is not None:
                await self._home.enter(self._close_books)
        finally:
            self._close_the_rest()

    def close(self, drain: float = 5.0) -> None:
        """`aclose` for ordinary code."""
        try:
            self._home.run(lambda: self._close_services(drain))
            if self._composed.books is not None:
                self._composed.books.release()
                self._composed.books.close()
        finally:
            self._close_the_rest()

    async def __aenter__(self) -> "Switchgear":
        try:
            await self._home.enter(self._open_up)
        except BaseException:
            # Nobody will close what was never entered.
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __enter__(self) -> "Switchgear":
        try:
            self._home.run(self._open_up)
        except BaseException:
            # As above.
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _request(self, service: str, value: Any) -> Any:
        capability = self.capability(service)
        return value if isinstance(value, capability.request_type) else capability.request(value)

    async def _close_services(self, drain: float) -> None:
        await asyncio.gather(*(manager.aclose(drain) for manager in self._composed.services.values()))

    async def _close_books(self) -> None:
        books = self._composed.books
        assert books is not None
        books.release()
        # In a thread: sinks may wait for disks and servers.
        await asyncio.get_running_loop().run_in_executor(None, books.close)

    async def _open_up(self) -> None:
        self._open_log()
        if self._composed.books is not None:
            self._composed.books.start()
            await asyncio.wait((asyncio.wrap_future(self._composed.books.bookkeeper.ready),), timeout=BOOKS_TIMEOUT)
        for name, manager in self._composed.services.items():
            await manager.open()
            for provider in manager.providers:
                if self.settings.services[name].providers[provider].warm:
                    await self._warm_up(name, provider)

    async def _warm_up(self, service: str, provider: str) -> None:
        settings = self.settings.services[service].providers[provider]
        # Foreign code: an optional provider that cannot get ready is left for its calls to fail with.
        try:
            await self[service].open(provider)
        except Exception as error:
            if not settings.optional:
                raise
            path = f"services.{service}.providers.{provider}"
            self._components.degraded.append(Problem(path, f"cannot be opened: {type(error).__name__}"))
            report_defect(f"opening {path}", error)

    def _open_log(self) -> None:
        logging = self.settings.switchgear.logging
        if logging is not None and self._log is None:
            secrets = [*self._loaded.secrets, *self._secret_options()]
            self._log = configure(logging, secrets=secrets, packages=self.catalog.packages, folder=self.document.folder)
            weakref.finalize(self, self._log.close)  # a board that nobody closed must not leave its log behind
            for problem in self.suspicious:
                logger.warning("{}", problem)

    def _close_log(self) -> None:
        if self._log is not None:
            self._log.close()
            self._log = None

    def _secret_options(self) -> Iterator[Secret]:
        for component in self._components.made:
            fields = attrs.fields(type(component)) if attrs.has(type(component)) else ()
            for value in (getattr(component, field.name, None) for field in fields if field.init):
                yield from secrets_in(value)

    def _close_the_rest(self) -> None:
        self._close_listeners()
        self._home.close()
        self._close_log()

    def _close_listeners(self) -> None:
        while self._components.observers:
            observer = self._components.observers.pop(0)
            close = getattr(observer, "close", None)
            # Foreign code: a listener that cannot close must not keep the board open.
            try:
                if close is not None:
                    close()
            except Exception as error:
                report_defect(f"closing {type(observer).__name__}", error)
