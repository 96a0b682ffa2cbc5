"""Names for help and completion, found without importing a plugin and without checking a configuration."""

import os
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

GROUP = "switchgear."
FILE_NAME = "switchgear.toml"


@cache
def capabilities() -> tuple[str, ...]:
    """The capabilities that installed distributions offer."""
    return tuple(sorted({point.name for point in entry_points(group=f"{GROUP}capabilities")}))


def complete_service(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return _starting(incomplete, _services(ctx))


def complete_provider(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The providers of the service that the line names, or those installed for a capability's quick start."""
    # An option that still lacks its value stops click before it has given the arguments their names.
    service = _services(ctx).get(ctx.params.get("service") or next(iter(ctx.args), ""))
    if isinstance(service, Mapping):
        providers = service.get("providers")
        return _starting(incomplete, providers if isinstance(providers, Mapping) else ())
    prefix = f"{ctx.info_name}."
    points = entry_points(group=f"{GROUP}providers")
    return _starting(incomplete, {p.name.removeprefix(prefix) for p in points if p.name.startswith(prefix)})


def complete_plugin(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return _starting(incomplete, set(_plugins()))


def _plugins() -> Iterator[str]:
    points = entry_points()
    for group in points.groups:
        if group.startswith(GROUP):
            yield from (point.name for point in points.select(group=group))


def _services(ctx: click.Context) -> Mapping[str, Any]:
    """The services of the file as it stands; whatever is wrong with it, completion only stays silent."""
    import tomli

    # Not the library's own reader: it would import all that checks a configuration, at every press of the Tab key.
    try:
        path = _file(ctx)
        services = tomli.loads(path.read_text(encoding="utf-8-sig")).get("services") if path else None
    except (OSError, ValueError):
        return {}
    return services if isinstance(services, Mapping) else {}


def _file(ctx: click.Context) -> Path | None:
    named = ctx.params.get("config") or os.environ.get("SWITCHGEAR_CONFIG")
    if named:
        return Path(named)
    here = Path.cwd()
    return next((folder / FILE_NAME for folder in (here, *here.parents) if (folder / FILE_NAME).is_file()), None)


def _starting(incomplete: str, names: Any) -> list[CompletionItem]:
    return [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]
