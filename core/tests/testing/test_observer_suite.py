"""The conformance suite of observers: the ones here pass, planted faults are found."""

import threading
from io import StringIO
from pathlib import Path
from typing import Any

import attrs
import pytest
from switchgear.observers.log import CallLog
from switchgear.results import Call
from switchgear.testing import MemoryObserver, ObserverSuite


class TestMemoryObserver(ObserverSuite):
    def make(self) -> Any:
        return MemoryObserver()


class TestCallLog(ObserverSuite):
    def make(self) -> Any:
        return CallLog()


@attrs.define
class ToFile:
    path: Path

    def call_finished(self, call: Call) -> None:
        with self.path.open("a") as file:
            file.write(f"{call.id} {call.latency}\n")


class TestToFile(ObserverSuite):
    @pytest.fixture(autouse=True)
    def file(self, tmp_path: Path) -> None:
        self.path = tmp_path / "calls"

    def make(self) -> Any:
        return ToFile(self.path)

    def written(self) -> str:
        return self.path.read_text()


class Deaf:
    def close(self) -> None:
        pass


class WellMeant:
    def call_finished(self, call: Any, colour: Any) -> None:
        pass


class Changing:
    def call_finished(self, call: Any) -> None:
        call.tags = [*call.tags, "seen"]


class Presuming:
    def call_finished(self, call: Any) -> None:
        call.result.output  # noqa: B018


class Waiting:
    def call_finished(self, call: Any) -> None:
        threading.Event().wait(0.06)


class Stateful:
    def state_changed(self, change: Any) -> None:
        raise KeyError(change.new)


class ClosesOnce(Deaf):
    def __init__(self) -> None:
        self.file: Any = StringIO()

    def close(self) -> None:
        self.file.close()
        self.file = None


class Telling:
    def call_finished(self, call: Any) -> None:
        print(call.result)


@pytest.mark.parametrize(
    ("planted", "check", "error", "message"),
    [
        (WellMeant, "test_it_keeps_to_the_contract_of_observers", AssertionError, "colour"),
        (Deaf, "test_it_hears_something", AssertionError, "nobody ever calls it"),
        (Changing, "test_it_takes_every_kind_of_call_and_changes_none", AssertionError, "changed the call 'good'"),
        (Presuming, "test_it_takes_every_kind_of_call_and_changes_none", AttributeError, "output"),
        (Stateful, "test_it_takes_every_change_of_state", KeyError, "open"),
        (Waiting, "test_hearing_of_a_call_is_quick", AssertionError, "its caller waits for"),
        (ClosesOnce, "test_it_can_be_closed_unused_and_twice", AttributeError, "close"),
    ],
)
def test_a_planted_fault_is_found(planted: type[Any], check: str, error: type[Exception], message: str) -> None:
    class Suite(ObserverSuite):
        def make(self) -> Any:
            return planted()

    with pytest.raises(error, match=message):
        getattr(Suite(), check)()


def test_printed_content_is_found(capfd: pytest.CaptureFixture[str]) -> None:
    class Suite(ObserverSuite):
        def make(self) -> Any:
            return Telling()

    with pytest.raises(AssertionError, match="printed"):
        Suite().test_it_gives_no_content_away(capfd)


def test_written_content_is_found(capfd: pytest.CaptureFixture[str]) -> None:
    class Suite(ObserverSuite):
        def make(self) -> Any:
            self.observer = MemoryObserver()
            return self.observer

        def written(self) -> str:
            return " ".join(repr(call.result) for call in self.observer.calls)

    with pytest.raises(AssertionError, match="wrote"):
        Suite().test_it_gives_no_content_away(capfd)
