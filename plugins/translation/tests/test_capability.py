"""The capability `translation` as the core and the command line use it."""

from decimal import Decimal
from pathlib import Path

import pytest
from switchgear import InvalidInput, ProviderError
from switchgear_translation import TRANSLATION, TranslationOutput, TranslationRequest, answer, characters, usage


def test_a_text_is_one_item_and_a_list_one_for_each() -> None:
    assert TRANSLATION.request("Hello", target="de").texts == ("Hello",)
    assert TRANSLATION.request(["Hello", "Bye"], target="de").texts == ("Hello", "Bye")
    assert TRANSLATION.request(b"Hello\n\nBye\n", target="de").texts == ("Hello", "Bye")


def test_the_paragraphs_of_a_text_file_are_items(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_bytes("\ufeffDear Ann,\r\nhow are you?\r\n\r\n\r\nYours\r\n".encode())
    assert TRANSLATION.request(path, target="de").texts == ("Dear Ann,\nhow are you?", "Yours")
    assert TRANSLATION.request(str(path), target="de").texts == ("Dear Ann,\nhow are you?", "Yours")


def test_a_sentence_that_names_a_file_is_a_text() -> None:
    assert TRANSLATION.request("Please open readme.txt", target="de").texts == ("Please open readme.txt",)


def test_a_missing_file_is_invalid_input_and_not_a_text_to_translate() -> None:
    with pytest.raises(InvalidInput, match=r"nowhere\.txt: cannot be read"):
        TRANSLATION.request("nowhere.txt", target="de")


def test_bytes_in_another_encoding_are_invalid_input() -> None:
    with pytest.raises(InvalidInput, match="UTF-8"):
        TRANSLATION.request("Grüße".encode("latin-1"), target="de")


def test_a_request_is_taken_as_it_is() -> None:
    request = TranslationRequest("Hello", target="de")
    assert TRANSLATION.request(request) is request


def test_an_unknown_option_is_told_with_those_there_are() -> None:
    with pytest.raises(InvalidInput, match="unknown option 'to'; there are target, source"):
        TRANSLATION.request("Hello", to="de")


def test_without_a_target_the_message_says_which_option_to_give() -> None:
    with pytest.raises(InvalidInput, match="target=de"):
        TRANSLATION.request("Hello")


def test_tags_come_in_any_spelling() -> None:
    request = TranslationRequest("Hello", source="EN_us", target="zh-hans-cn")
    assert (request.source, request.target) == ("en-US", "zh-Hans-CN")
    assert TranslationRequest("Hello", source="auto", target="deu").target == "de"
    assert TranslationRequest("Hello", source="auto", target="de").source is None


@pytest.mark.parametrize("options", [{"target": "german"}, {"target": ""}, {"target": "de", "formality": "polite"}])
def test_what_is_no_language_or_choice_is_invalid_input(options: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        TranslationRequest("Hello", **options)


@pytest.mark.parametrize("texts", [[], [b"bytes"], [None], ["\ud800"]])
def test_what_is_no_text_is_invalid_input(texts: list[object]) -> None:
    with pytest.raises(InvalidInput):
        TranslationRequest(texts, target="de")


OTHERS = [
    {"texts": ["Hell", "oBye"]},
    {"texts": ["Bye", "Hello"]},
    {"target": "fr"},
    {"source": "en"},
    {"formality": "more"},
    {"format": "html"},
    {"glossary": "g"},
    {"context": "c"},
    {"per_item": True},
]


@pytest.mark.parametrize("other", OTHERS, ids=str)
def test_whatever_changes_the_answer_changes_the_fingerprint(other: dict[str, object]) -> None:
    asked = {"texts": ["Hello", "Bye"], "target": "de"}
    one, two = TranslationRequest(**asked), TranslationRequest(**{**asked, **other})
    assert TRANSLATION.fingerprint(one) != TRANSLATION.fingerprint(two)


def test_the_fingerprint_is_of_the_content_and_the_same_in_every_process(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("Hello\n\nBye", "utf-8")
    prints = {TRANSLATION.fingerprint(TRANSLATION.request(value, target="DE")) for value in (path, ["Hello", "Bye"])}
    assert {each.hex() for each in prints if each} == {GOLDEN}


GOLDEN = "0697acb806aa70822bd00ca4481252a3460038554bf180085891efec8125dab4"


def test_characters_are_code_points() -> None:
    request = TranslationRequest(["Grüße", "👩‍🚀", " "], target="en")
    assert characters(request) == 5 + 3 + 1
    assert usage(request) == {"characters": Decimal(9)}


def test_an_answer_that_lacks_items_is_marked_and_uses_what_was_translated() -> None:
    request = TranslationRequest(["one", "three"], target="de")
    result = answer(request, ["eins", None])
    assert result.metadata == {"partial": True}
    assert result.usage == {"characters": Decimal(3)}
    assert result.output.missing == (1,)
    assert answer(request, ["eins", "drei"], billed=10).usage == {"characters": Decimal(10)}
    assert answer(request, ["eins", "drei"]).metadata == {}


@pytest.mark.parametrize("texts", [["eins"], ["eins", "zwei", "drei"], [None, None]])
def test_an_answer_that_fits_no_item_is_the_providers_error(texts: list[str | None]) -> None:
    with pytest.raises(ProviderError):
        answer(TranslationRequest(["one", "two"], target="de"), texts)


def test_an_output_has_a_language_for_each_text() -> None:
    assert TranslationOutput(("a", None)).detected == (None, None)
    with pytest.raises(ValueError, match="1 detected languages for 2 texts"):
        TranslationOutput(("a", "b"), ("en",))


def test_text_and_json_are_rendered() -> None:
    output = TranslationOutput(("Grüße", None), ("en", None), 5)
    assert TRANSLATION.render(output) == "Grüße\n\n"
    assert '"Grüße"' in TRANSLATION.render(output, "json")
    assert TRANSLATION.to_json(output)["texts"] == ["Grüße", None]
    with pytest.raises(InvalidInput, match="there are text, json"):
        TRANSLATION.render(output, "pdf")


def test_texts_are_in_no_repr() -> None:
    request = TranslationRequest("planted", target="de", context="planted")
    assert "planted" not in repr(request) + repr(answer(request, ["planted"]))
