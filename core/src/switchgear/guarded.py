"""One provider with its protection: what happens between the decision to ask it and the answer."""

import asyncio
import math
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from switchgear.asking import Asking
from switchgear.blocking import BlockingProvider
from switchgear.capability import Effect
from switchgear.errors import (
    AllProvidersFailed,
    AttemptTimeout,
    InDoubt,
    InvalidInput,
    OutcomeError,
    Throttled,
)
from switchgear.figures import Figures, Latency
from switchgear.logs import logger, report_defect
from switchgear.messages import plugin_bug, safe_message
from switchgear.money import rounded
from switchgear.outcome import Outcome, Verdict
from switchgear.policies.breaker import CircuitBreaker, State
from switchgear.policies.bulkhead import Bulkhead
from switchgear.policies.deadline import NEVER, DeadlineScope
from switchgear.policies.pause import Pause
from switchgear.policies.rate_limit import RateLimit
from switchgear.policies.retry import THROTTLED_BASE
from switchgear.protection import Policies
from switchgear.provider import AnyProvider, ProviderStatus, SimpleProvider
from switchgear.repeating import Repeater
from switchgear.results import Attempt, Call, Kind, ProviderResult
from switchgear.service import Service

if TYPE_CHECKING:
    from switchgear.costs.hold import Hold
    from switchgear.till import Till

# What may have happened by the time it failed: for work that must not happen twice, the outcome is in doubt.
_UNKNOWN = frozenset({Outcome.TRANSIENT, Outcome.ATTEMPT_TIMEOUT, Outcome.PLUGIN_BUG, Outcome.CANCELLED})

WITHOUT_PERMIT = -1
TRIALS = 10  # in the time that a misconfigured provider is left alone, at the most, for calls that have nobody else
_UNAVAILABLE = ProviderStatus.UNAVAILABLE  # looked up once, as this one: an enum member costs more than its use
_REJECTED = Outcome.REJECTED


