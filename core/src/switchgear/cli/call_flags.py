"""The options of commands that call."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import attrs
import click

from switchgear.cli import names
from switchgear.cli.flags import Function, as_json, log_level, request_options, seconds


@attrs.frozen(kw_only=True)
class CallOptions:
    """How to call, and what to show of it. `deadline` in seconds, None for the service's own."""

    fail: Sequence[str]
    only: Sequence[str]
    exclude: Sequence[str]
    format: str
    annotate: Path | None
    request: Mapping[str, str]
    deadline: float | None
    concurrency: int
    tags: Sequence[str]
    tenant: str | None
    provenance: bool
    log_level: str | None
    json: bool


def calling(command: Function) -> Function:
    """Add the options of commands that call; the command gets them as `options`, a `CallOptions`."""

    @_provider("--fail", "Let every attempt of this provider fail, to see the fallback.")
    @_provider("--only", "Ask only this provider.")
    @_provider("--exclude", "Do not ask this provider.")
    @click.option(
        "--format",
        default="text",
        show_default=True,
        metavar="NAME",
        shell_complete=names.complete_format,
        help="How to print the answer.",
    )
    @click.option(
        "--annotate",
        type=click.Path(path_type=Path),
        metavar="OUT.png",
        help="Also draw the answer on its input. For several inputs a folder, or a name that gets numbers.",
    )
    @request_options
    @click.option(
        "--deadline", callback=seconds, metavar="DURATION", help="The longest each call may take, such as 30s."
    )
    @click.option(
        "--concurrency",
        type=click.IntRange(min=1),
        default=4,
        show_default=True,
        metavar="N",
        help="How many inputs to work on at a time.",
    )
    @click.option(
        "--tag", "tags", multiple=True, metavar="TAG", help="Mark the calls in logs and records. May be repeated."
    )
    @click.option("--tenant", metavar="NAME", help="Whom the calls are made for.")
    @click.option(
        "-v",
        "--verbose",
        "--provenance",
        "provenance",
        is_flag=True,
        help="Show who was asked, how it went and what it cost.",
    )
    @log_level
    @as_json
    @wraps(command)
    def with_options(**options: Any) -> Any:
        given = {field.name: options.pop(field.name) for field in attrs.fields(CallOptions)}
        return command(options=CallOptions(**given), **options)

    return with_options  # type: ignore[return-value]


def _provider(flag: str, text: str) -> Callable[[Function], Function]:
    return click.option(
        flag, multiple=True, metavar="PROVIDER", shell_complete=names.complete_provider, help=f"{text} May be repeated."
    )
