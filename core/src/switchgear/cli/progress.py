"""A progress bar on standard error for what takes longer than a second, if somebody is watching."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

_PATIENCE = 1.0


class Progress:
    """Counts inputs. Enter it on a running loop."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._bar: Bar | None = None
        self._start: asyncio.TimerHandle | None = None

    def __enter__(self) -> "Progress":
        if sys.stderr.isatty():
            self._start = asyncio.get_running_loop().call_later(_PATIENCE, self._show)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._start is not None:
            self._start.cancel()
        if self._bar is not None:
            self._bar.stop()

    @contextmanager
    def one_done(self) -> Iterator[None]:
        """Count one more, and keep the bar out of the way of what is printed about it."""
        self._done += 1
        if self._bar is None:
            yield
            return
        self._bar.stop()
        yield
        self._bar.update(self._bar.task_ids[0], completed=self._done)
        self._bar.start()

    def _show(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TimeElapsedColumn

        from switchgear.cli.tables import console

        columns = (SpinnerColumn(), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        # Standard output is not to be captured: it is where the answers go.
        self._bar = Progress(
            *columns, console=console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False
        )
        self._bar.add_task("", total=self._total, completed=self._done)
        self._bar.start()
