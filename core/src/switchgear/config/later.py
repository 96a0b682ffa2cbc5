"""The schema of tables that most files do not have: imported when a file has one."""

from importlib import import_module
from typing import Any, Union


class Later:
    """Stands in an annotation for a settings class of a mechanism. `load()` is that class.

    Making all of them takes longer than reading a file.
    """

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name

    def __call__(self) -> None:  # `typing` takes nothing for a type that cannot be called
        raise TypeError(f"{self._name} is not imported")

    def __or__(self, other: Any) -> Any:
        return Union[self, other]  # noqa: UP007

    def load(self) -> type[Any]:
        found: type[Any] = getattr(import_module(self._module), self._name)
        return found
