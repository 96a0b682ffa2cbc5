"""RapidOCR as we want it: offline, quiet, on one thread, and its answer as lines."""

import logging
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from switchgear import ProviderError
from switchgear_ocr import Box, Line, Word

if TYPE_CHECKING:
    from PIL.Image import Image

# Measured on pages of 150 to 200 dpi, against RapidOCR's defaults: a quarter less time and a third less memory for the
# same characters. Its angle classifier turns good lines upside down. onnxruntime's threads spin while they wait, so
# more of them only burn the cores that other requests want.
SETTINGS = {
    "Global.use_cls": False,
    "Global.return_word_box": True,
    "Global.log_level": "error",
    "Det.limit_type": "max",
    "Det.limit_side_len": 1280,
    "Rec.rec_batch_num": 1,
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}
# Lines are looked for at 1280 pixels at most, but snippets have to be enlarged: this short side is RapidOCR's own rule.
SHORT_SIDE, LONG_SIDE = 736, 2000

_loading = threading.Lock()


class Engine:
    """One engine, for one thread at a time. It loads in about a second, and needs some 300 MB while it reads."""

    def __init__(self) -> None:
        self._reader = _loaded()

    def lines(self, image: "Image") -> list[Line]:
        scale = max(1.0, min(SHORT_SIDE / min(image.size), LONG_SIDE / max(image.size)))
        if scale > 1:
            image = image.resize((round(image.width * scale), round(image.height * scale)))
        answer = self._reader(_pixels(image))
        if answer.boxes is None or answer.txts is None:
            return []
        # Where a line was dropped for its low score, its words may not have been.
        parts = answer.word_results if len(answer.word_results) == len(answer.txts) else [()] * len(answer.txts)
        found = zip(answer.boxes / scale, answer.txts, answer.scores, parts, strict=True)
        return [_line(corners, text, float(score), words, scale) for corners, text, score, words in found]


def _pixels(image: "Image") -> "np.ndarray[Any, Any]":
    """As RapidOCR takes arrays: grey, or blue before green before red."""
    pixels = np.asarray(image)
    return np.ascontiguousarray(pixels[:, :, ::-1]) if pixels.ndim == 3 else pixels


def _line(corners: Any, text: str, score: float, parts: Sequence[Any], scale: float) -> Line:
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners.tolist()
    across, down = (x1 + x2 - x0 - x3) / 2, (y1 + y2 - y0 - y3) / 2
    words = _words(text, score, [(part[0], np.asarray(part[2]) / scale) for part in parts])
    return Line(text, _around(corners), score, words, down / across if across > abs(down) else 0.0)


def _words(text: str, score: float, parts: Sequence[tuple[str, Any]]) -> tuple[Word, ...]:
    """The line's words with the boxes of the parts they are made of.

    RapidOCR starts a new part at every wide gap, also inside words, and the confidence it gives with a part belongs to
    some letter of the line; so the words are those of the text, and the confidence is the line's.
    """
    if "".join(part for part, _ in parts) != "".join(text.split()):
        return ()
    left = iter(parts)
    words = []
    for word in text.split():
        boxes: list[Box] = []
        length = 0
        while length < len(word):
            part, corners = next(left)
            boxes.append(_around(corners))
            length += len(part)
        words.append(Word(word, Box.around(boxes), score))
    return tuple(words)


def _around(corners: Any) -> Box:
    (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    return Box(float(left), float(top), float(right), float(bottom))


def _loaded() -> Any:
    with _loading:
        rapidocr = _imported()
    models = Path(rapidocr.__file__).parent / "models"
    # Named, because RapidOCR fetches a model that it does not find, or that has another checksum, from the network.
    files = {"Det.model_path": _only(models, "*_det_*.onnx"), "Rec.model_path": _only(models, "*_rec_*.onnx")}
    reader = rapidocr.RapidOCR(params={**SETTINGS, **files})
    # It loads its models at the first page; a warm engine has them.
    reader(np.full((64, 64), 255, dtype=np.uint8))
    return reader


def _imported() -> Any:
    is_ours = "rapidocr" not in sys.modules
    import rapidocr
    import rapidocr.main  # its logger is made here

    if is_ours:
        # It prints in colour to stderr by itself; what it has to say goes where the application's log goes.
        logger = logging.getLogger("RapidOCR")
        logger.handlers.clear()
        logger.propagate = True
    return rapidocr


def _only(folder: Path, pattern: str) -> str:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise ProviderError(
            f"{len(found)} models {pattern} in rapidocr's package", remedy="pip install --force-reinstall rapidocr"
        )
    return str(found[0])
