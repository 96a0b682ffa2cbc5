from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from switchgear.config.interpolate import Interpolation, interpolate
from switchgear.config.references import SECRET_FILE_LIMIT, References, SecretStores


def fill(template: str, folder: Path, stores: SecretStores | None = None) -> Interpolation:
    return interpolate({"key": template}, References(environ={}, directory=folder, stores=stores or {}))


def refusal(template: str, folder: Path, stores: Mapping[str, Any] | None = None) -> str:
    (problem,) = fill(template, folder, stores).problems
    assert problem.remedy
    return problem.message


class TestFiles:
    @pytest.mark.parametrize(
        ("content", "text"),
        [("key", "key"), ("key\n", "key"), ("key\r\n", "key"), ("two\nlines\n\n", "two\nlines\n"), ("", "")],
    )
    def test_one_newline_at_the_end_is_not_part_of_the_secret(self, tmp_path: Path, content: str, text: str) -> None:
        (tmp_path / "key").write_bytes(content.encode())
        assert fill("${file:key}", tmp_path).tables["key"] == text

    def test_paths_are_relative_to_the_configuration_or_absolute(self, tmp_path: Path) -> None:
        (tmp_path / "secrets").mkdir()
        (tmp_path / "secrets" / "my key#1").write_text("s")
        assert fill("${file:secrets/my key#1}", tmp_path).tables["key"] == "s"
        assert fill(f"${{file:{tmp_path}/secrets/my key#1}}", Path("/")).tables["key"] == "s"

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        assert refusal("${file:nowhere}", tmp_path) == f"there is no file {tmp_path / 'nowhere'}"
        assert "no file" in refusal("${file:.}", tmp_path)

    def test_a_file_that_holds_more_than_a_secret_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "big").write_bytes(b"x" * (SECRET_FILE_LIMIT + 1))
        assert "larger than" in refusal("${file:big}", tmp_path)

    def test_a_device_is_not_read(self, tmp_path: Path) -> None:
        assert "no file" in refusal("${file:/dev/zero}", tmp_path)

    def test_what_is_not_text_is_refused_without_showing_it(self, tmp_path: Path) -> None:
        (tmp_path / "binary").write_bytes(b"planted\xff")
        message = refusal("${file:binary}", tmp_path)
        assert "not UTF-8" in message
        assert "planted" not in message

    def test_what_cannot_be_read_is_a_problem(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "key").write_text("s")

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
        assert "Permission denied" in refusal("${file:key}", tmp_path)


class TestStores:
    def test_a_store_gets_name_and_key(self, tmp_path: Path) -> None:
        stores = {"vault": lambda name, key: f"{name}|{key}"}
        assert fill("${vault:prod/ocr:1#user}", tmp_path, stores).tables["key"] == "prod/ocr:1|user"
        assert fill("${vault:prod}", tmp_path, stores).tables["key"] == "prod|None"

    def test_a_store_is_asked_once_for_each_entry(self, tmp_path: Path) -> None:
        asked = []

        def store(name: str, key: str | None) -> str:
            asked.append((name, key))
            return "s"

        fill("${vault:a} ${vault:a} ${vault:a#k}", tmp_path, {"vault": store})
        assert asked == [("a", None), ("a", "k")]

    def test_an_unknown_store_is_named_with_the_known_ones(self, tmp_path: Path) -> None:
        (problem,) = fill("${valt:a}", tmp_path, {"vault": lambda name, key: ""}).problems
        assert problem.message == "no secret store is called 'valt'"
        assert problem.remedy == "Known: file, vault. Install the plugin that offers it"

    def test_whatever_a_store_raises_is_a_problem_cut_to_one_line(self, tmp_path: Path) -> None:
        def store(name: str, key: str | None) -> str:
            raise RuntimeError("no\nsuch " + "x" * 1000)

        message = refusal("${vault:a}", tmp_path, {"vault": store})
        assert message.startswith("secret store 'vault' does not give 'a' (RuntimeError: no such xxx")
        assert len(message) < 300

    def test_a_store_that_gives_no_text_is_a_problem(self, tmp_path: Path) -> None:
        assert "gave a dict, not text" in refusal("${vault:a}", tmp_path, {"vault": lambda name, key: {}})

    def test_a_store_is_not_asked_for_what_is_switched_off(self, tmp_path: Path) -> None:
        def store(name: str, key: str | None) -> str:
            raise AssertionError("asked")

        references = References(environ={}, directory=tmp_path, stores={"vault": store})
        assert not interpolate({"a": {"enabled": False, "key": "${vault:a}"}}, references).problems

    def test_what_files_and_stores_gave_is_known_as_secret(self, tmp_path: Path) -> None:
        (tmp_path / "key").write_text("from-file\n")
        found = fill("${file:key} ${vault:a}", tmp_path, {"vault": lambda name, key: "from-store"})
        assert [secret.reveal() for secret in found.secrets] == ["from-file", "from-store"]
        assert "from" not in repr(found.secrets)
