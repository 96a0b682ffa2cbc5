"""Folders, patterns and everything else that may stand as INPUT."""

from pathlib import Path

import click
import pytest
from switchgear.cli.inputs import expand

SUFFIXES = (".txt", ".md")


@pytest.fixture(autouse=True)
def files() -> None:
    for name in ("b.txt", "a.TXT", "deep/c.md", "deep/er/d.txt", "picture.png", "deep/.hidden.txt"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


def names(*arguments: str) -> list[str]:
    return [each.name for each in expand(arguments, "words", SUFFIXES)]


def test_a_folder_is_its_files_with_the_right_suffixes_sorted() -> None:
    assert names(".") == ["./a.TXT", "./b.txt", "./deep/.hidden.txt", "./deep/c.md", "./deep/er/d.txt"]


def test_a_pattern_is_the_files_it_matches() -> None:
    assert names("*.txt") == ["b.txt"]
    assert names("**/*.md", "p*") == ["deep/c.md", "picture.png"]


def test_a_pattern_that_reaches_folders_and_files_means_each_file_once() -> None:
    assert names("deep/**") == ["deep/c.md", "deep/er/d.txt"]


def test_a_pattern_that_matches_a_folder_is_the_files_below() -> None:
    assert names("d??p") == ["deep/.hidden.txt", "deep/c.md", "deep/er/d.txt"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file() -> None:
    Path("[1].txt").touch()
    Path("1.txt").touch()
    assert names("[1].txt") == ["[1].txt"]


@pytest.mark.parametrize("text", ["Who was it?", "missing.txt", "x" * 5000, "a\0b", "", "[", "**"])
def test_what_is_neither_stays_as_it_is(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nothing").mkdir()
    monkeypatch.chdir(tmp_path / "nothing")
    assert names(text) == [text]


def test_inputs_may_repeat_and_keep_their_order() -> None:
    assert names("b.txt", "x", "b.txt") == ["b.txt", "x", "b.txt"]


@pytest.mark.parametrize(
    ("suffixes", "message"),
    [(SUFFIXES, r"empty has no file that words reads; it reads \.txt, \.md"), ((), "does not read files from folders")],
)
def test_a_folder_with_nothing_to_read_is_an_error(suffixes: tuple[str, ...], message: str) -> None:
    Path("empty").mkdir()
    with pytest.raises(click.UsageError, match=message):
        expand(["empty"], "words", suffixes)


@pytest.mark.parametrize("suffixes", [SUFFIXES, ()])
def test_a_folder_with_nothing_to_read_among_others_is_an_input_with_an_error(suffixes: tuple[str, ...]) -> None:
    Path("empty").mkdir()
    first, empty, last = expand(["a", "empt?", "b"], "words", suffixes)
    assert first.error is last.error is None
    assert (empty.name, empty.value) == ("empt?", None)
    assert str(empty.error).startswith("empty ")
