"""The answers that one service keeps: under which key, for how long, and which of them still count."""

from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from switchgear.cache import Entry, Size
from switchgear.caching.identity import Identity, identity_of
from switchgear.caching.isolation import own_copy
from switchgear.caching.keys import Keys
from switchgear.caching.settings import CacheSettings
from switchgear.capability import AnyCapability
from switchgear.errors import AllProvidersFailed, OutcomeError, SwitchgearError
from switchgear.fingerprints import LARGE, content_size, fingerprint_of
from switchgear.guarded_cache import GuardedCache
from switchgear.home import Home
from switchgear.levels import Levels
from switchgear.results import CacheState, ProviderResult
from switchgear.strategy import Random

_FREE = Decimal(0)


class Answers:
    """What is kept of a service, and the rules for giving it again.

    `identities` are those of all configured providers; `scope` is what the answers depend on beside the request.
    """

    def __init__(
        self,
        levels: Sequence[GuardedCache],
        service: str,
        scope: tuple[str, ...],
        settings: CacheSettings,
        capability: AnyCapability | None,
        identities: Mapping[str, Identity],
        home: Home,
        random: Random,
    ) -> None:
        keys = Keys(service, *scope)
        self._levels = Levels(levels, keys.prefix)
        self._make_key = keys.key
        self._fingerprint = fingerprint_of if capability is None else capability.fingerprint
        self._content_size = content_size if capability is None else capability.content_size
        self._settings = settings
        self._identities = identities
        self._stamps = {name: each.stamp for name, each in identities.items() if each.ignored is not None}
        self._monotonic = home.clock.monotonic
        self._random = random
        self._cleared = 0  # how often entries were forgotten: an answer that is older must not come back
        self.peek = self._levels.peek

    def key(self, request: Any, tenant: str | None) -> str | None:
        # Foreign code: what cannot be looked at is not kept; what is wrong with it is for the providers to say.
        try:
            fingerprint = self._fingerprint(request)
        except Exception:
            return None
        return None if fingerprint is None else self._make_key(fingerprint, tenant)

    def is_large(self, request: Any) -> bool:
        """Whether making its key would keep an event loop from its work."""
        # Foreign code, as above.
        try:
            return self._content_size(request) >= LARGE
        except Exception:
            return False

    # Which of them count

    def age(self, entry: Entry) -> float:
        return self._monotonic() - entry.stored

    def is_current(self, entry: Entry) -> bool:
        """Whether it came from a provider that is configured today, with the options of today."""
        known = self._stamps.get(entry.provider)
        if known is not None:
            return known == entry.stamp
        identity = self._identities.get(entry.provider)
        return identity is not None and identity.made(entry.stamp)

    def is_fresh(self, entry: Entry) -> bool:
        return self._monotonic() - entry.stored < entry.ttl

    def is_given_at_once(self, entry: Entry) -> bool:
        return self._monotonic() - entry.stored < entry.ttl + self._settings.stale_while_revalidate

    def is_better_than(self, entry: Entry, error: SwitchgearError) -> bool:
        """Whether it is young enough to be given instead of an error that others are at fault for."""
        if self.age(entry) >= entry.ttl + self._settings.stale_if_error:
            return False
        if isinstance(error, AllProvidersFailed):
            return not error.attempts or any(each.outcome.rule.serves_stale for each in error.attempts)
        return isinstance(error, OutcomeError) and error.outcome.rule.serves_stale

    def _is_usable(self, entry: Entry) -> bool:
        return self._monotonic() - entry.stored < entry.ttl + self._settings.grace and self.is_current(entry)

    # In and out

    async def get(self, key: str, ends: float | None) -> Entry | None:
        """The first fresh one of all levels, else the newest that is of any use."""
        return await self._levels.get(key, ends, is_usable=self._is_usable, is_fresh=self.is_fresh)

    @property
    def edition(self) -> int:
        """Changes when answers are forgotten."""
        return self._cleared

    def entry(self, result: ProviderResult[Any], *, fallback: bool) -> Entry:
        """A provider's answer as it is kept. `fallback`: it is not that of the strategy's first choice."""
        return Entry(
            output=own_copy(result.output),
            provider=result.provider,
            stamp=self._stamps[result.provider],
            usage=result.usage,
            cost=result.cost,
            confidence=result.confidence,
            stored=self._monotonic(),
            ttl=self._settings.lifetime(self._random.random(), fallback=fallback),
        )

    async def put(self, key: str, entry: Entry, edition: int, ends: float | None) -> None:
        """Keep it, unless answers were forgotten since that edition."""
        if edition == self._cleared:
            await self._levels.put(key, entry, entry.ttl + self._settings.grace, ends)

    # For people; all raise what a cache raises

    async def forget(self, key: str) -> None:
        self._cleared += 1
        await self._levels.delete(key)

    async def forget_all(self) -> None:
        self._cleared += 1
        await self._levels.clear()

    async def forget_where(self, provider: str | None, older_than: float | None) -> int:
        self._cleared += 1
        return await self._levels.delete_where(
            lambda entry: (
                (provider is None or entry.provider == provider)
                and (older_than is None or self.age(entry) > older_than)
            )
        )

    async def look(self, key: str) -> dict[str, Entry]:
        return await self._levels.look(key)

    def entries(self) -> AsyncIterator[tuple[str, str, Entry]]:
        return self._levels.entries()

    async def sizes(self) -> Mapping[str, Size]:
        return await self._levels.sizes()

    async def close(self) -> None:
        await self._levels.close()


def result_from(entry: Entry, state: CacheState, age: float, call_id: str) -> ProviderResult[Any]:
    """An entry as a result. By position: this is most of what a hit costs."""
    output, cost = own_copy(entry.output), entry.cost
    metadata = {"age": age, "saved": cost}
    return ProviderResult(output, None, _FREE, entry.confidence, entry.provider, 0.0, (), state, metadata, call_id)


def may_be_kept(result: ProviderResult[Any]) -> bool:
    """Refused and partial answers are somebody's best effort for once, not the answer."""
    return not (result.metadata.get("refused") or result.metadata.get("partial"))


def scope_of(capability: AnyCapability | None, validators: Sequence[Any]) -> tuple[str, ...]:
    """What all answers of a service depend on: the capability, and what its validators let pass."""
    named = ("", "") if capability is None else (capability.name, capability.version)
    return (*named, *(identity_of(validator).stamp for validator in validators))
