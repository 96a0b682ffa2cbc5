"""The library's log: silent at first, then in the form that was asked for, and never with a secret in it."""

import gc
import io
import json
import logging as stdlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest
from loguru import logger as loguru_logger
from switchgear import (
    Capability,
    ConfigError,
    ProviderError,
    ProviderResult,
    Secret,
    SimpleProvider,
    Switchgear,
)
from switchgear.config import Logging
from switchgear.logs import configure, report_defect

SECRET = "sk-planted-4711"
OURS = loguru_logger.patch(lambda record: record.update(name="switchgear.somewhere"))


@pytest.fixture(autouse=True)
def no_sinks() -> Iterator[None]:
    """Only sinks of the test, and the library as silent as an application finds it."""
    loguru_logger.remove()
    yield
    loguru_logger.remove()
    loguru_logger.disable("switchgear")


@pytest.fixture
def heard() -> list[str]:
    """What a sink of the application hears."""
    lines: list[str] = []
    loguru_logger.add(lambda message: lines.append(message.record["message"]), level=0)
    return lines


def written(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


class Echo(Capability[str, str]):
    name = "echo"
    request_type = output_type = str


@attrs.define
class Parrot(SimpleProvider[str, str]):
    key: Secret | None = None
    fails: bool = False

    async def aopen(self) -> None:
        if self.fails:
            raise ProviderError("does not open")

    async def process(self, request: str) -> ProviderResult[str]:
        if self.key is not None:
            raise ProviderError(f"bad key {self.key.reveal()}")
        return ProviderResult(request)


def board(provider: dict[str, Any], logging: dict[str, Any] | None = None, **more: Any) -> Switchgear:
    general = {} if logging is None else {"logging": logging}
    service = {"capability": "echo", "retry": {"attempts": 1}, "providers": {"parrot": {"type": "parrot", **provider}}}
    extra = [("capabilities", "echo", Echo), ("providers", "echo.parrot", Parrot)]
    return Switchgear.compose({"switchgear": general, "services": {"say": service}, **more}, extra=extra)


def test_the_library_is_silent_until_it_is_switched_on(heard: list[str]) -> None:
    report_defect("nobody asked", ValueError())
    with board({}) as opened:
        opened.process_sync("say", "hello")
    assert heard == []


def test_it_is_on_from_opening_to_closing_also_without_with(tmp_path: Path) -> None:
    opened = board({}, {"file": str(tmp_path / "log"), "format": "json"}, plugins={"disable": ["swichgear"]})
    opened.process_sync("say", "hello")
    opened.close()
    report_defect("later", ValueError())
    first, *others = [line["message"] for line in written(tmp_path / "log")]
    assert first == "plugins.disable[0]: no plugin 'swichgear' is installed. Did you mean switchgear?"
    assert "say: parrot answered after 1 attempts" in others[0]
    assert "later" not in "".join(others)


def test_a_board_that_nobody_closed_leaves_no_log_behind(tmp_path: Path) -> None:
    opened = board({}, {"file": str(tmp_path / "log")})
    opened.process_sync("say", "hello")
    opened["say"].close()  # or its thread would keep it
    home = opened._home
    del opened
    gc.collect()
    OURS.error("later")
    assert "later" not in (tmp_path / "log").read_text()
    home.close()


def test_text_goes_to_standard_error_as_it_is_then(monkeypatch: pytest.MonkeyPatch) -> None:
    log = configure(Logging())
    stderr = io.StringIO()
    monkeypatch.setattr("sys.stderr", stderr)
    OURS.info("here {}", "now")
    log.close()
    assert stderr.getvalue().endswith("INFO    here now\n")


def test_json_is_an_object_a_line_with_utc_time_and_fields(tmp_path: Path) -> None:
    log = configure(Logging(format="json", file="log.jsonl"), folder=tmp_path)
    OURS.bind(call_id="c1", path=Path("a"), tags=["x"]).warning("two\nlines")
    log.close()
    [line] = written(tmp_path / "log.jsonl")
    moment = datetime.fromisoformat(line.pop("time"))
    assert moment.tzinfo == UTC
    assert line == {"level": "WARNING", "message": "two\nlines", "call_id": "c1", "path": "a", "tags": ["x"]}


def test_stdlib_gets_records_with_level_message_and_fields(caplog: pytest.LogCaptureFixture) -> None:
    log = configure(Logging(format="stdlib", level="DEBUG"), secrets=[SECRET])
    with caplog.at_level(stdlib.DEBUG, "switchgear"):
        OURS.bind(name="clashes", key=SECRET).debug("100 % of {}", SECRET)
    log.close()
    [record] = caplog.records
    assert (record.name, record.levelname) == ("switchgear", "DEBUG")
    assert record.getMessage() == "100 % of **********"
    assert record.switchgear == {"name": "clashes", "key": "**********"}  # type: ignore[attr-defined]


def test_what_is_less_severe_than_the_level_is_left_out(tmp_path: Path) -> None:
    log = configure(Logging(format="json", level="ERROR", file=str(tmp_path / "log")))
    OURS.warning("no")
    OURS.error("yes")
    log.close()
    assert [line["message"] for line in written(tmp_path / "log")] == ["yes"]


def test_records_of_other_packages_are_not_ours_to_write(tmp_path: Path, heard: list[str]) -> None:
    log = configure(Logging(format="json", file=str(tmp_path / "log")), packages=["switchgear"])
    loguru_logger.info("the application's")
    loguru_logger.patch(lambda record: record.update(name="switchgear_other")).info("of a plugin not loaded")
    OURS.info("the library's")
    log.close()
    assert [line["message"] for line in written(tmp_path / "log")] == ["the library's"]


@pytest.mark.parametrize("format", ["text", "json"])
@pytest.mark.parametrize("secret", [SECRET, Secret(SECRET)])
def test_secrets_are_redacted_wherever_they_stand(format: Any, secret: str | Secret, tmp_path: Path) -> None:
    log = configure(Logging(format=format, file=str(tmp_path / "log")), secrets=[secret, ""])
    try:
        raise ValueError(f"in a {SECRET} traceback")
    except ValueError:
        OURS.bind(deep={"list": [f"<{SECRET}>"]}, other=Path(SECRET)).exception("key {}", SECRET)
    log.close()
    text = (tmp_path / "log").read_text()
    assert SECRET not in text
    assert "key **********" in text


def test_of_two_secrets_the_longer_goes_first(tmp_path: Path) -> None:
    log = configure(Logging(file=str(tmp_path / "log")), secrets=["abcd", "abcdefgh"])
    OURS.info("abcdefgh")
    log.close()
    assert (tmp_path / "log").read_text().endswith(" **********\n")


def test_tracebacks_show_no_values_of_variables(tmp_path: Path) -> None:
    log = configure(Logging(file=str(tmp_path / "log")))
    content = "a private text"
    try:
        len(content) / 0
    except ZeroDivisionError:
        OURS.exception("failed")
    log.close()
    assert "ZeroDivisionError" in (tmp_path / "log").read_text()
    assert content not in (tmp_path / "log").read_text()


def test_closing_takes_only_our_sink_away_and_silences_again(tmp_path: Path, heard: list[str]) -> None:
    log = configure(Logging(file=str(tmp_path / "log")))
    log.close()
    log.close()
    with board({}) as opened:
        opened.process_sync("say", "hello")
    assert heard == []
    loguru_logger.info("still here")
    assert heard == ["still here"]


def test_a_sink_that_the_application_removed_is_closed_all_the_same(tmp_path: Path) -> None:
    log = configure(Logging(file=str(tmp_path / "log")))
    loguru_logger.remove()
    log.close()


def test_a_file_that_cannot_be_opened_is_a_problem_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"switchgear\.logging\.file: .*cannot be opened: Is a directory"):
        configure(Logging(file=str(tmp_path)))


