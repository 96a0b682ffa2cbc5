"""The provider, and what it must not do to the process around it."""

import asyncio
import logging
import socket
import subprocess
import sys

import pytest
from PIL import Image
from switchgear import Unsupported
from switchgear_ocr import OcrRequest
from switchgear_ocr.testing import OcrProviderSuite, draw_page
from switchgear_rapidocr import RapidOcr


class TestRapidOcr(OcrProviderSuite):
    def make(self) -> RapidOcr:
        return RapidOcr(name="rapidocr", concurrency=2)


def ask(request: OcrRequest) -> str:
    async def answer() -> str:
        provider = RapidOcr()
        try:
            return (await provider.process(request)).output.text
        finally:
            await provider.aclose()

    return asyncio.run(answer())


def test_a_language_whose_letters_it_does_not_know_is_unsupported() -> None:
    with pytest.raises(Unsupported, match="rus") as caught:
        RapidOcr().validate_input(OcrRequest(draw_page("x"), languages="ru"))
    assert "tesseract" in str(caught.value.remedy)


@pytest.mark.parametrize("size", [(5000, 50), (30, 3000)])
def test_a_strip_as_long_as_it_takes_is_read_and_a_longer_one_unsupported(size: tuple[int, int]) -> None:
    assert ask(OcrRequest(Image.new("L", size, 255))) == ""
    longer = Image.new("L", (size[0], size[1] - 1) if size[0] > size[1] else (size[0] - 1, size[1]))
    with pytest.raises(Unsupported, match="100 times as long as wide"):
        RapidOcr().validate_input(OcrRequest(longer))


def test_nothing_is_fetched_from_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("it opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert ask(OcrRequest(draw_page("Hello"))) == "Hello"


def test_a_snippet_is_enlarged_and_its_boxes_are_not() -> None:
    async def answer() -> None:
        provider = RapidOcr()
        try:
            page = (await provider.process(OcrRequest(draw_page("Small").resize((190, 41))))).output.pages[0]
        finally:
            await provider.aclose()
        (line,) = page.lines
        assert line.text == "Small"
        assert line.box.right < 60
        assert [word.text for word in line.words] == ["Small"]

    asyncio.run(answer())


def test_its_log_goes_where_the_applications_log_goes() -> None:
    ask(OcrRequest(draw_page("Hello")))
    logger = logging.getLogger("RapidOCR")
    assert not logger.handlers
    assert logger.propagate


def test_importing_the_plugin_imports_no_engine() -> None:
    heavy = "[name for name in ('rapidocr', 'onnxruntime', 'numpy', 'PIL') if name in sys.modules]"
    code = f"import sys, switchgear_rapidocr; sys.exit(str({heavy}) if {heavy} else 0)"
    subprocess.run([sys.executable, "-c", code], check=True)


ABANDONED = """
from switchgear import AllProvidersFailed, ProviderManager
from switchgear_ocr import OcrRequest
from switchgear_ocr.testing import draw_page
from switchgear_rapidocr import RapidOcr

service = ProviderManager([RapidOcr(name="only")])
try:
    service.process_sync(OcrRequest(draw_page("abandoned")), deadline=0.2)
except AllProvidersFailed:
    print("too late")
service.close(drain=0)
"""


def test_a_program_may_end_while_an_engine_that_nobody_waits_for_is_still_at_work() -> None:
    """Killed in its own code, the engine would take the process down with it."""
    ended = subprocess.run([sys.executable, "-c", ABANDONED], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "too late\n", "")
