"""The one table that every mechanism reads (S1), word for word."""

from switchgear.outcome import RULES, Outcome

# outcome         retry same  falls over  breaker       latency    budget  stale  money
TABLE = """
success           no          no          success       yes        0       no     billed
transient         repeatable  yes         failure       if-slower  1       yes    in_doubt
attempt_timeout   repeatable  yes         slow-failure  yes        2       yes    in_doubt
not_sent          always      yes         failure       no         0       yes    free
throttled         last        yes         ignored       no         1       yes    free
invalid_input     no          no          ignored       no         0       no     free
unsupported       no          yes         ignored       no         0       no     free
credentials       no          yes         cool-down     no         0       yes    free
quota             no          yes         cool-down     no         0       yes    free
invalid_result    no          yes         ignored       yes        0       yes    billed
cancelled         no          no          ignored       no         0       no     in_doubt
rejected          no          yes         ignored       no         0       yes    free
plugin_bug        no          yes         failure       no         0       yes    in_doubt
in_doubt          same-key    no          failure       yes        2       no     in_doubt
"""
COLUMNS = ("retry", "falls_over", "breaker", "sample", "withdraw", "serves_stale", "charge")


def words(outcome: Outcome) -> list[str]:
    """Its row as the table writes it."""
    cells = [getattr(outcome.rule, column) for column in COLUMNS]
    return [
        f"{cell:g}" if isinstance(cell, float) else ("yes" if cell else "no") if isinstance(cell, bool) else cell.value
        for cell in cells
    ]


def test_s1_every_row_of_the_table_is_as_it_was_agreed() -> None:
    rows = [line.split() for line in TABLE.strip().splitlines()]
    assert [[outcome.value, *words(outcome)] for outcome in Outcome] == rows
    assert {outcome: outcome.rule for outcome in Outcome} == RULES
