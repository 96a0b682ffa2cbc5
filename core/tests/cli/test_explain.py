"""`switchgear explain`: the plan of a call, without the call."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]

pytestmark = pytest.mark.usefixtures("service")


def test_shows_the_order_with_what_it_goes_by(run: Run) -> None:
    result = run("explain", "count", "a b")
    rows = [line.split() for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert ["1", "fast", "available", "0.0015", "USD", "0.5", "1"] in rows
    assert ["2", "good", "available", "unknown", "0.5", "2"] in rows


def test_shows_who_would_be_passed_over_and_why(run: Run) -> None:
    rows = [line.split() for line in run("explain", "count", "unsupported").stdout.splitlines()]
    assert ["-", "fast", "available", "0.0015", "USD", "0.5", "1", "cannot", "count", "this"] in rows


def test_json_has_every_candidate(run: Run) -> None:
    plan = json.loads(run("explain", "count", "a b", "--json").stdout)
    assert [(row["provider"], row["rank"], row["predicted_cost"]) for row in plan["candidates"]] == [
        ("fast", 1, "0.0015"),
        ("good", 2, None),
    ]
    assert plan["currency"] == "USD"


def test_an_unreadable_input_is_an_error(run: Run) -> None:
    result = run("explain", "count", "missing.txt")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: missing.txt: cannot be read: No such file or directory. Check the name\n"


LAZY = """
from pathlib import Path

from acme_words import Counter
from switchgear import InvalidInput, Unsupported


class Lazy(Counter):
    def validate_input(self, request):
        if "gone" in request:
            raise InvalidInput("gone: no such file", remedy="Check the path")


class Choosy(Counter):
    def validate_input(self, request):
        raise Unsupported("not for me")


class Broken(Counter):
    def validate_input(self, request):
        raise ZeroDivisionError
"""


@pytest.fixture
def lazy(install: Callable[..., None], configure: Callable[[str], Path]) -> Callable[..., None]:
    """Configure providers of a plugin where only they look at an input."""
    points = [f"words.{name.lower()} = acme_lazy:{name}" for name in ("Lazy", "Choosy", "Broken")]
    install("acme-lazy", LAZY, providers=points)

    def choose(*types: str) -> None:
        tables = (f'[services.count.providers.p{number}]\ntype = "{name}"\n' for number, name in enumerate(types))
        configure('[services.count]\ncapability = "words"\n' + "".join(tables))

    return choose


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_an_input_that_only_providers_find_unreadable_is_an_error_too(
    flags: list[str], run: Run, lazy: Callable[..., None]
) -> None:
    lazy("lazy", "lazy")
    result = run("explain", "count", "gone", *flags)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: gone: no such file. Check the path\n"
    assert run("explain", "count", "here", *flags).exit_code == 0


@pytest.mark.parametrize("other", ["counter", "choosy", "broken"])
def test_what_one_provider_does_not_refuse_as_unreadable_is_explained(
    other: str, run: Run, lazy: Callable[..., None]
) -> None:
    lazy("lazy", other)
    result = run("explain", "count", "gone")
    assert result.exit_code == 0
    assert "gone: no such file" in result.stdout


def test_a_folder_without_files_is_a_usage_error(run: Run) -> None:
    Path("empty").mkdir()
    assert run("explain", "count", "empty").exit_code == 2


def test_several_inputs_are_a_usage_error(run: Run) -> None:
    for name in ("a.txt", "b.txt"):
        Path(name).touch()
    result = run("explain", "count", ".")
    assert result.exit_code == 2
    assert "explain takes one input; . stands for 2" in result.stderr


def test_an_unknown_service_gets_the_nearest_right_one(run: Run) -> None:
    result = run("explain", "cuont", "a")
    assert result.exit_code == 2
    assert "Did you mean 'count'?" in result.stderr


def test_what_earlier_processes_have_spent_of_a_budget_counts(run: Run) -> None:
    with Path("switchgear.toml").open("a") as file:
        file.write('\n[cost_sinks.ledger]\ntype = "sqlite"\n[budgets.all]\nlimit = "0.002"\n')
    assert run("run", "count", "a b").exit_code == 0
    rows = [line.split() for line in run("explain", "count", "a b").stdout.splitlines()]
    assert ["-", "fast", "available", "0.0015", "USD", "0.5", "1", "over", "budget", "all"] in rows
