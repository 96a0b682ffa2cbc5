"""Language tags: their spelling, and the nearest one that is offered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from switchgear import InvalidInput
from switchgear_translation import lookup, primary, three_letters
from switchgear_translation.languages import language


@pytest.mark.parametrize(
    ("written", "usual"),
    [
        ("de", "de"),
        ("DE", "de"),
        ("pt_br", "pt-BR"),
        ("POR-br", "pt-BR"),
        ("zh-hANT-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("ca-VALENCIA", "ca-valencia"),
        ("tlh", "tlh"),
        (" en ", "en"),
        ("en-x-old", "en-x-old"),
    ],
)
def test_a_tag_is_brought_into_its_usual_spelling(written: str, usual: str) -> None:
    assert language(written) == usual
    assert language(usual) == usual


@pytest.mark.parametrize("text", ["", "e", "english", "de-", "de--AT", "d3", "de AT", "eng|spa", "дe"])
def test_what_is_no_tag_is_invalid_input_with_examples(text: str) -> None:
    with pytest.raises(InvalidInput, match="write for example de, pt-BR"):
        language(text)


@given(st.text(max_size=12))
def test_any_text_is_a_tag_or_invalid_input(text: str) -> None:
    try:
        tag = language(text)
    except InvalidInput:
        return
    assert language(tag) == tag


def test_the_nearest_more_general_tag_serves() -> None:
    offered = {"pt": "PT", "pt-BR": "BR", "zh-Hans": "ZH"}
    assert lookup("pt-BR", offered) == "BR"
    assert lookup("pt-AO", offered) == "PT"
    assert lookup("zh-Hans-CN", offered) == "ZH"
    assert lookup("zh", offered) is None


def test_a_language_has_a_code_of_two_and_of_three_letters() -> None:
    assert primary("pt-BR") == "pt"
    assert three_letters("pt-BR") == "por"
    assert three_letters("tlh") == "tlh"
