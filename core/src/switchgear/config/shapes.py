"""Hooks for what is made of other values: lists, tables of anything, choices, unions, ruled values."""

import types
from collections import abc
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.cols import is_mapping, list_structure_factory, mapping_structure_factory
from cattrs.errors import BaseValidationError, IterableValidationError, IterableValidationNote

from switchgear.config.primitives import Mismatch, choice, mismatch
from switchgear.config.templates import is_unknown
from switchgear.config.wording import bare, holds_secret, kind, shown
from switchgear.durations import Duration
from switchgear.rules import Rule

Hook = Callable[[Any, Any], Any]

# What a list in a file becomes. An abstract type gets the immutable kind if it lets us choose.
_COLLECTIONS: Mapping[Any, Callable[[Iterable[Any]], Any]] = {
    list: list,
    abc.MutableSequence: list,
    tuple: tuple,
    abc.Sequence: tuple,
    abc.Collection: tuple,
    abc.Iterable: tuple,
    set: set,
    abc.MutableSet: set,
    frozenset: frozenset,
    abc.Set: frozenset,
}


def register_shapes(converter: Converter) -> None:
    converter.register_structure_hook_factory(_is_list, _list_hook)
    converter.register_structure_hook_factory(_is_fixed_tuple, _fixed_tuple_hook)
    converter.register_structure_hook_factory(is_mapping, _mapping_hook)
    converter.register_structure_hook_func(_is_literal, choice)
    converter.register_structure_hook_factory(_is_union, _union_hook)
    converter.register_structure_hook_factory(_is_ruled, _ruled_hook)


def _is_list(wanted: Any) -> bool:
    return (get_origin(wanted) or wanted) in _COLLECTIONS and not _is_fixed_tuple(wanted)


def _list_hook(wanted: Any, converter: Converter) -> Hook:
    # cattrs takes any iterable for a list: a text would become its letters.
    collect = list_structure_factory(wanted, converter)
    build = _COLLECTIONS[get_origin(wanted) or wanted]
    return lambda value, _: build(collect(_listed(value, wanted), wanted))


def _listed(value: Any, wanted: Any) -> list[Any] | tuple[Any, ...]:
    if isinstance(value, list | tuple):
        return value
    raise mismatch(value, wanted)


def _is_fixed_tuple(wanted: Any) -> bool:
    return get_origin(wanted) is tuple and ... not in get_args(wanted)


def _fixed_tuple_hook(wanted: Any, converter: Converter) -> Hook:
    hooks = [(arg, converter.get_structure_hook(arg)) for arg in get_args(wanted)]

    def structure_tuple(value: Any, _: Any) -> tuple[Any, ...]:
        if len(_listed(value, wanted)) != len(hooks):
            raise Mismatch(f"expected a list of {len(hooks)}, got one of {len(value)}")
        found, errors = [], []
        for index, (item, (arg, hook)) in enumerate(zip(value, hooks, strict=True)):
            try:
                found.append(hook(item, arg))
            except (BaseValidationError, Mismatch) as error:
                error.add_note(IterableValidationNote("", index, arg))
                errors.append(error)
        if errors:
            raise IterableValidationError("", errors, tuple)
        return tuple(found)

    return structure_tuple


def _mapping_hook(wanted: Any, converter: Converter) -> Hook:
    build = mapping_structure_factory(wanted, converter)
    of_tables = _shape(get_args(wanted)[-1]) is dict if get_args(wanted) else False

    def structure_mapping(value: Any, _: Any) -> Any:
        if not isinstance(value, Mapping):
            raise mismatch(value, wanted, named=of_tables)
        return build(value, wanted)

    return structure_mapping


def _is_literal(wanted: Any) -> bool:
    return get_origin(wanted) is Literal


def _is_union(wanted: Any) -> bool:
    return get_origin(wanted) in (Union, types.UnionType)


def _union_hook(wanted: Any, converter: Converter) -> Hook:
    arms = [(arg, converter.get_structure_hook(arg)) for arg in get_args(wanted) if arg is not type(None)]
    optional = len(arms) < len(get_args(wanted))

    def structure_union(value: Any, _: Any) -> Any:
        # TOML has no null: "none" is how a file says that there is no limit.
        if optional and (value is None or (value == "none" and any(bare(arm) is Duration for arm, _ in arms))):
            return None
        fitting = arms if len(arms) == 1 else [arm for arm in arms if _shape(arm[0]) is _shape_of(value)]
        if len(fitting) == 1:
            ((arm, hook),) = fitting
            return hook(value, arm)
        return _first(value, fitting, wanted)

    return structure_union


def _first(value: Any, arms: list[tuple[Any, Hook]], wanted: Any) -> Any:
    exact = [arm for arm in arms if arm[0] is type(value)]
    for arm, hook in (*exact, *arms):
        try:
            return hook(value, arm)
        except (BaseValidationError, Mismatch):
            continue
    raise mismatch(value, wanted)


def _shape(arm: Any) -> type | None:
    arm = bare(arm)
    if is_mapping(arm) or (isinstance(arm, type) and attrs.has(arm) and not hasattr(arm, "reveal")):
        return dict
    return list if _is_list(arm) or _is_fixed_tuple(arm) else None


def _shape_of(value: Any) -> type | None:
    return next((shape for shape in (dict, list) if isinstance(value, shape)), None)


def _is_ruled(wanted: Any) -> bool:
    return get_origin(wanted) is Annotated and any(isinstance(item, Rule) for item in wanted.__metadata__)


def _ruled_hook(wanted: Any, converter: Converter) -> Hook:
    base = bare(wanted)
    hook = converter.get_structure_hook(base)
    rules = [item for item in wanted.__metadata__ if isinstance(item, Rule)]

    def structure_ruled(value: Any, _: Any) -> Any:
        found = hook(value, base)
        for rule in rules:
            if not is_unknown(value) and not rule.test(found):
                got = kind(value) if holds_secret(base) else shown(value)
                raise Mismatch(f"expected {rule.expected}, got {got}")
        return found

    return structure_ruled
