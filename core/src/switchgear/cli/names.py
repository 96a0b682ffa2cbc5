"""Names for help and completion, found without checking a configuration and, but for formats, importing a plugin."""

import io
import os
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from switchgear.entries import GROUP_PREFIX, Point, installed_entries

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

FILE_NAME = "switchgear.toml"


@cache
def capabilities() -> tuple[str, ...]:
    """The capabilities that installed distributions offer."""
    return tuple(sorted({point.entry.name for point in _points("capabilities")}))


def complete_service(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    return _starting(incomplete, _table(ctx, "services"))


def complete_input(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Files; what else an input may be, nobody can guess."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def complete_environment(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    return _starting(incomplete, _table(ctx, "environments"))


def complete_provider(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """The providers of the service that the line names, or those installed for a capability's quick start."""
    service = _service(ctx)
    if service is not None:
        providers = service.get("providers")
        return _starting(incomplete, providers if isinstance(providers, Mapping) else ())
    prefix = f"{ctx.info_name}."
    offered = (point.entry.name for point in _points("providers"))
    return _starting(incomplete, {name.removeprefix(prefix) for name in offered if name.startswith(prefix)})


def complete_format(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """What the capability of the line's service, or of the quick start, can render."""
    service = _service(ctx)
    capability = ctx.info_name if service is None else service.get("capability")
    points = _points("capabilities", str(capability).partition("@")[0])
    return _starting(incomplete, {name for point in points for name in _formats(point)})


def complete_plugin(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Whatever means one: its name with or without the capability, or its distribution."""
    points = installed_entries().points
    names = {each for point in points for each in (point.entry.name, point.entry.name.partition(".")[2])}
    return _starting(incomplete, (names | {point.distribution for point in points}) - {""})


def _points(kind: str, name: str | None = None) -> Iterable[Point]:
    group = f"{GROUP_PREFIX}{kind}"
    return (
        point for point in installed_entries().points if point.entry.group == group and name in (None, point.entry.name)
    )


def _formats(capability: Point) -> tuple[str, ...]:
    # Foreign code: whatever its module does or says while it is imported, the line is only not completed.
    try:
        with redirect_stdout(io.StringIO()):
            return tuple(map(str, capability.entry.load().formats))
    except (Exception, SystemExit):
        return ()


def _service(ctx: click.Context) -> Mapping[str, Any] | None:
    """The service that the line names."""
    # An option that still lacks its value stops click before it has given the arguments their names.
    service = _table(ctx, "services").get(ctx.params.get("service") or next(iter(ctx.args), ""))
    return service if isinstance(service, Mapping) else None


def _table(ctx: click.Context, name: str) -> Mapping[str, Any]:
    """A table of the file as it stands; whatever is wrong with it, completion only stays silent."""
    import tomli

    # Not the library's own reader: it would import all that checks a configuration, at every press of the Tab key.
    try:
        path = _file(ctx)
        table = tomli.loads(path.read_text(encoding="utf-8-sig")).get(name) if path else None
    except (OSError, ValueError):
        return {}
    return table if isinstance(table, Mapping) else {}


def _file(ctx: click.Context) -> Path | None:
    named = ctx.params.get("config") or os.environ.get("SWITCHGEAR_CONFIG")
    if named:
        return Path(named)
    here = Path.cwd()
    return next((folder / FILE_NAME for folder in (here, *here.parents) if (folder / FILE_NAME).is_file()), None)


def _starting(incomplete: str, names: Iterable[str]) -> "list[CompletionItem]":
    from click.shell_completion import CompletionItem

    return [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]
