"""RapidOCR as we want it: quiet, offline, one thread, and its answer as lines."""

import contextlib
import logging
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from switchgear import ProviderError
from switchgear_ocr import Box, Line, Word

if TYPE_CHECKING:
    from PIL.Image import Image

# The angle classifier turns good lines upside down; onnxruntime's threads spin, so more of them only burn the cores
# that other requests want.
SETTINGS = {
    "Global.use_cls": False,
    "Global.return_word_box": True,
    "Global.log_level": "error",
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}

_loading = threading.Lock()


class Engine:
    """One engine, for one thread at a time. Loading takes about a second, and 150 MB for the models."""

    def __init__(self) -> None:
        self._read = _loaded()

    def lines(self, image: "Image") -> list[Line]:
        pixels = np.asarray(image)
        # It takes arrays as BGR.
        answer = self._read(np.ascontiguousarray(pixels[:, :, ::-1]) if pixels.ndim == 3 else pixels)
        if answer.boxes is None or answer.txts is None:
            return []
        words = _words_of(answer)
        found = zip(answer.boxes, answer.txts, answer.scores, words, strict=True)
        return [_line(corners, text, float(score), parts) for corners, text, score, parts in found]
