"""Whatever is wrong with an input or a file is said in a sentence, and the other inputs are read all the same."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from switchgear.cli.program import program

PAGES = Path(__file__).parent / "pages"
CONFIG = """
[services.scans]
capability = "ocr"
[services.scans.providers.fast]
type = "tesseract"
"""
BAD = {
    "missing.png": ("missing.png: no such file", "Check the path"),
    "bad-empty.png": ("bad-empty.png: the file is empty", "It may still be being written, or its copy failed"),
    "bad-truncated.png": ("bad-truncated.png: the file is damaged or cut off", "Make or fetch it again"),
    "bad-noise.png": ("bad-noise.png: not an image or a PDF by its content", "Save it as PNG, JPEG"),
    "bad-text.png": ("bad-text.png: not an image or a PDF by its content", "Save it as PNG, JPEG"),
    "bad-locked.pdf": ("bad-locked.pdf: the PDF is encrypted", "Save a copy without its password"),
    "huge.png": (
        "huge.png: page 1 has 20,000 x 20,000 pixels (400 megapixels), more than the limit of 100 megapixels",
        "Scale it down (300 dpi are plenty for text), or raise limits.page_pixels",
    ),
}

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in a folder with the bad files, a good one and a configuration."""
    monkeypatch.chdir(tmp_path)
    for name in ["clean-1.png", *BAD]:
        if name != "missing.png":
            shutil.copy(PAGES / name, tmp_path / name)
    (tmp_path / "switchgear.toml").write_text(CONFIG, encoding="utf-8")
    return lambda *arguments: CliRunner().invoke(program, [*arguments])


def test_every_other_file_is_read(run: Run) -> None:
    result = run("run", "scans", "clean-1.png", *BAD, "clean-1.png", "--json")
    assert result.exit_code == 1
    first, *bad, last = map(json.loads, result.stdout.splitlines())
    assert "Universal Declaration" in first["output"]["text"]
    assert last["output"] == first["output"]
    for line, (name, (message, remedy)) in zip(bad, BAD.items(), strict=True):
        assert (line["input"], line["ok"], line["error"]["type"]) == (name, False, "InvalidInput")
        assert line["error"]["message"] == message
        assert line["error"]["remedy"].startswith(remedy)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_among_the_inputs_keeps_nobody_waiting(run: Run) -> None:
    os.mkfifo("pipe.png")
    result = run("run", "scans", "pipe.png", "clean-1.png", "--json")
    pipe, page = map(json.loads, result.stdout.splitlines())
    assert pipe["error"]["message"] == "pipe.png: a pipe, and no file"
    assert "- for standard input" in pipe["error"]["remedy"]
    assert page["ok"]


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_alone_is_one_sentence_and_status_1(name: str, run: Run) -> None:
    result = run("run", "scans", name)
    assert (result.exit_code, result.stdout) == (1, "")
    message, remedy = BAD[name]
    assert result.stderr.startswith(f"error: {message}. {remedy}")
    assert "Traceback" not in result.stderr


def test_a_folder_without_pages_is_a_usage_error(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/readme.txt").write_text("no page")
    result = run("run", "scans", "notes")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "notes has no file that ocr reads; it reads .pdf, .png" in result.stderr


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("dpi=abc", "dpi 'abc': not a whole number of 36 or more. Write for example 200 or 300"),
        ("dpi=7", "dpi '7': not a whole number"),
        ("limits=3", "limits: expected Limits(...) from switchgear_ocr, got a str"),
        ("languages=xx-what", "language 'xx-what': not an ISO 639-3 code"),
        ("pages=x", "pages 'x': not a page or a range"),
        ("pages=7", "pages 7: the document has 1"),
        ("limits.pages=all", "limits.pages 'all': not a whole number of 1 or more"),
        ("limits.page_pixels=1000", "more than the limit of 0.001 megapixels. Scale it down"),
        ("colour=red", "unknown option 'colour'. There are languages, pages"),
    ],
)
def test_a_bad_option_of_the_request_is_one_sentence_and_status_1(option: str, message: str, run: Run) -> None:
    result = run("run", "scans", "clean-1.png", "-o", option)
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_options_of_the_request_come_as_text(run: Run) -> None:
    result = run("run", "scans", "clean-1.png", "-o", "dpi=300", "-o", "pages=1", "-o", "languages=en")
    assert "Universal Declaration" in result.stdout


def test_the_quick_start_asks_in_the_order_that_the_capability_recommends(run: Run) -> None:
    result = run("ocr", "clean-1.png", "-v")
    assert result.exit_code == 0
    assert "asking tesseract, rapidocr" in result.stderr
    assert "Universal Declaration" in result.stdout
