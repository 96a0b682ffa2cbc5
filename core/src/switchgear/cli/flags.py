"""The options that commands share."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import attrs
import click

from switchgear.cli import names

Function = TypeVar("Function", bound=Callable[..., Any])

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@attrs.frozen(kw_only=True)
class Place:
    """Which configuration a command is about, None for the default."""

    config: str | None
    environment: str | None


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


def seconds(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """A length of time as the configuration writes it."""
    if value is None:
        return None
    from switchgear.durations import EXAMPLES, parse_duration

    try:
        length = parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}; write it as {EXAMPLES}") from None
    if not length:
        raise click.BadParameter("it has to be longer than 0s")
    return length


def place(command: Function) -> Function:
    """Add --config and --env; the command gets them as `place`."""

    @click.option(
        "--config",
        metavar="FILE",
        type=click.Path(),
        help="The configuration. Default: SWITCHGEAR_CONFIG, else the nearest switchgear.toml upwards.",
    )
    @click.option(
        "--env",
        "environment",
        metavar="NAME",
        help="The environment to use. Default: SWITCHGEAR_ENV, else the file's own.",
    )
    @wraps(command)
    def with_place(*, config: str | None, environment: str | None, **options: Any) -> Any:
        return command(place=Place(config=config, environment=environment), **options)

    return with_place  # type: ignore[return-value]


as_json = click.option("--json", "json", is_flag=True, help="Print JSON for programs.")

request_options = click.option(
    "-o",
    "--option",
    "request",
    metavar="KEY=VALUE",
    multiple=True,
    callback=lambda ctx, param, values: dict(_pair(value) for value in values),
    help="An option of the request, such as pages=1-3. May be repeated.",
)


def log_level(command: Function) -> Function:
    return click.option(
        "--log-level",
        type=click.Choice(LEVELS, case_sensitive=False),
        help="Log to standard error, or where [switchgear.logging] says, from this level on.",
    )(command)


def calling(command: Function) -> Function:
    """Add the options of commands that call; the command gets them as `options`, a `CallOptions`."""

    @_provider("--fail", "Let every attempt of this provider fail, to see the fallback.")
    @_provider("--only", "Ask only this provider.")
    @_provider("--exclude", "Do not ask this provider.")
    @click.option("--format", default="text", show_default=True, metavar="NAME", help="How to print the answer.")
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


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise click.BadParameter(f"{text!r} is not KEY=VALUE")
    return key, value
