"""A value that never shows itself: API keys, tokens, passwords."""

REDACTED = "**********"


class Secret:
    """Holds a secret text; `repr()`, `str()` and formatting show asterisks, only `reveal()` gives it away."""

    # No attrs class: `attrs.asdict` and cattrs would take it apart, and whoever holds it with it.
    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return f"Secret('{REDACTED}')"

    def __str__(self) -> str:
        return REDACTED

    def __format__(self, form: str) -> str:
        return format(REDACTED, form)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __bool__(self) -> bool:
        return bool(self._value)
