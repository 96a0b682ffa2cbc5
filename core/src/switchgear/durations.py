"""Lengths of time as people write them: `"250ms"`, `"10s"`, `"1h30m"`, `"7d"`; inside the library, float seconds.

Imports nothing of Switchgear, so that any floor's settings can name `Duration`.
"""

import re
from decimal import Decimal
from typing import NewType

Duration = NewType("Duration", float)

EXAMPLES = '"250ms", "30s", "5m", "1h30m" or "7d"'

_UNITS = {"d": Decimal(86400), "h": Decimal(3600), "m": Decimal(60), "s": Decimal(1), "ms": Decimal("0.001")}
_AMOUNT = r"(?:(\d{{1,9}}(?:\.\d{{1,9}})?){unit})?"
# `m` must not take the first letter of `ms`.
_FORM = re.compile("".join(_AMOUNT.format(unit="m(?!s)" if unit == "m" else unit) for unit in _UNITS), re.ASCII)


def parse_duration(text: str) -> Duration:
    """Seconds. Units come from the largest to the smallest, each at most once; `"0s"` is possible, a sign is not.

    Raises `ValueError` with a reason that does not repeat the text, which may have come out of a secret.
    """
    form = _FORM.fullmatch(text)
    if form is None or not text:
        raise ValueError("no unit" if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII) else "not a duration")
    amounts = zip(form.groups(), _UNITS.values(), strict=True)
    return Duration(float(sum(Decimal(amount) * unit for amount, unit in amounts if amount)))


def spell_duration(seconds: float) -> str:
    """As people write it, rounded to milliseconds: `5400.0` is `"1h30m"`."""
    rest = round(Decimal(seconds) * 1000)
    spelled = ""
    for unit, length in _UNITS.items():
        amount, rest = divmod(rest, int(length * 1000))
        spelled += f"{amount}{unit}" if amount else ""
    return spelled or "0s"
