"""Chooses whom to ask, goes on to the next where that helps, and keeps the record of it."""

import asyncio
import itertools
import math
import os
from collections import deque
from collections.abc import AsyncGenerator, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from contextlib import aclosing
from contextvars import Token
from decimal import Decimal
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal

import attrs

from switchgear.capability import Effect, Validator
from switchgear.clock import SYSTEM_CLOCK, Clock
from switchgear.context import CURRENT_CALL
from switchgear.errors import (
    AllProvidersFailed,
    InDoubt,
    InvalidInput,
    OutcomeError,
    SwitchgearError,
    Unsupported,
    UsageError,
)
from switchgear.figures import Figures
from switchgear.guarded import GuardedProvider
from switchgear.hedging import Hedger
from switchgear.home import Home
from switchgear.last_resort import AllDown, last_resort, soonest
from switchgear.logs import logger, report_defect
from switchgear.messages import safe_message
from switchgear.monitor import HealthMonitor, check
from switchgear.ordering import compile_order, find_strategy
from switchgear.outcome import Outcome
from switchgear.plan import Plan, PlanRow, plan_row
from switchgear.policies.breaker import Breaker, State
from switchgear.policies.deadline import DeadlineScope
from switchgear.policies.health import Health
from switchgear.policies.hedge import Hedge
from switchgear.policies.retry import Retry, RetryBudget
from switchgear.protection import Policies
from switchgear.provider import BaseProvider, ProviderStatus, RequestT
from switchgear.results import Call, OutputT, ProviderResult, StateChange
from switchgear.service import Service
from switchgear.strategy import Random, SelectionStrategy, Strategy, system_random
from switchgear.stream import stream
from switchgear.validation import ResultCheck

if TYPE_CHECKING:
    from switchgear.till import Till

HEALTH_CHECK_TIMEOUT = 10.0
DRAIN_STEP = 0.05
DRAIN_GRACE = 1.0  # seconds that calls may take to end once they have been timed out
CLOSING = 5.0  # seconds that a provider may take to close
LEFT_OUT = "left out by the strategy"


@attrs.frozen
class Answer(Generic[RequestT, OutputT]):
    """One of many: the request, its place among them from 0, and either a result or an error."""

    index: int
    request: RequestT
    result: ProviderResult[OutputT] | None = None
    error: SwitchgearError | None = None


