"""Values as bytes that mean exactly one value: what cache keys are made of.

Every value is written as a tag, its length and its content, so that no two of them run into each other. The form is
part of the cache's format: golden values in the tests hold it across processes and versions of Python.
"""

import struct
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from hashlib import blake2b
from operator import itemgetter
from pathlib import Path
from typing import Any

import attrs

from switchgear.secret import Secret

DIGEST_SIZE = 32
LARGE = 1 << 18  # bytes that take about a third of a millisecond: more of them are no work for an event loop
_CHUNK = 1 << 20

Write = Callable[[Any], object]
Feed = Callable[[Write, Any], object]


def canonical(value: Any) -> bytes:
    """The value as bytes: of texts, numbers, dates, mappings, sequences, sets, attrs and data classes of them.

    Classes give all their fields but those of `metadata={"answer": False}`; a `Path` stands for the content of its
    file. Raises `TypeError` for what has no such form, among it a `Secret`, and `OSError` for a file that is not there.
    """
    if type(value) is str:
        return _text(value)
    parts = bytearray()
    _feed(parts.extend, value)
    return bytes(parts)


def fingerprint_of(value: Any) -> bytes:
    """`canonical(value)` of a text, and of anything else its digest, without a second copy of large contents."""
    if type(value) is str:
        return _text(value)
    hashed = blake2b(digest_size=DIGEST_SIZE)
    _feed(hashed.update, value)
    return hashed.digest()


def content_digest(path: Path) -> bytes:
    """A digest of a file's content, read a piece at a time."""
    hashed = blake2b(digest_size=DIGEST_SIZE)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            hashed.update(chunk)
    return hashed.digest()


def content_size(value: Any) -> int:
    """About how many bytes `canonical` has to read: those of texts, of binary values, and of files."""
    if isinstance(value, str | bytes | bytearray):
        return len(value)
    if isinstance(value, Path):
        return _file_size(value)
    if isinstance(value, Mapping):
        return sum(map(content_size, value.values()))
    if isinstance(value, list | tuple | Set):
        return sum(map(content_size, value))
    if isinstance(value, memoryview):
        return value.nbytes
    kind: Any = type(value)
    sizes: Iterable[int] = (content_size(getattr(value, name)) for name in _counted_names(kind))
    return sum(sizes)


def changes_answers(field: Any) -> bool:
    """Whether a field of an attrs or data class counts: all do that do not say otherwise."""
    return bool(field.metadata.get("answer", True))


@cache
def _counted_names(kind: Any) -> Sequence[str]:
    """The fields of an attrs or data class that count; none of other types."""
    return [field.name for field in _fields_of(kind) if changes_answers(field)]


def _fields_of(kind: type[Any]) -> Sequence[Any]:
    if attrs.has(kind):
        fields: Sequence[Any] = attrs.fields(kind)
        return fields
    return dataclass_fields(kind) if is_dataclass(kind) else ()


def _file_size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # whoever reads it will say so


def _text(text: str) -> bytes:
    content = text.encode("utf-8", "surrogatepass")
    return b"s%d:%b" % (len(content), content)


def _feed(write: Write, value: Any) -> None:
    feed = _BY_TYPE.get(type(value)) or _feeder_of(value)
    feed(write, value)


def _plain(tag: bytes, spell: Callable[[Any], str]) -> Feed:
    def feed(write: Write, value: Any) -> None:
        content = spell(value).encode("utf-8", "surrogatepass")
        write(b"%b%d:%b" % (tag, len(content), content))

    return feed


def _bytes(write: Write, value: Any) -> None:
    view = memoryview(value).cast("B")
    write(b"b%d:" % len(view))
    write(view)


def _float(write: Write, value: float) -> None:
    write(b"f8:" + struct.pack(">d", value))


def _sequence(write: Write, value: Sequence[Any]) -> None:
    write(b"l%d:" % len(value))
    for item in value:
        _feed(write, item)


def _set(write: Write, value: Set[Any]) -> None:
    write(b"S%d:" % len(value))
    for item in sorted(map(canonical, value)):
        write(item)


def _mapping(write: Write, value: Mapping[Any, Any]) -> None:
    write(b"m%d:" % len(value))
    for key, item in sorted(((canonical(key), item) for key, item in value.items()), key=itemgetter(0)):
        write(key)
        _feed(write, item)


def _instance(write: Write, value: Any) -> None:
    kind: Any = type(value)
    names = _counted_names(kind)
    write(_text(type(value).__qualname__).replace(b"s", b"c", 1))
    write(b"%d:" % len(names))
    for name in names:
        write(_text(name))
        _feed(write, getattr(value, name))


def _enum(write: Write, value: Enum) -> None:
    _plain(b"e", str)(write, f"{type(value).__qualname__}.{value.name}")


def _path(write: Write, value: Path) -> None:
    write(b"p32:" + content_digest(value))


_BY_TYPE: dict[type[Any], Feed] = {
    str: lambda write, value: write(_text(value)),
    type(None): lambda write, value: write(b"n0:"),
    bool: _plain(b"t", lambda value: "1" if value else "0"),
    int: _plain(b"i", str),
    float: _float,
    bytes: _bytes,
    bytearray: _bytes,
    memoryview: _bytes,
    Decimal: _plain(b"d", str),
    datetime: _plain(b"D", datetime.isoformat),
    date: _plain(b"y", date.isoformat),
    time: _plain(b"T", time.isoformat),
    timedelta: _plain(b"L", lambda value: f"{value.days},{value.seconds},{value.microseconds}"),
    uuid.UUID: _plain(b"u", str),
    list: _sequence,
    tuple: _sequence,
    dict: _mapping,
    set: _set,
    frozenset: _set,
}
_BY_KIND: Sequence[tuple[type[Any], Feed]] = (
    (Enum, _enum),
    (Path, _path),
    (Mapping, _mapping),
    (Set, _set),
)
_SCALARS = (str, int, float, Decimal, bytes, datetime)


def _feeder_of(value: Any) -> Feed:
    for kind, feed in _BY_KIND:
        if isinstance(value, kind):
            return feed
    if isinstance(value, Secret):
        raise TypeError("a secret is never part of a cache key; mark its field with metadata={'answer': False}")
    if attrs.has(type(value)) or is_dataclass(value):
        return _instance
    for scalar in _SCALARS:
        if isinstance(value, scalar):
            return _BY_TYPE[scalar]
    raise TypeError(f"a {type(value).__name__} has no canonical form; make the fingerprint of its parts")
