"""Looks first: a service whose answers are kept, and fetched once for all who ask at the same time."""

import asyncio
import copy
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextvars import Context, copy_context
from decimal import Decimal
from functools import partial
from typing import Any

import attrs

from switchgear.cache import Cache, Entry, Size
from switchgear.caching.figures import CacheFigures
from switchgear.caching.flights import Abandoned, Flight, Flights
from switchgear.caching.identity import Identity, identity_of
from switchgear.caching.isolation import own_copy
from switchgear.caching.keys import Keys
from switchgear.caching.memory import Memory
from switchgear.caching.settings import CacheSettings
from switchgear.capability import AnyCapability, Effect
from switchgear.context import CURRENT_CALL
from switchgear.errors import AllProvidersFailed, OutcomeError, SwitchgearError, UsageError
from switchgear.fingerprints import fingerprint_of
from switchgear.guarded_cache import GuardedCache, Level
from switchgear.levels import Levels
from switchgear.manager import ProviderManager
from switchgear.policies.deadline import DeadlineScope
from switchgear.provider import BaseProvider, RequestT
from switchgear.results import CacheState, Call, OutputT, ProviderResult
from switchgear.strategy import SelectionStrategy, Strategy

_FREE = Decimal(0)
# Seconds that a waiter gives its flight beyond its own deadline: at the same moment, the flight knows more of why.
_GRACE = 0.02


@attrs.frozen
class _Landing:
    """What a flight came back with: a provider's answer for the one that led it, or an entry."""

    entry: Entry
    state: CacheState
    result: ProviderResult[Any] | None = None


