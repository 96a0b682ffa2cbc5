"""One provider with its protection: what happens between the decision to ask it and the answer."""

import asyncio
import traceback
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs

from switchgear.errors import AttemptTimeout, OutcomeError, PluginBug, Rejected
from switchgear.figures import Figures, Latency
from switchgear.home import Home
from switchgear.outcome import Outcome
from switchgear.policies.deadline import DeadlineScope
from switchgear.provider import AnyProvider, ProviderStatus
from switchgear.results import Attempt, Call, ProviderResult, Refused
from switchgear.validation import ResultCheck

MESSAGE_LIMIT = 300


class GuardedProvider:
    """Asks one provider and says how it went; strategies see it as a `Candidate`."""

    def __init__(
        self, provider: AnyProvider, home: Home, *, output_type: type[Any] = object, check: ResultCheck | None = None
    ) -> None:
        self.provider = provider
        self.name = provider.name
        self.priority = provider.priority
        self.quality_score = provider.quality_score
        self.figures: Figures = provider.figures
        self._home = home
        self._monotonic: Callable[[], float] = home.clock.monotonic
        self._output_type = output_type
        self._check = check
        self._is_open = False
        self._opening = asyncio.Lock()

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
    def in_flight(self) -> int:
        return self.figures.in_flight

    def estimated_cost(self, request: Any) -> Decimal | None:
        return self.provider.estimate_cost(request)

    def objection(self, request: Any) -> OutcomeError | None:
        """Why it should not be asked this at all, or None."""
        if not self.provider.is_available:
            return Rejected("unavailable")
        try:
            self.provider.validate_input(request)
        except OutcomeError as error:
            return error
        # Foreign code: a plugin that cannot even look at the request is passed over like one that refuses it.
        except Exception as error:
            return plugin_bug(error)
        return None

    async def attempt(self, request: Any, call: Call, ends: float | None, left: int) -> ProviderResult[Any] | None:
        """Ask once. None: it failed or was refused; `call.attempts[-1]` and `call.error` say how.

        `ends` is the call's deadline on the monotonic clock; `left` counts the candidates that share what remains.
        """
        record = Attempt(call.id, self.name, len(call.attempts) + 1)
        call.attempts.append(record)
        figures = self.figures
        figures.requests += 1
        figures.in_flight += 1
        started = self._monotonic()
        try:
            when = self._ends_at(started, ends, left)
            if when is None:
                return await self._ask(request, call, record, started)
            with DeadlineScope(self._home.timers, when):
                return await self._ask(request, call, record, started)
        except asyncio.CancelledError:
            self._failed(record, Outcome.CANCELLED, started)
            raise
        except OutcomeError as error:
            call.error = error
        except TimeoutError as error:
            call.error = AttemptTimeout(f"no answer within {self._monotonic() - started:.3g} s")
            call.error.__cause__ = error
        # Foreign code: whatever else a plugin raises is its defect, and the call goes on to the next provider.
        except Exception as error:
            call.error = plugin_bug(error)
        finally:
            figures.in_flight -= 1
        record.message = safe_message(call.error)
        self._failed(record, call.error.outcome, started)
        return None

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

    async def _ask(self, request: Any, call: Call, record: Attempt, started: float) -> ProviderResult[Any]:
        if not self._is_open:
            await self.open()
        result = self._accept(await self.provider.process(request), request, call)
        result.latency = record.latency = self._monotonic() - started
        record.usage = result.usage
        record.cost = result.cost
        if self._check is not None:
            refusal = await self._check.refusal(request, result, call.refused)
            if refusal is not None:
                call.refused.append(Refused(result, refusal.score, safe_message(refusal)))
                raise refusal
        self.figures.record_success(record.latency)
        return result

    def _accept(self, result: Any, request: Any, call: Call) -> ProviderResult[Any]:
        """Check what the plugin returned and fill in what it does not know."""
        if not isinstance(result, ProviderResult):
            raise PluginBug(f"process() returned {type(result).__name__}; it has to return a ProviderResult")
        if not isinstance(result.output, self._output_type):
            found, expected = type(result.output).__name__, self._output_type.__name__
            raise PluginBug(f"process() answered with a {found}; this capability's output is a {expected}")
        if result.call_id:
            # The plugin hands out one object twice: the earlier call's figures must not change under its reader.
            result = attrs.evolve(result, cost=None, metadata={})
        if result.cost is None and self.provider.price is not None:
            result.cost = self.provider.price.amount(result.usage or self.provider.estimate_usage(request))
        result.provider = self.name
        result.call_id = call.id
        return result

    def _ends_at(self, now: float, ends: float | None, left: int) -> float | None:
        timeout = self.provider.timeout
        if ends is None:
            return None if timeout is None else now + timeout
        # One that hangs may use up its own share of the deadline, never that of those after it.
        share = (ends - now) / left
        return now + (share if timeout is None or share < timeout else timeout)

    def _failed(self, record: Attempt, outcome: Outcome, started: float) -> None:
        record.outcome = outcome
        record.latency = record.latency or self._monotonic() - started
        self.figures.record_failure(outcome, record.latency)


def plugin_bug(error: Exception) -> PluginBug:
    """Name an exception that nobody foresaw by type and place: its text may hold content or keys."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    bug = PluginBug(f"unexpected {type(error).__name__}{place}", remedy="report it to the plugin's authors")
    bug.__cause__ = error
    return bug


def safe_message(error: BaseException) -> str:
    """An error's text on one line and not too long; unprintable characters could forge log lines."""
    text = str(error) or type(error).__name__
    text = "".join(c if c.isprintable() else " " for c in text[: MESSAGE_LIMIT + 1])
    return text if len(text) <= MESSAGE_LIMIT else text[: MESSAGE_LIMIT - 1] + "…"