class ProviderManager(Generic[RequestT, OutputT]):
    """One service: several providers of one capability behind one call.

    `deadline`: seconds for a whole call, None for none. `on_refused`: what to do when validators turned down every
    answer: "fail", or give the "best"-scored one, marked in its metadata. `retry` and `breaker` hold for every provider
    that `policies` gives none of its own, by name. `all_down`: what to do when every circuit is open. `observers` hear
    of every finished `Call`, `state_observers` of every circuit that changes.
    """

    def __init__(
        self,
        providers: Iterable[BaseProvider[RequestT, OutputT]],
        strategy: str | SelectionStrategy | Strategy = SelectionStrategy.PRIORITY,
        *,
        service: str = "service",
        deadline: float | None = 60.0,
        retry: Retry | None = None,
        breaker: Breaker | None = None,
        policies: Mapping[str, Policies] | None = None,
        hedge: Hedge | None = None,
        health: Health | None = None,
        all_down: AllDown = "probe",
        effect: Effect = Effect.PURE,
        validators: Sequence[Validator] = (),
        on_refused: Literal["fail", "best"] = "fail",
        request_type: type[Any] = object,
        output_type: type[Any] = object,
        observers: Sequence[Callable[[Call], None]] = (),
        state_observers: Sequence[Callable[[StateChange], None]] = (),
        clock: Clock = SYSTEM_CLOCK,
        random: Random | None = None,
        home: Home | None = None,
        tills: "Mapping[str, Till] | None" = None,
    ) -> None:
        if hedge is not None and effect is not Effect.PURE:
            raise UsageError(f"{service}: only work that may be repeated freely can be hedged")
        self.service = service
        self.deadline = deadline
        self.on_refused = on_refused
        self.all_down = all_down
        self.effect = effect
        self._request_type = request_type
        self._once = effect is Effect.ONCE
        self.strategy = find_strategy(strategy)
        self.budget = RetryBudget(retry or Retry())
        self._call_attempts = (retry or Retry()).call_attempts
        self._home = home or Home(clock)
        self._owns_home = home is None
        self._monotonic = self._home.clock.monotonic
        self._random = random or system_random()
        self._shared = shared = Service(
            home=self._home,
            random=self._random,
            budget=self.budget,
            effect=effect,
            output_type=output_type,
            check=ResultCheck(validators) if validators else None,
            on_change=self._circuit_changed,
        )
        default = Policies(retry=retry or Retry(), breaker=breaker or Breaker())
        # A tuple: a strategy is handed it, and must not be able to take anybody out.
        self._candidates = tuple(
            GuardedProvider(
                provider, shared, (policies or {}).get(provider.name, default), (tills or {}).get(provider.name)
            )
            for provider in _named(providers, service)
        )
        self._by_name = {candidate.name: candidate for candidate in self._candidates}
        self._ramping_until = float("-inf")
        if hasattr(self.strategy, "random"):
            object.__setattr__(self.strategy, "random", self._random)  # it may be frozen
        self._order = compile_order(self.strategy)
        learn = getattr(self.strategy, "learn", None)
        self._hearers = (*observers, learn) if learn else tuple(observers)
        self._state_hearers = tuple(state_observers)
        self._changes: deque[StateChange] = deque()
        self._hedger = None if hedge is None else Hedger(hedge, self._home.clock)
        self._monitor = None if health is None else HealthMonitor(health, self._candidates, self._home, self._random)
        self._never_waits = (
            deadline is None
            and hedge is None
            and not any(getattr(validator, "blocking", False) for validator in validators)
            and not any(candidate.may_wait for candidate in self._candidates)
        )
        self._turn = 0
        self._in_flight = 0
        self._closing = False
        self._ids = itertools.count(1)
        self.rename()
        self._home.named.add(self)

    def rename(self) -> None:
        """Name calls anew, as after a fork: ledgers tell the attempts of all processes and times apart by it."""
        self._id_prefix = os.urandom(8).hex()

    @property
    def providers(self) -> dict[str, BaseProvider[RequestT, OutputT]]:
        return {name: candidate.provider for name, candidate in self._by_name.items()}

    @property
    def figures(self) -> Mapping[str, Figures]:
        """Each provider's live figures, by name; to read from any thread."""
        return {name: candidate.figures for name, candidate in self._by_name.items()}

    @property
    def in_flight(self) -> int:
        """Calls that are under way right now."""
        return self._in_flight

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
        """Answer the request with the first provider that can.

        `deadline`: seconds for this call instead of the service's. `only` and `exclude` name providers. Raises
        `InvalidInput` where no provider can take the request, `AllProvidersFailed` where none answered.
        """
        if asyncio._get_running_loop() is not self._home.loop:
            return await self._from_elsewhere(
                request,
                deadline=deadline,
                only=only,
                exclude=exclude,
                tenant=tenant,
                tags=tags,
                idempotency_key=idempotency_key,
            )
        call = self._begin(deadline, tenant, tags, idempotency_key)
        token = self._enter(call)
        try:
            call.result = result = await self._answer(request, call, only, exclude)
            result.attempts = call.attempts
            return result
        except BaseException as error:
            call.error = error
            raise
        finally:
            self._leave(call, token)

    def process_sync(self, request: RequestT, **options: Any) -> ProviderResult[OutputT]:
        """`process` for ordinary code: any thread without an event loop. Takes the same options."""
        if self._closing:
            raise UsageError(f"{self.service} is closed")
        outer = CURRENT_CALL.get()
        unbounded = options.get("deadline") is None and (outer is None or outer.ends is None)
        if self._never_waits and self._home.loop is None and unbounded:
            return self._home.run_in_place(lambda: self.process(request, **options))
        return self._home.run(lambda: self.process(request, **options))

    async def map(
        self, requests: Iterable[RequestT], *, concurrency: int = 4, ordered: bool = False, **options: Any
    ) -> AsyncGenerator[Answer[RequestT, OutputT], None]:
        """Process many, `concurrency` at a time; answers as ready, or in order. A failed one does not end the rest.

        Whoever leaves before the end closes it, with `contextlib.aclosing`: that cancels what is under way.
        """

        async def answer(item: tuple[int, RequestT]) -> Answer[RequestT, OutputT]:
            index, request = item
            try:
                return Answer(index, request, result=await self.process(request, **options))
            except SwitchgearError as error:
                return Answer(index, request, error=error)

        # Closed with this one, not whenever it is collected.
        async with aclosing(stream(enumerate(requests), answer, concurrency=concurrency, ordered=ordered)) as answers:
            async for each in answers:
                yield each

    def estimate_cost(self, request: RequestT) -> dict[str, Decimal | None]:
        """What each provider would charge, in the board's currency; None where unknown."""
        return {candidate.name: candidate.estimated_cost(request) for candidate in self._candidates}

    def explain(self, request: RequestT) -> Plan:
        """Whom a call with this request would ask, in order, and who would be dropped and why. Asks nobody."""
        kept: list[PlanRow] = []
        dropped: list[PlanRow] = []
        order = self._select_provider_order(request, self._turn)
        for candidate in order:
            objection = candidate.objection(request)
            reason = candidate.obstacle(request, self._monotonic()) if objection is None else safe_message(objection)
            rank = None if reason else len(kept) + 1
            (dropped if reason else kept).append(plan_row(candidate, request, rank, reason))
        dropped += [plan_row(self._by_name[name], request, None, LEFT_OUT) for name in self._left_out(order)]
        return Plan(self.service, type(self.strategy).__name__, (*kept, *dropped))

    async def health_check_all(self) -> dict[str, ProviderStatus]:
        """Ask every provider how it is, all at once, in at most ten seconds."""
        return await self._home.enter(self._health_check_all)

    def is_open(self, provider: str) -> bool:
        """Does this provider's circuit turn calls away right now? From any thread."""
        breaker = self._candidate(provider).breaker
        return breaker is not None and breaker.is_open()

    def force_open(self, provider: str) -> None:
        """Keep a provider out until `close_circuit`: maintenance, a bad release."""
        self._home.change(self._breaker_of(provider).force_open)

    def disable_circuit(self, provider: str) -> None:
        """Let everything through to a provider, whatever its circuit has seen, until `close_circuit`."""
        self._home.change(self._breaker_of(provider).disable)

    def close_circuit(self, provider: str) -> None:
        """Close a provider's circuit and forget what it has seen."""
        self._home.change(self._breaker_of(provider).reset)

    async def open(self, *providers: str) -> None:
        """Get the named providers ready before their first request, and start the active health checks.

        Raises what a provider's `aopen` raises.
        """
        await self._home.enter(lambda: self._open(providers))

    async def aclose(self, drain: float = 5.0) -> None:
        """Take no more calls, give those under way `drain` seconds, time out what is left, close the providers."""
        await self._home.enter(lambda: self._close(drain))
        if self._owns_home:
            self._home.close()

    def close(self, drain: float = 5.0) -> None:
        """`aclose` for ordinary code."""
        self._home.run(lambda: self._close(drain))
        if self._owns_home:
            self._home.close()

    async def __aenter__(self) -> "ProviderManager[RequestT, OutputT]":
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    # Not in `process`: a closure there would make cells of its parameters, anew in each call.
    async def _from_elsewhere(self, request: RequestT, **options: Any) -> ProviderResult[OutputT]:
        return await self._home.enter(lambda: self.process(request, **options))

    def _begin(
        self, deadline: float | None, tenant: str | None, tags: Sequence[str], idempotency_key: str | None
    ) -> Call:
        """A call's record, with the earlier of its own deadline and that of the call it is made for."""
        if self._closing:
            raise UsageError(f"{self.service} is closed")
        now = self._monotonic()
        call_id = self._id_prefix + str(next(self._ids))
        call = Call(call_id, self.service, tenant, tags, now, self._end_of(now, deadline))
        call.idempotency_key = idempotency_key or (None if self._once else call_id)
        return call

    def _end_of(self, now: float, deadline: float | None) -> float | None:
        """When a call that begins now has to end: by its own deadline, and by that of the call it is made for."""
        if deadline is None:
            deadline = self.deadline
        elif math.isnan(deadline):
            raise UsageError("the deadline is no number; give seconds")
        ends = None if deadline is None else now + deadline
        outer = CURRENT_CALL.get()
        if outer is not None and outer.ends is not None and (ends is None or outer.ends < ends):
            return outer.ends
        return ends

    def _enter(self, call: Call) -> "Token[Call | None]":
        """From here on until `_leave`, this is the call that the running code works for."""
        self._in_flight += 1
        return CURRENT_CALL.set(call)

    def _leave(self, call: Call, token: "Token[Call | None]") -> None:
        self._in_flight -= 1
        CURRENT_CALL.reset(token)
        call.latency = self._monotonic() - call.started
        if call.result is not None:
            call.error = None  # that of an attempt, after which somebody else answered
        if self._hearers:
            self._tell(call)

    def _answer(
        self, request: RequestT, call: Call, only: Collection[str] | None = None, exclude: Collection[str] = ()
    ) -> Coroutine[Any, Any, ProviderResult[OutputT]]:
        """What is left to await once it is clear whom to ask."""
        order = self._select_provider_order(request, self._turn)
        self._turn += 1
        if len(order) < len(self._candidates):
            call.dropped.update(dict.fromkeys(self._left_out(order), LEFT_OUT))
        if only is not None or exclude:
            order = self._chosen(order, call, only, exclude)
        if call.started < self._ramping_until:
            order = self._held_back(order, call.started)
        call.order = order
        if self._hedger is None:
            return self._first_good(order, request, call, call.started)
        return self._first_good_hedged(self._hedger, order, request, call)

    def _select_provider_order(self, request: RequestT, turn: int) -> Sequence[GuardedProvider]:
        return self._order(self._candidates, request, turn)

    def _left_out(self, order: Sequence[GuardedProvider]) -> list[str]:
        return [candidate.name for candidate in self._candidates if candidate not in order]

    def _candidate(self, name: str) -> GuardedProvider:
        try:
            return self._by_name[name]
        except KeyError:
            names = ", ".join(self._by_name)
            raise UsageError(f"{self.service} has no provider {name!r}; it has {names}") from None

    def _breaker_of(self, name: str) -> Any:
        breaker = self._candidate(name).breaker
        if breaker is None:
            raise UsageError(f"{self.service}.{name} has no circuit breaker")
        return breaker

    def _chosen(
        self, order: Sequence[GuardedProvider], call: Call, only: Collection[str] | None, exclude: Collection[str]
    ) -> Sequence[GuardedProvider]:
        names = self.providers.keys()
        unknown = {*(only or ()), *exclude} - names
        if unknown:
            raise UsageError(f"{self.service} has no provider {', '.join(sorted(unknown))}; it has {', '.join(names)}")
        for candidate in order:
            if (only is not None and candidate.name not in only) or candidate.name in exclude:
                call.dropped[candidate.name] = "left out by the caller"
        return [candidate for candidate in order if candidate.name not in call.dropped]

    def _held_back(self, order: Sequence[GuardedProvider], now: float) -> Sequence[GuardedProvider]:
        """Those that have just come back get a growing share of the calls; in the others they come last."""
        later = [each for each in order if now < each.ramp_until and self._random.random() > each.ramp_share(now)]
        return [*(each for each in order if each not in later), *later] if later else order

    async def _first_good(
        self,
        order: Sequence[GuardedProvider],
        request: RequestT,
        call: Call,
        now: float,
        blocked: list[GuardedProvider] | None = None,
    ) -> ProviderResult[OutputT]:
        left = len(order)
        blocked = [] if blocked is None else blocked
        objections: list[OutcomeError] = []
        for candidate in order:
            objection = candidate.objection(request)
            if objection is not None:
                objections.append(objection)
                call.dropped[candidate.name] = safe_message(objection)
            elif call.ends is not None and now >= call.ends:
                call.dropped[candidate.name] = "no time left"
            else:
                answer = await candidate.attempt(request, call, left, now)
                if type(answer) is not Outcome:
                    return answer  # type: ignore[return-value]
                self._go_on(answer, candidate, call, blocked)
                now = self._monotonic()
            left -= 1
        async for answer in last_resort(blocked, request, call, self.all_down, self._shared, self._call_attempts):
            if not isinstance(answer, Outcome):
                return answer
            self._go_on(answer, None, call, blocked)
        if not isinstance(request, self._request_type):
            found, wanted = type(request).__name__, self._request_type.__name__
            raise self._signed(UsageError(f"{self.service} takes a {wanted}, and got a {found}"), call)
        return self._nobody(call, objections)

    async def _first_good_hedged(
        self, hedger: Hedger, order: Sequence[GuardedProvider], request: RequestT, call: Call
    ) -> ProviderResult[OutputT]:
        """The first two raced where the first is slow; everybody else as usual."""
        able = [each for each in order if each.objection(request) is None and not each.rejection(call.started)]
        delay = hedger.delay(able[0]) if len(able) > 1 else None
        if delay is None or (call.ends is not None and self._monotonic() >= call.ends):
            return await self._first_good(order, request, call, call.started)
        first, second = able[:2]
        answer, failed = await hedger.race(first, second, delay, request, call, len(able))
        blocked: list[GuardedProvider] = []
        for candidate, outcome in failed:
            self._go_on(outcome, candidate, call, blocked)
        if answer is not None:
            return answer
        asked = [candidate for candidate, _ in failed]
        rest = [each for each in order if each not in asked]
        return await self._first_good(rest, request, call, self._monotonic(), blocked)

    def _go_on(
        self, outcome: Outcome, candidate: GuardedProvider | None, call: Call, blocked: list[GuardedProvider]
    ) -> None:
        """Note that the call goes on after this outcome, or end it here."""
        done_once = self._once and outcome is Outcome.INVALID_RESULT
        # Also if the doubt is an earlier attempt's, and its repetition failed in a way that says nothing about it.
        in_doubt = isinstance(call.error, InDoubt)
        if not outcome.rule.falls_over or done_once or in_doubt:
            raise self._signed(call.error, call)
        if candidate is None:
            return
        if outcome is Outcome.REJECTED or outcome is Outcome.THROTTLED:
            blocked.append(candidate)
        if outcome is not Outcome.REJECTED:
            candidate.figures.fallbacks += 1

    def _nobody(self, call: Call, objections: list[OutcomeError]) -> ProviderResult[OutputT]:
        if call.refused and self.on_refused == "best":
            best = max(call.refused, key=lambda refused: refused.score)
            best.result.metadata["refused"] = best.reason
            return best.result
        if objections and len(objections) == len(call.order) and all(map(_is_about_input, objections)):
            remedy = _remedies(objections)
            raise self._signed(InvalidInput(_each_once(objections), remedy=remedy), call) from objections[-1]
        reasons = [f"{attempt.provider}: {attempt.message} ({attempt.outcome.value})" for attempt in call.attempts]
        reasons += [f"{name}: {reason}" for name, reason in call.dropped.items()]
        message = f"{self.service}: no provider answered; " + ("; ".join(reasons) or "the strategy chose nobody")
        failed = AllProvidersFailed(message, call.attempts, retry_after=soonest(call.order, self._monotonic()))
        failed.remedy = _remedies([*objections, call.error])
        raise self._signed(failed, call) from call.error

    def _signed(self, error: Any, call: Call) -> Any:
        error.call_id = call.id
        return error

    def _tell(self, call: Call) -> None:
        for hear in self._hearers:
            # Foreign code: an observer that breaks must not fail a call that went well.
            try:
                hear(call)
            except Exception as error:
                report_defect(f"observer {hear!r} failed", error)

    def _log_metrics(self) -> None:
        """One line per provider with its figures, for a look at a running process."""
        for candidate in self._candidates:
            figures = candidate.figures
            logger.info(
                "{} {}: {} requests, success rate {}, average latency {} s, {} fallbacks",
                self.service,
                candidate.name,
                figures.requests,
                figures.success_rate,
                figures.latency.average,
                figures.fallbacks,
            )

    async def _health_check_all(self) -> dict[str, ProviderStatus]:
        checks = [check(candidate, self._home, HEALTH_CHECK_TIMEOUT) for candidate in self._candidates]
        return dict(zip(self._by_name, await asyncio.gather(*checks), strict=True))

    def _circuit_changed(self, provider: str, old: State, new: State) -> None:
        self._ramping_until = max(candidate.ramp_until for candidate in self._candidates)
        self._changes.append(StateChange(self.service, provider, old.value, new.value))
        # One who hears of a change may cause the next, which everybody must hear of after the first.
        if len(self._changes) == 1:
            while self._changes:
                self._tell_change(self._changes[0])
                self._changes.popleft()

    def _tell_change(self, change: StateChange) -> None:
        for hear in self._state_hearers:
            # Foreign code: a listener that breaks must not keep a circuit from changing.
            try:
                hear(change)
            except Exception as error:
                report_defect(f"observer {hear!r} failed", error)

    async def _open(self, providers: Sequence[str]) -> None:
        for name in providers:
            await self._candidate(name).open()
        if self._monitor is not None:
            self._monitor.start()

    async def _close(self, drain: float) -> None:
        self._closing = True
        if self._monitor is not None:
            await self._monitor.stop()
        until = self._monotonic() + drain
        while self._is_busy and self._monotonic() < until:
            await self._home.clock.sleep(DRAIN_STEP)
        if self._is_busy:
            stuck = ", ".join(each.name for each in self._candidates if each.is_busy) or "callers"
            logger.warning("{}: closing with {} calls under way, stuck in {}", self.service, self._in_flight, stuck)
            await self._end_what_is_left()
        await asyncio.gather(*map(self._close_provider, self._candidates))

    @property
    def _is_busy(self) -> bool:
        return self._in_flight > 0 or any(candidate.is_busy for candidate in self._candidates)

    async def _close_provider(self, candidate: GuardedProvider) -> None:
        # Foreign code: one provider that cannot close must not keep the others open.
        try:
            with DeadlineScope(self._home.timers, self._monotonic() + CLOSING):
                await candidate.close()
        except TimeoutError:
            logger.warning("{}: {} has not closed within {:g} s", self.service, candidate.name, CLOSING)
        except Exception as error:
            report_defect(f"{self.service}.{candidate.name}: closing", error)

    async def _end_what_is_left(self) -> None:
        """Time out what is under way and refuse what would follow, so that the calls end."""
        for candidate in self._candidates:
            candidate.shut_down()
        until = self._monotonic() + DRAIN_GRACE
        while self._in_flight and self._monotonic() < until:
            self._home.timers.expire_all(self._shared)
            await self._home.clock.sleep(DRAIN_STEP)


def _named(providers: Iterable[BaseProvider[Any, Any]], service: str) -> list[BaseProvider[Any, Any]]:
    """The providers, nameless ones called after their class; names must differ."""
    found: dict[str, BaseProvider[Any, Any]] = {}
    for provider in providers:
        provider.name = provider.name or type(provider).__name__.lower()
        if provider.name in found:
            raise UsageError(f"{service}: two providers are named {provider.name!r}; give each a name of its own")
        found[provider.name] = provider
    if not found:
        raise UsageError(f"{service}: a service needs at least one provider")
    return list(found.values())


def _is_about_input(error: OutcomeError) -> bool:
    return isinstance(error, InvalidInput | Unsupported)


def _remedies(errors: Iterable[BaseException | None]) -> str | None:
    found = (error.remedy for error in errors if isinstance(error, SwitchgearError))
    return "; ".join(dict.fromkeys(remedy for remedy in found if remedy)) or None


def _each_once(errors: Iterable[OutcomeError]) -> str:
    return "; ".join(dict.fromkeys(str(error) for error in errors))
