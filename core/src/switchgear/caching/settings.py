"""What a service's cache table may say."""

from typing import Any, ClassVar

import attrs
from attrs import Factory, field, validators

from switchgear.durations import Duration
from switchgear.rules import Wait, alike, differing

_TIMEOUT = Duration(0.25)


@attrs.frozen(kw_only=True)
class CacheLevel:
    """`[[services.<name>.cache.levels]]`: one cache of several, asked in this order; the nearest first."""

    __repr__, __eq__ = differing, alike

    SHORT_FORM: ClassVar[str] = "type"

    type: str = field(metadata={"help": "memory, sqlite, redis, memcached, or another that a plugin offers"})
    ttl: Wait | None = field(
        default=None, metadata={"help": "how long it keeps an answer at most; absent: as the rest"}
    )
    timeout: Wait | None = field(
        default=None, metadata={"help": "the longest to wait for it; absent: that of the whole cache"}
    )
    options: dict[str, Any] = field(default=Factory(dict), repr=False, metadata={"help": "its own settings"})


@attrs.frozen(kw_only=True)
class CacheSettings:
    """`[services.<name>.cache]`: present, answers are kept and given again. Only for work that may be repeated."""

    __repr__, __eq__ = differing, alike

    SHORT_FORM: ClassVar[str] = "type"

    type: str | None = field(
        default=None, metadata={"help": "memory, sqlite, redis, memcached, or another that a plugin offers"}
    )
    levels: tuple[CacheLevel, ...] = field(
        default=(), metadata={"help": "in place of `type`: several, the nearest first"}
    )
    enabled: bool = field(default=True, metadata={"help": "false: as if the table were not there"})
    ttl: Wait = field(default=Duration(86400.0), metadata={"help": "how long an answer is fresh"})
    stale_while_revalidate: Duration = field(
        default=Duration(0.0),
        metadata={"help": "how long after that it is still given at once, while a new one is fetched"},
    )
    stale_if_error: Duration = field(
        default=Duration(0.0), metadata={"help": "how long after that it is given when nobody can answer"}
    )
    fallback_ttl: Wait = field(
        default=Duration(300.0),
        metadata={"help": "how long an answer is fresh that did not come from the strategy's first choice"},
    )
    jitter: float = field(
        default=0.1,
        validator=[validators.ge(0), validators.le(1)],
        metadata={"help": "the share by which lifetimes are shortened at random, so that not all end at once"},
    )
    timeout: Wait = field(default=_TIMEOUT, metadata={"help": "the longest to wait for a cache that is not at hand"})
    options: dict[str, Any] = field(default=Factory(dict), repr=False, metadata={"help": "the cache's own settings"})

    @property
    def grace(self) -> float:
        """Seconds for which an entry may still be of use after it was fresh."""
        return max(self.stale_while_revalidate, self.stale_if_error)

    def lifetime(self, dice: float, *, fallback: bool) -> float:
        """How long a new answer is fresh; never longer than promised."""
        ttl = min(self.ttl, self.fallback_ttl) if fallback else self.ttl
        return ttl * (1.0 - self.jitter * dice)
