"""Carries what was recorded to the cost sinks, the tracker and the listeners, in a thread of its own."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol, TypeVar

import attrs

from switchgear.cost_sink import CostRecord
from switchgear.costs.alerts import AlertDesk
from switchgear.costs.journal import Damaged, orphans, read_orphans
from switchgear.costs.tracker import CostTracker
from switchgear.logs import logger, report_defect

T = TypeVar("T")

BATCH = 5_000  # records between two flushes at the most
MOST_WAITING = 50_000  # records that a sink which is away may be owed in memory
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
_PATIENCE = 10.0  # seconds that closing waits for the sinks


class Source(Protocol):
    """Where records come from: a journal that lasts, or only this process's memory."""

    @property
    def lost(self) -> int:
        """Lines or records that were not taken in."""
        ...

    def take(self) -> Iterator[CostRecord]:
        """What was settled since it was last asked."""
        ...

    def mark(self) -> int:
        """A place in it: all that was taken so far is before it."""
        ...

    def again(self, since: int) -> Iterator[CostRecord] | None:
        """What was taken since a place; None if that is no longer known."""
        ...

    def forget(self, before: int) -> int:
        """Every sink has what is before a place. Returns how many records had to be given up to stay bounded."""
        ...

    def close(self, *, complete: bool) -> None:
        """`complete`: every sink has everything."""
        ...


@attrs.define(eq=False)
class _Pipe:
    """One sink and what it is owed."""

    name: str
    sink: Any
    waiting: deque[CostRecord] = attrs.Factory(deque)
    handed: int = 0  # since the last good flush
    good_until: int = 0  # the place up to which it has everything
    missed_since: int | None = None  # the place from which it has to be given all again
    lost: int = 0
    pause: float = 0.0
    again_at: float = float("-inf")

    @property
    def is_behind(self) -> bool:
        return self.pause > 0


