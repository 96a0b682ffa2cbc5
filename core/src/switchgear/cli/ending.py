"""Leaves the process, whatever a plugin left running in it."""

import gc
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

INTERRUPTED = 130
_YOUNG_OBJECTS = 100_000  # until the collector looks at them: more than are made before a command begins its work


def leave(run: Callable[[], Any]) -> None:
    """Run a command and exit with its status."""
    # What is imported and composed stays to the end. To look through it for garbage would be in vain, on the way
    # and once more while Python ends: a fifth of the time that `switchgear check` takes.
    gc.set_threshold(_YOUNG_OBJECTS)
    # A file name that is no text, or a text that the terminal has no characters for, must not end in a traceback.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        run()
    except (SystemExit, KeyboardInterrupt) as end:
        if _somebody_works_on():
            _leave_them(_status(end))
        gc.freeze()
        raise


def _status(end: BaseException) -> int:
    if isinstance(end, SystemExit):
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return INTERRUPTED


def _somebody_works_on() -> bool:
    here = threading.current_thread()
    others = any(thread is not here and not thread.daemon for thread in threading.enumerate())
    blocking = sys.modules.get("switchgear.blocking")  # whoever uses no engine does not import it
    return others or (blocking is not None and blocking.somebody_works())


def _leave_them(status: int) -> None:
    """An engine that hangs in a thread of its own cannot be stopped, and Python would wait for it for ever."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(status)
