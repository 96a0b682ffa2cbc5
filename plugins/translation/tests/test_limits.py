"""How requests are held against limits, and split to fit them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from switchgear import Unsupported
from switchgear_translation import Limits, TranslationRequest, limits_of

BOUND = st.none() | st.integers(1, 12)
TEXTS = st.lists(st.text(max_size=6), max_size=12)


@given(TEXTS, st.builds(Limits, texts=BOUND, characters=BOUND, bytes=BOUND))
def test_split_texts_fit_and_keep_their_order(texts: list[str], limits: Limits) -> None:
    runs = list(limits.split(texts))
    assert [place for run in runs for place in run] == list(range(len(texts)))
    for run in runs:
        if len(run) > 1:
            limits.check(TranslationRequest([texts[place] for place in run], target="de"))


@given(TEXTS, st.builds(Limits, texts=BOUND, characters=BOUND, bytes=BOUND))
def test_no_run_could_have_taken_the_next_text(texts: list[str], limits: Limits) -> None:
    for run, following in pairwise(limits.split(texts)):
        more = [texts[place] for place in (*run, following[0])]
        with pytest.raises(Unsupported):
            limits.check(TranslationRequest(more, target="de"))


def test_bytes_are_those_of_utf_8() -> None:
    limits = Limits(bytes=4)
    limits.check(TranslationRequest("éé", target="de"))
    with pytest.raises(Unsupported, match="6 bytes, more than 4") as caught:
        limits.check(TranslationRequest("ééé", target="de"))
    assert "splits it" in str(caught.value.remedy)


def test_a_provider_without_a_word_about_limits_has_none() -> None:
    assert limits_of(object()) == Limits()