class GuardedProvider:
    """Asks one provider and says how it went; strategies see it as a `Candidate`."""

    def __init__(self, provider: AnyProvider, service: Service, policies: Policies, till: "Till | None" = None) -> None:
        self.provider = provider
        self.name = provider.name
        self.priority = provider.priority
        self.quality_score = provider.quality_score
        self.figures: Figures = provider.figures
        self.pause = Pause()
        self.queue = policies.queue
        self.waiting = 0  # calls that have nobody else left and wait until it may be asked
        self.breaker = self._breaker(service, policies)
        self.ramp_until = float("-inf")
        self.bulkhead = _bulkhead(provider, policies)
        self.rate = None if policies.rate is None else RateLimit(policies.rate)
        self._service = service
        self._home = service.home
        self._monotonic: Callable[[], float] = service.home.clock.monotonic
        self._asking = Asking(provider, service)
        self._budget = service.budget
        self.repeater = Repeater(policies.retry, service)
        self.till = till
        self._cool_down = policies.cool_down
        self._looks_at_input = type(provider).validate_input is not SimpleProvider.validate_input
        self._is_tried = False  # by the one trial that shows whether it is back
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
    def quality(self) -> float | None:
        return self.figures.quality

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
        queued = self.bulkhead is not None or self.rate is not None or (self.till is not None and self.till.limits)
        return provider.suspends or provider.timeout is not None or queued or self.repeater.waits

    def rejection(self, now: float) -> str:
        """Why nothing should be sent to it right now; empty if something may. Changes nothing."""
        if self.provider._reported is ProviderStatus.UNAVAILABLE:
            return "unavailable"
        if now < self.pause.until:
            return self.pause.reason
        if self.breaker is not None and self.breaker.is_open():
            return "circuit open"
        if self.rate is not None and not self.rate.allows(now):
            return "rate limit"
        return ""

    def obstacle(self, request: Any, now: float) -> str:
        """`rejection`, or what else would turn this request away: no room, no money. Takes nothing."""
        reason = self.rejection(now)
        if not reason and self.bulkhead is not None and self.bulkhead.is_full:
            reason = "full"
        return reason or ("" if self.till is None else self.till.objection(request, now))

    def ramp_share(self, now: float) -> float:
        """The share of calls it should get just now, 0-1: less than 1 while it warms up after an outage."""
        return 1.0 if self.breaker is None else self.breaker.ramp_share(now)

    @property
    def is_busy(self) -> bool:
        """Whether it works on something, if only a thread that nobody waits for."""
        return self.figures.in_flight > 0 or (self.bulkhead is not None and self.bulkhead.taken > 0)

    @property
    def is_shut(self) -> bool:
        """Shut off by its circuit, its last health check or our credentials: a trial may show that it is back."""
        now = self._monotonic()
        misconfigured = now < self.pause.until and self.pause.allows_trial(now)
        unavailable = self.provider._reported is ProviderStatus.UNAVAILABLE
        return unavailable or misconfigured or (self.breaker is not None and self.breaker.is_open())

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
        self, request: Any, call: Call, left: int, now: float, probe: bool = False, force: bool = False
    ) -> ProviderResult[Any] | Outcome:
        """Ask until it answers well, or until asking again does not help; the outcome then says what to do next.

        `left` counts the candidates that share what remains of the deadline. `probe` asks through an open circuit, as
        its one trial call; `force` whatever the circuit says, unless somebody opened it by hand. `call.error` is the
        last failure; REJECTED: not asked, or not once more.
        """
        # One that hangs may use up its own share of the deadline, never that of those after it.
        share = None if call.ends is None else now + (call.ends - now) / left
        outcome = _REJECTED
        pauses: Iterator[float] | None = None
        while True:
            reason = self._refusal(now, probe, force)
            if not reason and self.bulkhead is not None and not self.bulkhead.try_acquire():
                reason = await self._wait_in_line(self.bulkhead, now, share) or self._late_refusal(share, probe, force)
                now = self._monotonic()
            till = self.till
            hold = None if reason or till is None else till.always or till.hold(request, call, now)
            if hold is not None and (hold.reason or hold.missing is not None):
                reason = await self._short_of_money(hold, call, share, probe, force)
                now = self._monotonic()
            # From here on nothing waits until it is sent, so slot and permit are there, and neither gets lost.
            if not reason and self.rate is not None:
                self.rate.try_acquire(self._monotonic())
            permit = 0 if reason else self._permit(probe, force)
            if not permit:
                call.dropped[self.name] = reason or "circuit open"
                return self._let_go(hold, call, outcome)
            if call.dropped:
                call.dropped.pop(self.name, None)  # it was passed over before, and is asked after all
            answer = await (self._try if probe else self._send)(request, call, permit, now, share, hold)
            if type(answer) is not Outcome:
                return answer
            outcome = answer
            # One trial is one request.
            if probe or self._is_done_with(call, force, left):
                return outcome
            pauses = pauses or self.repeater.pauses()
            if not await self.repeater.again(outcome, call, self.name, pauses, share, left - 1):
                return outcome
            now = self._monotonic()

    def _is_done_with(self, call: Call, force: bool, left: int) -> bool:
        """Whether this call must not ask it once more.

        Its circuit has opened; or it has just come back, and repetitions would be more than its share while there are
        others; or it is made of other services, which have repeated what can be repeated.
        """
        opened = self.breaker is not None and self.breaker.is_open() and not force
        ramping = left > 1 and self._monotonic() < self.ramp_until
        return opened or ramping or isinstance(call.error, AllProvidersFailed)

    async def _try(self, *attempt: Any) -> ProviderResult[Any] | Outcome:
        """`_send`, as the one trial that a provider gets that is shut off."""
        self._is_tried = True
        try:
            answer = await self._send(*attempt)
        finally:
            self._is_tried = False
        if type(answer) is not Outcome:
            self.pause.end()
        return answer

    def _permit(self, probe: bool, force: bool) -> int:
        breaker = self.breaker
        if breaker is None:
            return WITHOUT_PERMIT
        permit = breaker.acquire(probe=probe) or (WITHOUT_PERMIT if force else 0)
        if not permit:
            self._give_place_back()
        return permit

    def _refusal(self, now: float, probe: bool, force: bool) -> str:
        """Look at status, pause, circuit and rate, in this order; the reason if it ends there.

        Nothing is taken: that is done last, once there is a place.
        """
        if self.provider._reported is _UNAVAILABLE and not force and (self._is_tried or not probe):
            return "unavailable"
        if now < self.pause.until and not (probe and not self._is_tried and self.pause.allows_trial(now)):
            return self.pause.reason
        breaker = self.breaker
        if breaker is not None and not breaker.passing and not _lets_through(breaker, probe, force):
            return "circuit open"
        if self.rate is not None and not self.rate.allows(now):
            return "rate limit"
        return ""

    async def _wait_in_line(self, bulkhead: Bulkhead, now: float, share: float | None) -> str:
        average = self.figures.latency.average
        if share is not None and average is not None:
            expected = average * (bulkhead.waiting + 1) / bulkhead.limit
            if now + expected > share:
                return f"full: {bulkhead.waiting} are waiting, about {expected:.3g} s"
        try:
            with DeadlineScope(self._home.timers, NEVER if share is None else share, self._service):
                granted = await bulkhead.acquire()
        except TimeoutError:
            return "full: no place came free in time"
        return "" if granted else "full"

    async def _short_of_money(self, hold: "Hold", call: Call, share: float | None, probe: bool, force: bool) -> str:
        """Ask for what is missing; the reason if it does not come. Then the place is given back."""
        assert self.till is not None
        try:
            await self.till.fetch(hold, call, share)
        except BaseException:
            self._give_place_back()
            raise
        if hold.reason:
            self._give_place_back()
            return hold.reason
        return self._late_refusal(share, probe, force)

    def _let_go(self, hold: "Hold | None", call: Call, outcome: Outcome) -> Outcome:
        """It is not sent, or not once more: what was taken for it goes back. Gives what that means for the call.

        Raises what a budget has against the whole call.
        """
        if hold is not None and self.till is not None:
            self.till.drop(hold)
        if outcome is not _REJECTED:
            self._budget.give_back(outcome.rule.withdraw)  # taken for the retry that is not made
        # Having been asked to no avail, it may be passed over; after an unknown outcome, nobody else is asked.
        if not outcome.rule.falls_over or isinstance(call.error, InDoubt):
            return outcome
        if hold is not None and hold.refusal is not None:
            hold.refusal.call_id = call.id
            raise hold.refusal from call.error
        return Outcome.REJECTED

    def _late_refusal(self, share: float | None, probe: bool, force: bool) -> str:
        """What has changed while it stood in line; the place is given back if that ends it."""
        now = self._monotonic()
        reason = "no time left" if share is not None and now >= share else self._refusal(now, probe, force)
        if reason:
            self._give_place_back()
        return reason

    async def _send(
        self, request: Any, call: Call, permit: int, started: float, share: float | None, hold: "Hold | None"
    ) -> ProviderResult[Any] | Outcome:
        """One attempt, from the permit to its settlement."""
        record = Attempt(call.id, self.name, len(call.attempts) + 1)
        if call.attempts:
            record.kind = _kind(self.name, call)
        call.attempts.append(record)
        till = self.till
        if till is not None and hold is not None:
            till.sent(hold, record, call, started)
        figures = self.figures
        figures.requests += 1
        figures.in_flight += 1
        timeout = self.provider.timeout
        when = share if timeout is None or (share is not None and share < started + timeout) else started + timeout
        try:
            # Without a loop there is no task that could be ended, and nothing that waits.
            if when is None and self._home.loop is None:
                answer = await self._asking.ask(request, call, record, started)
            else:
                with DeadlineScope(self._home.timers, NEVER if when is None else when, self._service):
                    answer = await self._asking.ask(request, call, record, started)
        except (OutcomeError, TimeoutError, AllProvidersFailed) as error:
            return self._failed(call, record, started, permit, hold, _outcome_of(error), error)
        # Foreign code: whatever else a plugin raises is its defect, and the call goes on to the next provider.
        except Exception as error:
            return self._failed(call, record, started, permit, hold, Outcome.PLUGIN_BUG, plugin_bug(error))
        except BaseException as error:
            # Cancelled, or the program ends: what was taken must still be there for whoever survives it.
            self._failed(call, record, started, permit, hold, Outcome.CANCELLED, error)
            raise
        finally:
            figures.in_flight -= 1
            if self.bulkhead is not None:
                self._leave(record, call, hold)
        if till is not None and hold is not None:
            till.answered(hold, record, call)
        figures.successes += 1
        figures.latency.add(record.latency, started + record.latency)
        self._budget.deposit()
        if self.breaker is not None:
            self.breaker.record_success(permit, latency=record.latency, now=started + record.latency)
        return answer

    # After it

    def _failed(
        self,
        call: Call,
        record: Attempt,
        started: float,
        permit: int,
        hold: "Hold | None",
        outcome: Outcome,
        error: BaseException,
    ) -> Outcome:
        record.latency = record.latency or self._monotonic() - started
        if outcome is Outcome.ATTEMPT_TIMEOUT and not isinstance(error, OutcomeError):
            error = _caused(AttemptTimeout(f"no answer within {record.latency:.3g} s"), error)
        # The text of a cancellation is whatever the caller said.
        message = type(error).__name__ if outcome is Outcome.CANCELLED else safe_message(error)
        counted = outcome
        # As long as it was never opened, nothing has been sent.
        if self._service.effect is Effect.ONCE and outcome in _UNKNOWN and self._asking.is_open:
            outcome = Outcome.IN_DOUBT
            message = f"sent, outcome unknown: {message}"
            error = _caused(InDoubt(message), error)
        if counted is not Outcome.CANCELLED:
            counted = outcome
            # A doubt stays: what a repetition meets says nothing about what was sent before.
            # Of two that were raced, the one that ends the call is what the call ends with.
            if outcome is Outcome.IN_DOUBT or not isinstance(call.error, InDoubt | InvalidInput):
                call.error = error
        record.outcome = outcome
        record.message = message
        if outcome is Outcome.PLUGIN_BUG:
            logger.error("{} {}: {}: {}, a defect of its plugin", call.id, call.service, self.name, message)
        if self.till is not None and hold is not None:
            self.till.failed(hold, record, call, error)
        self.figures.record_failure(counted, record.latency, started + record.latency)
        self._settle(counted, permit, error)
        return outcome

    def _settle(self, outcome: Outcome, permit: int, error: BaseException) -> None:
        """Tell breaker and pause; a permit is settled here or on success, once."""
        verdict = outcome.rule.breaker
        breaker = self.breaker
        if outcome is Outcome.INVALID_RESULT and breaker is not None and breaker.settings.count_invalid:
            verdict = Verdict.FAILURE
        if breaker is not None and verdict is Verdict.FAILURE:
            breaker.record_failure(permit)
        elif breaker is not None and verdict is Verdict.SLOW_FAILURE:
            breaker.record_failure(permit, slow=True)
        elif breaker is not None:
            breaker.release(permit)
        if verdict is Verdict.COOL_DOWN:
            now = self._monotonic()
            self.pause.extend(
                now + self._cool_down,
                "misconfigured: credentials or quota",
                worth_waiting=False,
                trial_at=now + self._cool_down / TRIALS,
            )
        elif isinstance(error, Throttled):
            wait = error.retry_after
            # Garbage is no wish: infinity would shut it off for ever, and a moment that has passed would not help it.
            guessed = wait is None or not math.isfinite(wait) or wait <= 0
            until = self._monotonic() + (THROTTLED_BASE if wait is None or guessed else wait)
            self.pause.extend(until, "throttled", guessed=guessed)

    def _leave(self, record: Attempt, call: Call, hold: "Hold | None") -> None:
        """Give the place back, unless a worker thread still works in it."""
        assert self.bulkhead is not None
        work = self.provider.left_behind() if isinstance(self.provider, BlockingProvider) else None
        if work is None:
            self.bulkhead.release()
            return
        self.bulkhead.hold()
        loop = asyncio.get_running_loop()
        work.add_done_callback(lambda done: _tell(loop, self._came_back, done, record, call, hold))

    def _came_back(self, work: "Future[ProviderResult[Any]]", record: Attempt, call: Call, hold: "Hold | None") -> None:
        """A worker thread that nobody waits for has returned: its answer is dropped, what it cost is recorded."""
        assert self.bulkhead is not None
        self.bulkhead.let_go()
        self.figures.late += 1
        if work.cancelled() or work.exception() is not None:
            return
        result: Any = work.result()
        if not isinstance(result, ProviderResult):
            return
        price = self.provider.price
        record.usage = result.usage
        cost = price.charge(result.usage) if result.cost is None and price is not None else result.cost
        if cost is not None:
            record.cost = rounded(cost)
        if self.till is not None and hold is not None:
            self.till.came_late(hold, record, call)

    def _give_place_back(self) -> None:
        if self.bulkhead is not None:
            self.bulkhead.release()

    # Life

    async def open(self) -> None:
        """Get the provider ready, once, whoever asks first."""
        await self._asking.open()

    def shut_down(self) -> None:
        """Let nothing more be sent to it: those under way may end, and none of them tries again."""
        self.pause.extend(math.inf, "closed", worth_waiting=False)
        self._asking.is_shut_down = True

    async def close(self) -> None:
        self.shut_down()
        await self._asking.close()

    def _breaker(self, service: Service, policies: Policies) -> CircuitBreaker | None:
        if not policies.breaker.enabled:
            return None
        return CircuitBreaker(policies.breaker, service.home.clock, service.random, on_change=self._changed)

    def _changed(self, old: State, new: State) -> None:
        if new is State.CLOSED and self.breaker is not None:
            self.ramp_until = self.breaker.ramps_until
        if self._service.on_change is not None:
            self._service.on_change(self.name, old, new)

    def _observed_status(self) -> ProviderStatus:
        now, breaker = self._monotonic(), self.breaker
        if now < self.pause.until or (breaker is not None and breaker.is_open()):
            return ProviderStatus.UNAVAILABLE
        recovering = breaker is not None and (breaker.state is State.HALF_OPEN or now < self.ramp_until)
        return ProviderStatus.DEGRADED if recovering or self._is_slow else ProviderStatus.AVAILABLE

    @property
    def _is_slow(self) -> bool:
        slow_after = None if self.breaker is None else self.breaker.settings.slow_after
        average = self.figures.latency.average
        return slow_after is not None and average is not None and average > slow_after


