"""File formats: what a file is, by its first bytes, and one reader for images and one for PDFs."""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Protocol

import numpy as np
import pypdfium2  # type: ignore[import-untyped]
from PIL import Image, ImageChops, ImageOps
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile
from pypdfium2.raw import FPDF_ERR_PASSWORD  # type: ignore[import-untyped]
from switchgear import InvalidInput

# The classes are called directly instead of through Image.open, which warns of large images through the process-wide
# warning filters before anybody could look at their size. We check sizes ourselves, against the request's own limit.
IMAGES: tuple[tuple[bytes, type[ImageFile]], ...] = (
    (b"\x89PNG\r\n\x1a\n", PngImageFile),
    (b"\xff\xd8\xff", JpegImageFile),
    (b"II*\0", TiffImageFile),
    (b"MM\0*", TiffImageFile),
    (b"II+\0", TiffImageFile),
    (b"MM\0+", TiffImageFile),
    (b"RIFF", WebPImageFile),
    (b"GIF8", GifImageFile),
    (b"BM", BmpImageFile),
    (b"\0\0\0\x0cjP  \r\n\x87\n", Jpeg2KImageFile),
    (b"\xff\x4f\xff\x51", Jpeg2KImageFile),
    *((b"P%d" % digit, PpmImageFile) for digit in range(1, 7)),
)
KNOWN = "PNG, JPEG, TIFF, WebP, GIF, BMP, JPEG 2000, PNM or PDF"
DEEP = ("I", "I;16", "I;16L", "I;16B", "I;16N", "F")

# PDFium may be used by one thread at a time, in the whole process.
PDFIUM = threading.Lock()


class Reader(Protocol):
    """An open document. Pages are counted from 0 here."""

    def count(self) -> int: ...

    def size(self, index: int) -> tuple[int, int]:
        """Width and height as the header has them: of a page that lies on its side they are swapped."""
        ...

    def page(self, index: int) -> Image.Image:
        """Upright, in mode L or RGB."""
        ...


@contextmanager
def open_reader(file: BinaryIO, name: str, dpi: int) -> Iterator[Reader]:
    """The reader for this file. Raises InvalidInput when it is of no kind we know, or locked."""
    head = file.read(1024)
    file.seek(0)
    if b"%PDF-" in head:
        with PDFIUM, _pdf(file, name) as pdf:
            yield PdfReader(pdf, name, dpi)
        return
    with _image(file, head, name) as image:
        yield ImageReader(image, name)


class ImageReader:
    """An image, whose frames are its pages."""

    def __init__(self, image: Image.Image, name: str) -> None:
        self._image = image
        self._name = name

    def count(self) -> int:
        # An animation is a picture that moves, not a document.
        return getattr(self._image, "n_frames", 1) if isinstance(self._image, TiffImageFile) else 1

    def size(self, index: int) -> tuple[int, int]:
        with _broken(self._name):
            self._seek(index)
            return self._image.size

    def page(self, index: int) -> Image.Image:
        with _broken(self._name):
            self._seek(index)
            self._image.load()
            return _plain(ImageOps.exif_transpose(self._image))

    def _seek(self, index: int) -> None:
        if index or isinstance(self._image, TiffImageFile):
            self._image.seek(index)


class PdfReader:
    """A PDF, whose pages are drawn."""

    def __init__(self, pdf: Any, name: str, dpi: int) -> None:
        self._pdf = pdf
        self._name = name
        self._scale = dpi / 72

    def count(self) -> int:
        return len(self._pdf)

    def size(self, index: int) -> tuple[int, int]:
        with _broken(self._name):
            width, height = self._pdf.get_page_size(index)
        return math.ceil(width * self._scale), math.ceil(height * self._scale)

    def page(self, index: int) -> Image.Image:
        with _broken(self._name):
            page = self._pdf[index]
            try:
                return _grey_if_grey(page.render(scale=self._scale, rev_byteorder=True).to_pil().convert("RGB"))
            finally:
                page.close()


@contextmanager
def _pdf(file: BinaryIO, name: str) -> Iterator[Any]:
    try:
        pdf = pypdfium2.PdfDocument(file)
    except pypdfium2.PdfiumError as error:
        if error.err_code == FPDF_ERR_PASSWORD:
            raise InvalidInput(f"{name}: the PDF is encrypted", remedy="Save a copy without its password") from error
        raise InvalidInput(f"{name}: the PDF is damaged or cut off", remedy="Make or fetch it again") from error
    try:
        yield pdf
    finally:
        pdf.close()


@contextmanager
def _image(file: BinaryIO, head: bytes, name: str) -> Iterator[ImageFile]:
    kind = next((kind for magic, kind in IMAGES if head.startswith(magic)), None)
    if kind is None:
        raise InvalidInput(f"{name}: not an image or a PDF by its content", remedy=f"Save it as {KNOWN}")
    with _broken(name), kind(file) as image:
        yield image


@contextmanager
def _broken(name: str) -> Iterator[None]:
    try:
        yield
    except InvalidInput:
        raise
    # Pillow's and PDFium's readers raise what the damage leads to: OSError, SyntaxError, struct.error, ValueError ...
    except Exception as error:
        raise InvalidInput(f"{name}: the file is damaged or cut off", remedy="Make or fetch it again") from error


def _plain(image: Image.Image) -> Image.Image:
    """The image in L or RGB: on white where it is transparent, deep greys in 8 bits; itself if it is so."""
    if image.mode in DEEP:
        return _eight_bits(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    if image.mode in ("1", "L", "LA"):
        return _in_mode("L", image)
    return _grey_if_grey(_in_mode("RGB", image))


def _in_mode(mode: str, image: Image.Image) -> Image.Image:
    # `convert` would copy what needs no converting: of a photo, 8 MB.
    return image if image.mode == mode else image.convert(mode)


def _grey_if_grey(image: Image.Image) -> Image.Image:
    """L where no pixel has a colour: a third of the memory for the same page."""
    middle = image.height // 2
    # Where there is colour, a few rows show it as a rule.
    if _has_colour(image.crop((0, middle, image.width, middle + 16))) or _has_colour(image):
        return image
    return image.getchannel(0)


def _has_colour(image: Image.Image) -> bool:
    red, green, blue = image.split()
    return any(ImageChops.difference(red, other).getbbox() for other in (green, blue))


def _eight_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image, dtype=np.float32)
    # 16-bit scans use the whole range or 12 bits of it; scaling by the brightest pixel serves both.
    top = float(values.max(initial=0.0)) or 1.0
    return Image.fromarray((values.clip(0) * (255 / top)).astype(np.uint8))
