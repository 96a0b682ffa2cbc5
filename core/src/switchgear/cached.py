"""Looks first: a service whose answers are kept, and fetched once for all who ask at the same time."""

import asyncio
import copy
from collections.abc import AsyncIterator, Collection, Coroutine, Iterable, Mapping, Sequence
from contextvars import Context, copy_context
from functools import partial
from typing import Any, TypeVar

import attrs

from switchgear.answers import Answers, may_be_kept, result_from, scope_of
from switchgear.cache import Cache, Entry, Size
from switchgear.caching.figures import CacheFigures
from switchgear.caching.flights import Abandoned, Flight, Flights
from switchgear.caching.identity import Identity, identity_of
from switchgear.caching.memory import Memory
from switchgear.caching.settings import CacheSettings
from switchgear.capability import AnyCapability, Effect
from switchgear.context import CURRENT_CALL
from switchgear.errors import AllProvidersFailed, SwitchgearError, UsageError
from switchgear.guarded_cache import GuardedCache, Level
from switchgear.manager import ProviderManager
from switchgear.policies.deadline import DeadlineScope
from switchgear.provider import BaseProvider, RequestT
from switchgear.results import CacheState, Call, OutputT, ProviderResult
from switchgear.strategy import SelectionStrategy, Strategy

T = TypeVar("T")

# Seconds that a waiter gives its flight beyond its own deadline: at the same moment, the flight knows more of why.
_GRACE = 0.02


@attrs.define
class _Caller:
    """One who asks, as long as a call's record is not needed: a hit has no use for one unless somebody listens."""

    tenant: str | None
    tags: Sequence[str]
    idempotency_key: str | None
    started: float
    ends: float | None


@attrs.frozen
class _Landing:
    """What a look or a flight came back with: an entry and, for the one that led a flight, the provider's answer."""

    entry: Entry
    state: CacheState
    result: ProviderResult[Any] | None = None


