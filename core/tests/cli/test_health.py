"""`switchgear health`: checks from here and now, and no pretence of live state."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]
Configure = Callable[[str], Path]

TWO_SERVICES = """
[services.count]
capability = "words"
[services.count.providers.fast]
type = "counter"
[services.count.providers.sick]
type = "ill"

[services.doomed]
capability = "words"
[services.doomed.providers.sick]
type = "ill"
[services.doomed.providers.maybe]
type = "gone"
optional = true
"""

pytestmark = pytest.mark.usefixtures("words")


def test_shows_every_provider_and_that_it_is_another_process(run: Run, configure: Configure) -> None:
    configure(TWO_SERVICES)
    result = run("health", "count")
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["count", "fast", "available"] in rows
    assert ["count", "sick", "unavailable"] in rows
    assert result.exit_code == 0
    assert "checked from a process of its own" in result.stderr


def test_fails_where_a_service_has_nobody_left(run: Run, configure: Configure) -> None:
    configure(TWO_SERVICES)
    result = run("health", "--json")
    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert report["services"]["doomed"] == {"sick": "unavailable"}
    assert "services.doomed.providers.maybe: unknown words provider 'gone'" in report["left_out"][0]


def test_reports_what_was_left_out(run: Run, configure: Configure) -> None:
    configure(TWO_SERVICES)
    assert "left out, optional and broken: services.doomed.providers.maybe" in run("health").stdout


def test_an_unknown_service_is_a_usage_error(run: Run, service: None) -> None:
    assert run("health", "cuont").exit_code == 2
