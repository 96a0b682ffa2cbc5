"""The local journal: what survives the end of the process, however it ends, until every cost sink has it."""

import errno
import mmap
import os
import secrets
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, Protocol

import attrs

from switchgear.cost_sink import CostRecord
from switchgear.costs.lines import Damaged, Origin, Reader, header, origin_line
from switchgear.logs import logger

SEGMENT = 4 << 20  # bytes
MOST_SEGMENTS = 64  # what a process keeps while a sink is away, after which the oldest go
SUFFIX = ".journal"
_FOLDER_MODE, _FILE_MODE = 0o700, 0o600


class Paper(Protocol):
    """What lines are put on."""

    def put(self, line: bytes) -> bool:
        """False if there is no room for it."""
        ...

    def read(self, start: int) -> bytes:
        """Everything from there to the end of the last line."""
        ...

    def close(self) -> None: ...


class Mapped:
    """A file that is mapped into memory: a line costs no system call, and is there when the process is killed.

    All of it is allocated beforehand, so that a full disk shows here, and not as a fault at some later line.
    """

    def __init__(self, file: int) -> None:
        os.posix_fallocate(file, 0, SEGMENT)
        self._map = mmap.mmap(file, SEGMENT)
        self._end = 0

    def put(self, line: bytes) -> bool:
        end = self._end + len(line)
        if end > SEGMENT:
            return False
        self._map[self._end : end] = line
        self._end = end
        return True

    def read(self, start: int) -> bytes:
        return self._map[start : self._end]

    def close(self) -> None:
        self._map.close()


