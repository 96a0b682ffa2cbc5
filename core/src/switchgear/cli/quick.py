"""`switchgear <capability> INPUT...`: asks whatever is installed, without a configuration."""

from typing import TYPE_CHECKING

import click

from switchgear.cli import call_flags, flags, names

if TYPE_CHECKING:
    from switchgear.app import Switchgear


def command_for(capability: str) -> click.Command:
    """The command of one capability; it is imported when the command runs."""

    @click.command(
        capability, short_help="Ask the installed providers; needs no configuration.", help=_help(capability)
    )
    @click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, shell_complete=names.complete_input)
    @call_flags.calling
    @flags.place_with(
        f"Ask its only service of {capability}. Default: no configuration is read, unless there is --env.",
        "Ask a configuration in this environment: --config, else SWITCHGEAR_CONFIG, else the nearest switchgear.toml "
        "upwards. Default: none.",
    )
    def command(inputs: tuple[str, ...], options: call_flags.CallOptions, place: flags.Place) -> None:
        if place.config or place.environment:
            _run_configured(capability, inputs, options, place)
        else:
            _run(capability, inputs, options)

    return command


def _help(capability: str) -> str:
    return (
        f"Ask the installed {capability} providers for each INPUT: a file, a folder, a pattern, a text, or - for "
        "standard input. Without --config or --env no configuration is read: providers work with their own defaults, "
        "and one that is broken or needs settings is reported and left out. `switchgear init` writes a configuration "
        f"to go on from. With one, its only service of {capability} is asked."
    )


def _run(capability: str, inputs: tuple[str, ...], options: call_flags.CallOptions) -> None:
    from switchgear.cli.boards import Recorder
    from switchgear.cli.faults import say_note
    from switchgear.cli.service_call import call_service

    recorder = Recorder()
    board = _compose(capability, recorder, options.log_level)
    for problem in board.degraded:
        say_note(f"left out: {problem}")
    say_note(f"no configuration is used: asking {', '.join(board[capability].providers)} with their own defaults")
    call_service(board, recorder, capability, inputs, options)


def _run_configured(
    capability: str, inputs: tuple[str, ...], options: call_flags.CallOptions, place: flags.Place
) -> None:
    from switchgear.cli.boards import Recorder, compose, read_document
    from switchgear.cli.service_call import call_service

    recorder = Recorder()
    board = compose(read_document(place), recorder, options.log_level)
    services = [name for name in board if board.capability(name).name == capability]
    if len(services) != 1:
        found = f"several services of {capability}" if services else f"no service of {capability}"
        names = ", ".join(services or board) or "none"
        raise click.UsageError(f"{board.document.path} has {found}: name one with `switchgear run`. It has: {names}")
    call_service(board, recorder, services[0], inputs, options)


def _compose(capability: str, recorder: object, log_level: str | None) -> "Switchgear":
    from switchgear.cli.boards import observed
    from switchgear.cli.faults import say_note
    from switchgear.cli.starter import clashes, compose_installed, service_table
    from switchgear.errors import ConfigError, Problem
    from switchgear.plugins import Catalog, PluginProblem

    catalog = Catalog()
    try:
        service = service_table(catalog, capability)
    except PluginProblem as error:
        raise ConfigError([Problem("", str(error), error.remedy or "")]) from error
    if not service["providers"]:
        raise click.UsageError(
            f"no provider of {capability} is installed; install a plugin that offers one: "
            f"pip install switchgear-<name>. `switchgear plugins list` shows what is there"
        )
    for clash in clashes(catalog, service):
        say_note(clash)
    additions, extra = observed(recorder, log_level)
    return compose_installed({"services": {capability: service}, **additions}, extra)
