"""Names for help and completion, found without importing a plugin and without checking a configuration."""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from switchgear.entries import GROUP_PREFIX, installed_entries

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

FILE_NAME = "switchgear.toml"


@cache
def capabilities() -> tuple[str, ...]:
    """The capabilities that installed distributions offer."""
    return tuple(sorted(_offered("capabilities")))


def complete_service(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    return _starting(incomplete, _services(ctx))


def complete_provider(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """The providers of the service that the line names, or those installed for a capability's quick start."""
    # An option that still lacks its value stops click before it has given the arguments their names.
    service = _services(ctx).get(ctx.params.get("service") or next(iter(ctx.args), ""))
    if isinstance(service, Mapping):
        providers = service.get("providers")
        return _starting(incomplete, providers if isinstance(providers, Mapping) else ())
    prefix = f"{ctx.info_name}."
    return _starting(
        incomplete, {name.removeprefix(prefix) for name in _offered("providers") if name.startswith(prefix)}
    )


def complete_plugin(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    return _starting(incomplete, _offered())


def _offered(kind: str | None = None) -> set[str]:
    entries = (point.entry for point in installed_entries().points)
    return {entry.name for entry in entries if kind is None or entry.group == f"{GROUP_PREFIX}{kind}"}


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


def _starting(incomplete: str, names: Any) -> "list[CompletionItem]":
    from click.shell_completion import CompletionItem

    return [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]
