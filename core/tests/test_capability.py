"""What a kind of work brings along without being asked."""

from typing import Any

import attrs
import pytest
from switchgear import Capability, Effect, InvalidInput


@attrs.frozen
class Question:
    text: str


class Chat(Capability[Question, str]):
    name = "chat"
    request_type = Question
    output_type = str


CHAT = Chat()


def test_a_request_is_one_already() -> None:
    question = Question("why")
    assert CHAT.request(question) is question


@pytest.mark.parametrize(("value", "options"), [("why", {}), (None, {}), (Question("why"), {"tone": "dry"})])
def test_anything_else_and_any_option_make_none(value: Any, options: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match=f"^chat: cannot make a request from {type(value).__name__}$"):
        CHAT.request(value, **options)


def test_by_default_work_may_be_repeated_and_is_shown_as_text() -> None:
    assert CHAT.effect is Effect.PURE
    assert (CHAT.version, CHAT.validators, CHAT.suffixes, CHAT.formats) == ("1", {}, (), ("text",))
    assert CHAT.render("because") == CHAT.to_json("because") == "because"
    assert CHAT.annotate(Question("why"), "because") is None
