"""`switchgear check`: everything that is wrong with a configuration, in one run."""

from typing import TYPE_CHECKING, Any

import click

from switchgear.cli import flags

if TYPE_CHECKING:
    from switchgear.components import Components, ServiceParts
    from switchgear.config import Loaded
    from switchgear.config.settings import Service
    from switchgear.errors import Problem


@click.command("check", short_help="Check the configuration and the plugins it names.")
@click.option("--without-secrets", is_flag=True, help="Accept what is not set here: for machines that may not know it.")
@flags.as_json
@flags.place
def command(place: flags.Place, without_secrets: bool, json: bool) -> None:
    """Make all that the configuration names, without opening anything. The status is 2 if anything is wrong with it."""
    from switchgear.cli.faults import REFUSED, say_error
    from switchgear.cli.lines import print_json
    from switchgear.errors import ConfigError

    problems: list[dict[str, str]] = []
    report: dict[str, Any] = {}
    try:
        report = _report(place, without_secrets)
    except ConfigError as error:
        problems = [
            {"path": problem.path, "message": problem.message, "remedy": problem.remedy} for problem in error.problems
        ]
        if not json:
            for problem in error.problems:
                say_error(str(problem))
    if json:
        print_json({"ok": not problems, **report, "problems": problems})
    elif not problems:
        _print(report)
    if problems:
        click.get_current_context().exit(REFUSED)


def _report(place: flags.Place, without_secrets: bool) -> dict[str, Any]:
    from switchgear.cli.boards import read_document
    from switchgear.clock import SYSTEM_CLOCK
    from switchgear.diagnosis import assemble
    from switchgear.installation import disabled_distributions, misspelled_disabled
    from switchgear.plugins import Catalog

    document = read_document(place)
    catalog = Catalog(disabled=disabled_distributions(document))
    loaded, components = assemble(document, catalog, SYSTEM_CLOCK.utc, allow_unset=without_secrets)
    return {
        "file": str(document.path),
        "environment": document.environment,
        "services": {
            name: _service(loaded.settings.services[name], parts) for name, parts in components.services.items()
        },
        "left_out": _left_out(loaded, components),
        "suspicious": [*_empty(loaded), *(str(each) for each in misspelled_disabled(loaded.settings, catalog))],
    }


def _empty(loaded: "Loaded") -> list[str]:
    """No error: what a program composes may be only what several services have in common."""
    if loaded.settings.services:
        return []
    return ["it has no services, so that nothing can be asked; `switchgear init` writes one"]


def _service(settings: "Service", parts: "ServiceParts") -> dict[str, Any]:
    return {
        "capability": settings.capability,
        "strategy": settings.strategy.type,
        "providers": {each.name: settings.providers[each.name].type for each in parts.providers},
    }


def _left_out(loaded: "Loaded", components: "Components") -> list[dict[str, str]]:
    off = [{"path": path, "reason": "switched off"} for path in sorted(loaded.inactive)]
    broken = [
        {"path": problem.path, "reason": f"optional and broken: {_said(problem)}"} for problem in components.degraded
    ]
    return [*off, *broken]


def _said(problem: "Problem") -> str:
    from switchgear.cli.faults import with_remedy

    return with_remedy(problem.message, problem.remedy)


def _print(report: dict[str, Any]) -> None:
    from switchgear.cli.faults import say_note

    environment = f", environment {report['environment']}" if report["environment"] else ""
    click.echo(f"OK: {report['file']}{environment}")
    # In plain lines: to import what draws tables takes longer than to check a file.
    for name, each in report["services"].items():
        click.echo(f"{name}: {each['capability']} by {each['strategy']}: {', '.join(_spelled(each['providers']))}")
    for each in report["left_out"]:
        click.echo(f"left out: {each['path']}: {each['reason']}")
    for text in report["suspicious"]:
        say_note(text)


def _spelled(providers: dict[str, str]) -> list[str]:
    return [name if name == type_name else f"{name} ({type_name})" for name, type_name in providers.items()]
