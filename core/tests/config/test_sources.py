import os
from pathlib import Path

import pytest
from switchgear.config import load, read
from switchgear.config.sources import FILE_LIMIT, find_file
from switchgear.errors import ConfigError

TOML = '[services.scans]\ncapability = "ocr"\nproviders.fast.type = "tesseract"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "switchgear.toml"
    path.write_text(TOML)
    return path


def refusal(path: Path | str | None, **options: object) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path, **{"environ": {}, **options})  # type: ignore[arg-type]
    return str(caught.value)


class TestFinding:
    def test_the_nearest_file_upwards_is_found(self, file: Path) -> None:
        inner = file.parent / "a" / "b"
        inner.mkdir(parents=True)
        assert find_file(None, {}, start=inner) == file

    def test_the_search_starts_in_the_working_directory(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(file.parent)
        assert load(environ={}).document.path == file

    def test_a_folder_of_that_name_is_passed_over(self, file: Path) -> None:
        inner = file.parent / "inner"
        (inner / "switchgear.toml").mkdir(parents=True)
        assert find_file(None, {}, start=inner) == file

    def test_the_variable_wins_over_the_search_and_the_argument_over_the_variable(self, file: Path) -> None:
        other = file.with_name("other.toml")
        other.write_text(TOML)
        assert find_file(None, {"SWITCHGEAR_CONFIG": str(other)}, start=file.parent) == other
        assert find_file(file, {"SWITCHGEAR_CONFIG": str(other)}) == file

    def test_no_file_at_all_says_how_to_get_one(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        remedy = "Write one with `switchgear init`, or name another with --config or in SWITCHGEAR_CONFIG"
        assert refusal(None).endswith(remedy)

    def test_a_variable_that_names_no_file_is_to_blame(self, tmp_path: Path) -> None:
        gone = tmp_path / "gone.toml"
        found = refusal(None, environ={"SWITCHGEAR_CONFIG": str(gone)})
        assert found == f"SWITCHGEAR_CONFIG: there is no file {gone}. Correct or unset it"


class TestReading:
    def test_a_file_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        assert refusal(tmp_path / "gone.toml") == f"{tmp_path / 'gone.toml'}: cannot be read: No such file or directory"

    def test_a_folder_is_not_a_file(self, tmp_path: Path) -> None:
        folder = tmp_path / "x.toml"
        folder.mkdir()
        assert refusal(folder) == f"{folder}: not a file"

    def test_a_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        pipe = tmp_path / "x.toml"
        os.mkfifo(pipe)
        assert refusal(pipe) == f"{pipe}: not a file"

    def test_a_file_without_end_is_not_read_to_its_end(self, tmp_path: Path) -> None:
        big = tmp_path / "x.toml"
        big.write_bytes(b"#" * (FILE_LIMIT + 1))
        assert refusal(big) == f"{big}: larger than {FILE_LIMIT} bytes"

    def test_an_unknown_suffix_names_the_known_ones(self, tmp_path: Path) -> None:
        assert "Files end in .toml, .json, .yaml, .yml" in refusal(tmp_path / "x.ini")

    def test_text_in_another_encoding_is_placed(self, tmp_path: Path) -> None:
        path = tmp_path / "x.toml"
        path.write_bytes('a = 1\nb = "é"'.encode("latin-1"))
        assert "not UTF-8 (at line 2, column 6)" in refusal(path)

    def test_a_byte_order_mark_is_not_in_the_way(self, file: Path) -> None:
        file.write_bytes(b"\xef\xbb\xbf" + TOML.encode())
        assert load(file, environ={}).settings.services.keys() == {"scans"}

    def test_a_syntax_error_ends_the_run_with_file_line_and_column(self, file: Path) -> None:
        file.write_text("[services\n")
        assert refusal(file).startswith(f"{file}: not valid TOML: ")
        assert "(at line 1, column 10)" in refusal(file)

    def test_the_suffix_says_the_format(self, tmp_path: Path) -> None:
        path = tmp_path / "x.JSON"
        path.write_text('{"services": {"scans": {"capability": "ocr", "providers": {"fast": {"type": "t"}}}}}')
        assert load(path, environ={}).settings.services["scans"].providers["fast"].type == "t"


class TestDotenv:
    def test_a_file_beside_fills_in_what_the_environment_lacks(self, file: Path) -> None:
        file.write_text(TOML + 'providers.fast.options = { a = "${A}", b = "${B}" }\n')
        file.with_name(".env").write_text("A=local\nB=local\n")
        options = load(file, environ={"A": "real"}).settings.services["scans"].providers["fast"].options
        assert options == {"a": "real", "b": "local"}

    def test_the_process_environment_is_not_changed(self, file: Path) -> None:
        file.with_name(".env").write_text("SWITCHGEAR_TEST_VARIABLE=1\n")
        load(file)
        assert "SWITCHGEAR_TEST_VARIABLE" not in os.environ

    def test_it_can_choose_the_environment(self, file: Path) -> None:
        file.write_text(TOML + '[environments.staging.services.scans]\nstrategy = "cost"\n')
        file.with_name(".env").write_text("SWITCHGEAR_ENV=staging\n")
        assert read(file, environ={}).environment == "staging"

    def test_a_bad_line_is_reported_by_number_with_everything_else_and_not_shown(self, file: Path) -> None:
        file.with_name(".env").write_text("A=1\nsk-planted\n")
        file.write_text(TOML + "strategie = 1\n")
        lines = refusal(file).splitlines()
        assert lines[0].startswith(f"{file.with_name('.env')}: line 2 is not KEY=VALUE")
        assert lines[1].startswith("services.scans.strategie: unknown key")
        assert "planted" not in refusal(file)

    def test_one_that_is_no_text_is_a_problem(self, file: Path) -> None:
        file.with_name(".env").write_bytes(b"A=\xff")
        assert "not UTF-8" in refusal(file)
