"""Opens the ledger of a configuration, and nothing else of it: a broken provider does not hide what was spent."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import click

from switchgear.cli.cost.chosen import Chosen, selection, zone_of
from switchgear.cost_sink import EVERYTHING
from switchgear.costs.settings import Accounting

if TYPE_CHECKING:
    from datetime import tzinfo

    from switchgear.app import Switchgear
    from switchgear.config import Settings
    from switchgear.cost_sink import CostRecord, Readable, Selection, Total
    from switchgear.reports.comparison import Prices

T = TypeVar("T")

_PARTS = ("switchgear", "plugins", "cost_sinks", "currencies", "accounting")
_TABLE = 'Add one: [cost_sinks.ledger] with type = "sqlite"'


@attrs.frozen(kw_only=True)
class Opened:
    """A ledger, by its name in the configuration, and what was chosen of it."""

    name: str
    ledger: "Readable"
    where: "Selection"
    zone: "tzinfo"
    settings: "Settings"

    @property
    def currency(self) -> str:
        return self.settings.switchgear.currency


@contextmanager
def opened(chosen: Chosen) -> Iterator[Opened]:
    """The chosen ledger; it is closed in the end."""
    board = _compose(chosen)
    name, ledger = _pick(board.cost_sinks, chosen.sink)
    zone = zone_of(chosen.zone or (board.settings.accounting or Accounting()).time_zone)
    try:
        yield Opened(
            name=name,
            ledger=_Reader(name, ledger),
            where=selection(chosen, zone),
            zone=zone,
            settings=board.settings,
        )
    finally:
        close = getattr(ledger, "close", None)
        if close is not None:
            close()


@attrs.frozen
class _Reader:
    """A ledger, to be read only; what it raises becomes an error with a remedy."""

    name: str
    ledger: Any

    def totals(self, by: Sequence[str] = (), where: "Selection" = EVERYTHING) -> "Iterator[Total]":
        return self._contained(lambda: self.ledger.totals(by, where))

    def records(self, where: "Selection" = EVERYTHING) -> "Iterator[CostRecord]":
        return self._contained(lambda: self.ledger.records(where))

    def _contained(self, read: Callable[[], Iterable[T]]) -> Iterator[T]:
        from switchgear.errors import SwitchgearError

        rows: Iterator[T] | None = None
        while True:
            # Foreign code: a ledger's own errors are of any kind.
            try:
                rows = rows or iter(read())
                row = next(rows)
            except StopIteration:
                return
            except Exception as error:
                problem = SwitchgearError(f"cost_sinks.{self.name} cannot be read: {type(error).__name__}: {error}")
                problem.remedy = "Look at its options, and whether its file or server is there"
                raise problem from error
            yield row


def prices(chosen: Chosen) -> "Prices":
    """The prices of all configured providers, by service; this does compose them."""
    from switchgear.app import Switchgear
    from switchgear.cli.boards import read_document
    from switchgear.money import Price

    board = Switchgear(read_document(chosen.place), allow_unset=True)
    return {
        service: {
            name: (provider.price,) if isinstance(provider.price, Price) else tuple(provider.price.prices)
            for name, provider in board[service].providers.items()
            if provider.price is not None
        }
        for service in board
    }


def _compose(chosen: Chosen) -> "Switchgear":
    from switchgear.app import Switchgear
    from switchgear.cli.boards import read_document
    from switchgear.config.environments import is_about_choice

    document = read_document(chosen.place)
    # Another environment may have another ledger.
    problems = tuple(filter(is_about_choice, document.problems))
    return Switchgear(
        attrs.evolve(document, tables=_parts(document.tables), source=_parts(document.source), problems=problems)
    )


def _parts(tables: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tables[name] for name in _PARTS if name in tables}


def _pick(sinks: Mapping[str, Any], wanted: str | None) -> tuple[str, Any]:
    readable = {name: sink for name, sink in sinks.items() if hasattr(sink, "totals") and hasattr(sink, "records")}
    if wanted is None:
        if not readable:
            raise click.UsageError(f"the configuration has no cost sink that can be read. {_TABLE}")
        return next(iter(readable.items()))
    if wanted in sinks and wanted not in readable:
        raise click.UsageError(f"--sink: {wanted} only takes records in; those that can be read: {_names(readable)}")
    if wanted not in sinks:
        raise click.UsageError(f"--sink: there is no cost sink {wanted!r}; those that can be read: {_names(readable)}")
    return wanted, readable[wanted]


def _names(sinks: Mapping[str, Any]) -> str:
    return ", ".join(sinks) or "none"
