import pytest
from hypothesis import given
from hypothesis import strategies as st
from switchgear.config.dotenv import parse_dotenv


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("KEY=plain", "plain"),
        ("  export KEY = spaced  ", "spaced"),
        ("KEY=two words", "two words"),
        ("KEY=", ""),
        ("KEY= # nothing but a comment", ""),
        ("KEY=value # comment", "value"),
        ("KEY=a#b", "a#b"),
        ("KEY=a=b", "a=b"),
        ("KEY='single # quoted \\n'", "single # quoted \\n"),
        ('KEY="double \\"quoted\\"\\n"', 'double "quoted"\n'),
        ('KEY="c:\\\\new"  # comment', "c:\\new"),
        ("KEY=don't", "don't"),
        ("KEY=${NOT_EXPANDED}", "${NOT_EXPANDED}"),
        ("KEY=windows\r", "windows"),
    ],
)
def test_a_line_gives_its_key_this_value(line: str, value: str) -> None:
    assert parse_dotenv(line) == ({"KEY": value}, [])


def test_comments_and_empty_lines_are_skipped_and_the_last_assignment_wins() -> None:
    assert parse_dotenv("# KEY=no\n\n  # KEY=no\nKEY=1\nKEY=2\n") == ({"KEY": "2"}, [])


@pytest.mark.parametrize("line", ["sk-secret", "1KEY=x", "KEY='open", 'KEY="a" b', "my-key=x", "=x"])
def test_another_line_is_named_by_its_number(line: str) -> None:
    assert parse_dotenv(f"A=1\n{line}\nB=2") == ({"A": "1", "B": "2"}, [2])


@given(st.text(st.characters(exclude_characters="\r\n"), max_size=40))
def test_any_value_survives_double_quotes(value: str) -> None:
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    assert parse_dotenv(f'KEY="{quoted}"') == ({"KEY": value}, [])
