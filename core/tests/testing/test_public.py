"""What `switchgear.testing` offers, and what it needs."""

import subprocess
import sys

import pytest
from switchgear import testing


def test_importing_it_needs_neither_pytest_nor_hypothesis() -> None:
    code = (
        "import sys; sys.modules.update(pytest=None, hypothesis=None); import switchgear.testing as t; t.ProviderSuite"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_every_public_name_is_there_and_documented() -> None:
    assert sorted(testing.__all__) == sorted(set(testing.__all__))
    for name in testing.__all__:
        value = getattr(testing, name)
        assert value.__doc__, name


PLUGIN_TEST = """
from switchgear.testing import ProviderSuite, ScriptedProvider

class TestMine(ProviderSuite):
    conditional_options = ["then"]
    def make(self): return ScriptedProvider(["ok"], name="mine")
    def requests(self): return ["request"]

class TestBroken(ProviderSuite):
    def make(self): return ScriptedProvider([1], name="mine")
    def requests(self): return ["request"]
    output_type = str
"""

pytest_plugins = ["pytester"]


def test_three_lines_make_a_test_class(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(PLUGIN_TEST)
    outcome = pytester.runpytest_subprocess("-q", "-W", "error", "-p", "no:cacheprovider")
    counts = outcome.parseoutcomes()
    assert counts["passed"] > 30
    outcome.stdout.fnmatch_lines(["*the output is a int, not a str*"])
