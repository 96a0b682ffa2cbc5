"""Documents: looked at by their header, decoded once, refused with a message that helps."""

import io
import os
import socket
import struct
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from switchgear import InvalidInput
from switchgear_ocr import Document, Limits, OcrRequest, document
from switchgear_ocr.testing import draw_page, encoded

PAGE = draw_page("One line")


def png_header(width: int, height: int) -> bytes:
    """A PNG that says how large it is, and ends where the pixels would begin."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body)) + b"\0\0\0\1IDAT"


def encrypted_pdf() -> bytes:
    """A PDF whose trailer names the standard security handler, with a password nobody knows."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[]/Count 0>>",
        b"<</Filter/Standard/V 1/R 2/P -4/O(" + b"o" * 32 + b")/U(" + b"u" * 32 + b")>>",
    ]
    out, offsets = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    entries = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer\n<</Size 4/Root 1 0 R/Encrypt 3 0 R/ID[<00><00>]>>\nstartxref\n%d\n%%%%EOF\n" % len(out)
    return out + b"xref\n0 4\n0000000000 65535 f \n" + entries + trailer


@pytest.mark.parametrize(
    ("content", "wrong", "remedy"),
    [
        (b"", "is empty", "copy failed"),
        (b"text, whatever its name says", "not an image or a PDF", "Save it as PNG"),
        (np.random.default_rng(1).bytes(3000), "not an image or a PDF", "Save it as PNG"),
        (encrypted_pdf(), "is encrypted", "without its password"),
        (b"%PDF-1.7 and nothing more", "damaged or cut off", "fetch it again"),
        (b"\x89PNG\r\n\x1a\n", "damaged or cut off", "fetch it again"),
        (
            png_header(20_000, 20_000),
            "20,000 x 20,000 pixels (400 megapixels), more than the limit of 100 megapixels",
            "Scale it down (300 dpi are plenty for text), or raise limits.page_pixels",
        ),
    ],
)
def test_the_header_shows_what_is_wrong_and_the_message_what_to_do(
    tmp_path: Path, content: bytes, wrong: str, remedy: str
) -> None:
    path = tmp_path / "scan.png"
    path.write_bytes(content)
    with pytest.raises(InvalidInput) as caught:
        _ = OcrRequest(path).page_numbers
    assert str(caught.value).startswith(f"{path}: ")
    assert wrong in str(caught.value)
    assert remedy in str(caught.value.remedy)


def test_a_missing_file_and_a_directory_are_told_apart(tmp_path: Path) -> None:
    for path, wrong, remedy in [
        (tmp_path / "nowhere.png", r"nowhere\.png: no such file$", "Check the path"),
        (Path("null\0.png"), "no such file$", "Check the path"),
        (tmp_path, "a directory$", "Name the files in it"),
        (tmp_path / ("x" * 300), "cannot be read", "Check its name and its permissions"),
    ]:
        with pytest.raises(InvalidInput, match=wrong) as caught:
            _ = OcrRequest(path).page_numbers
        assert caught.value.remedy == remedy
        assert OcrRequest(path).document.unread >= 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_a_socket_and_a_device_are_refused_without_being_opened(tmp_path: Path) -> None:
    """Nobody writes into the pipe: to open it would be to wait for ever."""
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as here:
        here.bind(str(tmp_path / "socket"))
        for path, kind in [(tmp_path / "pipe", "a pipe"), (tmp_path / "socket", "a socket"), ("/dev/zero", "a device")]:
            for ask in (lambda request: request.page_numbers, lambda request: request.document.digest):
                with pytest.raises(InvalidInput, match=f"{kind}, and no file") as caught:
                    ask(OcrRequest(path))
                assert "- for standard input" in str(caught.value.remedy)


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="open files have no names here")
def test_an_open_file_by_its_number_is_read_and_an_open_pipe_is_refused(tmp_path: Path) -> None:
    """As in `switchgear ocr <(cat page.png)`."""
    (tmp_path / "page.png").write_bytes(encoded(PAGE))
    with (tmp_path / "page.png").open("rb") as file:
        assert OcrRequest(f"/dev/fd/{file.fileno()}").page_numbers == (1,)
    reader, writer = os.pipe()
    try:
        with pytest.raises(InvalidInput, match="a pipe, and no file"):
            _ = OcrRequest(f"/dev/fd/{reader}").page_numbers
    finally:
        os.close(reader)
        os.close(writer)


def test_a_file_that_is_cut_off_is_found_when_it_is_decoded() -> None:
    content = encoded(PAGE)
    request = OcrRequest(content[: len(content) * 2 // 3], name="half.png")
    assert request.page_numbers == (1,)
    with pytest.raises(InvalidInput, match=r"half\.png: the file is damaged or cut off$") as caught:
        request.document.page(1)
    assert caught.value.remedy == "Make or fetch it again"


def test_limits_are_the_requests_own(tmp_path: Path) -> None:
    content = encoded(PAGE)
    three = encoded(PAGE, PAGE, PAGE, format="PDF")
    for source, limits, wrong, remedy in [
        (content, Limits(file_bytes=100), "bytes, more than the limit of 100$", "raise limits.file_bytes"),
        (content, Limits(page_pixels=1000), "more than the limit of 0.001 megapixels$", "raise limits.page_pixels"),
        (three, Limits(pages=2), "3 pages, more than the limit of 2$", "raise limits.pages"),
    ]:
        with pytest.raises(InvalidInput, match=wrong) as caught:
            _ = OcrRequest(source, limits=limits).page_numbers
        assert remedy in str(caught.value.remedy)


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0)])
def test_an_image_without_a_pixel_is_invalid(size: tuple[int, int]) -> None:
    with pytest.raises(InvalidInput, match=f"page 1 has {size[0]} x {size[1]} pixels, so nothing to read"):
        _ = OcrRequest(Image.new("L", size)).page_numbers


