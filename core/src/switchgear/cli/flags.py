"""The options that commands share."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import attrs
import click

from switchgear.cli import names

Function = TypeVar("Function", bound=Callable[..., Any])

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Place:
    """Which configuration a command is about, None for the default."""

    config: str | None
    environment: str | None


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


def place_with(config: str, env: str) -> Callable[[Function], Function]:
    """Add --config and --env with these helps; the command gets them as `place`."""

    def add(command: Function) -> Function:
        @click.option("--config", metavar="FILE", type=click.Path(), help=config)
        @click.option("--env", "environment", metavar="NAME", shell_complete=names.complete_environment, help=env)
        @wraps(command)
        def with_place(*, config: str | None, environment: str | None, **options: Any) -> Any:
            return command(place=Place(config=config, environment=environment), **options)

        return with_place  # type: ignore[return-value]

    return add


place = place_with(
    "The configuration. Default: SWITCHGEAR_CONFIG, else the nearest switchgear.toml upwards.",
    "The environment to use. Default: SWITCHGEAR_ENV, else the file's own.",
)


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


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise click.BadParameter(f"{text!r} is not KEY=VALUE")
    return key, value