def _bulkhead(provider: AnyProvider, policies: Policies) -> Bulkhead | None:
    """Worker threads are places: waiting for one must not eat up an attempt's time."""
    limit = provider.workers if isinstance(provider, BlockingProvider) else provider.concurrency
    return None if limit is None else Bulkhead(limit, policies.queue)


def _lets_through(breaker: CircuitBreaker, probe: bool, force: bool) -> bool:
    if force:
        return breaker.state is not State.FORCED_OPEN
    return breaker.admits_probe() if probe else not breaker.is_open()


def _outcome_of(error: Exception) -> Outcome:
    if isinstance(error, OutcomeError):
        return error.outcome
    return Outcome.TRANSIENT if isinstance(error, AllProvidersFailed) else Outcome.ATTEMPT_TIMEOUT


def _kind(provider: str, call: Call) -> Kind:
    """Why a call that has made attempts already makes one more."""
    if any(each.provider == provider for each in call.attempts):
        return "retry"
    # One that still counts as a success has not ended.
    return "hedge" if call.attempts[-1].outcome is Outcome.SUCCESS else "fallback"


def _caused(error: Any, cause: BaseException) -> Any:
    error.__cause__ = cause
    return error


def _tell(loop: asyncio.AbstractEventLoop, callback: Callable[..., None], *arguments: Any) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(callback, *arguments)
