"""Prints answers as they come: the text or JSON on standard output, all about them on standard error."""

from collections.abc import Sequence

import click

from switchgear.cli.calls import Answer, Caller
from switchgear.cli.drawings import Drawings
from switchgear.cli.faults import say_error, say_note, with_remedy
from switchgear.cli.inputs import Input
from switchgear.cli.lines import line, print_json
from switchgear.cli.shown import Shown, show


class Presenter:
    """Shows the answers of one run. `failed` says whether any of them was an error."""

    def __init__(self, caller: Caller, currency: str, inputs: Sequence[Input]) -> None:
        options = caller.options
        self._capability = caller.capability
        self._options = options
        self._currency = currency
        self._headings = len(inputs) > 1
        self._drawings = Drawings(options.annotate, caller.capability, inputs) if options.annotate else None
        self.failed = False

    def present(self, answer: Answer) -> None:
        shown = show(answer, self._capability, self._options, self._drawings)
        self.failed |= shown.error is not None
        if self._options.json:
            print_json(line(answer, shown, self._currency))
        else:
            self._print(answer, shown)
        self._explain(answer)

    def _print(self, answer: Answer, shown: Shown) -> None:
        if shown.error is not None:
            say_error(answer.input.named(with_remedy(str(shown.error), shown.error.remedy)))
            return
        if self._headings:
            click.echo(f"==> {answer.input.shown} <==")
        click.echo(shown.value, nl=not shown.value.endswith("\n"))

    def _explain(self, answer: Answer) -> None:
        from switchgear.cli.provenance import fallback_note, print_provenance

        if self._options.provenance:
            print_provenance(answer, self._currency)
        elif note := fallback_note(answer):
            say_note(note)