class Bookkeeper:
    """One thread: every `interval` seconds it takes what was recorded and hands it on, and in between it does the jobs
    that need a ledger. All sinks are only ever called there. `inline` for tests: no thread, `tick()` does it.
    """

    def __init__(
        self,
        source: Source,
        sinks: Mapping[str, Any],
        tracker: CostTracker,
        monotonic: Callable[[], float],
        *,
        interval: float = 0.2,
        journals: Path | None = None,
        hear: Callable[[list[CostRecord]], None] | None = None,
        inline: bool = False,
    ) -> None:
        self.tracker = tracker
        self.desk: AlertDesk | None = None
        self.on_tick: list[Callable[[], None]] = []  # the budgets' housekeeping
        self.extra: list[CostRecord] = []  # what the jobs of a tick add
        self.begin: Callable[[], None] | None = None  # once, in the thread, after recovery
        self.hearers: list[Callable[[CostRecord], None]] = []  # before the sinks: the accounts of this process
        self._source = source
        self._pipes = [_Pipe(name, sink) for name, sink in sinks.items()]
        self._monotonic = monotonic
        self._interval = interval
        self._journals = journals
        self._hear = hear
        self._inline = inline
        self._jobs: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self.ready: Future[None] = Future()  # done once the thread has begun: what is known is what was
        self._started = False
        self._starting = threading.Lock()
        self._is_closed = False

    # From anywhere

    def start(self) -> None:
        """Begin, unless that was done; what dead processes have left is taken over first."""
        if not self._started:
            with self._starting:
                self._start()

    def _start(self) -> None:
        if self._started:
            return
        self._started = True
        if self._inline:
            self._begin()
        else:
            self._thread = threading.Thread(target=self._run, name="switchgear-accounts", daemon=True)
            self._thread.start()

    def submit(self, job: Callable[[], T]) -> "Future[T]":
        """Have something done in the thread, between two ticks."""
        self.start()
        done: Future[T] = Future()
        if self._inline:
            _do(done, job)
        else:
            self._jobs.put((done, job))
        return done

    def flush(self, timeout: float = _PATIENCE) -> None:
        """Hand on everything that has been recorded so far; waits for it."""
        if not self._is_closed:
            self.submit(self.tick).result(timeout)

    def close(self, timeout: float = _PATIENCE) -> None:
        """Hand on the rest, and close the sinks. What a sink did not take in time stays in the journal."""
        if self._is_closed:
            return
        with self._starting:
            unused, self._started = not self._started, True
        if self._inline or unused:
            self._end()
        else:
            self._jobs.put(None)
            thread = self._thread
            assert thread is not None
            thread.join(timeout)
            if thread.is_alive():
                logger.error("a cost sink does not come to an end; what it has not taken stays in the journal")
        self._is_closed = True

    @property
    def has_started(self) -> bool:
        return self._started

    @property
    def lost(self) -> Mapping[str, int]:
        """Records that were given up, by sink."""
        return {pipe.name: pipe.lost for pipe in self._pipes if pipe.lost}

    # In the thread

    def tick(self) -> None:
        for job in self.on_tick:
            _contained(job, "looking after budgets")
        records = [*self.extra, *self._source.take()]
        self.extra.clear()
        if records:
            self._hand_on(records)
        for pipe in self._pipes:
            self._flush(pipe)
        self._forget()

    def _run(self) -> None:
        self._begin()
        while True:
            try:
                job = self._jobs.get(timeout=self._interval)
            except queue.Empty:
                _contained(self.tick, "accounting")
                continue
            if job is None:
                self._end()
                return
            _do(*job)

    def _begin(self) -> None:
        _contained(self._recover, "taking over the journals of processes that are gone")
        if self.begin is not None:
            _contained(self.begin, "reading the ledger")
        self.ready.set_result(None)

    def _recover(self) -> None:
        for journals in (orphans(self._journals) if self._journals is not None and self._pipes else {}).values():
            removed = False
            try:
                records = read_orphans(journals)
                self._hand_on(records, live=False)
                for pipe in self._pipes:
                    self._flush(pipe)
                removed = not any(pipe.is_behind for pipe in self._pipes)
            except Damaged as error:
                logger.error("{}: {}", journals[0].path, error)
            finally:
                for each in journals:
                    each.close(remove=removed)

    def _end(self) -> None:
        for pipe in self._pipes:
            pipe.again_at = float("-inf")  # a last try
        _contained(self.tick, "accounting")
        self._source.close(complete=not any(pipe.is_behind for pipe in self._pipes))
        for pipe in self._pipes:
            close = getattr(pipe.sink, "close", None)
            if close is not None:
                _contained(close, f"closing cost sink {pipe.name}")

    def _hand_on(self, records: list[CostRecord], *, live: bool = True) -> None:
        if live:
            self.tracker.add(records)
        for hear in self.hearers:
            for record in records:
                hear(record)
        for pipe in self._pipes:
            self._owe(pipe, records, live=live)
        if self.desk is not None and live:
            self.desk.look_at_records(records)
        if self._hear is not None:
            _contained(lambda: self._hear(records), "telling listeners")  # type: ignore[misc]

    def _owe(self, pipe: _Pipe, records: list[CostRecord], *, live: bool) -> None:
        if live and len(pipe.waiting) + len(records) > MOST_WAITING and pipe.is_behind:
            if self._source.again(pipe.good_until) is None:
                self._give_up([pipe], len(records))
            elif pipe.missed_since is None:
                # It is given all of it again, from the journal, once it is back.
                pipe.missed_since = pipe.good_until
                pipe.waiting.clear()
            return
        if pipe.missed_since is None or not live:
            pipe.waiting.extend(records)

    def _flush(self, pipe: _Pipe) -> None:
        if self._monotonic() < pipe.again_at:
            return
        try:
            self._write(pipe, self._source.mark())
        # Foreign code: a sink that fails is tried again, and nothing else hears of it.
        except Exception as error:
            if not pipe.is_behind:
                logger.error("cost sink {}: {}; its records wait", pipe.name, type(error).__name__)
                if self.desk is not None:
                    self.desk.unreachable(f"cost_sinks.{pipe.name}", f"cannot write: {type(error).__name__}")
            pipe.pause = min(_LONGEST_PAUSE, max(_FIRST_PAUSE, 2 * pipe.pause))
            pipe.again_at = self._monotonic() + pipe.pause

    def _write(self, pipe: _Pipe, place: int) -> None:
        if pipe.handed:
            pipe.sink.flush()  # what it kept of the last time
            pipe.handed = 0
        if pipe.missed_since is not None:
            self._catch_up(pipe)
        while pipe.waiting:
            while pipe.waiting and pipe.handed < BATCH:
                self._hand_over(pipe, pipe.waiting.popleft())
            pipe.sink.flush()
            pipe.handed = 0
        if pipe.is_behind:
            logger.warning("cost sink {}: is back", pipe.name)
        pipe.pause, pipe.good_until = 0.0, place

    def _hand_over(self, pipe: _Pipe, record: CostRecord) -> None:
        # Foreign code: a record that a sink cannot take would keep all that follow from being written.
        try:
            pipe.sink.cost_recorded(record)
        except Exception as error:
            pipe.lost += 1
            logger.error("cost sink {}: refuses {}: {}", pipe.name, record.id, error)
            if self.desk is not None:
                self.desk.lost(f"cost_sinks.{pipe.name}", f"it refuses records such as {record.id}")
        pipe.handed += 1

    def _catch_up(self, pipe: _Pipe) -> None:
        assert pipe.missed_since is not None
        for record in self._source.again(pipe.missed_since) or ():
            self._hand_over(pipe, record)
            if pipe.handed >= BATCH:
                pipe.sink.flush()
                pipe.handed = 0
        pipe.sink.flush()
        pipe.handed, pipe.missed_since = 0, None

    def _forget(self) -> None:
        given_up = self._source.forget(min((pipe.good_until for pipe in self._pipes), default=self._source.mark()))
        if given_up:
            self._give_up([pipe for pipe in self._pipes if pipe.is_behind], given_up)

    def _give_up(self, pipes: list[_Pipe], records: int) -> None:
        for pipe in pipes:
            pipe.lost += records
        self.tracker.lost += records
        logger.error("{} cost records are lost: a cost sink has been away for too long", records)
        if self.desk is not None:
            self.desk.lost("accounting", f"{records} records are lost: a cost sink has been away for too long")


def _contained(job: Callable[[], object], what: str) -> None:
    # Foreign code, and a thread that must go on: what fails is reported, and done again at the next tick.
    try:
        job()
    except Exception as error:
        report_defect(what, error)


def _do(done: "Future[T]", job: Callable[[], T]) -> None:
    if not done.set_running_or_notify_cancel():
        return
    try:
        done.set_result(job())
    # Whatever it is, it belongs to whoever waits for it.
    except BaseException as error:
        done.set_exception(error)
