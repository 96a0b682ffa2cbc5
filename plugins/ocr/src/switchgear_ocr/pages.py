"""Which pages of a document are wanted: `1-3,5` and the like, counted from 1."""

import re
from collections.abc import Iterable

import attrs
from switchgear import InvalidInput

PART = re.compile(r"(\d{0,18})(-?)(\d{0,18})")  # Python refuses to read thousands of digits


@attrs.frozen
class PageRange:
    """Ranges of page numbers, both ends included; None leaves an end open. Without any, every page is wanted."""

    parts: tuple[tuple[int | None, int | None], ...] = ()

    def select(self, count: int) -> tuple[int, ...]:
        """The numbers it stands for in a document of `count` pages. Raises InvalidInput when one does not exist."""
        if not self.parts:
            return tuple(range(1, count + 1))
        wanted = {n for first, last in self.parts for n in range(first or 1, _end(last, count) + 1)}
        if not wanted or max(wanted) > count:
            raise InvalidInput(f"pages {self}: the document has {count}", remedy=f"Ask for pages between 1 and {count}")
        return tuple(sorted(wanted))

    def __str__(self) -> str:
        return ",".join(_show(first, last) for first, last in self.parts)


def page_range(value: PageRange | str | int | Iterable[int] | None) -> PageRange:
    """Read `"1-3,5"`, `"2-"`, a number or a sequence of numbers; nothing means all pages. Raises InvalidInput."""
    if isinstance(value, PageRange):
        return value
    if value is None or value == "":
        return PageRange()
    if isinstance(value, str):
        return PageRange(tuple(_parse(part.strip()) for part in value.split(",")))
    numbers = [value] if isinstance(value, int) else value
    return PageRange(tuple(_checked(number, number, number) for number in numbers))


def _end(last: int | None, count: int) -> int:
    # One past the document's end is enough to be told of, and keeps "1-999999999" from filling the memory.
    return count if last is None else min(last, count + 1)


def _show(first: int | None, last: int | None) -> str:
    return str(first) if first == last else f"{first or ''}-{last or ''}"


def _parse(part: str) -> tuple[int | None, int | None]:
    match = PART.fullmatch(part)
    if not match or not (match[1] or match[3]) or (match[3] and not match[2]):
        raise InvalidInput(f"pages {part!r}: not a page or a range", remedy="Write for example 1-3,5 or 2-")
    first = int(match[1]) if match[1] else None
    if not match[2]:
        return _checked(first, first, part)
    return _checked(first, int(match[3]) if match[3] else None, part)


def _checked(first: int | None, last: int | None, shown: object) -> tuple[int | None, int | None]:
    if first == 0 or last == 0 or (first and first < 0):
        raise InvalidInput(f"pages {shown}: there is no such page", remedy="Count pages from 1")
    if first and last and last < first:
        raise InvalidInput(f"pages {shown}: the range runs backwards", remedy=f"Write {last}-{first}")
    return first, last
