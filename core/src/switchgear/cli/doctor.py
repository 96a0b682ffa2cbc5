"""`switchgear doctor`: what keeps each provider from working, and what to do about it."""

from typing import TYPE_CHECKING, Any

import click

from switchgear.cli import flags, names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from switchgear.cli.examination import Examined
    from switchgear.config import Document
    from switchgear.errors import Problem
    from switchgear.findings import Finding

_WORDS = {True: "ok", None: "unknown", False: "FAILED"}


@click.command("doctor", short_help="Find out what keeps providers from working.")
@click.argument("services", metavar="[SERVICE]...", nargs=-1, shell_complete=names.complete_service)
@flags.as_json
@flags.place
def command(services: tuple[str, ...], json: bool, place: flags.Place) -> None:
    """Look at every provider of each SERVICE (default: of all), in ways that are not billed.

    Is it installed, configured, reachable? Are its credentials accepted, is its price known, does its clock agree with
    ours? Whatever failed comes with a remedy; the status is 1 then.
    """
    import asyncio

    from switchgear.cli.boards import read_document
    from switchgear.cli.examination import examine
    from switchgear.cli.faults import FAILED

    document = read_document(place)
    _check_names(document, services)
    examined = asyncio.run(examine(document, services))
    problems = _elsewhere(document)
    if json:
        _print_json(examined, problems)
    else:
        _print(examined, problems)
    if problems or not all(each.is_well for each in examined):
        click.get_current_context().exit(FAILED)


def _check_names(document: "Document", services: tuple[str, ...]) -> None:
    from collections.abc import Mapping
    from difflib import get_close_matches

    configured = document.tables.get("services")
    known = list(configured) if isinstance(configured, Mapping) else []
    for name in services:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            raise click.UsageError(f"there is no service {name!r}. {hint}Configured: {', '.join(known) or 'none'}")


def _elsewhere(document: "Document") -> "list[Problem]":
    """What is wrong with the rest of the file."""
    import re

    from switchgear.app import Switchgear
    from switchgear.errors import ConfigError

    try:
        Switchgear(document)
    except ConfigError as error:
        return [problem for problem in error.problems if not re.match(r"services\.[^.]+\.providers\.", problem.path)]
    return []


def _print(examined: "Sequence[Examined]", problems: "Sequence[Problem]") -> None:
    from switchgear.cli.faults import say_error
    from switchgear.cli.tables import print_table

    rows = [
        (each.service, each.provider, finding.check, _WORDS[finding.ok], finding.detail)
        for each in examined
        for finding in each.findings
    ]
    print_table(("service", "provider", "check", "result", "found"), rows)
    for each in examined:
        for finding in each.findings:
            if finding.ok is not True and finding.remedy:
                click.echo(f"{each.service}.{each.provider}, {finding.check}: {finding.remedy}")
    for problem in problems:
        say_error(str(problem))


def _print_json(examined: "Sequence[Examined]", problems: "Sequence[Problem]") -> None:
    from switchgear.cli.lines import print_json

    providers = [
        {
            "service": each.service,
            "provider": each.provider,
            "ok": each.is_well,
            "findings": [_line(finding) for finding in each.findings],
        }
        for each in examined
    ]
    print_json(
        {
            "ok": not problems and all(each.is_well for each in examined),
            "providers": providers,
            "problems": [
                {"path": problem.path, "message": problem.message, "remedy": problem.remedy} for problem in problems
            ],
        }
    )


def _line(finding: "Finding") -> dict[str, Any]:
    return {"check": finding.check, "ok": finding.ok, "detail": finding.detail, "remedy": finding.remedy}