class CachedProviderManager(ProviderManager[RequestT, OutputT]):
    """A `ProviderManager` that gives an answer again instead of buying it twice.

    `cache`: where answers are kept, several for several levels, the nearest first; by default in memory. `caching`: for
    how long. `capability`: what makes a request's fingerprint, by default all of its fields. `identities` are those
    of the configured providers, where some of them are switched off. A call with `only` or `exclude` goes past the
    cache. `cache_figures` counts; each result says in `cache` where it is from, and in `metadata` its `age` in seconds
    and the cost that was `saved`. Treat outputs of frozen classes as read-only: callers share them.
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
        caching = caching or CacheSettings()
        levels = self._guard(cache, caching.timeout, options.get("output_type", object))
        self.cache_figures = CacheFigures(levels={level.name: level.figures for level in levels})
        if len(self.cache_figures.levels) < len(levels):
            raise UsageError(f"{self.service}: two levels of its cache have the same name")
        self._answers = Answers(
            levels,
            self.service,
            scope_of(capability, options.get("validators", ())),
            caching,
            capability,
            identities or {name: identity_of(each) for name, each in self.providers.items()},
            self._home,
            self._random,
        )
        # Looked up once: a hit in memory is a matter of microseconds.
        self._key, self._peek, self._is_current = self._answers.key, self._answers.peek, self._answers.is_current
        self._is_large = self._answers.is_large
        self._flights: Flights[_Landing] = Flights()
        self._looking: dict[str, asyncio.Future[_Landing | None]] = {}
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
        if asyncio._get_running_loop() is self._home.loop and only is None and not exclude:
            if type(request) is not str and self._is_large(request):
                caller = _Caller(tenant, tags, idempotency_key, now := self._monotonic(), self._end_of(now, deadline))
                return await self._process_large(request, caller)
            key = self._key(request, tenant)
            if key is not None:
                now = self._monotonic()
                entry = self._peek(key)
                if entry is not None:
                    age = now - entry.stored
                    if age < entry.ttl and now < entry.until and self._is_current(entry):
                        return self._served(entry, "fresh", age, tenant, tags)
                caller = _Caller(tenant, tags, idempotency_key, now, self._end_of(now, deadline))
                return await self._share(key, request, caller)
            self.cache_figures.uncacheable += 1
        # From another loop or thread, it comes back to this method from the home loop.
        return await super().process(
            request,
            deadline=deadline,
            only=only,
            exclude=exclude,
            tenant=tenant,
            tags=tags,
            idempotency_key=idempotency_key,
        )

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
        return await self._home.enter(lambda: self._invalidate(request, tenant, provider, older_than))

    async def cached(self, request: RequestT, *, tenant: str | None = None) -> dict[str, Entry]:
        """What each level keeps for a request, fresh or not. Counts nothing; raises what the cache raises."""
        return await self._home.enter(lambda: self._look_up(request, tenant))

    def cached_entries(self) -> AsyncIterator[tuple[str, str, Entry]]:
        """Everything that is kept: level, key and entry. To be used on the home loop; raises what the cache raises."""
        return self._answers.entries()

    async def cache_sizes(self) -> Mapping[str, Size]:
        """How much each level holds of this service. Raises what the cache raises."""
        return await self._home.enter(self._answers.sizes)

    def age_of(self, entry: Entry) -> float:
        """Seconds since it was stored."""
        return self._answers.age(entry)

    def is_current(self, entry: Entry) -> bool:
        """Whether it came from a provider that is configured today, with the options of today."""
        return self._is_current(entry)

    async def _process_large(self, request: RequestT, caller: _Caller) -> ProviderResult[OutputT]:
        if self._closing:
            raise UsageError(f"{self.service} is closed")
        self._in_flight += 1
        try:
            key = await self._wait(self._key_of(request, caller.tenant), caller.ends)
        except TimeoutError:
            raise self._failed(AllProvidersFailed(f"{self.service}: no answer in time"), caller) from None
        finally:
            self._in_flight -= 1
        if key is not None:
            return await self._share(key, request, caller)
        self.cache_figures.uncacheable += 1
        left = None if caller.ends is None else max(0.0, caller.ends - self._monotonic())
        return await super().process(
            request,
            deadline=left,
            tenant=caller.tenant,
            tags=caller.tags,
            idempotency_key=caller.idempotency_key,
        )

    async def _key_of(self, request: RequestT, tenant: str | None) -> str | None:
        """Its key; what takes long to read is read in a worker thread, so that other calls go on meanwhile."""
        if self._is_large(request):
            return await asyncio.to_thread(self._key, request, tenant)
        return self._key(request, tenant)

    def _guard(self, cache: Any, timeout: float, output_type: Any) -> list[GuardedCache]:
        given = cache if isinstance(cache, Sequence) else [Memory() if cache is None else cache]
        levels = [each if isinstance(each, Level) else Level(cache=each, timeout=timeout) for each in given]
        for level in levels:
            if hasattr(level.cache, "clock"):
                level.cache.clock = self._home.clock
        return [GuardedCache(each, self.service, output_type, self._home, self._random) for each in levels]

    async def _invalidate(
        self, request: RequestT | None, tenant: str | None, provider: str | None, older_than: float | None
    ) -> int | None:
        if request is not None:
            key = await self._key_of(request, tenant)
            if key is not None:
                await self._answers.forget(key)
        elif provider is None and older_than is None:
            await self._answers.forget_all()
        else:
            return await self._answers.forget_where(provider, older_than)
        return None

    async def _look_up(self, request: RequestT, tenant: str | None) -> dict[str, Entry]:
        key = await self._key_of(request, tenant)
        return {} if key is None else await self._answers.look(key)

    # What others have bought

    def _served(
        self,
        entry: Entry,
        state: CacheState,
        age: float,
        tenant: str | None,
        tags: Sequence[str],
        started: float = -1.0,
    ) -> ProviderResult[OutputT]:
        """An entry as this call's result, counted; a call's record only where somebody listens."""
        figures = self.cache_figures
        if state == "fresh":
            figures.hits += 1
        else:
            setattr(figures, state, getattr(figures, state) + 1)
        if entry.cost is not None:
            figures.saved += entry.cost
        if self._hearers or self._closing:
            call = self._begin(None, tenant, tags, None)
            call.result = result_from(entry, state, age, call.id)
            self._end_record(call, call.started if started < 0 else started)
            return call.result
        return result_from(entry, state, age, f"{self._id_prefix}{next(self._ids):06x}")

    def _given(self, landing: _Landing, caller: _Caller) -> ProviderResult[OutputT]:
        state: CacheState = "shared" if landing.state == "miss" else landing.state
        entry = landing.entry
        return self._served(entry, state, self._answers.age(entry), caller.tenant, caller.tags, caller.started)

    def _end_record(self, call: Call, started: float) -> None:
        call.latency = self._monotonic() - started
        if self._hearers:
            self._tell(call)

    def _call_of(self, caller: _Caller) -> Call:
        call = Call(f"{self._id_prefix}{next(self._ids):06x}", self.service, tenant=caller.tenant, tags=caller.tags)
        call.idempotency_key = caller.idempotency_key or call.id
        call.started, call.ends = caller.started, caller.ends
        return call

    def _failed(self, error: BaseException, caller: _Caller) -> BaseException:
        """Record it, and give the error to raise: each caller its own, which names its call."""
        call = self._call_of(caller)
        if isinstance(error, Abandoned):
            error = UsageError(f"{self.service} is closed")
        if isinstance(error, SwitchgearError):
            cause = error.__cause__
            error = copy.copy(error)
            error.__cause__ = cause
            error.call_id = call.id
        call.error = error
        self._end_record(call, call.started)
        return error

    # Together with others

    async def _share(self, key: str, request: RequestT, caller: _Caller) -> ProviderResult[OutputT]:
        """Look where that takes time, or wait for the one who does; then join the flight that fetches it, or lead one.

        From the first look to the end of the flight, there is always somebody that newcomers can wait for: nobody
        looks twice, and nobody fetches what has just been fetched.
        """
        if self._closing:
            raise UsageError(f"{self.service} is closed")
        while (flight := self._flights.get(key)) is None:
            try:
                if (looking := self._looking.get(key)) is None:
                    landing, flight = await self._look(key, request, caller)
                else:
                    landing = await self._wait(_result_of(looking), caller.ends)
            except TimeoutError:
                raise self._failed(AllProvidersFailed(f"{self.service}: no answer in time"), caller) from None
            except BaseException as error:
                raise self._failed(error, caller) from error.__cause__
            if landing is not None:
                return self._given(landing, caller)
            if flight is not None:
                return await self._ride(flight, caller, leads=True)
        if flight.is_wanted and flight.fallback is not None and self._answers.is_given_at_once(flight.fallback):
            return self._given(_Landing(flight.fallback, "stale"), caller)
        flight.extend(caller.ends)
        return await self._ride(flight, caller, leads=False)

    async def _look(
        self, key: str, request: RequestT, caller: _Caller
    ) -> tuple[_Landing | None, Flight[_Landing] | None]:
        """What is kept, if it can be given; and the flight that was started because it cannot."""
        self._looking[key] = looking = asyncio.get_running_loop().create_future()
        landing = flight = None
        self._in_flight += 1
        try:
            entry = await self._answers.get(key, caller.ends)
            if entry is not None and self._answers.is_fresh(entry):
                landing = _Landing(entry, "fresh")
            elif entry is not None and self._answers.is_given_at_once(entry):
                landing = _Landing(entry, "stale")
                self._refresh(key, request, entry, caller)
            else:
                flight = self._depart(key, request, Flight(self._call_of(caller), entry, is_wanted=False))
        finally:
            self._in_flight -= 1
            del self._looking[key]
            looking.set_result(landing)
        return landing, flight

    def _refresh(self, key: str, request: RequestT, entry: Entry, caller: _Caller) -> None:
        now = self._monotonic()
        ends = None if self.deadline is None else now + self.deadline
        call = self._call_of(_Caller(caller.tenant, caller.tags, None, now, ends))
        self.cache_figures.refreshes += 1
        self._depart(key, request, Flight(call, entry, is_wanted=True))

    def _depart(self, key: str, request: RequestT, flight: Flight[_Landing]) -> Flight[_Landing]:
        return self._flights.start(key, flight, partial(self._fly, key, request), _outside())

    async def _ride(self, flight: Flight[_Landing], caller: _Caller, *, leads: bool) -> ProviderResult[OutputT]:
        """Wait for a flight as one of many; the one that leads it has its record written by it."""
        try:
            landing = await self._wait(flight.answer(), caller.ends)
        except TimeoutError:
            return self._out_of_time(flight, caller)
        except BaseException as error:
            if leads and flight.has_begun and flight.is_over:
                raise
            raise self._failed(error, caller) from error.__cause__
        if not leads or landing.result is None:
            return self._given(landing, caller)
        if landing.state == "miss":
            self.cache_figures.misses += 1
        else:
            self.cache_figures.stale_on_error += 1
        return landing.result

    async def _wait(self, work: Coroutine[Any, Any, T], ends: float | None) -> T:
        if ends is None:
            return await work
        with DeadlineScope(self._home.timers, ends + _GRACE):
            return await work

    def _out_of_time(self, flight: Flight[_Landing], caller: _Caller) -> ProviderResult[OutputT]:
        """This caller's deadline has passed; the flight goes on for those who have more time."""
        error = AllProvidersFailed(f"{self.service}: no answer in time; it is still being fetched for others")
        if flight.fallback is not None and self._answers.is_better_than(flight.fallback, error):
            return self._given(_Landing(flight.fallback, "stale_on_error"), caller)
        raise self._failed(error, caller)

    # The flight

    async def _fly(self, key: str, request: RequestT, flight: Flight[_Landing]) -> _Landing:
        """Fetch it, and again where time ran out for those who waited first, and others who came later have more."""
        while True:
            ends = flight.call.ends
            try:
                return await self._fetch(key, request, flight)
            except AllProvidersFailed:
                call = flight.call
                if ends is None or ends == call.ends or self._monotonic() < ends:
                    raise
                flight.call = self._call_of(_Caller(call.tenant, call.tags, None, self._monotonic(), call.ends))

    async def _fetch(self, key: str, request: RequestT, flight: Flight[_Landing]) -> _Landing:
        call, edition = flight.call, self._answers.edition
        self.cache_figures.flights += 1
        flight.has_begun = True
        token = self._enter(call)
        try:
            call.result = result = await self._answer(request, call)
            result.attempts = call.attempts
            result.cache = "miss"
            entry = self._answers.entry(result, fallback=self._is_fallback(result, call))
            if may_be_kept(result):
                await self._answers.put(key, entry, edition, call.ends)
            return _Landing(entry, "miss", result)
        except SwitchgearError as error:
            stale = flight.fallback
            if stale is None or not self._answers.is_better_than(stale, error):
                call.error = error
                raise
            call.result = result = result_from(stale, "stale_on_error", self._answers.age(stale), call.id)
            result.attempts = call.attempts
            return _Landing(stale, "stale_on_error", result)
        except BaseException as error:
            call.error = error
            raise
        finally:
            self._leave(call, token)

    def _is_fallback(self, result: ProviderResult[OutputT], call: Call) -> bool:
        """Whether somebody else should have answered; unsure while providers warm up after an outage."""
        return call.started < self._ramping_until or bool(call.order and call.order[0].name != result.provider)

    async def _close(self, drain: float) -> None:
        self._closing = True
        self._flights.end_unwaited()
        await super()._close(drain)
        await self._flights.end_all()
        await self._answers.close()


async def _result_of(looking: "asyncio.Future[T]") -> T:
    """Whoever leaves must not take it away from the others, as awaiting it would."""
    await asyncio.wait((looking,))
    return looking.result()


def _outside() -> Context:
    """The caller's context for what goes on without it: traces and tenants stay, its deadline does not."""
    context = copy_context()
    context.run(CURRENT_CALL.set, None)
    return context
