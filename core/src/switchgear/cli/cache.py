"""`switchgear cache`: what is kept, for which input, and how to forget it."""

from collections import Counter
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any

import click

from switchgear.cli import flags, names
from switchgear.cli.groups import Group

if TYPE_CHECKING:
    from switchgear.app import Switchgear
    from switchgear.cache import Entry
    from switchgear.cached import CachedProviderManager

    Cached = CachedProviderManager[Any, Any]

_NO_LIVE_STATE = (
    "seen from a process of its own: what running applications keep in memory, and their hits, are not in it"
)


@click.group("cache", cls=Group, short_help="Look at kept answers, and forget them.")
def command() -> None:
    """Look at the answers that services keep, and forget them."""


_services = click.argument("services", metavar="[SERVICE]...", nargs=-1, shell_complete=names.complete_service)


@command.command("stats", short_help="How much is kept.")
@_services
@click.option("--by-provider", is_flag=True, help="Count by provider; reads every answer.")
@flags.as_json
@flags.place
def stats(services: tuple[str, ...], by_provider: bool, json: bool, place: flags.Place) -> None:
    """Tell how many answers each SERVICE (default: all) keeps in each level of its cache, and how many bytes they take.

    Redis tells no bytes.
    """
    from switchgear.cli.faults import say_note
    from switchgear.cli.lines import print_json
    from switchgear.cli.tables import print_table

    board = _compose(place)
    found = _cached(board, services)
    rows = _run(board, _count(found) if by_provider else _sizes(found))
    say_note(_NO_LIVE_STATE)
    heads = ("service", "level", *(("provider", "answers") if by_provider else ("answers", "bytes")))
    if json:
        print_json({"kept": [dict(zip(heads, row, strict=True)) for row in rows]})
    else:
        print_table(heads, [tuple("unknown" if value is None else str(value) for value in row) for row in rows])


@command.command("clear", short_help="Forget kept answers.")
@_services
@click.option("--provider", metavar="NAME", help="Forget only what this provider answered.")
@click.option("--older-than", callback=flags.seconds, metavar="DURATION", help="Forget only what is older, such as 7d.")
@flags.place
def clear(services: tuple[str, ...], provider: str | None, older_than: float | None, place: flags.Place) -> None:
    """Forget the answers that each SERVICE (default: all) keeps outside of running applications' memory."""
    board = _compose(place)
    for service in _cached(board, services):
        count = _run(board, service.invalidate(provider=provider, older_than=older_than))
        click.echo(f"{service.service}: forgot {'all' if count is None else count}")


@command.command("show", short_help="What is kept for an input.")
@click.argument("service", shell_complete=names.complete_service)
@click.argument("input", shell_complete=names.complete_input)
@flags.request_options
@click.option("--tenant", metavar="NAME", help="For whom.")
@flags.as_json
@flags.place
def show(service: str, input: str, request: dict[str, str], tenant: str | None, json: bool, place: flags.Place) -> None:
    """Show what SERVICE keeps for INPUT: from whom and since when, never the answer itself. Nobody is asked."""
    from switchgear.cli.calls import make_request
    from switchgear.cli.inputs import expand
    from switchgear.cli.lines import print_json
    from switchgear.cli.tables import print_table

    board = _compose(place)
    (manager,) = _cached(board, [service])
    capability = board.capability(service)
    inputs = expand([input], capability.name, capability.suffixes)
    if len(inputs) != 1:
        raise click.UsageError(f"show takes one input; {input} stands for {len(inputs)}")
    found = _run(board, manager.cached(make_request(capability, inputs[0], request), tenant=tenant))
    rows = [_described(manager, level, entry, board.currency) for level, entry in found.items()]
    if json:
        print_json({"kept": rows})
    elif rows:
        print_table(tuple(rows[0]), [tuple(map(str, row.values())) for row in rows])
    else:
        click.echo("nothing is kept")


def _compose(place: flags.Place) -> "Switchgear":
    from switchgear.app import Switchgear
    from switchgear.cli.boards import read_document

    return Switchgear(read_document(place))


def _cached(board: "Switchgear", services: Sequence[str]) -> "list[Cached]":
    from switchgear.cached import CachedProviderManager
    from switchgear.cli.boards import find_service

    found = []
    for name in services or tuple(board):
        manager, _ = find_service(board, name)
        if isinstance(manager, CachedProviderManager):
            found.append(manager)
        elif services:
            raise click.UsageError(f"{name} has no cache; give it a table [services.{name}.cache]")
    return found


def _run(board: "Switchgear", work: Coroutine[Any, Any, Any]) -> Any:
    """On a board that is opened for it; what a cache raises becomes an error with a remedy."""
    import asyncio

    from switchgear.errors import SwitchgearError

    async def life() -> Any:
        async with board:
            # Foreign code: a cache's own errors are of any kind.
            try:
                return await work
            except SwitchgearError:
                raise
            except Exception as error:
                problem = SwitchgearError(f"a cache cannot be used: {type(error).__name__}: {error}")
                problem.remedy = "Look whether its server runs, and at its options"
                raise problem from error

    return asyncio.run(life())


async def _sizes(services: "Sequence[Cached]") -> list[tuple[str, str, int | None, int | None]]:
    return [
        (service.service, level, size.entries, size.bytes)
        for service in services
        for level, size in (await service.cache_sizes()).items()
    ]


async def _count(services: "Sequence[Cached]") -> list[tuple[str, str, str, int]]:
    rows = []
    for service in services:
        counts = Counter([(level, entry.provider) async for level, _, entry in service.cached_entries()])
        rows += [(service.service, level, provider, count) for (level, provider), count in sorted(counts.items())]
    return rows


def _described(manager: "Cached", level: str, entry: "Entry", currency: str) -> dict[str, str]:
    from switchgear.cli.provenance import money
    from switchgear.durations import spell_duration

    age = manager.age_of(entry)
    left = entry.ttl - age
    state = "fresh" if left > 0 else "expired"
    return {
        "level": level,
        "provider": entry.provider,
        "state": state if manager.is_current(entry) else "of another configuration",
        "age": spell_duration(round(age)),
        "fresh for": spell_duration(round(max(0.0, left))),
        "cost": money(entry.cost, currency),
    }
