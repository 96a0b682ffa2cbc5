"""`switchgear check`: everything that is wrong with a configuration, in one run."""

from typing import TYPE_CHECKING, Any

import click

from switchgear.cli import flags

if TYPE_CHECKING:
    from switchgear.app import Switchgear
    from switchgear.errors import Problem


@click.command("check", short_help="Check the configuration and the plugins it names.")
@click.option("--without-secrets", is_flag=True, help="Accept what is not set here: for machines that may not know it.")
@flags.as_json
@flags.place
def command(place: flags.Place, without_secrets: bool, json: bool) -> None:
    """Compose the configuration without opening anything. The status is 2 if anything is wrong with it."""
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
    from switchgear.app import Switchgear
    from switchgear.cli.boards import read_document

    document = read_document(place)
    board = Switchgear(document, allow_unset=without_secrets)
    return {
        "file": str(document.path),
        "environment": document.environment,
        "services": {name: _service(board, name) for name in board},
        "left_out": _left_out(board),
        "suspicious": [str(problem) for problem in board.suspicious],
    }


def _service(board: "Switchgear", name: str) -> dict[str, Any]:
    settings = board.settings.services[name]
    manager = board[name]
    return {
        "capability": settings.capability,
        "strategy": settings.strategy.type,
        "providers": {provider: settings.providers[provider].type for provider in manager.providers},
    }


def _left_out(board: "Switchgear") -> list[dict[str, str]]:
    off = [{"path": path, "reason": "switched off"} for path in sorted(board.inactive)]
    broken = [{"path": problem.path, "reason": f"optional and broken: {_said(problem)}"} for problem in board.degraded]
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
