"""Finds the configuration file, reads it and the `.env` beside it."""

from codecs import BOM_UTF8
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from switchgear.config.formats import READERS, Unreadable, parse
from switchgear.errors import ConfigError, Problem

FILE_NAME = "switchgear.toml"
CONFIG_VARIABLE = "SWITCHGEAR_CONFIG"
FILE_LIMIT = 1024 * 1024


def find_file(path: Path | str | None, environ: Mapping[str, str], start: Path | None = None) -> Path:
    """The file to read: `path`, else what SWITCHGEAR_CONFIG names, else the nearest switchgear.toml upwards."""
    if path is not None:
        return Path(path)
    if named := environ.get(CONFIG_VARIABLE):
        if not Path(named).is_file():
            raise ConfigError([Problem(CONFIG_VARIABLE, f"there is no file {named}", "Correct or unset it")])
        return Path(named)
    start = (start or Path.cwd()).absolute()
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    raise ConfigError(
        [
            Problem(
                str(start),
                f"no {FILE_NAME} here or in a folder above",
                f"Write one with `switchgear init`, or name another with --config or in {CONFIG_VARIABLE}",
            )
        ]
    )


def read_tables(path: Path) -> dict[str, Any]:
    """The file's tables; its suffix says the format. Raises `ConfigError`."""
    if path.suffix.lower() not in READERS:
        raise ConfigError([Problem(str(path), f"unknown suffix {path.suffix!r}", f"Files end in {', '.join(READERS)}")])
    text = _read_text(path)
    try:
        return parse(text, path.suffix.lower())
    except Unreadable as error:
        # Not chained: a reader's own error may quote the file, which may hold a secret.
        raise ConfigError([Problem(str(path), str(error))]) from None


def read_dotenv(folder: Path) -> tuple[dict[str, str], list[Problem]]:
    """The variables of the folder's `.env`, if there is one, and its unreadable lines."""
    path = folder / ".env"
    if not path.is_file():
        return {}, []
    from switchgear.config.dotenv import parse_dotenv

    try:
        variables, wrong = parse_dotenv(_read_text(path))
    except ConfigError as error:
        return {}, list(error.problems)
    remedy = "Quote the value if it has a # or a quote in it"
    return variables, [Problem(str(path), f"line {number} is not KEY=VALUE", remedy) for number in wrong]


def _read_text(path: Path) -> str:
    problem = None
    try:
        # Reading a pipe or a device could wait or go on for ever.
        if path.exists() and not path.is_file():
            problem = Problem(str(path), "not a file")
        else:
            with path.open("rb") as file:
                content = file.read(FILE_LIMIT + 1)
            if len(content) <= FILE_LIMIT:
                return content.removeprefix(BOM_UTF8).decode()
            problem = Problem(str(path), f"larger than {FILE_LIMIT} bytes")
    except OSError as error:
        problem = Problem(str(path), f"cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        problem = Problem(str(path), f"not UTF-8 (at line {line}, column {column})", "Save it as UTF-8")
    raise ConfigError([problem])
