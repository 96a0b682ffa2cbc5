"""One provider with its protection: what happens between the decision to ask it and the answer."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from decimal import Decimal
from typing import Any

import attrs

from switchgear.blocking import BlockingProvider
from switchgear.capability import Effect
from switchgear.errors import AttemptTimeout, InDoubt, OutcomeError, PluginBug, Throttled
from switchgear.figures import Figures, Latency
from switchgear.home import Home
from switchgear.logs import report_defect
from switchgear.messages import plugin_bug, safe_message
from switchgear.outcome import Outcome, Verdict
from switchgear.policies import Policies
from switchgear.policies.breaker import CircuitBreaker, State
from switchgear.policies.bulkhead import Bulkhead
from switchgear.policies.deadline import DeadlineScope
from switchgear.policies.pause import Pause
from switchgear.policies.rate_limit import RateLimit
from switchgear.policies.retry import THROTTLED_BASE, RetryBudget
from switchgear.provider import AnyProvider, ProviderStatus, SimpleProvider
from switchgear.repeating import Repeater
from switchgear.results import Attempt, Call, ProviderResult, Refused
from switchgear.strategy import Random
from switchgear.validation import ResultCheck

# What may have happened by the time it failed: for work that must not happen twice, the outcome is in doubt.
_UNKNOWN = frozenset({Outcome.TRANSIENT, Outcome.ATTEMPT_TIMEOUT, Outcome.PLUGIN_BUG, Outcome.CANCELLED})

WITHOUT_PERMIT = -1
_UNAVAILABLE = ProviderStatus.UNAVAILABLE


@attrs.define(slots=True, kw_only=True)
class Service:
    """What all providers of a service share."""

    home: Home
    random: Random
    budget: RetryBudget
    effect: Effect = Effect.PURE
    output_type: type[Any] = object
    check: ResultCheck | None = None
    on_change: Callable[[str, State, State], None] | None = None


class GuardedProvider:
    """Asks one provider and says how it went; strategies see it as a `Candidate`."""

    def __init__(self, provider: AnyProvider, service: Service, policies: Policies) -> None:
        self.provider = provider
        self.name = provider.name
        self.priority = provider.priority
        self.quality_score = provider.quality_score
        self.figures: Figures = provider.figures
        self.pause = Pause()
        self.breaker = self._breaker(service, policies)
        self.ramp_until = float("-inf")
        self.bulkhead = _bulkhead(provider, policies)
        self.rate = None if policies.rate is None else RateLimit(policies.rate)
        self._service = service
        self._home = service.home
        self._monotonic: Callable[[], float] = service.home.clock.monotonic
        self._output_type = service.output_type
        self._check = service.check
        self._budget = service.budget
        self._repeater = Repeater(policies.retry, service.budget, service.random, service.home.clock)
        self._cool_down = policies.cool_down
        self._looks_at_input = type(provider).validate_input is not SimpleProvider.validate_input
        self._leaves_threads = isinstance(provider, BlockingProvider)
        self._is_open = False
        self._opening = asyncio.Lock()
        provider._observed = self._observed_status

    # As a candidate

    @property
    def status(self) -> ProviderStatus:
        return self.provider.status

    @property
    def latency(self) -> Latency:
        return self.figures.latency

    @property
    def success_rate(self) -> float | None:
        return self.figures.success_rate

    @property
    def requests(self) -> int:
        return self.figures.requests

    @property
    def in_flight(self) -> int:
        return self.figures.in_flight

    @property
    def circuit(self) -> str:
        return (State.DISABLED if self.breaker is None else self.breaker.state).value

    def estimated_cost(self, request: Any) -> Decimal | None:
        # Foreign code: a price that cannot be told is unknown, and must not break the order, the plan or a clean-up.
        try:
            return self.provider.estimate_cost(request)
        except Exception as error:
            report_defect(f"{self.name}: estimate_cost", error)
            return None

    # Before it is asked

    def objection(self, request: Any) -> OutcomeError | None:
        """Why this request is not for it, or None."""
        if not self._looks_at_input:
            return None
        try:
            self.provider.validate_input(request)
        except OutcomeError as error:
            return error
        # Foreign code: a plugin that cannot even look at the request is passed over like one that refuses it.
        except Exception as error:
            return plugin_bug(error)
        return None

    @property
    def may_wait(self) -> bool:
        """Whether an attempt can suspend: in the plugin, in line for a place, or between two tries."""
        provider = self.provider
        queued = self.bulkhead is not None or self.rate is not None
        return provider.suspends or provider.timeout is not None or queued or self._repeater.waits

    def rejection(self, now: float) -> str:
        """Why nothing should be sent to it right now; empty if something may. Changes nothing."""
        if self.provider._reported is ProviderStatus.UNAVAILABLE:
            return "unavailable"
        if now < self.pause.until:
            return self.pause.reason
        if self.breaker is not None and self.breaker.is_open():
            return "circuit open"
        if self.rate is not None and now < self.rate.ready_at():
            return "rate limit"
        return ""

    def ramp_share(self, now: float) -> float:
        """The share of calls it should get just now, 0-1: less than 1 while it warms up after an outage."""
        return 1.0 if self.breaker is None else self.breaker.ramp_share(now)

    @property
    def is_shut(self) -> bool:
        """Shut off by its circuit or its last health check: a trial may show that it is back."""
        return self.provider._reported is ProviderStatus.UNAVAILABLE or (
            self.breaker is not None and self.breaker.is_open()
        )

    def ready_at(self, now: float) -> float:
        """When it may be asked again, on the monotonic clock; infinity if no time is known."""
        moments = [now, self.pause.until]
        if self.breaker is not None:
            moments.append(self.breaker.retry_at)
        if self.rate is not None:
            moments.append(self.rate.ready_at())
        return max(moments)

    # The attempt

    async def attempt(
        self, request: Any, call: Call, left: int, *, probe: bool = False, force: bool = False
    ) -> ProviderResult[Any] | Outcome:
        """Ask until it answers well, or until asking again does not help; the outcome then says what to do next.

        `left` counts the candidates that share what remains of the deadline. `probe` asks through an open circuit as
        its one trial call; `force` whatever the circuit says. `call.error` is the last failure; REJECTED: not asked.
        """
        now = self._monotonic()
        # One that hangs may use up its own share of the deadline, never that of those after it.
        share = None if call.ends is None else now + (call.ends - now) / left
        tries = 0
        pauses: Iterator[float] | None = None
        while True:
            reason = self._refusal(now, probe or force)
            if not reason and self.bulkhead is not None and not self.bulkhead.try_acquire():
                reason = await self._wait_in_line(self.bulkhead, now, share)
            if reason:
                call.dropped[self.name] = reason
                return Outcome.REJECTED
            permit = WITHOUT_PERMIT
            if self.breaker is not None:
                permit = self.breaker.acquire(probe=probe) or (WITHOUT_PERMIT if force else 0)
                if not permit:
                    self._give_place_back()
                    call.dropped[self.name] = "circuit open"
                    return Outcome.REJECTED
            answer = await self._send(request, call, permit, share)
            if type(answer) is not Outcome:
                return answer
            tries += 1
            pauses = pauses or self._repeater.pauses()
            if not await self._repeater.again(answer, call, tries, pauses, share, left - 1):
                return answer
            now = self._monotonic()

    def _refusal(self, now: float, open_too: bool) -> str:
        """Pass status, pause, circuit and rate, in this order; the reason if it ends there.

        The circuit is only looked at: its permit is taken last, once there is a place.
        """
        if self.provider._reported is _UNAVAILABLE and not open_too:
            return "unavailable"
        if now < self.pause.until:
            return self.pause.reason
        breaker = self.breaker
        if breaker is not None and not breaker.passing and not open_too and breaker.is_open():
            return "circuit open"
        if self.rate is not None and not self.rate.try_acquire(now):
            return "rate limit"
        return ""

    async def _wait_in_line(self, bulkhead: Bulkhead, now: float, share: float | None) -> str:
        average = self.figures.latency.average
        if share is not None and average is not None:
            expected = average * (bulkhead.waiting + 1) / bulkhead.limit
            if now + expected > share:
                return f"full: {bulkhead.waiting} are waiting, about {expected:.3g} s"
        try:
            if share is None:
                granted = await bulkhead.acquire()
            else:
                with DeadlineScope(self._home.timers, share):
                    granted = await bulkhead.acquire()
        except TimeoutError:
            return "full: no place came free in time"
        return "" if granted else "full"

    async def _send(self, request: Any, call: Call, permit: int, share: float | None) -> ProviderResult[Any] | Outcome:
        """One attempt, from the permit to its settlement."""
        record = Attempt(call.id, self.name, len(call.attempts) + 1)
        call.attempts.append(record)
        figures = self.figures
        figures.requests += 1
        figures.in_flight += 1
        started = self._monotonic()
        timeout = self.provider.timeout
        when = share if timeout is None or (share is not None and share < started + timeout) else started + timeout
        try:
            if when is None:
                answer = await self._ask(request, call, record, started)
            else:
                with DeadlineScope(self._home.timers, when):
                    answer = await self._ask(request, call, record, started)
        except asyncio.CancelledError as error:
            self._failed(call, record, started, permit, Outcome.CANCELLED, error)
            raise
        except OutcomeError as error:
            return self._failed(call, record, started, permit, error.outcome, error)
        except TimeoutError as error:
            return self._failed(call, record, started, permit, Outcome.ATTEMPT_TIMEOUT, error)
        # Foreign code: whatever else a plugin raises is its defect, and the call goes on to the next provider.
        except Exception as error:
            return self._failed(call, record, started, permit, Outcome.PLUGIN_BUG, plugin_bug(error))
        except BaseException:
            # The program ends; what was taken must still be there for whoever survives it.
            self._settle(Outcome.CANCELLED, permit, 0.0, None)
            raise
        finally:
            figures.in_flight -= 1
            if self.bulkhead is not None:
                self._leave(record)
        figures.successes += 1
        figures.latency.add(record.latency)
        self._budget.deposit()
        if self.breaker is not None:
            self.breaker.record_success(permit, latency=record.latency)
        return answer

    async def _ask(self, request: Any, call: Call, record: Attempt, started: float) -> ProviderResult[Any]:
        if not self._is_open:
            await self.open()
        result = await self.provider.process(request)
        if type(result) is not ProviderResult or result.call_id or not isinstance(result.output, self._output_type):
            result = self._checked(result)
        price = self.provider.price
        if result.cost is None and price is not None:
            result.cost = price.amount(result.usage or self.provider.estimate_usage(request))
        result.provider = self.name
        result.call_id = call.id
        result.latency = record.latency = self._monotonic() - started
        record.usage = result.usage
        record.cost = result.cost
        if self._check is not None:
            refusal = await self._check.refusal(request, result, call.refused)
            if refusal is not None:
                call.refused.append(Refused(result, refusal.score, safe_message(refusal)))
                raise refusal
        return result

    def _checked(self, result: Any) -> ProviderResult[Any]:
        """The plugin's answer where it is not plainly right: told what is wrong, or copied."""
        if not isinstance(result, ProviderResult):
            raise PluginBug(f"process() returned {type(result).__name__}; it has to return a ProviderResult")
        if not isinstance(result.output, self._output_type):
            found, expected = type(result.output).__name__, self._output_type.__name__
            raise PluginBug(f"process() answered with a {found}; this capability's output is a {expected}")
        if result.call_id:
            # One object handed out twice: the earlier call's figures must not change under its reader.
            return attrs.evolve(result, cost=None, metadata={})
        return result

    # After it

    def _failed(
        self, call: Call, record: Attempt, started: float, permit: int, outcome: Outcome, error: BaseException
    ) -> Outcome:
        record.latency = record.latency or self._monotonic() - started
        if outcome is Outcome.ATTEMPT_TIMEOUT and not isinstance(error, OutcomeError):
            error = _caused(AttemptTimeout(f"no answer within {record.latency:.3g} s"), error)
        settled = outcome
        if self._service.effect is Effect.ONCE and outcome in _UNKNOWN:
            outcome = Outcome.IN_DOUBT
            error = _caused(InDoubt(f"sent, outcome unknown: {safe_message(error)}"), error)
        if settled is not Outcome.CANCELLED:
            call.error = error
        record.outcome = outcome
        record.message = safe_message(error)
        self.figures.record_failure(outcome, record.latency)
        self._settle(settled if settled is Outcome.CANCELLED else outcome, permit, record.latency, error)
        return outcome

    def _settle(self, outcome: Outcome, permit: int, latency: float, error: BaseException | None) -> None:
        """Tell breaker and pause; a permit is settled here or on success, once."""
        verdict = outcome.rule.breaker
        breaker = self.breaker
        if breaker is not None and verdict is Verdict.FAILURE:
            breaker.record_failure(permit)
        elif breaker is not None and verdict is Verdict.SLOW_FAILURE:
            breaker.record_failure(permit, slow=True)
        elif breaker is not None:
            breaker.release(permit)
        if verdict is Verdict.COOL_DOWN:
            self.pause.extend(
                self._monotonic() + self._cool_down, "misconfigured: credentials or quota", worth_waiting=False
            )
        elif isinstance(error, Throttled):
            wait = THROTTLED_BASE if error.retry_after is None else error.retry_after
            self.pause.extend(self._monotonic() + wait, "throttled")

    def _leave(self, record: Attempt) -> None:
        """Give the place back, unless a worker thread still works in it."""
        assert self.bulkhead is not None
        work = self.provider.left_behind() if isinstance(self.provider, BlockingProvider) else None
        if work is None:
            self.bulkhead.release()
            return
        self.bulkhead.hold()
        loop = asyncio.get_running_loop()
        work.add_done_callback(lambda done: _tell(loop, self._came_back, done, record))

    def _came_back(self, work: "Future[ProviderResult[Any]]", record: Attempt) -> None:
        """A worker thread that nobody waits for has returned: its answer is dropped, what it cost is recorded."""
        assert self.bulkhead is not None
        self.bulkhead.let_go()
        self.figures.late += 1
        if work.cancelled() or work.exception() is not None:
            return
        result = work.result()
        price = self.provider.price
        record.usage = result.usage
        record.cost = price.amount(result.usage) if result.cost is None and price is not None else result.cost

    def _give_place_back(self) -> None:
        if self.bulkhead is not None:
            self.bulkhead.release()

    # Life

    async def open(self) -> None:
        """Get the provider ready, once, whoever asks first."""
        async with self._opening:
            if not self._is_open:
                await self.provider.aopen()
                self._is_open = True

    async def close(self) -> None:
        if self._is_open:
            self._is_open = False
            await self.provider.aclose()

    def _breaker(self, service: Service, policies: Policies) -> CircuitBreaker | None:
        if not policies.breaker.enabled:
            return None
        return CircuitBreaker(policies.breaker, service.home.clock, service.random, on_change=self._changed)

    def _changed(self, old: State, new: State) -> None:
        if new is State.CLOSED and self.breaker is not None:
            self.ramp_until = self._monotonic() + self.breaker.settings.ramp
        if self._service.on_change is not None:
            self._service.on_change(self.name, old, new)

    def _observed_status(self) -> ProviderStatus:
        now = self._monotonic()
        if now < self.pause.until or (self.breaker is not None and self.breaker.is_open()):
            return ProviderStatus.UNAVAILABLE
        if self.breaker is not None and (self.breaker.state is State.HALF_OPEN or now < self.ramp_until):
            return ProviderStatus.DEGRADED
        return ProviderStatus.AVAILABLE


def _bulkhead(provider: AnyProvider, policies: Policies) -> Bulkhead | None:
    """Worker threads are places: waiting for one must not eat up an attempt's time."""
    limit = provider.workers if isinstance(provider, BlockingProvider) else provider.concurrency
    return None if limit is None else Bulkhead(limit, policies.queue)


def _caused(error: Any, cause: BaseException) -> Any:
    error.__cause__ = cause
    return error


def _tell(loop: asyncio.AbstractEventLoop, callback: Callable[..., None], *arguments: Any) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(callback, *arguments)
