"""A plugin class's options: its own attrs fields, filled from a configuration's `options` table."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, get_type_hints

import attrs

from switchgear.blocking import BlockingProvider
from switchgear.config.structure import structure_fields
from switchgear.config.templates import Interpolated
from switchgear.errors import ConfigError, Problem
from switchgear.provider import BaseProvider
from switchgear.secret import Secret

_BASE_NAMES = {base: frozenset(field.name for field in attrs.fields(base)) for base in (BaseProvider, BlockingProvider)}


def build(implementation: Any, options: Mapping[str, Any], path: str, **given: Any) -> Any:
    """An instance of a class, made from its options and what composition gives; an object that is none stays itself.

    Raises `ConfigError` with every option that is unknown, missing or of a wrong type.
    """
    where = f"{path}.options"
    if not inspect.isclass(implementation):
        if options:
            raise ConfigError([Problem(where, "this plugin takes no options", "Remove them")])
        for name, value in given.items():
            setattr(implementation, name, value)
        return implementation
    fields, types = option_fields(implementation, path), types_of(implementation, path)
    # Nothing to read is the usual case.
    is_bare = not options and all(field.default is not attrs.NOTHING for field in fields)
    made = {} if is_bare else structure_fields(options, fields, where, types)
    # Foreign code: a class may check its options as it likes.
    try:
        return implementation(**given, **made)
    except Exception as error:
        reason = f"{type(error).__name__} from {implementation.__name__}({', '.join(made)})"
        if str(error) and not (holds_secret(options) or holds_secret(made)):
            reason = f"{error} ({reason})"
        raise ConfigError([Problem(where, f"refused: {reason}", "See the plugin's documentation")]) from error


def holds_secret(options: Any) -> bool:
    """Whether a text about these options may repeat a secret: one is among them, or something out of a `${...}`."""
    return any(isinstance(value, Secret | Interpolated) for value in values_in(options))


def secrets_in(options: Any) -> Iterator[Secret]:
    """The secrets among some options, however deep."""
    return (value for value in values_in(options) if isinstance(value, Secret))


def values_in(options: Any) -> Iterator[Any]:
    """Single values, out of tables, lists and the attrs classes that tables become."""
    if attrs.has(type(options)):
        options = attrs.asdict(options, recurse=False)
    if isinstance(options, Mapping):
        options = list(options.values())
    if isinstance(options, list | tuple | set | frozenset):
        for each in options:
            yield from values_in(each)
    else:
        yield options


def option_fields(implementation: type[Any], path: str = "") -> "list[attrs.Attribute[Any]]":
    """The fields that configuration may set. Raises `ConfigError` where the class declares them wrongly."""
    wrong, remedy = None, "Decorate the class with @attrs.define"
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
                remedy = "The name is taken: rename the field"
        elif _declares_fields(implementation):
            wrong = f"{implementation.__name__} has annotations but is not decorated"
    if wrong:
        raise ConfigError([Problem(path, wrong, remedy)])
    return fields


def _is_base(implementation: type[Any], field: "attrs.Attribute[Any]") -> bool:
    return any(issubclass(implementation, base) and field.name in names for base, names in _BASE_NAMES.items())


def _reuses_base(implementation: type[Any], field: "attrs.Attribute[Any]") -> bool:
    # attrs has the flag at run time, its stubs do not.
    inherited: bool = getattr(field, "inherited", False)
    return not inherited and _is_base(implementation, field)


def _declares_fields(implementation: type[Any]) -> bool:
    annotations = inspect.get_annotations(implementation)
    return any("ClassVar" not in str(annotation) for annotation in annotations.values())


def types_of(implementation: type[Any], path: str = "") -> Mapping[str, Any]:
    """The types of its fields. Raises `ConfigError` where an annotation names what is not there at run time."""
    if not attrs.has(implementation):
        return {}
    # Foreign code: annotations are expressions, and may raise anything.
    try:
        hints = get_type_hints(implementation, include_extras=True)
    except Exception as error:
        wrong = f"the annotations of {implementation.__name__} cannot be read: {type(error).__name__}: {error}"
        remedy = "Import what they name outside of `if TYPE_CHECKING`"
        raise ConfigError([Problem(path, wrong, remedy)]) from error
    return {field.name: field.type or Any for field in attrs.fields(implementation)} | hints
