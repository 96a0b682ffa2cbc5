"""`switchgear health`: asks every provider how it is, now and from here."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from switchgear.cli import flags, names

if TYPE_CHECKING:
    from switchgear.app import Switchgear
    from switchgear.provider import ProviderStatus

    Statuses = Mapping[str, Mapping[str, ProviderStatus]]

_NO_LIVE_STATE = (
    "checked from a process of its own: circuits, averages and pauses of running applications are not in it"
)


@click.command("health", short_help="Check every provider.")
@click.argument("services", metavar="[SERVICE]...", nargs=-1, shell_complete=names.complete_service)
@flags.log_level
@flags.as_json
@flags.place
def command(services: tuple[str, ...], log_level: str | None, json: bool, place: flags.Place) -> None:
    """Check the providers of each SERVICE (default: of all) in ways that are not billed.

    The status is 1 if a service has no provider that can be used. Live state belongs to the process that calls: this
    is another one, and shows none.
    """
    import asyncio

    from switchgear.cli.boards import Recorder, compose, find_service, read_document
    from switchgear.cli.faults import FAILED, say_note

    board = compose(read_document(place), Recorder(), log_level)
    for service in services:
        find_service(board, service)
    degraded = [str(problem) for problem in board.degraded]
    statuses = asyncio.run(_check(board, services or tuple(board)))
    say_note(_NO_LIVE_STATE)
    _print(statuses, degraded, json)
    if not all(any(_is_usable(status) for status in each.values()) for each in statuses.values()):
        click.get_current_context().exit(FAILED)


async def _check(board: "Switchgear", services: tuple[str, ...]) -> "Statuses":
    import asyncio

    async with board:
        found = await asyncio.gather(*(board[service].health_check_all() for service in services))
    return dict(zip(services, found, strict=True))


def _is_usable(status: "ProviderStatus") -> bool:
    return status.value != "unavailable"


def _print(statuses: "Statuses", degraded: list[str], json: bool) -> None:
    from switchgear.cli.lines import print_json
    from switchgear.cli.tables import print_table

    if json:
        services = {
            service: {provider: status.value for provider, status in each.items()} for service, each in statuses.items()
        }
        print_json({"services": services, "left_out": degraded})
        return
    rows = [
        (service, provider, status.value) for service, each in statuses.items() for provider, status in each.items()
    ]
    print_table(("service", "provider", "status"), rows)
    for problem in degraded:
        click.echo(f"left out, optional and broken: {problem}")
