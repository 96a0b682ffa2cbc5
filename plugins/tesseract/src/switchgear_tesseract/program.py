"""Tesseract as a program of the system: for where no wheel of tesserocr fits."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from switchgear import ProviderError, Unsupported

if TYPE_CHECKING:
    from PIL.Image import Image

PROGRAM = "tesseract"
_LOOK = 10.0  # seconds that telling its version may take


def is_installed() -> bool:
    return shutil.which(PROGRAM) is not None


def version() -> str:
    """As the program tells it, `tesseract 5.3.0`. Raises ProviderError where it cannot be started."""
    return Program(None, _LOOK).version()


class Program:
    """Runs the program once for each page; it is killed after `seconds`."""

    def __init__(self, data: Path | None, seconds: float) -> None:
        self._data = ["--tessdata-dir", str(data)] if data else []
        self._seconds = seconds

    def read(self, image: "Image", languages: Sequence[str]) -> str:
        """The page as TSV. Raises Unsupported for a language that is not installed."""
        missing = [language for language in languages if language not in self._languages]
        if missing:
            raise Unsupported(
                f"language {missing[0]} is not installed for {PROGRAM}",
                remedy=f"apt-get install tesseract-ocr-{missing[0].replace('_', '-')}",
            )
        return self._run(["stdin", "stdout", "-l", "+".join(languages), *self._data, "--psm", "3", "tsv"], _pnm(image))

    def version(self) -> str:
        return self._run(["--version"]).partition("\n")[0].strip()

    def close(self) -> None:
        """Nothing of it stays between pages."""

    @cached_property
    def _languages(self) -> frozenset[str]:
        return frozenset(self._run(["--list-langs", *self._data]).split())

    def _run(self, arguments: Sequence[str], data: bytes = b"") -> str:
        environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
        try:
            done = subprocess.run(  # noqa: S603  # no shell, and no argument comes from a request
                [shutil.which(PROGRAM) or PROGRAM, *arguments],
                input=data,
                capture_output=True,
                timeout=self._seconds,
                env=environment,
                check=True,
            )
        except subprocess.TimeoutExpired:
            raise ProviderError(
                f"{PROGRAM} was killed after {self._seconds:g} s on one page", remedy="Raise the provider's timeout"
            ) from None
        except subprocess.CalledProcessError as error:
            raise ProviderError(f"{PROGRAM} ended with status {error.returncode}") from error
        except OSError as error:
            raise ProviderError(
                f"{PROGRAM} cannot be started: {error.strerror}", remedy="apt-get install tesseract-ocr"
            ) from error
        return done.stdout.decode("utf-8", errors="replace")


def _pnm(image: "Image") -> bytes:
    """The page as PGM or PPM: no time goes into compressing it."""
    kind = "P5" if image.mode == "L" else "P6"
    return f"{kind} {image.width} {image.height} 255\n".encode() + image.tobytes()
