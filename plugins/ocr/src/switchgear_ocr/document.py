"""The pages of a document as images: looked at cheaply first, decoded once, shared by every engine and validator."""

import hashlib
import io
import stat
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import attrs
from switchgear import InvalidInput

if TYPE_CHECKING:
    from PIL.Image import Image

    from switchgear_ocr.formats import Reader

T = TypeVar("T")

# Decoded pages are kept while they fit; of a longer document the oldest is dropped and decoded anew if asked again.
KEPT_PIXELS = 80_000_000
PIECE = 1 << 20  # bytes at a time: hashing a large file must not need its size in memory
NO_FILES = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}


@attrs.frozen
class Limits:
    """What a document may be at most. Raise them where larger ones are expected and the memory is there."""

    file_bytes: int = 100_000_000
    page_pixels: int = 100_000_000
    pages: int = 200


@attrs.define(eq=False, slots=False)
class Document:
    """One input. Nothing is read before it is asked for; every method raises InvalidInput when it is no document."""

    source: "Path | bytes | Image" = attrs.field(repr=False)
    name: str
    dpi: int
    limits: Limits
    _pages: "OrderedDict[int, Image]" = attrs.field(init=False, repr=False, factory=OrderedDict)
    _derived: dict[tuple[int, object], object] = attrs.field(init=False, repr=False, factory=dict)
    _digest: bytes | None = attrs.field(init=False, repr=False, default=None)
    _lock: threading.RLock = attrs.field(init=False, repr=False, factory=threading.RLock)

    @cached_property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Width and height of every page in pixels, in the order the header has them; nothing is decoded."""
        with self._reader() as reader:
            count = reader.count()
            if count > self.limits.pages:
                raise InvalidInput(
                    f"{self.name}: {count} pages, more than the limit of {self.limits.pages}",
                    remedy="Split it, or raise limits.pages",
                )
            sizes = tuple(reader.size(index) for index in range(count))
        for number, (width, height) in enumerate(sizes, 1):
            self._check_size(number, width, height)
        return sizes

    def page(self, number: int) -> "Image":
        """The page, upright, in mode L or RGB. Treat it as read-only: others hold the same object."""
        _ = self.sizes
        with self._lock:
            if number not in self._pages:
                with self._reader() as reader:
                    self._pages[number] = reader.page(number - 1)
                self._drop_oldest()
            self._pages.move_to_end(number)
            return self._pages[number]

    def derived(self, number: int, make: "Callable[[Image], T]") -> T:
        """`make(page)`, computed once for this page; for small things such as a reduced copy."""
        key = (number, make)
        with self._lock:
            if key not in self._derived:
                self._derived[key] = make(self.page(number))
            return self._derived[key]  # type: ignore[return-value]  # what `make` returned when it was stored

    @property
    def digest(self) -> bytes:
        """A hash of the content: of a file's bytes, or of an image's pages as engines get them; a piece at a time."""
        if self._digest is None:
            with self._lock:
                if self._digest is None:
                    self._digest = _digest(self._content())
        return self._digest

    @property
    def unread(self) -> int:
        """How many bytes `digest` still has to read, about; 0 once it has, and for what is not there."""
        if self._digest is not None:
            return 0
        if isinstance(self.source, bytes):
            return len(self.source)
        if isinstance(self.source, Path):
            try:
                return self.source.stat().st_size
            except (OSError, ValueError):
                return 0
        return self.source.width * self.source.height * len(self.source.getbands())

    def _content(self) -> Iterator[bytes]:
        if isinstance(self.source, (Path, bytes)):
            with self._open() as file:
                yield from iter(lambda: file.read(PIECE), b"")
            return
        # Not of the image itself: its palette, its orientation and further frames would have to be added.
        for number in range(1, len(self.sizes) + 1):
            page = self.page(number)
            yield f"{page.mode}:{page.width}x{page.height}:".encode()
            rows = max(1, PIECE // (page.width * len(page.getbands())))
            for top in range(0, page.height, rows):
                yield page.crop((0, top, page.width, min(top + rows, page.height))).tobytes()

    @contextmanager
    def _reader(self) -> "Iterator[Reader]":
        # Imported here: Pillow, NumPy and PDFium take longer to load than all the rest of the program's start.
        from switchgear_ocr.formats import ImageReader, open_reader

        if not isinstance(self.source, (Path, bytes)):
            yield ImageReader(self.source, self.name)
            return
        with self._open() as file, open_reader(file, self.name, self.dpi) as reader:
            yield reader

    def _open(self) -> BinaryIO:
        if isinstance(self.source, bytes):
            self._check_length(len(self.source))
            return io.BytesIO(self.source)
        assert isinstance(self.source, Path)
        try:
            # Looked at first: opening a pipe waits for somebody to write into it.
            found = self.source.stat()
            self._check_kind(found.st_mode)
            self._check_length(found.st_size)
            return self.source.open("rb")
        except (FileNotFoundError, ValueError):  # no file's name has a null character
            raise InvalidInput(f"{self.name}: no such file", remedy="Check the path") from None
        except OSError as error:
            raise InvalidInput(
                f"{self.name}: cannot be read ({error.strerror})", remedy="Check its name and its permissions"
            ) from error

    def _check_kind(self, mode: int) -> None:
        if stat.S_ISDIR(mode):
            raise InvalidInput(f"{self.name}: a directory", remedy="Name the files in it")
        if not stat.S_ISREG(mode):
            raise InvalidInput(
                f"{self.name}: {NO_FILES.get(stat.S_IFMT(mode), 'something else')}, and no file",
                remedy="Give the content itself: its bytes, or on the command line - for standard input",
            )

    def _check_length(self, length: int) -> None:
        if length == 0:
            raise InvalidInput(
                f"{self.name}: the file is empty", remedy="It may still be being written, or its copy failed"
            )
        if length > self.limits.file_bytes:
            raise InvalidInput(
                f"{self.name}: {length:,} bytes, more than the limit of {self.limits.file_bytes:,}",
                remedy="Split or compress it, or raise limits.file_bytes",
            )

    def _check_size(self, number: int, width: int, height: int) -> None:
        if not width * height:
            raise InvalidInput(
                f"{self.name}: page {number} has {width:,} x {height:,} pixels, so nothing to read",
                remedy="Look at how it was made",
            )
        if width * height > self.limits.page_pixels:
            raise InvalidInput(
                f"{self.name}: page {number} has {width:,} x {height:,} pixels "
                f"({width * height / 1e6:,.0f} megapixels), "
                f"more than the limit of {self.limits.page_pixels / 1e6:,g} megapixels",
                remedy="Scale it down (300 dpi are plenty for text), or raise limits.page_pixels",
            )

    def _drop_oldest(self) -> None:
        while len(self._pages) > 1 and sum(page.width * page.height for page in self._pages.values()) > KEPT_PIXELS:
            self._pages.popitem(last=False)


def _digest(parts: Iterable[bytes]) -> bytes:
    hashed = hashlib.blake2b(digest_size=32)
    for part in parts:
        hashed.update(part)
    return hashed.digest()