class CachedProviderManager(ProviderManager[RequestT, OutputT]):
    """A `ProviderManager` that gives an answer again instead of buying it twice.

    `cache`: where answers are kept, several for several levels, the nearest first; by default in memory. `caching`: for
    how long. `capability`: what makes a request's fingerprint, by default all of its fields. `identities` are those
    of the configured providers, where some of them are switched off. A call with `only` or `exclude` goes past the
    cache. `cache_figures` counts; each result says in `cache` where it is from, and in `metadata` its `age` in seconds
    and the cost that was `saved`.
    """

    def __init__(
        self,
        providers: Iterable[BaseProvider[RequestT, OutputT]],
        strategy: str | SelectionStrategy | Strategy = SelectionStrategy.PRIORITY,
        *,
        cache: Cache | Level | Sequence[Cache | Level] | None = None,
        caching: CacheSettings | None = None,
        capability: AnyCapability | None = None,
        identities: Mapping[str, Identity] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(providers, strategy, **options)
        if self.effect is not Effect.PURE:
            raise UsageError(f"{self.service}: only answers of work that may be repeated freely can be kept")
        self.caching = caching or CacheSettings()
        self.cache_figures = CacheFigures()
        self._fingerprint = fingerprint_of if capability is None else capability.fingerprint
        self._identities = identities or {name: identity_of(each) for name, each in self.providers.items()}
        self._stamps = {name: each.stamp for name, each in self._identities.items() if each.ignored is not None}
        self._keys = Keys(self.service, *_scope(capability, options.get("validators", ())))
        self._levels = self._guard(cache, options.get("output_type", object))
        self._peek = self._levels.peek
        self._flights: Flights[_Landing] = Flights()
        self._cleared = 0  # how often entries were forgotten: an answer that is older must not come back
        # Flights are tasks, which only a loop has.
        self._never_waits = False

    async def process(
        self,
        request: RequestT,
        *,
        deadline: float | None = None,
        only: Collection[str] | None = None,
        exclude: Collection[str] = (),
        tenant: str | None = None,
        tags: Sequence[str] = (),
        idempotency_key: str | None = None,
    ) -> ProviderResult[OutputT]:
        """As `ProviderManager.process`, from the cache where it has the answer."""
        if asyncio._get_running_loop() is not self._home.loop:
            return await self._home.enter(
                lambda: self.process(
                    request,
                    deadline=deadline,
                    only=only,
                    exclude=exclude,
                    tenant=tenant,
                    tags=tags,
                    idempotency_key=idempotency_key,
                )
            )
        key = None if only is not None or exclude else self._key(request, tenant)
        if key is None:
            return await super().process(
                request,
                deadline=deadline,
                only=only,
                exclude=exclude,
                tenant=tenant,
                tags=tags,
                idempotency_key=idempotency_key,
            )
        entry = self._peek(key)
        if entry is not None:
            now = self._monotonic()
            if now - entry.stored < entry.ttl and now < entry.until and self.is_current(entry):
                return self._hit(entry, now - entry.stored, tenant, tags)
        return await self._share(key, request, self._begin(deadline, tenant, tags, idempotency_key))

    async def invalidate(
        self,
        request: RequestT | None = None,
        *,
        tenant: str | None = None,
        provider: str | None = None,
        older_than: float | None = None,
    ) -> int | None:
        """Forget answers: to one request, of one provider, older than so many seconds; without any of these, all.

        Gives how many where that is known. What is being fetched just now is not kept. Raises what the cache raises.
        """
        self._cleared += 1
        return await self._home.enter(lambda: self._invalidate(request, tenant, provider, older_than))

    async def cached(self, request: RequestT, *, tenant: str | None = None) -> dict[str, Entry]:
        """What each level keeps for a request, fresh or not. Counts nothing; raises what the cache raises."""
        key = self._key(request, tenant)
        return {} if key is None else await self._home.enter(lambda: self._levels.look(key))

    async def cached_entries(self) -> AsyncIterator[tuple[str, str, Entry]]:
        """Everything that is kept: level, key and entry. To be used on the home loop; raises what the cache raises."""
        async for each in self._levels.entries():
            yield each

    def is_current(self, entry: Entry) -> bool:
        """Whether it came from a provider that is configured today, with the options of today."""
        known = self._stamps.get(entry.provider)
        if known is not None:
            return known == entry.stamp
        identity = self._identities.get(entry.provider)
        return identity is not None and identity.made(entry.stamp)

    def age_of(self, entry: Entry) -> tuple[float, float]:
        """Seconds since it was stored, and for which it is still fresh; below zero if it no longer is."""
        age = self._age(entry)
        return age, entry.ttl - age

    async def cache_sizes(self) -> Mapping[str, Size]:
        """How much each level holds. Raises what the cache raises."""
        return await self._home.enter(self._levels.sizes)

    # Where entries are

    def _guard(self, cache: Any, output_type: Any) -> Levels:
        given = cache if isinstance(cache, Sequence) else [Memory() if cache is None else cache]
        levels = [each if isinstance(each, Level) else Level(cache=each) for each in given]
        for level in levels:
            if hasattr(level.cache, "clock"):
                level.cache.clock = self._home.clock
        guarded = [GuardedCache(each, self.service, output_type, self._home, self._random) for each in levels]
        self.cache_figures.levels = {each.name: each.figures for each in guarded}
        if len(self.cache_figures.levels) < len(guarded):
            raise UsageError(f"{self.service}: two levels of its cache have the same name")
        return Levels(guarded, self._keys.prefix)

    def _key(self, request: RequestT, tenant: str | None) -> str | None:
        # Foreign code: what cannot be looked at is not kept; what is wrong with it is for the providers to say.
        try:
            fingerprint = self._fingerprint(request)
        except Exception:
            fingerprint = None
        if fingerprint is None:
            self.cache_figures.uncacheable += 1
            return None
        return self._keys.key(fingerprint, tenant)

    def _age(self, entry: Entry) -> float:
        return self._monotonic() - entry.stored

    def _is_fresh(self, entry: Entry) -> bool:
        return self._age(entry) < entry.ttl

    def _is_usable(self, entry: Entry) -> bool:
        return self._age(entry) < entry.ttl + self.caching.grace and self.is_current(entry)

    async def _invalidate(
        self, request: RequestT | None, tenant: str | None, provider: str | None, older_than: float | None
    ) -> int | None:
        if request is not None:
            key = self._key(request, tenant)
            if key is not None:
                await self._levels.delete(key)
            return None
        if provider is None and older_than is None:
            await self._levels.clear()
            return None
        return await self._levels.delete_where(
            lambda entry: (
                (provider is None or entry.provider == provider)
                and (older_than is None or self._age(entry) > older_than)
            )
        )

    # From the cache

    def _hit(self, entry: Entry, age: float, tenant: str | None, tags: Sequence[str]) -> ProviderResult[OutputT]:
        """The short way, for what is at hand: a call's record only where somebody wants it."""
        figures = self.cache_figures
        figures.hits += 1
        if entry.cost is not None:
            figures.saved += entry.cost
        if self._hearers or self._closing:
            call = self._begin(None, tenant, tags, None)
            call.result = _result_from(entry, "fresh", age, call.id)
            self._tell(call)
            return call.result
        return _result_from(entry, "fresh", age, f"{self._id_prefix}{next(self._ids):06x}")

    def _served(self, landing: _Landing, call: Call) -> ProviderResult[OutputT]:
        """What somebody else's work, or earlier work, gives to this call; counted and recorded."""
        call.result = _result_from(landing.entry, landing.state, self._age(landing.entry), call.id)
        self._count(landing)
        self._end_record(call)
        return call.result

    def _count(self, landing: _Landing) -> None:
        figures = self.cache_figures
        name = _FIGURE[landing.state]
        setattr(figures, name, getattr(figures, name) + 1)
        if landing.state != "miss" and landing.entry.cost is not None:
            figures.saved += landing.entry.cost

    # Together with others

    async def _share(self, key: str, request: RequestT, call: Call) -> ProviderResult[OutputT]:
        """Join the flight that fetches it, or lead one."""
        ends = call.ends
        flight = self._flights.get(key)
        leads = flight is None
        if flight is None:
            flight = self._flights.start(key, partial(self._fly, key, request), call, _outside())
        else:
            flight.extend(ends)
        try:
            landing = await self._wait(flight, ends)
        except TimeoutError:
            return self._out_of_time(flight, self._another(call) if leads else call)
        except BaseException as error:
            if leads and flight.has_asked and flight.is_over:
                raise  # the flight's record is this call's
            raise self._failed(self._another(call) if leads else call, error) from error.__cause__
        if leads and landing.result is not None:
            self._count(landing)
            return landing.result
        return self._served(_shared(landing), call)

    async def _wait(self, flight: Flight[_Landing], ends: float | None) -> _Landing:
        if ends is None:
            return await flight.answer()
        with DeadlineScope(self._home.timers, ends + _GRACE):
            return await flight.answer()

    def _out_of_time(self, flight: Flight[_Landing], call: Call) -> ProviderResult[OutputT]:
        """This caller's deadline has passed; the flight goes on for those who have more time."""
        error = AllProvidersFailed(f"{self.service}: no answer in time; it is still being fetched for others")
        if flight.fallback is not None and self._serves_stale(flight.fallback, error):
            return self._served(_Landing(flight.fallback, "stale_on_error"), call)
        raise self._failed(call, error)

    def _failed(self, call: Call, error: BaseException) -> BaseException:
        """Record it, and give the error to raise: each caller its own, which names its call."""
        if isinstance(error, Abandoned):
            error = UsageError(f"{self.service} is closed")
        if isinstance(error, SwitchgearError):
            cause = error.__cause__
            error = copy.copy(error)
            error.__cause__ = cause
            error.call_id = call.id
        call.error = error
        self._end_record(call)
        return error

    def _end_record(self, call: Call) -> None:
        call.latency = self._monotonic() - call.started
        if self._hearers:
            self._tell(call)

    def _another(self, call: Call) -> Call:
        """A record of its own for somebody whose first one is being written by a flight."""
        another = self._begin(None, call.tenant, call.tags, None)
        another.started, another.ends = call.started, call.ends
        return another

    # The flight

    async def _fly(self, key: str, request: RequestT, flight: Flight[_Landing]) -> None:
        """Look again, now also where that takes time; then ask. A stale answer lands before the new one is there."""
        entry = await self._levels.get(key, flight.call.ends, is_usable=self._is_usable, is_fresh=self._is_fresh)
        if entry is not None:
            age = self._age(entry)
            if age < entry.ttl:
                flight.land(_Landing(entry, "fresh"))
                return
            flight.fallback = entry
            if age < entry.ttl + self.caching.stale_while_revalidate:
                flight.land(_Landing(entry, "stale"))
                flight.is_wanted = True
                flight.call = self._begin(None, flight.call.tenant, flight.call.tags, None)
                self.cache_figures.refreshes += 1
        while not await self._fetched(key, request, flight):
            flight.call = self._another(flight.call)

    async def _fetched(self, key: str, request: RequestT, flight: Flight[_Landing]) -> bool:
        """Fetch it; False if time ran out for those who waited first, and others who came later have more."""
        ends = flight.call.ends
        try:
            flight.land(await self._fetch(key, request, flight))
        except AllProvidersFailed:
            if ends is None or ends == flight.call.ends or self._monotonic() < ends:
                raise
            return False
        return True

    async def _fetch(self, key: str, request: RequestT, flight: Flight[_Landing]) -> _Landing:
        call, cleared = flight.call, self._cleared
        self.cache_figures.flights += 1
        flight.has_asked = True
        token = self._enter(call)
        try:
            call.result = result = await self._answer(request, call)
            result.attempts = call.attempts
            result.cache = "miss"
            entry = self._entry(result, call)
            if _may_be_kept(result) and cleared == self._cleared:
                await self._levels.put(key, entry, entry.ttl + self.caching.grace, call.ends)
            return _Landing(entry, "miss", result)
        except SwitchgearError as error:
            if flight.fallback is None or not self._serves_stale(flight.fallback, error):
                call.error = error
                raise
            call.result = result = _result_from(flight.fallback, "stale_on_error", self._age(flight.fallback), call.id)
            result.attempts = call.attempts
            return _Landing(flight.fallback, "stale_on_error", result)
        except BaseException as error:
            call.error = error
            raise
        finally:
            self._leave(call, token)

    def _entry(self, result: ProviderResult[OutputT], call: Call) -> Entry:
        first = call.order[0].name if call.order else result.provider
        # While providers warm up after an outage, the first one asked may not be the strategy's first choice.
        fallback = result.provider != first or call.started < self._ramping_until
        return Entry(
            output=own_copy(result.output),
            provider=result.provider,
            stamp=self._stamps[result.provider],
            usage=result.usage,
            cost=result.cost,
            confidence=result.confidence,
            stored=self._monotonic(),
            ttl=self.caching.lifetime(self._random.random(), fallback=fallback),
        )

    def _serves_stale(self, entry: Entry, error: SwitchgearError) -> bool:
        """Whether this entry is better than this error: it is young enough, and others were at fault."""
        if self._age(entry) >= entry.ttl + self.caching.stale_if_error:
            return False
        if isinstance(error, AllProvidersFailed):
            return not error.attempts or any(each.outcome.rule.serves_stale for each in error.attempts)
        return isinstance(error, OutcomeError) and error.outcome.rule.serves_stale

    async def _close(self, drain: float) -> None:
        self._closing = True
        self._flights.end_unwaited()
        await super()._close(drain)
        await self._flights.end_all()
        await self._levels.close()


_FIGURE: Mapping[CacheState, str] = {
    "miss": "misses",
    "fresh": "hits",
    "stale": "stale",
    "stale_on_error": "stale_on_error",
    "shared": "shared",
}


def _shared(landing: _Landing) -> _Landing:
    return _Landing(landing.entry, "shared") if landing.state == "miss" else landing


def _result_from(entry: Entry, state: CacheState, age: float, call_id: str) -> ProviderResult[Any]:
    return ProviderResult(
        own_copy(entry.output),
        None,
        _FREE,
        entry.confidence,
        entry.provider,
        0.0,
        (),
        state,
        {"age": age, "saved": entry.cost},
        call_id,
    )


def _may_be_kept(result: ProviderResult[Any]) -> bool:
    """Refused and partial answers are somebody's best effort for once, not the answer."""
    return not (result.metadata.get("refused") or result.metadata.get("partial"))


def _outside() -> Context:
    """The caller's context for what goes on without it: traces and tenants stay, its deadline does not."""
    context = copy_context()
    context.run(CURRENT_CALL.set, None)
    return context


def _scope(capability: AnyCapability | None, validators: Sequence[Any]) -> tuple[str, ...]:
    """What all answers of a service depend on: the capability, and what its validators let pass."""
    named = ("", "") if capability is None else (capability.name, capability.version)
    return (*named, *(identity_of(validator).stamp for validator in validators))
