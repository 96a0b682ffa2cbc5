"""Pages at the edges, and files that are no pages: empty, one pixel, gigantic, cut off, locked."""

from __future__ import annotations

import hashlib
import io
import re
import struct
import time
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import ExifTags, Image

HUGE = 20_000
GREYS = 6


def png(image: Image.Image) -> bytes:
    """A grey PNG of six levels: in print sizes it looks like 256, at half the bytes."""
    step = 255 // (GREYS - 1)
    levels = (np.asarray(image, dtype=np.uint16) + step // 2) // step * step
    return _saved(Image.fromarray(levels.astype(np.uint8)), "PNG", optimize=True)


def huge_png(side: int = HUGE) -> bytes:
    """A white square of one bit a pixel, small on disk; written row by row, for an image object would take 400 MB."""
    packer = zlib.compressobj(9)
    row = bytes(1 + (side + 7) // 8)
    body = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 3, 0, 0, 0)
    # A palette makes white the colour 0: a body of nothing but zeros packs best.
    palette = b"\xff\xff\xff\0\0\0"
    chunks = [(b"IHDR", header), (b"PLTE", palette), (b"IDAT", body), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def image_pdf(pages: list[Image.Image], dpi: int) -> bytes:
    """A scanned document: black and white fax-coded images, no text layer."""
    first, *rest = [_black_and_white(page) for page in pages]
    dates = dict.fromkeys(("creationDate", "modDate"), time.gmtime(0))  # else no two runs were equal
    return _saved(first, "PDF", resolution=dpi, save_all=True, append_images=rest, **dates)


def text_pdf(lines: list[str]) -> bytes:
    """One A4 page of real text in Helvetica, as an office program writes it. ASCII only."""
    shown = "\n".join(f"({_escaped(line)}) Tj T*" for line in lines)
    content = f"BT /F1 11 Tf 14 TL 60 780 Td\n{shown}\nET".encode("ascii")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources 6 0 R /Contents 5 0 R >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Font << /F1 4 0 R >> >>",
    ]
    return _pdf(objects)


def encrypted_pdf(plain: bytes, password: str) -> bytes:
    """The same document behind a password. Needs pypdf."""
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(plain)))
    writer.encrypt(password, algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    # The second half of the file's id is random and no part of the key; without it equal runs give equal bytes.
    return re.sub(rb"/ID \[ (<\w+>) <\w+> \]", rb"/ID [ \1 \1 ]", buffer.getvalue())


def formats(card: Image.Image) -> Iterator[tuple[str, bytes]]:
    """One small grey picture in the file formats and pixel modes that readers stumble over."""
    inverse = card.point(lambda grey: 255 - grey)
    yield "palette.png", _saved(_shuffled_palette(card), "PNG")
    yield "alpha.png", _saved(Image.merge("LA", (Image.new("L", card.size, 0), inverse)), "PNG")
    yield "deep.png", _saved(Image.fromarray(np.asarray(card, dtype=np.uint16) * 257), "PNG")
    yield "cmyk.jpg", _saved(card.convert("RGB").convert("CMYK"), "JPEG", quality=40)
    yield "sideways.jpg", _saved(card.rotate(90, expand=True), "JPEG", quality=40, exif=_turned_camera())
    yield "webp.webp", _saved(card, "WEBP", quality=60)
    yield "fax.tif", _saved(_black_and_white(card), "TIFF", compression="group4")


def bad_files(rng: np.random.Generator, good: bytes) -> Iterator[tuple[str, bytes]]:
    """Files with the name of an image that no engine can open; `good` is the PNG that one of them begins with."""
    yield "bad-noise.png", rng.bytes(3000)
    yield "bad-text.png", b"This is a text file, whatever its name says.\n"
    yield "bad-truncated.png", good[: len(good) // 3]
    yield "bad-empty.png", b""


def _saved(image: Image.Image, name: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, name, **options)
    return buffer.getvalue()


def _black_and_white(image: Image.Image) -> Image.Image:
    return image.point(lambda grey: 255 * (grey > 150)).convert("1")


def _shuffled_palette(card: Image.Image) -> Image.Image:
    """Sixteen greys whose numbers say nothing of their brightness, as in a GIF."""
    numbers = np.random.default_rng(16).permutation(16)
    image = Image.fromarray(numbers[np.asarray(card) // 16].astype(np.uint8))
    brightness = np.argsort(numbers) * 17
    image.putpalette([int(grey) for grey in brightness for _ in "rgb"])
    return image


def _turned_camera() -> Image.Exif:
    """The note of a phone held upright: turn me a quarter clockwise to show me."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    return exif


def _pdf(objects: list[bytes]) -> bytes:
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size, name = len(objects) + 1, hashlib.md5(out, usedforsecurity=False).hexdigest().encode()
    trailer = b"<< /Size %d /Root 1 0 R /ID [<%s> <%s>] >>" % (size, name, name)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % size
    return out + head + table + b"trailer\n%s\nstartxref\n%d\n%%%%EOF\n" % (trailer, len(out))


def _escaped(line: str) -> str:
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
