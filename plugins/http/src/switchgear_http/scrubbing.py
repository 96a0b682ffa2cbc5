"""Vendors' messages made safe to log: no key, and nothing of what was sent."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

LIMIT = 200  # characters of a vendor's message
WITHHELD = "(a message that repeats the request)"
_RUN = 12  # characters in a row that a message shares with a text only by quoting it
_SHORTEST = 4  # shorter texts are words that any message may hold


def scrub(message: str, secrets: Iterable[str], content: Any = None) -> str:
    """The message on one line, cut to `LIMIT`, without secrets; withheld where it repeats a text of `content`.

    `content` is what was sent (texts, or tables and lists of them), not what it looked like on the wire.
    """
    shown = _line(message[: 4 * LIMIT])
    for secret in secrets:
        shown = shown.replace(secret, "***") if secret else shown
    shown = shown[:LIMIT]
    plain = _plain(shown)
    if any(_repeats(plain, text) for text in _texts(content)):
        return WITHHELD
    return shown


def _repeats(message: str, text: str) -> bool:
    sent = _plain(text)
    if len(sent) < _SHORTEST:
        return False
    if sent in message:
        return True
    return any(message[start : start + _RUN] in sent for start in range(len(message) - _RUN + 1))


def _plain(text: str) -> str:
    return _line(text).casefold()


def _line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, Mapping):
        for value in content.values():
            yield from _texts(value)
    elif isinstance(content, list | tuple):
        for value in content:
            yield from _texts(value)
