"""The call log: who was asked, how it went and what it cost, and never what was asked."""

import json
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from loguru import logger
from switchgear import (
    AllProvidersFailed,
    Attempt,
    Call,
    Capability,
    InvalidResult,
    Outcome,
    ProviderError,
    ProviderResult,
    Secret,
    SimpleProvider,
    Switchgear,
    Unsupported,
)
from switchgear.observers.log import CallLog
from switchgear.testing import ObserverSuite

QUESTION = "planted-question"
ANSWER = "planted-answer"
KEY = "sk-planted-key"

OUTCOMES = {
    "answers": ANSWER,
    "fails": ProviderError("the vendor is down"),
    "unforeseen": ValueError(f"{QUESTION} {ANSWER} {KEY}"),
    "garbled": ProviderError("line one\nline two\x1b[31m"),
    "chatty": ProviderError("x" * 1000),
}


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """The library's log, switched on for a while."""
    lines: list[str] = []
    sink = logger.add(lines.append, level="DEBUG", format="{message} {extra}")
    logger.enable("switchgear")
    yield lines
    logger.disable("switchgear")
    logger.remove(sink)


class TestCallLog(ObserverSuite):
    lines: list[str]

    @pytest.fixture(autouse=True)
    def listen(self, heard: list[str]) -> None:
        self.lines = heard

    def make(self) -> Any:
        return CallLog()

    def written(self) -> str:
        return "".join(self.lines)


class Talk(Capability[str, str]):
    name = "talk"
    request_type = output_type = str

    @attrs.define
    class Refusing:
        def check(self, request: str, result: ProviderResult[str]) -> None:
            raise InvalidResult("not good enough", score=0.5)

    validators = {"refusing": Refusing}  # noqa: RUF012


@attrs.define
class Scripted(SimpleProvider[str, str]):
    key: Secret
    does: str = "answers"
    accepts: bool = True

    def validate_input(self, request: str) -> None:
        if not self.accepts:
            raise Unsupported("only short ones")

    async def process(self, request: str) -> ProviderResult[str]:
        outcome = OUTCOMES[self.does]
        if isinstance(outcome, Exception):
            raise outcome
        return ProviderResult(str(outcome), metadata={"about": QUESTION})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log"


def logged(path: Path, *providers: dict[str, Any], level: str = "INFO", format: str = "json", **service: Any) -> str:
    """What the log says of one call to these providers, in this order."""
    tables: dict[str, Any] = {
        "switchgear": {"logging": {"file": str(path), "level": level, "format": format}},
        "services": {
            "chat": {
                "capability": "talk",
                "retry": {"attempts": 1},
                "providers": {
                    f"p{number}": {
                        "type": "scripted",
                        "cost": table.pop("cost", None) or {"per_call": "0.5"},
                        "options": {"key": KEY, **table},
                    }
                    for number, table in enumerate(providers)
                },
                **service,
            }
        },
    }
    with (
        Switchgear.compose(
            tables, extra=[("capabilities", "talk", Talk), ("providers", "talk.scripted", Scripted)]
        ) as board,
        suppress(AllProvidersFailed),
    ):
        board.process_sync("chat", QUESTION, tenant="acme", tags=("nightly",))
    return path.read_text()


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_call_is_one_line_with_its_figures(path: Path) -> None:
    (record,) = records(logged(path, {}))
    assert record.pop("time")
    call_id = record["call_id"]
    latency = record.pop("latency")
    assert 0 <= latency < 60
    assert record == {
        "level": "INFO",
        "message": f"{call_id} chat: p0 answered after 1 attempts in {latency:.3f} s, cost 0.5",
        "call_id": call_id,
        "service": "chat",
        "tenant": "acme",
        "tags": ["nightly"],
        "attempts": 1,
        "ok": True,
        "provider": "p0",
        "cost": "0.5",
        "cache": "off",
    }


def test_a_failed_call_is_one_line_that_names_the_error_by_its_type(path: Path) -> None:
    *_, record = records(logged(path, {"does": "fails"}, {"does": "unforeseen"}))
    assert (record["ok"], record["attempts"]) == (False, 2)
    assert record["message"].endswith(f" s: {AllProvidersFailed.__name__}")


def test_a_cost_nobody_knows_is_unknown_and_not_0(path: Path) -> None:
    (record,) = records(logged(path, {"cost": {"per_page": "1"}}))
    assert record["cost"] is None
    assert record["message"].endswith("cost unknown")


