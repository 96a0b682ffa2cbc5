"""What a configured provider is, as far as its answers depend on it."""

import secrets
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import attrs

from switchgear.blocking import BlockingProvider
from switchgear.fingerprints import canonical, changes_answers
from switchgear.logs import report_defect
from switchgear.provider import BaseProvider
from switchgear.secret import Secret

_BASE = frozenset(field.name for base in (BaseProvider, BlockingProvider) for field in attrs.fields(base))


@attrs.frozen
class Identity:
    """Its type, options and engine. `ignored` names the options that change no answer; None: not known.

    They are not known where a provider is switched off, since nothing of it is imported then, and neither is the
    version of its engine. So the stamp that an entry bears begins with both, and is checked with the same.
    """

    type: str
    options: Mapping[str, Any] = attrs.field(factory=dict, repr=False)
    ignored: frozenset[str] | None = frozenset()
    engine: str = ""
    _own: str = attrs.field(factory=lambda: secrets.token_hex(8), init=False, repr=False)

    @property
    def stamp(self) -> str:
        """`<ignored names>|<version of the engine>|<digest>`."""
        return self._stamp(self.ignored or (), self.engine)

    def made(self, stamp: str) -> bool:
        """Whether an entry of this stamp came from a provider like this one."""
        if self.ignored is not None:
            return stamp == self.stamp
        ignored, _, rest = stamp.partition("|")
        return stamp == self._stamp(ignored.split(","), rest.rpartition("|")[0])

    def _stamp(self, ignored: Iterable[str], engine: str) -> str:
        left_out = sorted(ignored)
        # A file among the options is one that the provider uses, not one that it is asked about: its name counts.
        kept = {name: _named(value) for name, value in self.options.items() if name not in left_out}
        try:
            digest = blake2b(canonical((self.type, kept)), digest_size=16).hexdigest()
        except (TypeError, OSError):
            # Options that only exist in this process (functions, clients): entries of this very object are its own.
            digest = self._own
        return f"{','.join(left_out)}|{engine}|{digest}"


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
    return Identity(f"{kind.__module__}.{kind.__qualname__}", options, ignored_options(made), engine_of(made))


def engine_of(made: Any) -> str:
    """The version of a provider's engine, empty where it does not say."""
    # Foreign code: what cannot say its version may change it at any time, so its answers are this process's own.
    try:
        return str(getattr(made, "engine_version", ""))
    except Exception as error:
        report_defect("engine_version", error)
        return secrets.token_hex(8)


def _named(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def _is_secret(field: "attrs.Attribute[Any]", value: object) -> bool:
    # By its type too: one that is not set is a secret all the same.
    return isinstance(value, Secret) or Secret.__name__ in str(field.type)


def _fields(made: Any) -> "tuple[attrs.Attribute[Any], ...]":
    return attrs.fields(type(made)) if attrs.has(type(made)) else ()
