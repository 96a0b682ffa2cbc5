"""A value that never shows itself."""

import copy
import json
import logging
import pickle
import traceback

import attrs
import cattrs
import pytest
from switchgear import Secret

TEXT = "sk-hunter2"


@attrs.frozen
class Account:
    name: str
    key: Secret


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        "{}".format,
        "{:>20}".format,
        "{!r}".format,
        lambda secret: f"{secret}",
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031
        lambda secret: str([secret]) + str({"key": secret}),
        lambda secret: repr(Account("mine", secret)),
        lambda secret: str(attrs.asdict(Account("mine", secret))),
        lambda secret: str(cattrs.unstructure(Account("mine", secret))),
        lambda secret: json.dumps({"key": secret}, default=str),
        lambda secret: "".join(traceback.format_exception(ValueError(secret))),
    ],
)
def test_no_way_of_showing_it_shows_it(show: object) -> None:
    assert callable(show)
    shown = show(Secret(TEXT))
    assert TEXT not in shown
    assert "**********" in shown


def test_a_log_line_shows_asterisks(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("app").warning("key %s", Secret(TEXT))
    assert caplog.messages == ["key **********"]


def test_only_reveal_gives_it_away() -> None:
    assert Secret(TEXT).reveal() == TEXT


def test_equal_texts_are_equal_secrets_and_no_text_is() -> None:
    assert Secret(TEXT) == Secret(TEXT) != Secret("other")
    assert len({Secret(TEXT), Secret(TEXT)}) == 1
    assert Secret(TEXT) != TEXT


def test_an_empty_one_is_false() -> None:
    assert not Secret("")
    assert Secret(" ")


def test_it_can_be_copied_and_sent_to_another_process() -> None:
    assert copy.deepcopy(Secret(TEXT)) == pickle.loads(pickle.dumps(Secret(TEXT))) == Secret(TEXT)


def test_it_has_no_order() -> None:
    with pytest.raises(TypeError):
        _ = Secret("a") < Secret("b")  # type: ignore[operator]