def test_looking_at_a_large_image_warns_of_nothing() -> None:
    """Pillow's warning of decompression bombs would come from our own limit being above its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert OcrRequest(png_header(9_900, 9_900)).page_numbers == (1,)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "JPEG2000", "PPM"])
def test_every_format_gives_the_page(format: str) -> None:
    page = OcrRequest(encoded(PAGE, format=format)).document.page(1)
    assert page.size == PAGE.size
    assert np.abs(np.asarray(page.convert("L"), dtype=int) - np.asarray(PAGE)).mean() < 2


@pytest.mark.parametrize("format", ["TIFF", "PDF"])
def test_frames_and_pages_are_pages(format: str) -> None:
    pages = [Image.new("L", (400, 300), level) for level in (0, 128, 255)]
    request = OcrRequest(encoded(*pages, format=format), dpi=200)
    assert request.page_numbers == (1, 2, 3)
    levels = [request.document.page(number).getpixel((200, 150)) for number in request.page_numbers]
    assert levels == pytest.approx([0, 128, 255], abs=4)


def test_a_pdf_is_drawn_at_the_resolution_that_is_asked_for() -> None:
    content = encoded(Image.new("L", (400, 300), 255), Image.new("L", (400, 300), 255), format="PDF")
    low, high = (OcrRequest(content, dpi=dpi).document for dpi in (100, 200))
    assert low.page(1).size == low.sizes[0] == (200, 150)
    assert high.page(1).size == high.sizes[0] == (400, 300)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF"])
def test_a_page_that_the_camera_turned_is_turned_back(format: str) -> None:
    lying = Image.new("L", (300, 200), 255)
    lying.paste(0, (0, 0, 300, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise by a quarter to show it
    buffer = io.BytesIO()
    lying.save(buffer, format, exif=exif)
    page = OcrRequest(buffer.getvalue()).document.page(1)
    assert page.size == (200, 300)
    assert page.getpixel((195, 150)) < 50  # type: ignore[operator]
    assert page.getpixel((5, 150)) > 200  # type: ignore[operator]


def test_transparent_places_are_white_paper() -> None:
    clear = Image.new("RGBA", (10, 10), (0, 0, 0, 0))
    assert OcrRequest(clear).document.page(1).getpixel((5, 5)) == 255


def test_sixteen_bits_a_pixel_become_eight() -> None:
    deep = Image.fromarray(np.array([[0, 2048, 4095]], dtype=np.uint16))
    assert np.asarray(OcrRequest(deep).document.page(1)).tolist() == [[0, 127, 255]]


def test_colour_is_kept_where_there_is_any() -> None:
    assert OcrRequest(Image.new("RGB", (9, 9), (200, 0, 0))).document.page(1).mode == "RGB"
    assert OcrRequest(Image.new("RGB", (9, 9), (7, 7, 7))).document.page(1).mode == "L"


@pytest.mark.parametrize("row", [0, 50, 99])
@pytest.mark.parametrize("colour", [(200, 7, 7), (7, 200, 7), (7, 7, 200)])
def test_one_coloured_pixel_anywhere_is_colour(row: int, colour: tuple[int, int, int]) -> None:
    page = Image.new("RGB", (9, 100), (7, 7, 7))
    page.putpixel((4, row), colour)
    assert OcrRequest(page).document.page(1).mode == "RGB"


def test_a_page_is_decoded_once_for_everybody() -> None:
    request = OcrRequest(encoded(PAGE))
    found: list[Image.Image] = []
    threads = [threading.Thread(target=lambda: found.append(request.document.page(1))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(page is found[0] for page in found)


def test_of_a_long_document_only_some_pages_stay_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "KEPT_PIXELS", 2 * 400 * 300)
    request = OcrRequest(encoded(*(Image.new("L", (400, 300), level) for level in (0, 90, 255)), format="TIFF"))
    first, last = request.document.page(1), request.document.page(3)
    assert request.document.page(1) is first
    request.document.page(2)
    assert request.document.page(3) is not last
    assert request.document.page(3).getpixel((0, 0)) == 255


def test_what_is_derived_from_a_page_is_made_once() -> None:
    made: list[Image.Image] = []

    def reduce(page: Image.Image) -> Image.Image:
        made.append(page)
        return page.reduce(2)

    request = OcrRequest(PAGE)
    assert request.document.derived(1, reduce) is request.document.derived(1, reduce)
    assert len(made) == 1


def test_the_image_that_was_given_is_left_as_it_is() -> None:
    image = Image.new("RGB", (20, 10), (9, 9, 9))
    page = OcrRequest(image).document.page(1)
    page.paste(255, (0, 0, 20, 10))
    assert image.getpixel((0, 0)) == (9, 9, 9)


def test_its_repr_shows_no_content() -> None:
    request = OcrRequest(b"secret bytes of a scan")
    assert "secret" not in repr(request)
    assert "secret" not in repr(Document(b"secret", "name", 200, Limits()))


def test_what_is_no_document_is_invalid() -> None:
    with pytest.raises(InvalidInput, match="a int is no document"):
        OcrRequest(7)  # type: ignore[arg-type]