def test_a_board_logs_its_calls_while_it_is_open(tmp_path: Path) -> None:
    file = tmp_path / "log"
    with board({}, {"format": "json", "level": "DEBUG", "file": str(file)}) as opened:
        result = opened.process_sync("say", "hello")
    [finished] = [line for line in written(file) if line["level"] == "INFO"]
    assert (finished["call_id"], finished["provider"], finished["ok"]) == (result.call_id, "parrot", True)
    assert "hello" not in file.read_text()


def test_a_board_that_closes_does_not_silence_another(tmp_path: Path) -> None:
    boards = [board({}, {"format": "json", "file": str(tmp_path / name)}) for name in "ab"]
    with boards[0]:
        with boards[1]:
            pass
        boards[0].process_sync("say", "hello")
    assert len(written(tmp_path / "a")) == 1


def test_a_board_that_does_not_open_leaves_no_sink(tmp_path: Path, heard: list[str]) -> None:
    opened = board({"warm": True, "options": {"fails": True}}, {"file": str(tmp_path / "log")})
    with pytest.raises(ProviderError, match="does not open"), opened:
        pass
    OURS.info("who hears this?")
    assert heard == ["who hears this?"]
    assert (tmp_path / "log").read_text() == ""


def test_secrets_of_files_and_options_stay_out_of_a_boards_log(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(SECRET)
    file = tmp_path / "log"
    key = {"options": {"key": f"${{file:{tmp_path / 'key'}}}"}}
    for options in (key, {"options": {"key": SECRET}}):
        with (
            board(options, {"format": "json", "level": "DEBUG", "file": str(file)}) as opened,
            pytest.raises(Exception, match="no provider answered"),
        ):
            opened.process_sync("say", "hello")
    assert "bad key **********" in file.read_text()
    assert SECRET not in file.read_text()
