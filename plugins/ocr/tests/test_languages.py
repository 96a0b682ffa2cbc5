"""Languages by ISO code."""

import pytest
from switchgear import InvalidInput
from switchgear_ocr.languages import languages


@pytest.mark.parametrize("value", ["eng,deu", "en+de", ("en", "deu"), ["EN", " de "], "eng,deu,en"])
def test_two_letters_three_letters_and_lists_mean_the_same(value: str | tuple[str, ...] | list[str]) -> None:
    assert languages(value) == ("eng", "deu")


@pytest.mark.parametrize("value", ["english", "e", "xx", "../etc", "12", "en\x00"])
def test_what_is_no_code_is_invalid_and_shows_the_form(value: str) -> None:
    with pytest.raises(InvalidInput, match="not an ISO 639-3 code") as caught:
        languages(value)
    assert caught.value.remedy == "Write for example eng, deu or jpn"


def test_nothing_leaves_it_to_the_provider() -> None:
    assert languages(None) == languages("") == ()