def test_a_calls_cost_is_that_of_all_its_attempts(path: Path) -> None:
    (record,) = records(logged(path, {"does": "fails"}, {"cost": {"per_call": "0.25"}}, retry={"attempts": 2}))
    assert record["attempts"] == 3
    assert record["cost"] is None, "without accounts, nobody knows what a failure costs"
    (record,) = records(logged(path, {"accepts": False}, {"cost": {"per_call": "0.25"}}))[-1:]
    assert (record["cost"], record["message"][-9:]) == ("0.25", "cost 0.25")


def test_decisions_are_lines_of_their_own_for_whoever_wants_to_know_why(path: Path) -> None:
    found = records(logged(path, {"accepts": False}, {"does": "fails"}, {}, level="DEBUG"))
    passed_over, failed, answered, call = [record for record in found if "call_id" in record]
    assert {record["call_id"] for record in found if "call_id" in record} == {call["call_id"]}
    assert (passed_over["level"], passed_over["provider"]) == ("DEBUG", "p0")
    assert passed_over["message"].endswith("chat: p0 passed over: only short ones")
    assert (failed["level"], failed["provider"], failed["outcome"]) == ("DEBUG", "p1", "transient")
    assert failed["message"].endswith(" s the vendor is down")
    assert (answered["provider"], answered["outcome"]) == ("p2", "success")
    assert (call["level"], call["provider"], call["ok"]) == ("INFO", "p2", True)


@pytest.mark.parametrize("format", ["json", "text"])
@pytest.mark.parametrize("does", OUTCOMES)
@pytest.mark.parametrize("service", [{}, {"validate": ["refusing"]}, {"validate": ["refusing"], "on_refused": "best"}])
def test_s30_content_and_keys_are_in_no_line_whatever_happens(path: Path, format: str, does: str, service: Any) -> None:
    text = logged(path, {"does": does}, {"accepts": False}, level="DEBUG", format=format, **service)
    assert "p0" in text
    for planted in (QUESTION, ANSWER, KEY):
        assert planted not in text


def test_what_a_vendor_says_is_one_short_line(path: Path) -> None:
    lines = logged(path, {"does": "garbled"}, {"does": "chatty"}, level="DEBUG", format="text").splitlines()
    assert all("chat" in line or "DEBUG" in line for line in lines)
    assert [line for line in lines if "line one line two [31m" in line]
    assert "\x1b" not in "".join(lines)
    assert max(map(len, lines)) < 500


def test_litellm_2026_03_a_key_that_a_plugin_puts_into_its_message_is_redacted(path: Path) -> None:
    OUTCOMES["leaks"] = ProviderError(f"401 with Authorization: Bearer {KEY}")
    try:
        text = logged(path, {"does": "leaks"}, level="DEBUG")
    finally:
        del OUTCOMES["leaks"]
    assert "Authorization: Bearer **********" in text
    assert KEY not in text


def test_a_board_that_does_not_ask_for_a_log_writes_none(capfd: pytest.CaptureFixture[str]) -> None:
    CallLog().call_finished(Call("1", "chat", error=ProviderError("down")))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "call",
    [
        Call("1", "chat"),
        Call("1", "chat", error=KeyboardInterrupt()),
        Call("1", "chat", result=ProviderResult("x", cost=Decimal("1E+3"))),
        Call("1", "{chat}", dropped={"{p}": "{reason}"}, attempts=[Attempt("1", "{p}", 1, Outcome.TRANSIENT)]),
    ],
)
def test_any_call_can_be_written_also_one_with_braces(call: Call, heard: list[str]) -> None:
    CallLog().call_finished(call)
    assert len(heard) == 1 + len(call.dropped) + len(call.attempts)
    assert all(line.startswith(f"1 {call.service}: ") for line in heard)


def test_a_plugins_defect_is_an_error_though_another_one_answers(path: Path) -> None:
    first, second = records(logged(path, {"does": "unforeseen"}, {}))
    assert (first["level"], second["ok"]) == ("ERROR", True)
    assert "p0: unexpected" in first["message"]
    assert first["message"].endswith(", a defect of its plugin")


def test_a_circuit_that_opens_is_a_warning(path: Path) -> None:
    breaker = {"consecutive": 1}
    first, _ = records(logged(path, {"does": "fails"}, {}, breaker=breaker))
    assert first["level"] == "WARNING"
    assert first["message"] == "chat p0: circuit open, was closed"
    assert (first["service"], first["provider"], first["circuit"]) == ("chat", "p0", "open")
