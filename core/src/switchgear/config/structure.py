"""Tables to typed values: one strict cattrs converter, and every problem at once."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from typing import Any, NotRequired, TypedDict, TypeVar, get_args, get_type_hints

import attrs
from cattrs import Converter
from cattrs.errors import BaseValidationError, ClassValidationError, StructureHandlerNotFoundError
from cattrs.gen import make_dict_structure_fn, override
from cattrs.gen.typeddicts import make_dict_structure_fn as make_options_structure_fn

from switchgear.config.constraints import check, constraints_of, fitting
from switchgear.config.later import Later
from switchgear.config.primitives import Mismatch, mismatch, register_primitives
from switchgear.config.problems import problems_of
from switchgear.config.shapes import register_shapes
from switchgear.config.templates import is_unknown
from switchgear.errors import ConfigError

T = TypeVar("T")
Hook = Callable[[Any, Any], Any]


def structure(raw: object, wanted: type[T], path: str = "") -> T:
    """`raw` as an instance of an attrs class (or any type that configuration knows).

    `path` is where `raw` stands in the file. Raises `ConfigError` with all problems: unknown and missing keys, values
    of a wrong type, values that a validator refuses.
    """
    try:
        return _converter().structure(raw, wanted)
    except (BaseValidationError, Mismatch) as error:
        # Not chained: cattrs' groups repeat values that problems must not show.
        raise ConfigError(list(problems_of(error, raw, path))) from None


def structure_fields(
    raw: Mapping[str, Any], fields: "Iterable[attrs.Attribute[Any]]", path: str, types: Mapping[str, Any]
) -> dict[str, Any]:
    """Keyword arguments for some fields of an attrs class, without making an instance.

    `types` gives each field's resolved type by its name. Keys are the fields' aliases, absent ones keep their default.
    Validators of `attrs.validators` run here, others when the class is made. Raises `ConfigError` as `structure` does.
    """
    fields = tuple(fields)
    # The calls of other type constructors are not understood by type checkers; this one is only read by cattrs.
    table: Any = TypedDict(  # type: ignore[misc]
        "table",
        {key(f): types[f.name] if f.default is attrs.NOTHING else NotRequired[types[f.name]] for f in fields},
    )
    hooks: dict[str, Any] = {key(f): _field_hook(f, types[f.name], _converter()) for f in fields}
    build = make_options_structure_fn(table, _converter(), **hooks)
    try:
        built: dict[str, Any] = build(dict(_table(raw, table)), table)
    except (BaseValidationError, Mismatch) as error:
        raise ConfigError(list(problems_of(error, raw, path))) from None
    return built


def key(field: "attrs.Attribute[Any]") -> str:
    """What a field is called in a file: `_x` is `x`, as in the class's own `__init__`."""
    return field.alias or field.name


@cache
def _converter() -> Converter:
    converter = Converter(forbid_extra_keys=True, detailed_validation=True)
    register_primitives(converter)
    register_shapes(converter)
    converter.register_structure_hook_factory(_is_table, _table_hook)
    converter.register_structure_hook_factory(_is_later, lambda wanted: converter.get_structure_hook(wanted.load()))
    return converter


def _is_table(wanted: Any) -> bool:
    return isinstance(wanted, type) and attrs.has(wanted)


def _is_later(wanted: Any) -> bool:
    return isinstance(wanted, Later)


def _table_hook(table: type[Any], converter: Converter) -> Hook:
    types = get_type_hints(table, include_extras=True)
    fields = [field for field in attrs.fields(table) if field.init]
    hooks: dict[str, Any] = {field.name: _field_hook(field, types.get(field.name, Any), converter) for field in fields}
    short_form = getattr(table, "SHORT_FORM", None)

    @cache
    def build_with(absent: frozenset[str]) -> Hook:
        # cattrs writes source for every field and compiles it: for those that are left out, in vain.
        given = hooks | dict.fromkeys(absent, override(omit=True))
        build: Hook = make_dict_structure_fn(
            table, converter, _cattrs_use_alias=True, _cattrs_use_linecache=False, **given
        )
        if hasattr(table, "OPEN_KEYS"):
            build = _with_open_keys(table, build, types[table.OPEN_KEYS], converter)
        return build

    def structure_table(raw: Any, _: Any) -> Any:
        if short_form is not None and isinstance(raw, str):
            raw = {short_form: raw}
        raw = _table(raw, table)
        absent = (field.name for field in fields if field.default is not attrs.NOTHING and key(field) not in raw)
        return build_with(frozenset(absent))(raw, table)

    return structure_table


def _with_open_keys(table: type[Any], build: Hook, wanted: Any, converter: Converter) -> Hook:
    """For a table whose author makes up some of the keys: those of no field go together into one."""
    known = {field.alias for field in attrs.fields(table) if field.init}
    hook = converter.get_structure_hook(wanted)
    is_open = get_args(wanted)[0].__metadata__[0].test

    def build_all(raw: Any, _: Any) -> Any:
        opened = {name: value for name, value in raw.items() if name not in known and is_open(name)}
        errors: list[Exception] = []
        made = found = None
        try:
            made = build({name: value for name, value in raw.items() if name not in opened}, table)
        except BaseValidationError as error:
            errors.append(error)
        try:
            found = hook(opened, wanted)
        except BaseValidationError as error:
            errors.append(error)
        if errors:
            raise ClassValidationError("", errors, table)
        object.__setattr__(made, table.OPEN_KEYS, found)  # it may be frozen
        return made

    return build_all


def _table(raw: Any, table: Any) -> Mapping[str, Any]:
    if isinstance(raw, Mapping):
        return raw
    raise mismatch(raw, table)


def _field_hook(field: "attrs.Attribute[Any]", wanted: Any, converter: Converter) -> Any:
    # Made when the first value comes: most fields of most tables are left out.
    hook = cache(partial(_hook, field, wanted, converter))
    constraints = constraints_of(field)

    def structure_field(value: Any, _: Any) -> Any:
        found = hook()(value, wanted)
        if is_unknown(value):
            return fitting(found, field, constraints)
        check(found, field, constraints, wanted, value)
        return found

    return override(struct_hook=structure_field)


def _hook(field: "attrs.Attribute[Any]", wanted: Any, converter: Converter) -> Hook:
    try:
        # Not kept: `int | str` equals `str | int`, and messages follow the order.
        return converter.get_structure_hook(wanted, cache_result=False)
    except StructureHandlerNotFoundError:
        return _as_it_is if field.converter is not None else _unsupported


def _as_it_is(value: Any, wanted: Any) -> Any:
    return value


def _unsupported(value: Any, wanted: Any) -> Any:
    raise Mismatch(f"a value of type {wanted} cannot come from a file", "Leave it out; it can only be set in Python")
