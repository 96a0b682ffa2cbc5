"""Fills in the table of outcomes, from the rules that the code reads and the errors that stand for them."""

from collections.abc import Iterable, Iterator
from inspect import cleandoc

from sphinx.application import Sphinx
from switchgear.errors import OutcomeError
from switchgear.money import Charge
from switchgear.outcome import Outcome, Retry, Sample, Verdict

MARKER = "<!-- outcomes -->"
HEADS = (
    "outcome",
    "error",
    "meaning",
    "same provider again",
    "next provider",
    "circuit breaker",
    "latency figure",
    "tokens a retry takes",
    "an old answer may do",
    "billed",
)
RETRY = {
    Retry.NO: "no",
    Retry.REPEATABLE: "if it may be sent twice",
    Retry.ALWAYS: "yes",
    Retry.LAST: "when nobody else is left",
    Retry.SAME_KEY: "only with the same key",
}
BREAKER = {
    Verdict.SUCCESS: "success",
    Verdict.FAILURE: "failure",
    Verdict.SLOW_FAILURE: "failure, and slow",
    Verdict.COOL_DOWN: "a long pause of its own",
    Verdict.IGNORED: "ignored",
}
CHARGE = {Charge.BILLED: "yes", Charge.FREE: "no", Charge.IN_DOUBT: "in doubt: counts as spent"}
SAMPLE = {Sample.YES: "counts", Sample.IF_SLOWER: "counts if slower than the average", Sample.NO: "ignored"}


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", fill_in)
    return {"parallel_read_safe": True}


def fill_in(app: Sphinx, page: str, source: list[str]) -> None:
    if MARKER in source[0]:
        lines = [table_row(HEADS), table_row("---" for _ in HEADS), *(table_row(cells(outcome)) for outcome in Outcome)]
        source[0] = source[0].replace(MARKER, "\n".join(lines))


def table_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def cells(outcome: Outcome) -> Iterator[str]:
    error, rule = error_of(outcome), outcome.rule
    yield f"`{outcome.value}`"
    yield f"`{error.__name__}`" if error else ""
    yield cleandoc(error.__doc__ or "").split("\n")[0] if error else ""
    yield RETRY[rule.retry]
    yield "yes" if rule.falls_over else "no"
    yield BREAKER[rule.breaker]
    yield SAMPLE[rule.sample]
    yield f"{rule.withdraw:g}" if rule.withdraw else "none"
    yield "yes" if rule.serves_stale else "no"
    yield CHARGE[rule.charge]


def error_of(outcome: Outcome) -> type[OutcomeError] | None:
    return next((error for error in subclasses(OutcomeError) if getattr(error, "outcome", None) is outcome), None)


def subclasses(cls: type[OutcomeError]) -> Iterator[type[OutcomeError]]:
    for subclass in cls.__subclasses__():
        yield subclass
        yield from subclasses(subclass)
