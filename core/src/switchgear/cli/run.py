"""`switchgear run`: a configured service, for one input or many."""

import click

from switchgear.cli import call_flags, flags, names


@click.command("run", short_help="Call a configured service.")
@click.argument("service", shell_complete=names.complete_service)
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, shell_complete=names.complete_input)
@call_flags.calling
@flags.place
def command(service: str, inputs: tuple[str, ...], options: call_flags.CallOptions, place: flags.Place) -> None:
    """Call SERVICE with each INPUT: a file, a folder, a pattern, a text, or - for standard input.

    Which of these it may be is for the service's capability to say. Answers come in the order of the inputs. With
    --json there is one object an input and line: input, ok, output, refused (why, if validators turned every answer
    down and this is the best), provider, cost and latency (of the whole call, in seconds), cache, saved (by the cache),
    attempts, error (type, message, remedy), call_id. The status is 0 if every input was answered, 1 if one failed, 2 if
    nothing was tried.
    """
    from switchgear.cli.boards import Recorder, compose, read_document
    from switchgear.cli.service_call import call_service

    recorder = Recorder()
    board = compose(read_document(place), recorder, options.log_level)
    call_service(board, recorder, service, inputs, options)
