"""Vendors' messages made safe to log: no key, and nothing of what was sent."""

import html
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

LIMIT = 200  # characters of a vendor's message
WITHHELD = "(a message that repeats the request)"
_RUN = 12  # characters in a row that a message shares with a text only by quoting it
_SHORTEST = 4  # shorter texts are words that any message may hold


def scrub(message: str, secrets: Iterable[str], content: Any = None) -> str:
    """The message on one line, cut to `LIMIT`, without secrets; withheld where it repeats a text of `content`.

    `content` is what was sent (texts, or tables and lists of them), not what it looked like on the wire.
    """
    for secret in secrets:  # before it is cut: half a secret would not be found
        message = message.replace(secret, "***") if secret else message
    shown = _line(message)[:LIMIT]
    plain = _plain(shown)
    if any(_repeats(plain, text) for text in _texts(content)):
        return WITHHELD
    return shown


def _repeats(message: str, text: str) -> bool:
    if len(_plain(text)) < _SHORTEST:
        return False
    for sent in map(_plain, _spellings(text)):
        if sent in message or any(message[start : start + _RUN] in sent for start in range(len(message) - _RUN + 1)):
            return True
    return False


def _spellings(text: str) -> set[str]:
    """As it is, and as it may stand in somebody's JSON, HTML or URL."""
    return {
        text,
        json.dumps(text)[1:-1],
        html.escape(text),
        quote(text, errors="replace"),
        quote_plus(text, errors="replace"),
    }


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
