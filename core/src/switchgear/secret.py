"""A value that never shows itself: API keys, tokens, passwords."""

import attrs

REDACTED = "**********"


@attrs.frozen(repr=False, str=False, order=False)
class Secret:
    """Holds a secret text; `repr()`, `str()` and formatting show asterisks, only `reveal()` gives it away."""

    _value: str

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return f"Secret('{REDACTED}')"

    def __str__(self) -> str:
        return REDACTED

    def __bool__(self) -> bool:
        return bool(self._value)
