"""Tests carry the number of the rule they hold, so that nobody has to ask which those are."""

import re
from pathlib import Path

# Of the engine: from outcomes to limits, then health, life cycle, tests and privacy.
RULES = [*range(1, 20), 26, 27, 29, 30]
TESTS = Path(__file__).parent


def test_every_rule_of_the_engine_has_a_test_that_carries_its_number() -> None:
    source = "".join(path.read_text("utf-8") for path in TESTS.rglob("test_*.py"))
    held = {int(number) for number in re.findall(r"def test_s(\d+)_", source)}
    assert set(RULES) <= held
