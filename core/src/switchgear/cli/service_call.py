"""One run of a service over the inputs of a command: checked first, then opened, called and shown."""

import asyncio
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from switchgear.cli.boards import Recorder, check_names, find_service
from switchgear.cli.call_flags import CallOptions
from switchgear.cli.calls import Caller, make_fail
from switchgear.cli.faults import FAILED
from switchgear.cli.inputs import Input, expand
from switchgear.cli.presenter import Presenter
from switchgear.cli.progress import Progress

if TYPE_CHECKING:
    from switchgear.app import Switchgear


def call_service(
    board: "Switchgear", recorder: Recorder, service: str, arguments: Sequence[str], options: CallOptions
) -> None:
    """Call it with everything, and exit 1 if an input failed. Usage errors are raised before any work."""
    manager, capability = find_service(board, service)
    check_names(manager, options.fail, "--fail")
    check_names(manager, options.only, "--only")
    check_names(manager, options.exclude, "--exclude")
    if options.format not in capability.formats:
        raise click.UsageError(
            f"--format: {capability.name} has no {options.format!r}; it has {', '.join(capability.formats)}"
        )
    inputs = expand(arguments, capability.name, capability.suffixes)
    caller = Caller(manager, capability, options, recorder)
    presenter = Presenter(caller, board.currency, inputs)
    make_fail(manager, options.fail)
    asyncio.run(_call_all(board, caller, presenter, inputs))
    if presenter.failed:
        sys.exit(FAILED)


async def _call_all(board: "Switchgear", caller: Caller, presenter: Presenter, inputs: Sequence[Input]) -> None:
    async with board:
        with Progress(len(inputs)) as progress:
            async for answer in caller.answers(inputs):
                with progress.one_done():
                    presenter.present(answer)
