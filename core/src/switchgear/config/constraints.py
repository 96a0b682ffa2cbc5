"""Checks an attrs field's validators early, so that a refusal is reported at the field's own path."""

from collections.abc import Iterable
from typing import Any

import attrs

from switchgear.config.primitives import Mismatch
from switchgear.config.wording import holds_secret, kind, one_of, shown

# Validators of a class's own may look at the whole instance, which does not exist yet: they run when it is made.
_INDEPENDENT = "attr.validators"


def constraints_of(field: "attrs.Attribute[Any]") -> tuple[Any, ...]:
    """The validators from `attrs.validators` of a field, also out of a list of them."""
    if field.validator is None:
        return ()
    validators: Iterable[Any] = getattr(field.validator, "_validators", (field.validator,))
    return tuple(validator for validator in validators if type(validator).__module__ == _INDEPENDENT)


def check(found: Any, field: "attrs.Attribute[Any]", constraints: Iterable[Any], wanted: Any, raw: object) -> None:
    """Raises `Mismatch`. `raw` is how the file has it, and how a refusal shows it."""
    refused = _refusing(found, field, constraints)
    if refused is not None:
        # In our words, not the validator's: its text quotes what `${...}` stood for.
        value = kind(raw) if holds_secret(wanted) else shown(raw)
        raise Mismatch(f"expected {expectation(refused)}, got {value}")


def fitting(stand_in: Any, field: "attrs.Attribute[Any]", constraints: Iterable[Any]) -> Any:
    """What stands in for a value that is not looked up: the field's default where validators refuse the stand-in."""
    has_default = field.default is not attrs.NOTHING and not isinstance(field.default, attrs.Factory)  # type: ignore[arg-type]
    return field.default if has_default and _refusing(stand_in, field, constraints) is not None else stand_in


def _refusing(found: Any, field: "attrs.Attribute[Any]", constraints: Iterable[Any]) -> Any:
    for constraint in constraints:
        try:
            constraint(None, field, found)
        except (ValueError, TypeError):
            return constraint
    return None


def expectation(constraint: Any) -> str:
    """A validator in words, as far as it shows what it wants; its `repr` otherwise."""
    constraint = getattr(constraint, "validator", constraint)
    if hasattr(constraint, "bound"):
        return f"a value {constraint.compare_op} {constraint.bound}"
    if hasattr(constraint, "options"):
        return one_of(constraint.options)
    return f"what passes the {repr(constraint).strip('<>')}"