class Written:
    """A file that is written to, with one system call a line."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._end = 0

    def put(self, line: bytes) -> bool:
        if self._end + len(line) > SEGMENT:
            return False
        try:
            done = os.pwrite(self._file, line, self._end)
        except OSError:
            return False
        if done == len(line):
            self._end += done
        return done == len(line)

    def read(self, start: int) -> bytes:
        return os.pread(self._file, self._end - start, start)

    def close(self) -> None:
        pass


@attrs.define
class Segment:
    """One file of a journal, and how much of it was read."""

    number: int
    path: Path
    file: int
    paper: Paper
    read: int = 0

    def close(self, *, remove: bool) -> None:
        self.paper.close()
        if remove:
            self.path.unlink(missing_ok=True)
        os.close(self.file)


class Journal:
    """This process's journal: lines are put in on the home loop, and read again by the bookkeeper.

    `put` never raises: where it cannot write, it counts what is lost and says so.
    """

    def __init__(self, folder: Path, kind: Literal["mapped", "written"], holder: str, currency: str) -> None:
        self.lost = 0
        self.taken = 0  # the last file that was read; those before it are complete, and were read to their ends
        self._folder = folder
        self._paper: Callable[[int], Paper] = Mapped if kind == "mapped" else Written
        self._currency = currency
        self.rename(holder)
        self._origins: list[Origin] = []
        self._segments: deque[Segment] = deque()
        self._current: Paper | None = None
        self.write: Callable[[bytes], bool] = _nowhere  # straight onto the current file; False: use `put`
        self._number = 0
        self._is_closed = False
        self._aside: deque[bytes] = deque(maxlen=100_000)  # what could not be written, for the sinks all the same

    def rename(self, holder: str) -> None:
        """Before the first line: whose it is."""
        self._head = header(holder, self._currency)
        self._holder = holder

    def register(self, origin: Origin) -> int:
        """The number by which its lines name a provider."""
        self._origins.append(origin)
        if self._current is not None:
            self.put(origin_line(len(self._origins) - 1, origin))
        return len(self._origins) - 1

    def put(self, line: bytes) -> None:
        """Put a line in, on a new file if there is no room on the current one."""
        if self.write(line):
            return
        try:
            if not self._turn_over().put(line):
                raise OSError(errno.ENOSPC, "it cannot be written to")
        except OSError as error:
            self._miss(line, error)

    def _miss(self, line: bytes, error: OSError) -> None:
        self.lost += 1
        if self.lost & (self.lost - 1) == 0:  # the 1st, 2nd, 4th, 8th ...
            logger.error("the journal cannot be written, {} lines are only in memory: {}", self.lost, error)
        self._aside.append(line)
        # What follows goes there too, until that is read: it must not come before it.
        self._current, self.write = None, _nowhere

    def _turn_over(self) -> Paper:
        """Go on with a new file. Raises `OSError`."""
        if self._is_closed:
            raise OSError(errno.EBADF, "it is closed")
        if self._aside:
            raise OSError(errno.EAGAIN, "earlier lines are still in memory")
        if not self._folder.exists():
            self._folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        path = self._folder / f"{self._holder}-{self._number:06}{SUFFIX}"
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
        try:
            _lock(file)
            paper = self._paper(file)
            paper.put(self._head)
            for line in self._origin_lines():
                paper.put(line)
        except BaseException:
            path.unlink(missing_ok=True)
            os.close(file)
            raise
        self._segments.append(Segment(self._number, path, file, paper))
        self._number += 1
        self._current, self.write = paper, paper.put
        return paper

    def _origin_lines(self) -> Iterator[bytes]:
        return (origin_line(number, origin) for number, origin in enumerate(self._origins))

    # The bookkeeper's side

    def take(self) -> Iterator[tuple[int, bytes]]:
        """What has been put in since it was last asked, with the number of the file it is in."""
        aside = len(self._aside)  # before the files are read: it comes after all that is in them
        segments = list(self._segments)
        self.taken = segments[-1].number if segments else self._number
        for segment in segments:
            text = segment.paper.read(segment.read)
            if text:
                segment.read += len(text)
                yield segment.number, text
        if aside:
            yield self._number, b"".join((self._head, *self._origin_lines()))
        for _ in range(aside):
            yield self._number, self._aside.popleft()

    def again(self, since: int) -> Iterator[bytes]:
        """Everything that is kept, from the file of this number on."""
        for segment in list(self._segments):
            if segment.number >= since:
                yield segment.paper.read(0)[: segment.read]

    def forget(self, before: int) -> None:
        """Remove the full files before this number: nothing of them is wanted any more."""
        while self._segments and self._segments[0].number < before and self._segments[0].paper is not self._current:
            self._segments.popleft().close(remove=True)

    def give_up(self) -> bytes:
        """Let go of the oldest file although a sink does not have it; what was in it."""
        segment = self._segments.popleft()
        text = segment.paper.read(0)
        segment.close(remove=True)
        return text

    @property
    def is_too_long(self) -> bool:
        return len(self._segments) > MOST_SEGMENTS

    def close(self, *, remove: bool) -> None:
        """`remove`: every sink has everything."""
        self._is_closed = True
        self._current, self.write = None, _nowhere
        while self._segments:
            self._segments.popleft().close(remove=remove)


@attrs.define
class Orphan:
    """The journal file of a process that is gone. As long as it is held, nobody else takes it over."""

    path: Path
    file: int

    def records(self, reader: Reader) -> Iterator[CostRecord]:
        """What was settled in it; the reader keeps what was not."""
        with os.fdopen(os.dup(self.file), "rb") as lines:
            lines.seek(0)
            text = lines.read().partition(b"\0")[0]
        # A line without an end was never finished: its attempt was not sent, or its settlement is not known.
        yield from reader.read(text[: text.rfind(b"\n") + 1])

    def close(self, *, remove: bool) -> None:
        if remove:
            self.path.unlink(missing_ok=True)
        os.close(self.file)


def orphans(folder: Path) -> dict[str, list[Orphan]]:
    """The journals that dead processes have left, by process, each in the order it was written."""
    found: dict[str, list[Orphan]] = {}
    others: set[str] = set()
    for path in sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else ():
        holder = path.name.rpartition("-")[0]
        # All files of a process or none: what one of them begins, the next may settle.
        orphan = None if holder in others else _orphan(path)
        if orphan is not None:
            found.setdefault(holder, []).append(orphan)
        elif holder not in found:
            others.add(holder)
    return found


def _orphan(path: Path) -> Orphan | None:
    """None if its process is alive, or another one takes it over, or has just done so."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        logger.error("{}: cannot be taken over: {}", path, error.strerror)
        return None
    try:
        _lock(file)
    except OSError:
        os.close(file)
        return None
    if not path.exists():
        os.close(file)
        return None
    return Orphan(path, file)


def read_orphans(journals: Sequence[Orphan]) -> list[CostRecord]:
    """Everything in the files of one process, the unsettled as in doubt. Raises `Damaged` for a newer format."""
    reader = Reader()
    records = [record for each in journals for record in each.records(reader)]
    records += reader.abandoned()
    if reader.bad:
        logger.error("{}: {} lines cannot be read", journals[0].path, reader.bad)
    return records


def new_holder() -> str:
    """A name for this process among all that share a ledger."""
    return f"{os.getpid()}x{secrets.token_hex(6)}"


def _nowhere(line: bytes) -> bool:
    return False


def _lock(file: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: nobody can take over what is open
        return
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


__all__ = ["Damaged", "Journal", "Mapped", "Orphan", "Written", "new_holder", "orphans", "read_orphans"]
