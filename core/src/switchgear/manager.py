"""Chooses whom to ask, goes on to the next where that helps, and keeps the record of it."""

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from decimal import Decimal
from typing import Any, Generic, Literal, NoReturn

import attrs

from switchgear.capability import Validator
from switchgear.clock import SYSTEM_CLOCK, Clock
from switchgear.errors import AllProvidersFailed, InvalidInput, OutcomeError, SwitchgearError, Unsupported, UsageError
from switchgear.guarded import GuardedProvider, safe_message
from switchgear.home import Home
from switchgear.logs import logger, report_defect
from switchgear.ordering import compile_order, find_strategy
from switchgear.plan import Plan, PlanRow
from switchgear.policies.deadline import DeadlineScope
from switchgear.provider import BaseProvider, ProviderStatus, RequestT
from switchgear.results import Call, OutputT, ProviderResult
from switchgear.strategy import SelectionStrategy, Strategy
from switchgear.stream import stream
from switchgear.validation import ResultCheck

HEALTH_CHECK_TIMEOUT = 10.0


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
    answer: "fail", or give the "best"-scored one, marked in its metadata. `observers` hear of every finished `Call`.
    """

    def __init__(
        self,
        providers: Iterable[BaseProvider[RequestT, OutputT]],
        strategy: str | SelectionStrategy | Strategy = SelectionStrategy.PRIORITY,
        *,
        service: str = "service",
        deadline: float | None = 60.0,
        validators: Sequence[Validator] = (),
        on_refused: Literal["fail", "best"] = "fail",
        output_type: type[Any] = object,
        observers: Sequence[Callable[[Call], None]] = (),
        clock: Clock = SYSTEM_CLOCK,
        home: Home | None = None,
    ) -> None:
        self.service = service
        self.deadline = deadline
        self.on_refused = on_refused
        self.strategy = find_strategy(strategy)
        self._home = home or Home(clock)
        self._owns_home = home is None
        self._monotonic = self._home.clock.monotonic
        check = ResultCheck(validators) if validators else None
        self._candidates = [
            GuardedProvider(provider, self._home, output_type=output_type, check=check)
            for provider in _named(providers, service)
        ]
        self._order = compile_order(self.strategy)
        learn = getattr(self.strategy, "learn", None)
        self._hearers = (*observers, learn) if learn else tuple(observers)
        self._turn = 0
        self._in_flight = 0
        self._id_prefix = secrets.token_hex(4)
        self._ids = itertools.count(1)

    @property
    def providers(self) -> dict[str, BaseProvider[RequestT, OutputT]]:
        return {candidate.name: candidate.provider for candidate in self._candidates}

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
        if asyncio.get_running_loop() is not self._home.loop:
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
        call = Call(f"{self._id_prefix}{next(self._ids):06x}", self.service, tenant=tenant, tags=tags)
        call.started = started = self._monotonic()
        if deadline is None:
            deadline = self.deadline
        self._in_flight += 1
        try:
            call.order = order = self._select_provider_order(request, self._turn)
            self._turn += 1
            if only is not None or exclude:
                order = self._chosen(order, call, only, exclude)
            result = await self._first_good(order, request, call, None if deadline is None else started + deadline)
            result.attempts = call.attempts
            call.result = result
            return result
        except BaseException as error:
            call.error = error
            raise
        finally:
            self._in_flight -= 1
            call.latency = self._monotonic() - started
            if self._hearers:
                self._tell(call)

    def process_sync(self, request: RequestT, **options: Any) -> ProviderResult[OutputT]:
        """`process` for ordinary code: any thread without an event loop. Takes the same options."""
        return self._home.run(lambda: self.process(request, **options))

    async def map(
        self, requests: Iterable[RequestT], *, concurrency: int = 4, ordered: bool = False, **options: Any
    ) -> AsyncIterator[Answer[RequestT, OutputT]]:
        """Process many, `concurrency` at a time; answers as ready, or in order. A failed one does not end the rest."""

        async def answer(item: tuple[int, RequestT]) -> Answer[RequestT, OutputT]:
            index, request = item
            try:
                return Answer(index, request, result=await self.process(request, **options))
            except SwitchgearError as error:
                return Answer(index, request, error=error)

        async for each in stream(enumerate(requests), answer, concurrency=concurrency, ordered=ordered):
            yield each

    def estimate_cost(self, request: RequestT) -> dict[str, Decimal | None]:
        """What each provider would charge, in the board's currency; None where unknown."""
        return {candidate.name: candidate.estimated_cost(request) for candidate in self._candidates}

    def explain(self, request: RequestT) -> Plan:
        """Whom a call with this request would ask, in order, and who would be dropped and why. Asks nobody."""
        kept: list[PlanRow] = []
        dropped: list[PlanRow] = []
        for candidate in self._select_provider_order(request, self._turn):
            objection = candidate.objection(request)
            reason = "" if objection is None else safe_message(objection)
            rank = None if reason else len(kept) + 1
            (dropped if reason else kept).append(_plan_row(candidate, request, rank, reason))
        return Plan(self.service, type(self.strategy).__name__, (*kept, *dropped))

    async def health_check_all(self) -> dict[str, ProviderStatus]:
        """Ask every provider how it is, all at once, in at most ten seconds."""
        return await self._home.enter(self._health_check_all)

    async def open(self, provider: str) -> None:
        """Get a provider ready before its first request; raises what its `aopen` raises."""
        await self._home.enter(self._candidate(provider).open)

    async def aclose(self) -> None:
        """Close the providers. Calls that are under way fail."""
        await self._home.enter(self._close_providers)
        if self._owns_home:
            self._home.close()

    def close(self) -> None:
        """`aclose` for ordinary code."""
        self._home.run(self._close_providers)
        if self._owns_home:
            self._home.close()

    def _select_provider_order(self, request: RequestT, turn: int) -> Sequence[GuardedProvider]:
        return self._order(self._candidates, request, turn)

    def _candidate(self, name: str) -> GuardedProvider:
        for candidate in self._candidates:
            if candidate.name == name:
                return candidate
        raise UsageError(f"{self.service} has no provider {name!r}; it has {', '.join(self.providers)}")

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

    async def _first_good(
        self, order: Sequence[GuardedProvider], request: RequestT, call: Call, ends: float | None
    ) -> ProviderResult[OutputT]:
        left = len(order)
        objections: list[OutcomeError] = []
        for candidate in order:
            objection = candidate.objection(request)
            if objection is not None:
                objections.append(objection)
                call.dropped[candidate.name] = safe_message(objection)
            elif ends is not None and self._monotonic() >= ends:
                call.dropped[candidate.name] = "no time left"
            else:
                result = await candidate.attempt(request, call, ends, left)
                if result is not None:
                    return result
                if not call.attempts[-1].outcome.rule.falls_over:
                    raise self._signed(call.error, call)
                candidate.figures.fallbacks += 1
            left -= 1
        return self._nobody(call, objections)

    def _nobody(self, call: Call, objections: list[OutcomeError]) -> ProviderResult[OutputT]:
        if call.refused and self.on_refused == "best":
            best = max(call.refused, key=lambda refused: refused.score)
            best.result.metadata["refused"] = best.reason
            return best.result
        if objections and len(objections) == len(call.order) and all(map(_is_about_input, objections)):
            raise self._signed(InvalidInput(_each_once(objections)), call) from objections[-1]
        reasons = [f"{attempt.provider}: {attempt.message} ({attempt.outcome.value})" for attempt in call.attempts]
        reasons += [f"{name}: {reason}" for name, reason in call.dropped.items()]
        message = f"{self.service}: no provider answered; " + ("; ".join(reasons) or "the strategy chose nobody")
        raise self._signed(AllProvidersFailed(message, call.attempts), call) from call.error

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
        statuses = await asyncio.gather(*(self._health_of(candidate) for candidate in self._candidates))
        return dict(zip(self.providers, statuses, strict=True))

    async def _health_of(self, candidate: GuardedProvider) -> ProviderStatus:
        # Foreign code: a check that fails is the answer, whatever it raised.
        try:
            with DeadlineScope(self._home.timers, self._monotonic() + HEALTH_CHECK_TIMEOUT):
                await candidate.open()
                return await candidate.provider.health_check()
        except Exception as error:
            report_defect(f"{self.service}.{candidate.name}: health check", error)
            return ProviderStatus.UNAVAILABLE

    async def _close_providers(self) -> None:
        for candidate in self._candidates:
            # Foreign code: one provider that cannot close must not keep the others open.
            try:
                await candidate.close()
            except Exception as error:
                report_defect(f"{self.service}.{candidate.name}: closing", error)


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


def _plan_row(candidate: GuardedProvider, request: Any, rank: int | None, reason: str) -> PlanRow:
    return PlanRow(
        provider=candidate.name,
        rank=rank,
        reason=reason,
        priority=candidate.priority,
        quality_score=candidate.quality_score,
        status=candidate.status,
        predicted_cost=candidate.estimated_cost(request),
        latency=candidate.latency.average,
        success_rate=candidate.success_rate,
    )


def _is_about_input(error: OutcomeError) -> bool:
    return isinstance(error, InvalidInput | Unsupported)


def _each_once(errors: Iterable[OutcomeError]) -> str:
    return "; ".join(dict.fromkeys(str(error) for error in errors))
