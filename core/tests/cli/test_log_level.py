"""`--log-level`: the log of the library and of the plugins it has loaded."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]
Process = Callable[..., "subprocess.CompletedProcess[str]"]

LOGGING = """
from acme_words import Counter
from loguru import logger


class Talker(Counter):
    async def process(self, request):
        logger.info("the plugin speaks")
        return await super().process(request)
"""

CONFIG = """
%s
[services.count]
capability = "words"
[services.count.providers.talker]
type = "talker"
"""


@pytest.fixture(autouse=True)
def talker(words: None, install: Callable[..., None]) -> None:
    install("acme-talker", LOGGING, providers=["words.talker = acme_talker:Talker"])


def test_log_lines_of_library_and_plugins_go_to_standard_error(run: Run, configure: Callable[[str], Path]) -> None:
    configure(CONFIG % "")
    result = run("run", "count", "a b", "--log-level", "INFO")
    assert result.stdout == "2 words\n"
    speaks, answered = result.stderr.splitlines()
    assert speaks.endswith("INFO    the plugin speaks")
    assert "count: talker answered after 1 attempts in " in answered


def test_the_log_is_silent_otherwise(run: Run, configure: Callable[[str], Path]) -> None:
    configure(CONFIG % "")
    assert run("run", "count", "a").stderr == ""


def test_a_line_is_written_once(process: Process, configure: Callable[[str], Path]) -> None:
    configure(CONFIG % "[switchgear.logging]")
    assert process("run", "count", "a").stderr.count("the plugin speaks") == 1


def test_tags_and_tenant_are_in_the_calls_record(run: Run, configure: Callable[[str], Path]) -> None:
    configure(CONFIG % '[switchgear.logging]\nformat = "json"')
    result = run("run", "count", "a", "--tag", "nightly", "--tag", "eu", "--tenant", "acme")
    answered = json.loads(result.stderr.splitlines()[-1])
    assert (answered["tags"], answered["tenant"], answered["provider"]) == (["nightly", "eu"], "acme", "talker")


def test_the_level_wins_over_the_files_and_the_rest_of_the_table_stays(
    run: Run, configure: Callable[[str], Path]
) -> None:
    configure(CONFIG % '[switchgear.logging]\nlevel = "ERROR"\nfile = "own.log"')
    assert run("run", "count", "a", "--log-level", "info").stderr == ""
    assert "the plugin speaks" in Path("own.log").read_text()


def test_a_log_that_cannot_be_written_is_a_configuration_error(run: Run, configure: Callable[[str], Path]) -> None:
    configure(CONFIG % '[switchgear.logging]\nfile = "no/folder/own.log"')
    result = run("run", "count", "a")
    assert result.exit_code == 2
    assert "switchgear.logging.file: " in result.stderr
