"""Whole numbers as callers give them: typed, or as text from a command line."""

from typing import Any

from switchgear import InvalidInput

LONGEST = 18  # digits: more are a mistake, and Python refuses to read thousands


def whole_number(name: str, value: Any, *, least: int, example: str) -> int:
    """The number that an option has. Raises InvalidInput for what is none, or less than `least`."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    is_text = isinstance(value, str) and value.isdecimal() and len(value) <= LONGEST
    number = int(value) if is_number or is_text else least - 1
    if number < least:
        raise InvalidInput(
            f"{name} {value!r}: not a whole number of {least} or more", remedy=f"Write for example {example}"
        )
    return number
