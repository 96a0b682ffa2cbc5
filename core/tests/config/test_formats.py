import subprocess
import sys

import pytest
from switchgear.config.formats import DEPTH_LIMIT, Unreadable, parse

WANTED = {"services": {"scans": {"capability": "ocr", "validate": ["a", "b"]}}}


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".toml", '[services.scans]\ncapability = "ocr"\nvalidate = ["a", "b"]\n'),
        (".json", '{"services": {"scans": {"capability": "ocr", "validate": ["a", "b"]}}}'),
        (".yaml", "services:\n  scans:\n    capability: ocr\n    validate: [a, b]\n"),
        (".yml", "services:\n  scans:\n    capability: ocr\n    validate:\n    - a\n    - b\n"),
    ],
)
def test_the_same_shape_comes_out_of_every_format(suffix: str, text: str) -> None:
    assert parse(text, suffix) == WANTED


@pytest.mark.parametrize("suffix", [".toml", ".yaml"])
def test_an_empty_file_is_an_empty_table(suffix: str) -> None:
    assert parse("", suffix) == {}


@pytest.mark.parametrize(
    ("suffix", "text"),
    [(".toml", "a = 1\nb = ]"), (".json", '{"a": 1,\n"b": ]}'), (".yaml", "a: 1\nb: ]")],
)
def test_a_syntax_error_is_placed(suffix: str, text: str) -> None:
    with pytest.raises(Unreadable, match=r"line 2, column \d+"):
        parse(text, suffix)


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".toml", "a = 1\na = 2"),
        (".toml", "[a]\n[a]"),
        (".json", '{"x": {"a": 1, "a": 2}}'),
        (".yaml", "x:\n  a: 1\n  a: 2"),
    ],
)
def test_a_key_that_appears_twice_is_an_error_in_every_format(suffix: str, text: str) -> None:
    with pytest.raises(Unreadable, match=r"twice|overwrite|declare"):
        parse(text, suffix)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[services.scans]\n[services.scans]", "Cannot declare services.scans twice (at line 2, column 16)"),
        ("[a]\n[a]", "Cannot declare a twice (at line 2, column 3)"),
        ("['a b'.c]\n['a b'.c]", "Cannot declare 'a b'.c twice (at line 2, column 9)"),
        ("a = {}\n[[a.b]]", "Cannot mutate immutable namespace a.b (at line 2, column 6)"),
    ],
)
def test_toml_names_tables_as_the_file_writes_them(text: str, message: str) -> None:
    with pytest.raises(Unreadable) as caught:
        parse(text, ".toml")
    assert str(caught.value) == f"not valid TOML: {message}"


def test_yaml_says_where_the_second_key_is() -> None:
    with pytest.raises(Unreadable, match="'a' appears twice in one table \\(at line 3, column 3\\)"):
        parse("x:\n  a: 1\n  a: 2", ".yaml")


def test_yaml_anchors_and_merges_work() -> None:
    assert parse("a: &a {x: 1}\nb:\n  <<: *a\n  x: 2", ".yaml") == {"a": {"x": 1}, "b": {"x": 2}}


def test_yaml_makes_no_python_objects() -> None:
    with pytest.raises(Unreadable, match="could not determine a constructor"):
        parse("a: !!python/object/apply:os.getcwd []", ".yaml")


@pytest.mark.parametrize("text", ["on: x", "1: x", "null: x", "a: {2020-01-01: x}"])
def test_yaml_keys_that_are_no_text_have_to_be_quoted(text: str) -> None:
    with pytest.raises(Unreadable, match="is not text: put it in quotes"):
        parse(text, ".yaml")


def test_a_yaml_bomb_is_refused_before_it_unfolds() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(Unreadable, match="more than"):
        parse("\n".join(lines), ".yaml")


def test_yaml_that_holds_itself_is_refused() -> None:
    with pytest.raises(Unreadable, match="deep"):
        parse("a: &a [*a]", ".yaml")


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".toml", "a = " + "[" * 5000 + "]" * 5000),
        (".toml", ".".join("a" * 5000) + " = 1"),
        (".json", '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}"),
        (".yaml", "a: " + "[" * 1500 + "]" * 1500),
        (".json", '{"a": ' * (DEPTH_LIMIT + 2) + "1" + "}" * (DEPTH_LIMIT + 2)),
    ],
)
def test_bottomless_nesting_is_refused(suffix: str, text: str) -> None:
    with pytest.raises(Unreadable, match=r"deep|nested"):
        parse(text, suffix)


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".json", '{"a": NaN}'),
        (".json", "[1]"),
        (".yaml", "- a"),
        (".toml", f"a = {'9' * 5000}"),
        (".json", f'{{"a": {"9" * 5000}}}'),
        (".yaml", f"a: {'9' * 5000}"),
        (".yaml", "a: 2020-13-45"),
        (".yaml", "a: \0"),
    ],
)
def test_what_is_no_configuration_is_refused(suffix: str, text: str) -> None:
    with pytest.raises(Unreadable):
        parse(text, suffix)


def test_without_pyyaml_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "switchgear.config.yaml_reader", None)
    with pytest.raises(Unreadable, match=r"pip install switchgear\[yaml\]"):
        parse("a: 1", ".yaml")


def test_configuration_does_not_import_yaml_before_it_meets_some() -> None:
    code = "import sys, switchgear.config; sys.exit('yaml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
