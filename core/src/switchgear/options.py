"""A plugin class's options: its own attrs fields, filled from a configuration's `options` table."""

import inspect
from collections.abc import Mapping
from typing import Any, get_type_hints

import attrs

from switchgear.blocking import BlockingProvider
from switchgear.config.structure import structure_fields
from switchgear.errors import ConfigError, Problem
from switchgear.provider import BaseProvider

_BASE_NAMES = frozenset(field.name for base in (BaseProvider, BlockingProvider) for field in attrs.fields(base))


def build(implementation: Any, options: Mapping[str, Any], path: str, **given: Any) -> Any:
    """An instance of a class, made from its options and what composition gives; an object that is none stays itself.

    Raises `ConfigError` with every option that is unknown, missing or of a wrong type.
    """
    where = f"{path}.options"
    if not inspect.isclass(implementation):
        if options:
            raise ConfigError([Problem(where, "this plugin takes no options", "Remove them")])
        return implementation
    made = structure_fields(options, option_fields(implementation, path), where, types_of(implementation))
    # Foreign code: a class may check its options as it likes, and its texts may repeat a secret among them.
    try:
        return implementation(**given, **made)
    except Exception as error:
        reason = f"{type(error).__name__} from {implementation.__name__}({', '.join(made)})"
        raise ConfigError([Problem(where, f"refused: {reason}", "See the plugin's documentation")]) from error


def option_fields(implementation: type[Any], path: str = "") -> "list[attrs.Attribute[Any]]":
    """The fields that configuration may set. Raises `ConfigError` where the class declares them wrongly."""
    wrong = None
    if not attrs.has(implementation):
        if _declares_fields(implementation):
            wrong = f"{implementation.__name__} has annotations but is no attrs class"
        fields = []
    else:
        fields = [field for field in attrs.fields(implementation) if field.init and not _is_base(implementation, field)]
        if "__attrs_attrs__" in vars(implementation):
            reused = [field.name for field in attrs.fields(implementation) if _reuses_base(implementation, field)]
            if reused:
                wrong = f"{implementation.__name__} declares {', '.join(reused)}, which every provider has already"
        elif _declares_fields(implementation):
            wrong = f"{implementation.__name__} has annotations but is not decorated"
    if wrong:
        raise ConfigError([Problem(path, wrong, "Decorate the class with @attrs.define, or rename the fields")])
    return fields


def _is_base(implementation: type[Any], field: "attrs.Attribute[Any]") -> bool:
    return issubclass(implementation, BaseProvider) and field.name in _BASE_NAMES


def _reuses_base(implementation: type[Any], field: "attrs.Attribute[Any]") -> bool:
    # attrs has the flag at run time, its stubs do not.
    inherited: bool = getattr(field, "inherited", False)
    return not inherited and _is_base(implementation, field)


def _declares_fields(implementation: type[Any]) -> bool:
    annotations = inspect.get_annotations(implementation)
    return any("ClassVar" not in str(annotation) for annotation in annotations.values())


def types_of(implementation: type[Any]) -> Mapping[str, Any]:
    return get_type_hints(implementation, include_extras=True) if attrs.has(implementation) else {}
