"""`switchgear init`: a configuration to start from, made of what is installed."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from switchgear.cli import flags

if TYPE_CHECKING:
    from switchgear.config import Document
    from switchgear.errors import Problem
    from switchgear.plugins import Catalog

_IGNORED = (".env", ".switchgear/")

_HEAD = """\
# A configuration of Switchgear. Check it with `switchgear check`; unknown keys are errors.
# Secrets do not belong here: write "${NAME}", and NAME=value into .env beside this file or into the environment.

[switchgear]
environment = %s  # [environments.<name>] is laid over the rest; --env and SWITCHGEAR_ENV win
currency = "USD"

# Log calls and decisions: "text", "json", or "stdlib" for Python's own logging.
# [switchgear.logging]
# format = "text"
"""

_NO_PLUGINS = """
# No capability with a provider is installed yet. After `pip install switchgear-ocr switchgear-tesseract`:
# [services.scans]
# capability = "ocr"
# [services.scans.providers.fast]
# type = "tesseract"
"""

_TAIL = """
# In production, for instance:
# [environments.prod.services.%s]
# deadline = "30s"
"""


@click.command("init", short_help="Write a configuration to start from.")
@click.option("--force", is_flag=True, help="Overwrite the file if it is there.")
@flags.as_json
@flags.place_with(
    "Where to write. Default: switchgear.toml here.", "What the file calls its environment. Default: dev."
)
def command(force: bool, json: bool, place: flags.Place) -> None:
    """Write switchgear.toml (or --config FILE) for the installed providers, and keep secrets and state out of git.

    Providers that are broken, or need settings before they work, are written switched off, with the reason.
    """
    from switchgear.cli.faults import say_note
    from switchgear.cli.lines import print_json
    from switchgear.plugins import Catalog

    path = Path(place.config or "switchgear.toml")
    if path.suffix != ".toml":
        raise click.UsageError(f"--config: init writes TOML, and {path} does not end in .toml")
    text = _text(Catalog(), place.environment or "dev")
    _write(path, text, force)
    ignored = _ignore(path.parent / ".gitignore")
    if json:
        print_json({"file": str(path), "ignored": ignored})
        return
    click.echo(f"wrote {path}")
    if ignored:
        click.echo(f"added {', '.join(ignored)} to {path.parent / '.gitignore'}")
    say_note("look through it, then run `switchgear check`")


def _write(path: Path, text: str, force: bool) -> None:
    try:
        # "x" and not a look before: nothing may come in between.
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise click.UsageError(f"{path} is there already; --force overwrites it") from None
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}") from None


def _ignore(path: Path) -> list[str]:
    """Add the lines that are missing; what they are."""
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        there = {line.strip().strip("/") for line in text.splitlines()}
        missing = [line for line in _IGNORED if line.strip("/") not in there]
        if missing:
            start = "" if not text or text.endswith("\n") else "\n"
            with path.open("a", encoding="utf-8") as file:
                file.write(start + "".join(f"{line}\n" for line in missing))
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{path} cannot be extended: {error}") from None
    return missing


def _text(catalog: "Catalog", environment: str) -> str:
    from switchgear.cli.toml import literal

    parts = [_HEAD % literal(environment)]
    services = list(_services(catalog))
    for capability, table, reasons in services:
        parts.append("\n" + "\n".join(_service(capability, table, reasons)) + "\n")
    parts.append(_TAIL % services[0][0] if services else _NO_PLUGINS)
    return "".join(parts)


def _services(catalog: "Catalog") -> Iterator[tuple[str, dict[str, Any], Mapping[str, str]]]:
    """For each capability that has providers: its table, and why some of its providers cannot be used as they are."""
    from switchgear.cli.faults import say_note, with_remedy
    from switchgear.cli.starter import clashes, document_of, service_table
    from switchgear.plugins import PluginProblem

    for capability in dict.fromkeys(catalog.names("capabilities")):
        try:
            table = service_table(catalog, capability)
        except PluginProblem as error:
            say_note(f"left out: {with_remedy(str(error), error.remedy)}")
            continue
        for clash in clashes(catalog, table):
            say_note(clash)
        if table["providers"]:
            yield capability, table, _reasons(document_of({"services": {capability: _on_trial(table)}}), capability)


def _on_trial(table: Mapping[str, Any]) -> dict[str, Any]:
    providers = {name: {**each, "optional": False} for name, each in table["providers"].items()}
    return {**table, "providers": providers}


def _reasons(document: "Document", capability: str) -> dict[str, str]:
    """By provider, what composing it says, with the option that it is about."""
    from switchgear.app import Switchgear
    from switchgear.errors import ConfigError

    try:
        Switchgear(document)
    except ConfigError as error:
        return _by_provider(error.problems, f"services.{capability}.providers.")
    return {}


def _by_provider(problems: "Iterable[Problem]", prefix: str) -> dict[str, str]:
    reasons: dict[str, list[str]] = {}
    for problem in problems:
        if problem.path.startswith(prefix):
            provider, _, option = problem.path.removeprefix(prefix).partition(".")
            message = " ".join(problem.message.split())
            reasons.setdefault(provider, []).append(f"{option}: {message}" if option else message)
    return {provider: "; ".join(each) for provider, each in reasons.items()}


def _service(capability: str, table: Mapping[str, Any], reasons: Mapping[str, str]) -> Iterator[str]:
    from switchgear.cli.toml import tables

    head = {"strategy": "priority", "deadline": "60s", **{key: table[key] for key in table if key != "providers"}}
    yield f"# The service {capability!r}: switchgear run {capability} INPUT..."
    lines = tables(f"services.{capability}", {"capability": capability, **head})
    yield from lines
    for name, provider in table["providers"].items():
        fields = {key: value for key, value in provider.items() if key != "optional"}
        yield ""
        if name in reasons:
            yield f"# Switched off: {reasons[name]}"
            fields["enabled"] = False
        yield from tables(f"services.{capability}.providers.{name}", fields)
