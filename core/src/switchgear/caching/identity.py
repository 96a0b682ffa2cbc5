"""What a configured provider is, as far as its answers depend on it."""

import secrets
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

import attrs

from switchgear.blocking import BlockingProvider
from switchgear.fingerprints import canonical, changes_answers
from switchgear.provider import BaseProvider
from switchgear.secret import Secret

_BASE = frozenset(field.name for base in (BaseProvider, BlockingProvider) for field in attrs.fields(base))


@attrs.frozen
class Identity:
    """Its type and options. `ignored` names the options that change no answer; None: not known.

    They are not known where a provider is switched off, since nothing of it is imported then. So the stamp that an
    entry bears begins with the names that were left out, and is checked by leaving out the same.
    """

    type: str
    options: Mapping[str, Any] = attrs.field(factory=dict, repr=False)
    ignored: frozenset[str] | None = frozenset()
    _own: str = attrs.field(factory=lambda: secrets.token_hex(8), init=False, repr=False)

    @property
    def stamp(self) -> str:
        """`<ignored names>|<digest>`."""
        return self._stamp(self.ignored or ())

    def made(self, stamp: str) -> bool:
        """Whether an entry of this stamp came from a provider like this one."""
        if self.ignored is not None:
            return stamp == self.stamp
        return stamp == self._stamp(stamp.partition("|")[0].split(","))

    def _stamp(self, ignored: Iterable[str]) -> str:
        left_out = sorted(ignored)
        kept = {name: value for name, value in self.options.items() if name not in left_out}
        try:
            digest = blake2b(canonical((self.type, kept)), digest_size=16).hexdigest()
        except (TypeError, OSError):
            # Options that only exist in this process (functions, clients): entries of this very object are its own.
            digest = self._own
        return f"{','.join(left_out)}|{digest}"


def ignored_options(made: Any) -> frozenset[str]:
    """The options of a provider or validator that do not change its answers: those that say so, and secrets."""
    return frozenset(
        (field.alias or field.name)
        for field in _fields(made)
        if not changes_answers(field) or _is_secret(field, getattr(made, field.name, None))
    )


def identity_of(made: Any) -> Identity:
    """That of a provider or validator made by code: its class, and the fields it declares as they are now."""
    kind = type(made)
    own = [field for field in _fields(made) if field.init and field.name not in _BASE]
    options = {(field.alias or field.name): getattr(made, field.name, None) for field in own}
    return Identity(f"{kind.__module__}.{kind.__qualname__}", options, ignored_options(made))


def _is_secret(field: "attrs.Attribute[Any]", value: object) -> bool:
    # By its type too: one that is not set is a secret all the same.
    return isinstance(value, Secret) or Secret.__name__ in str(field.type)


def _fields(made: Any) -> "tuple[attrs.Attribute[Any], ...]":
    return attrs.fields(type(made)) if attrs.has(type(made)) else ()
