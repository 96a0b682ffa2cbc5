"""From a file, or from tables in memory, to checked settings."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from switchgear.config.document import Document, Loaded
from switchgear.config.environments import choose, merge, overlays
from switchgear.config.formats import Unreadable, check_bounds
from switchgear.config.interpolate import IsActive, always_active, interpolate
from switchgear.config.references import References, SecretStores
from switchgear.config.sources import find_file, read_dotenv, read_tables
from switchgear.config.templates import is_unknown
from switchgear.errors import ConfigError, Problem


def load(
    path: Path | str | None = None,
    *,
    environment: str | None = None,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
    secret_stores: SecretStores | None = None,
    is_active: IsActive = always_active,
    allow_unset: bool = False,
) -> Loaded:
    """Read a configuration file and check it; see `read` and `Document.resolve`, whose sum this is."""
    document = read(path, environment=environment, environ=environ, overrides=overrides)
    return document.resolve(secret_stores=secret_stores, is_active=is_active, allow_unset=allow_unset)


def read(
    path: Path | str | None = None,
    *,
    environment: str | None = None,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Document:
    """Find the file (`path`, else SWITCHGEAR_CONFIG, else the nearest switchgear.toml upwards), read and merge it.

    A `.env` beside the file adds to `environ`, never overrides it. Raises `ConfigError` if there is nothing to read;
    milder problems wait in the document for `resolve`.
    """
    environ = os.environ if environ is None else environ
    file = find_file(path, environ)
    tables = read_tables(file)
    local, problems = read_dotenv(file.parent)
    return _merged(
        tables,
        environ={**local, **environ},
        environment=environment,
        overrides=overrides,
        folder=file.absolute().parent,
        path=file,
        problems=problems,
    )


def from_mapping(
    tables: Mapping[str, Any],
    *,
    environment: str | None = None,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
    folder: Path | None = None,
) -> Document:
    """The same from tables in memory, of the shape that a file has. No `.env` is read."""
    try:
        check_bounds(tables)
    except Unreadable as error:
        raise ConfigError([Problem("", str(error))]) from None
    return _merged(
        tables,
        environ=os.environ if environ is None else environ,
        environment=environment,
        overrides=overrides,
        folder=folder or Path.cwd(),
    )


def _merged(
    source: Mapping[str, Any],
    *,
    environ: Mapping[str, str],
    environment: str | None,
    overrides: Mapping[str, Any] | None,
    folder: Path,
    path: Path | None = None,
    problems: list[Problem] | None = None,
) -> Document:
    declared = overlays(source)
    own = _own_environment(source, environ, folder)
    choice = choose(environment, environ, own, declared)
    tables = merge(source, declared.get(choice.name or "", {}))
    if choice.name != own and isinstance(tables.get("switchgear", {}), Mapping):
        tables = merge(tables, {"switchgear": {"environment": choice.name}})
    return Document(
        source=source,
        tables=merge(tables, overrides or {}),
        environ=environ,
        folder=folder,
        path=path,
        environment=choice.name,
        problems=(*(problems or ()), *([choice.problem] if choice.problem else [])),
    )


def _own_environment(source: Mapping[str, Any], environ: Mapping[str, str], folder: Path) -> str | None:
    """What `[switchgear] environment` says. It is wanted before merging, so it is filled in on its own."""
    general = source.get("switchgear")
    own = general.get("environment") if isinstance(general, Mapping) else None
    if not isinstance(own, str):
        return None
    references = References(environ=environ, directory=folder, offline=True)
    filled: str = interpolate({"own": own}, references).tables["own"]
    # Where it is not set, that is reported when all is filled in.
    return None if is_unknown(filled) else filled
