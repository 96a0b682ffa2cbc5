"""The contract of a secret store: `${name:key}` in a configuration asks it."""

from typing import Protocol


class SecretStore(Protocol):
    """Asked at start, from ordinary code, with a bounded wait."""

    def get(self, name: str, key: str | None) -> str:
        """The secret called `name`; `key` is what stands behind `#`, a field of it, None where there is none.

        Raises whatever it likes where it has none: the configuration then names the place, and the type of the error.
        """
        ...
