"""Entries as bytes and back: MessagePack with a header that tells a sound one from everything else."""

import zlib
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from struct import Struct
from typing import Any
from uuid import UUID

import msgspec
from cattrs import Converter
from cattrs.errors import BaseValidationError, StructureHandlerNotFoundError

from switchgear.cache import Entry, Unreadable

_VERSION = 1
_COMPRESSED = 1
_HEADER = Struct(">2sBBI")  # magic, version, flags, checksum of the rest
_MAGIC = b"SG"
_LARGE = 1024  # bytes from which compressing is worth its time
_LEVEL = 1  # a third of level 6's time, for 10 to 20 % more bytes
_MOST = 256 * 1024 * 1024  # a foreign entry must not unpack to more than this
SKEW = 2.0  # seconds by which another machine's calendar may be ahead of ours


class Codec:
    """Writes and reads the entries of one capability. Never pickle: what is read may have been written by anybody."""

    def __init__(self, output_type: Any) -> None:
        self._converter = _converter()
        self._output_type = None if output_type is object else output_type
        self._read: Callable[[Any, Any], Any] = _as_it_is
        self.trouble = ""  # why answers of this type cannot be written
        try:
            if self._output_type is not None:
                self._read = self._converter.get_structure_hook(self._output_type)
        except (StructureHandlerNotFoundError, TypeError, NameError) as error:
            name = getattr(self._output_type, "__name__", self._output_type)
            self.trouble = f"{name} cannot be written as bytes: {error}"

    def encode(self, key: str, entry: Entry, age: float, left: float | None, now: datetime) -> bytes:
        """`age` and `left` are seconds since it was stored, and until this copy no longer counts.

        Raises `TypeError` or `ValueError` where the output is of a kind that has no such form.
        """
        stamp = now.timestamp()
        body = msgspec.msgpack.encode(
            (
                # Its own key: an answer to another question must be noticed, whoever mixed the two up.
                key,
                stamp - age,
                entry.ttl,
                None if left is None else stamp + left,
                entry.provider,
                entry.stamp,
                None if entry.usage is None else {unit: str(amount) for unit, amount in entry.usage.items()},
                None if entry.cost is None else str(entry.cost),
                entry.confidence,
                self._converter.unstructure(entry.output, unstructure_as=self._output_type),
            )
        )
        flags = 0
        if len(body) >= _LARGE:
            packed = zlib.compress(body, _LEVEL)
            if len(packed) < len(body):
                body, flags = packed, _COMPRESSED
        return _HEADER.pack(_MAGIC, _VERSION, flags, zlib.crc32(body)) + body

    def decode(self, key: str, data: bytes, monotonic: float, now: datetime) -> Entry:
        """The entry, its moments turned into those of this process's clock. Raises `Unreadable`."""
        try:
            written_for, stored, ttl, until, provider, stamp, usage, cost, confidence, output = _fields_of(data)
            today = now.timestamp()
            age = today - stored
            if written_for != key:
                raise Unreadable("of another key")
            if age < -SKEW:
                raise Unreadable("from the future")
            return Entry(
                output=self._read(output, self._output_type),
                provider=provider,
                stamp=stamp,
                usage=None if usage is None else {unit: Decimal(amount) for unit, amount in usage.items()},
                cost=None if cost is None else Decimal(cost),
                confidence=confidence,
                stored=monotonic - age if age > 0.0 else monotonic,
                ttl=ttl,
                until=float("inf") if until is None else monotonic + until - today,
            )
        except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, BaseValidationError) as error:
            raise Unreadable(type(error).__name__) from error


def _fields_of(data: bytes) -> Any:
    magic, version, flags, checksum = _HEADER.unpack_from(data) if len(data) > _HEADER.size else (b"", 0, 0, 0)
    body = memoryview(data)[_HEADER.size :]
    if magic != _MAGIC or version != _VERSION or zlib.crc32(body) != checksum:
        raise Unreadable("foreign or damaged")
    return msgspec.msgpack.decode(_unpacked(body) if flags & _COMPRESSED else body)


def _unpacked(body: memoryview) -> bytes:
    unpacking = zlib.decompressobj()
    try:
        unpacked = unpacking.decompress(body, _MOST)
    except zlib.error as error:
        raise Unreadable("damaged") from error
    if not unpacking.eof:
        raise Unreadable("cut off or too large")
    return unpacked


_AS_TEXT: Mapping[type[Any], Any] = {
    Decimal: Decimal,
    UUID: UUID,
    Path: Path,
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    time: time.fromisoformat,
}


def _converter() -> Converter:
    converter = Converter(forbid_extra_keys=True)
    for kind, read in _AS_TEXT.items():
        converter.register_unstructure_hook(kind, getattr(kind, "isoformat", str))
        converter.register_structure_hook(kind, _reading(read))
    converter.register_unstructure_hook(timedelta, lambda value: [value.days, value.seconds, value.microseconds])
    converter.register_structure_hook(timedelta, lambda value, _: timedelta(*value))
    # Strict: cattrs would make a text of a number, and bytes of a list, without a word.
    for kind in (str, bytes, int, bool):
        converter.register_structure_hook(kind, _exactly)
    converter.register_structure_hook(float, lambda value, _: _number(value))
    return converter


def _as_it_is(value: Any, kind: Any) -> Any:
    return value


def _reading(read: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda value, _: read(value)


def _exactly(value: Any, kind: type[Any]) -> Any:
    if type(value) is not kind and not issubclass(kind, type(value)):
        raise TypeError(f"a {type(value).__name__}, not a {kind.__name__}")
    return value if type(value) is kind else kind(value)


def _number(value: Any) -> float:
    if type(value) not in (int, float):
        raise TypeError(f"a {type(value).__name__}, not a number")
    return float(value)
