"""The options that say which ledger to read, and which of its records."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import click

from switchgear.cli import flags, names

if TYPE_CHECKING:
    from switchgear.cost_sink import Selection

Function = TypeVar("Function", bound=Callable[..., Any])

_EXAMPLES = "2026-11-24, 2026-11-24T08:00, 2026-11, or a duration before now such as 7d"


@attrs.frozen(kw_only=True)
class Chosen:
    """Which ledger, and which records of it, as texts of the command line; None and empty: the default, all."""

    place: flags.Place
    sink: str | None
    zone: str | None
    since: str | None
    until: str | None
    services: Sequence[str]
    providers: Sequence[str]
    tenants: Sequence[str]
    tags: Sequence[str]


def chosen(command: Function) -> Function:
    """Add the options; the command gets them as `chosen`, a `Chosen`."""

    @click.option("--since", metavar="WHEN", help=f"Only what was sent from then on: {_EXAMPLES}.")
    @click.option("--until", metavar="WHEN", help="Only what was sent before that, written in the same ways.")
    @_several("--service", "services", "Only this service.", shell_complete=names.complete_service)
    @_several("--provider", "providers", "Only this provider.")
    @_several("--tenant", "tenants", "Only calls for this tenant.")
    @_several("--tag", "tags", "Only calls with this tag, or another one that is given.")
    @click.option(
        "--zone", metavar="NAME", help="Whose calendar, such as Europe/Berlin. Default: that of [accounting], else UTC."
    )
    @click.option("--sink", metavar="NAME", help="Which cost sink to read. Default: the first that can be read.")
    @flags.place
    @wraps(command)
    def with_choice(**options: Any) -> Any:
        given = {field.name: options.pop(field.name) for field in attrs.fields(Chosen)}
        return command(chosen=Chosen(**given), **options)

    return with_choice  # type: ignore[return-value]


def selection(what: Chosen, zone: tzinfo) -> "Selection":
    """Raises `UsageError` for a moment that cannot be read."""
    from switchgear.cost_sink import Selection

    return Selection(
        since=_moment("--since", what.since, zone),
        until=_moment("--until", what.until, zone),
        services=tuple(what.services),
        providers=tuple(what.providers),
        tenants=tuple(what.tenants),
        tags=tuple(what.tags),
    )


def zone_of(name: str) -> tzinfo:
    """Raises `UsageError` for a name that this machine does not know."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise click.UsageError(f"--zone: there is no time zone {name!r}; write it as UTC or Europe/Berlin") from None


def _moment(flag: str, text: str | None, zone: tzinfo) -> datetime | None:
    from switchgear.clock import SYSTEM_CLOCK
    from switchgear.durations import parse_duration

    if text is None:
        return None
    try:
        return SYSTEM_CLOCK.utc() - timedelta(seconds=parse_duration(text))
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(f"{text}-01" if text.count("-") == 1 else text)
    except ValueError:
        raise click.UsageError(f"{flag}: {text!r} is no moment; write it as {_EXAMPLES}") from None
    return found.replace(tzinfo=zone) if found.tzinfo is None else found


def _several(flag: str, name: str, text: str, **more: Any) -> Callable[[Function], Function]:
    return click.option(flag, name, metavar="NAME", multiple=True, help=f"{text} May be repeated.", **more)
