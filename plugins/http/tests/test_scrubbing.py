"""What vendors say, made safe."""

import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from switchgear_http import scrub
from switchgear_http.scrubbing import LIMIT, WITHHELD

TEXT = "Aunt Agatha's recipe is in the blue drawer"


def test_words_that_say_nothing_of_the_request_stay() -> None:
    assert scrub("Value for 'target_lang' not supported.", ["key"], {"text": [TEXT]}) == (
        "Value for 'target_lang' not supported."
    )


def test_secrets_are_starred_and_an_empty_one_hides_nothing() -> None:
    assert scrub("key a1b2c3 is no key", ["a1b2c3", ""]) == "key *** is no key"


def test_a_text_that_is_quoted_withholds_the_message() -> None:
    for quoted in (TEXT, TEXT.upper(), TEXT[5:25], f"  {TEXT[:20]}\n{TEXT[20:]}", TEXT.replace(" ", "  ")):
        assert scrub(f"cannot read {quoted!s} now", [], {"text": [TEXT], "to": "de"}) == WITHHELD


@pytest.mark.parametrize("spell", [json.dumps, html.escape, quote, quote_plus])
def test_a_text_that_is_quoted_in_anothers_spelling_withholds_the_message(spell: Callable[[str], str]) -> None:
    text = "Größe & Gewicht: 你好，世界，这是一个句子"
    assert scrub(f"cannot read {spell(text)} now", [], [text]) == WITHHELD


def test_a_secret_at_the_cut_is_hidden_as_well() -> None:
    secret = "s" * 40
    for before in range(LIMIT - 45, LIMIT + 5):
        assert "ssss" not in scrub("x" * before + secret + "y" * LIMIT, [secret])


def test_a_short_text_that_is_quoted_whole_withholds_the_message() -> None:
    assert scrub("cannot read Hello now", [], ["Hello"]) == WITHHELD


def test_a_word_as_short_as_a_code_does_not() -> None:
    assert scrub("xx is not supported", [], {"target": "xx"}) == "xx is not supported"


def test_a_message_is_one_line_of_a_bounded_length() -> None:
    assert scrub("a\r\nb\x1b[31m\u2028c", []) == "a b [31m c"
    assert len(scrub("word " * 10_000, [])) <= LIMIT


@given(text=st.text(min_size=16), before=st.text(max_size=50), after=st.text(max_size=50))
def test_no_text_of_some_length_ever_gets_through(text: str, before: str, after: str) -> None:
    shown = scrub(before + text + after, [], [text])
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    assert len(plain) < 16 or plain not in shown


@given(secret=st.text(alphabet="abcdef0123456789", min_size=8), before=st.text(), after=st.text())
def test_no_secret_ever_gets_through(secret: str, before: str, after: str) -> None:
    assert secret not in scrub(f"{before}{secret}{after}", [secret])
