"""The library's own log: silent until it is switched on, and never in the way of the application's sinks."""

import json
import logging as stdlib
import sys
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import attrs
from loguru import logger

from switchgear.errors import ConfigError, Problem
from switchgear.secret import REDACTED, Secret

if TYPE_CHECKING:
    from loguru import Message, Record

    from switchgear.config.settings import Logging

logger.disable("switchgear")

_LEAST = 4  # characters; to redact shorter ones would take every text apart
_TEXT = "{time:YYYY-MM-DD HH:mm:ss.SSS} {level:<7} {message}"

# Switching on is the whole process's: a package stays on until the last of the logs that want it is closed.
_wanted: Counter[str] = Counter()
_lock = threading.Lock()


def report_defect(what: str, error: Exception) -> None:
    """Say that foreign code broke where that must not stop anything: by type, since its text may hold content."""
    logger.error("{}: {}", what, type(error).__name__)


def silence(package: str) -> None:
    """Keep a package that has just been loaded quiet, unless an open log wants it."""
    with _lock:
        if not _wanted[package]:
            logger.disable(package)


def configure(
    logging: "Logging",
    *,
    secrets: Iterable[Secret | str] = (),
    packages: Iterable[str] = ("switchgear",),
    folder: Path | None = None,
) -> "Log":
    """Write what the library and the named plugin packages log, as `[switchgear.logging]` wants it, until `close()`.

    `secrets` are replaced by asterisks in all that is written; a relative file starts at `folder`. Sinks of the
    application stay; as with any library that is switched on, they hear these packages too. Raises `ConfigError` if
    the file cannot be opened.
    """
    names = frozenset(packages)
    redact = Redactor([each.reveal() if isinstance(each, Secret) else each for each in secrets])
    file = None if logging.file is None or logging.format == "stdlib" else _open((folder or Path()) / logging.file)
    target = file or _StandardError()

    def write(text: str) -> None:
        target.write(text)

    sinks: Mapping[str, Callable[[Message], None]] = {
        "text": lambda message: write(redact.text(message)),
        "json": lambda message: write(json.dumps(redact.values(_fields(message.record)), default=str) + "\n"),
        "stdlib": lambda message: _forward(message.record, redact),
    }
    handler = logger.add(
        sinks[logging.format],
        level=logging.level,
        format=_TEXT,
        filter=lambda record: (record["name"] or "").partition(".")[0] in names,
        colorize=False,
        backtrace=False,
        diagnose=False,
        catch=True,
    )
    _switch_on(names)
    return Log(handler, names, file)


@attrs.define(eq=False, repr=False)
class Log:
    """Our sink while it is there."""

    _handler: int
    _packages: Collection[str]
    _file: TextIO | None = None
    _closed: bool = attrs.field(default=False, init=False)

    def close(self) -> None:
        """Take the sink away, and silence what nobody else has switched on. More than once is fine."""
        if self._closed:
            return
        self._closed = True
        _switch_off(self._packages)
        with suppress(ValueError):  # the application may have removed all sinks
            logger.remove(self._handler)
        if self._file is not None:
            self._file.close()


class Redactor:
    """Replaces secrets in texts, and in the texts inside of tables and lists."""

    def __init__(self, secrets: Iterable[str]) -> None:
        # The longest first: one secret may be the beginning of another.
        self._secrets = sorted({each for each in secrets if len(each) >= _LEAST}, key=len, reverse=True)

    def text(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        return text

    def values(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.values(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.values(item) for item in value]
        return value if value is None or isinstance(value, int | float) else self.text(str(value))


class _StandardError:
    """Looked up at each line: who replaces `sys.stderr` gets the lines that follow."""

    def write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def _open(path: Path) -> TextIO:
    try:
        return path.open("a", encoding="utf-8", buffering=1)
    except OSError as error:
        remedy = "Name a file in a folder that is there and may be written to"
        raise ConfigError(
            [Problem("switchgear.logging.file", f"{path} cannot be opened: {error.strerror}", remedy)]
        ) from None


def _fields(record: "Record") -> dict[str, Any]:
    fields = {
        **record["extra"],
        "time": record["time"].astimezone(UTC).isoformat(timespec="milliseconds"),
        "level": record["level"].name,
        "message": record["message"],
    }
    if record["exception"] is not None and record["exception"].type is not None:
        fields["exception"] = record["exception"].type.__name__
    return fields


def _forward(record: "Record", redact: Redactor) -> None:
    """To `logging`, with the fields as one attribute `switchgear`: their names may clash with those of a LogRecord."""
    stdlib.getLogger("switchgear").log(
        record["level"].no,
        "%s",
        redact.text(record["message"]),
        extra={"switchgear": redact.values(record["extra"])},
    )


def _switch_on(packages: Collection[str]) -> None:
    with _lock:
        _wanted.update(packages)
        for package in packages:
            logger.enable(package)


def _switch_off(packages: Collection[str]) -> None:
    with _lock:
        _wanted.subtract(packages)
        for package in packages:
            if _wanted[package] <= 0:
                del _wanted[package]
                logger.disable(package)


__all__ = ["Log", "Redactor", "configure", "logger", "report_defect", "silence"]
