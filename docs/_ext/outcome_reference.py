"""Fills in the table of outcomes, from the rules that the code reads and the errors that stand for them."""

from collections.abc import Iterator
from inspect import cleandoc

from sphinx.application import Sphinx
from switchgear.errors import OutcomeError
from switchgear.outcome import Outcome, Sample

MARKER = "<!-- outcomes -->"
HEAD = "| outcome | error | meaning | next provider is asked | counts as latency |\n| --- | --- | --- | --- | --- |"
SAMPLE = {Sample.YES: "yes", Sample.IF_SLOWER: "only if slower than the average", Sample.NO: "no"}


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", fill_in)
    return {"parallel_read_safe": True}


def fill_in(app: Sphinx, page: str, source: list[str]) -> None:
    if MARKER in source[0]:
        source[0] = source[0].replace(MARKER, "\n".join([HEAD, *map(row, Outcome)]))


def row(outcome: Outcome) -> str:
    error = error_of(outcome)
    name, meaning = ("", "") if error is None else (f"`{error.__name__}`", cleandoc(error.__doc__ or "").split("\n")[0])
    rule = outcome.rule
    cells = (f"`{outcome.value}`", name, meaning, "yes" if rule.falls_over else "no", SAMPLE[rule.sample])
    return f"| {' | '.join(cells)} |"


def error_of(outcome: Outcome) -> type[OutcomeError] | None:
    return next((error for error in subclasses(OutcomeError) if getattr(error, "outcome", None) is outcome), None)


def subclasses(cls: type[OutcomeError]) -> Iterator[type[OutcomeError]]:
    for subclass in cls.__subclasses__():
        yield subclass
        yield from subclasses(subclass)
