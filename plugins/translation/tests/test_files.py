"""Files: what is in them to translate, and what they look like afterwards."""

import json
from typing import Any

import polib
import pytest
from hypothesis import given
from hypothesis import strategies as st
from switchgear import InvalidInput
from switchgear_translation.files import read


def loud(content: str, name: str, target: str = "de") -> str:
    document = read(content.encode(), name)
    return document.translated({text: text.upper() for text in document.texts}, target)


def test_a_text_keeps_its_blank_lines_and_the_space_around_paragraphs() -> None:
    content = "\ufeffDear Ann,\r\nhello\r\n\r\n \r\n\tindented\n\n\n***\n\nend\n"
    assert read(content.encode(), "a.txt").texts == ("Dear Ann,\r\nhello", "indented", "end")
    assert loud(content, "a.txt") == "\ufeffDEAR ANN,\r\nHELLO\r\n\r\n \r\n\tINDENTED\n\n\n***\n\nEND\n"


def test_a_paragraph_that_comes_twice_is_one_text() -> None:
    assert read(b"yes\n\nno\n\nyes", "a.txt").texts == ("yes", "no")
    assert loud("yes\n\nno\n\nyes", "a.txt") == "YES\n\nNO\n\nYES"


@given(st.text(alphabet=st.sampled_from("ab \t\n\r1é\ufeff"), max_size=60))
def test_a_text_without_translations_stays_byte_for_byte(content: str) -> None:
    assert read(content.encode(), "a.txt").translated({}, "de") == content


def test_of_json_the_values_are_translated_and_the_rest_stays_byte_for_byte() -> None:
    content = """{"title" : "Hello",\n  "list": ["one", {"key\\"s": " two "}, 1.50, 1e2, null, true, "", "12"],
  "url": "a\\/b", "\\u0041": "th\\u00e9"}\n"""
    assert read(content.encode(), "a.json").texts == ("Hello", "one", "two", "a/b", "thé")
    assert loud(content, "a.json") == (
        """{"title" : "HELLO",\n  "list": ["ONE", {"key\\"s": " TWO "}, 1.50, 1e2, null, true, "", "12"],
  "url": "A/B", "\\u0041": "THÉ"}\n"""
    )


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_any_json_keeps_its_keys_and_everything_but_its_texts(value: Any, indent: Any, ascii: bool) -> None:
    content = json.dumps(value, indent=indent, ensure_ascii=ascii)
    document = read(content.encode(), "a.json")
    assert document.translated({}, "de") == content
    translated = json.loads(document.translated({text: f"<{text}>" for text in document.texts}, "de"))
    assert _without_marks(translated, value) == value


def _without_marks(value: Any, original: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_marks(item, original[key]) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_marks(item, other) for item, other in zip(value, original, strict=True)]
    if isinstance(value, str) and value != original:
        core = original.strip()
        assert value == original.replace(core, f"<{core}>", 1)
        return original
    return value


CATALOG = """# A comment
msgid ""
msgstr ""
"Language: \\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n<5 ? 1 : 2);\\n"

#: main.c:1
msgid "Open\\n"
msgstr ""

#, c-format
msgid "Close %s"
msgstr "schon da"

#, fuzzy
#| msgid "Old"
msgid "New"
msgstr "alt"

msgctxt "menu"
msgid "{n} file"
msgid_plural "{n} files"
msgstr[0] ""
msgstr[1] ""
msgstr[2] ""

#~ msgid "gone"
#~ msgstr "weg"
"""


def test_of_a_catalog_only_what_has_no_translation_is_translated() -> None:
    assert read(CATALOG.encode(), "a.po").texts == ("Open", "New", "{n} file", "{n} files")
    after = polib.pofile(loud(CATALOG, "a.po", "pt-BR"))
    entries = {entry.msgid: entry for entry in after}
    assert entries["Open\n"].msgstr == "OPEN\n"
    assert entries["Close %s"].msgstr == "schon da"
    assert (entries["New"].msgstr, entries["New"].fuzzy, entries["New"].previous_msgid) == ("NEW", False, None)
    assert entries["{n} file"].msgstr_plural == {0: "{N} FILE", 1: "{N} FILES", 2: "{N} FILES"}
    assert after.metadata["Language"] == "pt_BR"
    assert entries["Open\n"].occurrences == [("main.c", "1")]
    assert [entry.msgid for entry in after.obsolete_entries()] == ["gone"]


def test_a_catalog_entry_without_all_its_translations_stays_without() -> None:
    document = read(CATALOG.encode(), "a.po")
    after = polib.pofile(document.translated({"{n} file": "{n} Datei"}, "de"))
    assert all(not entry.translated() for entry in after if entry.msgid in ("{n} file", "Open\n"))


def test_a_language_with_one_plural_form_gets_the_plurals_translation() -> None:
    one = CATALOG.replace("nplurals=3; plural=(n==1 ? 0 : n<5 ? 1 : 2);", "nplurals=1; plural=0;")
    entry = next(entry for entry in polib.pofile(loud(one, "a.po")) if entry.msgid_plural)
    assert entry.msgstr_plural == {0: "{N} FILES"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.pdf", b"x", "they end in .txt, .json, .po"),
        ("a.txt", b"\xff", "not UTF-8"),
        ("a.json", b'{"a": }', "not JSON at line 1, column 7"),
        ("a.json", b"[" * 100_000, "nested too deeply"),
        ("a.po", b'msgid "x\nmsgstr', "no gettext catalog"),
    ],
)
def test_what_is_no_such_file_is_invalid_input(name: str, content: bytes, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        read(content, name)


def test_an_empty_file_has_nothing_to_translate() -> None:
    for name, content in [("a.txt", ""), ("a.json", "{}"), ("a.po", "")]:
        assert read(content.encode(), name).texts == ()
