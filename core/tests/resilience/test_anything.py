"""Anything at once: made-up providers, settings, callers, cancellations, and what must hold whatever happens (S29)."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from switchgear import (
    BadCredentials,
    Breaker,
    Call,
    Effect,
    Hedge,
    InvalidInput,
    NotSent,
    Outcome,
    Policies,
    ProviderError,
    ProviderManager,
    ProviderResult,
    QuotaExceeded,
    Rate,
    Rejected,
    Retry,
    SimpleProvider,
    SwitchgearError,
    Throttled,
    Unsupported,
)
from switchgear.durations import Duration
from switchgear.testing import HANG, Delay, VirtualClock, run
from switchgear.testing.steps import perform

REFUSED = (NotSent, Throttled, Unsupported, BadCredentials, QuotaExceeded, InvalidInput, Rejected)
LATE = 0.05  # seconds: two rings of the coarse timer, and the pause of a loser

ends = st.sampled_from(
    [
        "good",
        ProviderError("down"),
        HANG,
        NotSent("refused"),
        Throttled("wait", retry_after=0.7),
        Throttled("slow down"),
        Unsupported("no"),
        InvalidInput("no page"),
        BadCredentials("HTTP 401"),
        QuotaExceeded("used up"),
        Rejected("no room"),
        ZeroDivisionError(),
        asyncio.CancelledError(),
    ]
)
steps = st.builds(Delay, st.sampled_from([0.0, 0.0, 0.01, 0.5, 3.0]), ends)


@attrs.define
class Actor(SimpleProvider[Any, Any]):
    """Follows its script, then is well for ever; notes for which calls it may have done the work."""

    script: Sequence[Any] = ()
    asked: int = attrs.field(default=0, init=False)
    done_for: set[Any] = attrs.field(factory=set, init=False)

    async def process(self, request: Any) -> ProviderResult[Any]:
        self.asked += 1
        step = self.script[self.asked - 1] if self.asked <= len(self.script) else "good"
        if not (isinstance(step, Delay) and isinstance(step.then, REFUSED)):
            self.done_for.add(request)
        result = await perform(step, request, VirtualClock())
        assert result is not None
        return result


@attrs.frozen
class Caller:
    """Calls at `start`, and leaves after `patience` seconds if it has any."""

    start: float
    patience: float | None
    deadline: float | None
    key: str | None


providers = st.fixed_dictionaries(
    {
        "script": st.lists(steps, max_size=6),
        "timeout": st.sampled_from([None, 0.2, 2.0]),
        "concurrency": st.sampled_from([None, None, 1, 2]),
    }
)
callers = st.builds(
    Caller,
    start=st.sampled_from([0.0, 0.0, 0.1, 0.5, 4.0]),
    patience=st.sampled_from([None, None, None, 0.0, 0.05, 0.5, 2.0]),
    deadline=st.sampled_from([0.0, 0.5, 5.0, 20.0]),
    key=st.sampled_from([None, "key"]),
)
worlds = st.fixed_dictionaries(
    {
        "providers": st.lists(providers, min_size=1, max_size=3),
        "callers": st.lists(callers, min_size=1, max_size=8),
        "effect": st.sampled_from([Effect.PURE, Effect.PURE, Effect.ONCE, Effect.ONCE, Effect.IDEMPOTENT]),
        "consecutive": st.sampled_from([1, 2, 5]),
        "attempts": st.integers(1, 3),
        "rate": st.sampled_from([None, None, Rate(calls=2, burst=1), Rate(calls=5, burst=5)]),
        "queue": st.sampled_from([0, 1, 1000]),
        "hedged": st.booleans(),
        "all_down": st.sampled_from(["probe", "least_bad", "fail_fast"]),
        "seed": st.integers(0, 5),
    }
)


def build(world: dict[str, Any], calls: list[Call]) -> ProviderManager[Any, Any]:
    actors = [Actor(name=f"p{number}", **each) for number, each in enumerate(world["providers"])]
    retry = Retry(attempts=world["attempts"], base=Duration(0.05))
    breaker = Breaker(consecutive=world["consecutive"], open_for=Duration(0.5), lease=Duration(30.0))
    policies = Policies(retry=retry, breaker=breaker, rate=world["rate"], queue=world["queue"], cool_down=2.0)
    hedged = world["hedged"] and world["effect"] is Effect.PURE
    return ProviderManager(
        actors,
        retry=retry,
        breaker=breaker,
        policies={actor.name: policies for actor in actors},
        hedge=Hedge(min_samples=1, share=1.0) if hedged else None,
        effect=world["effect"],
        all_down=world["all_down"],
        observers=[calls.append],
        random=random.Random(world["seed"]),
        clock=VirtualClock(),
    )


async def call(service: ProviderManager[Any, Any], caller: Caller, number: int) -> str:
    await asyncio.sleep(caller.start)
    work = asyncio.ensure_future(service.process(number, deadline=caller.deadline, idempotency_key=caller.key))
    await asyncio.wait([work], timeout=caller.patience)
    left = not work.done()
    if left:
        work.cancel()
        await asyncio.wait([work])
        # Cancelled in the tick of its answer, it may have the answer; never is the cancellation lost.
        assert work.cancelled() or not work.exception()
        return "left"
    assert not work.cancelled(), "nobody cancelled it"
    error = work.exception()
    assert error is None or isinstance(error, SwitchgearError), repr(error)
    return "answered" if error is None else "failed"


def assert_settled(service: ProviderManager[Any, Any]) -> None:
    assert service.in_flight == 0
    assert service._home.timers.pending == 0
    for candidate in service._by_name.values():
        assert candidate.in_flight == 0
        assert candidate.breaker is not None
        assert candidate.breaker._trial == 0
        if candidate.bulkhead is not None:
            assert (candidate.bulkhead.taken, candidate.bulkhead.waiting, candidate.bulkhead.held) == (0, 0, 0)
        figures = candidate.figures
        assert figures.successes + sum(figures.outcomes.values()) == figures.requests


def assert_kept_promises(world: dict[str, Any], service: ProviderManager[Any, Any], calls: list[Call]) -> None:
    sent = 0
    for record in calls:
        sent += len(record.attempts)
        assert record.ends is not None
        # Expired on entry: nobody asked. Else it ends with its deadline, give or take a ring of the timer.
        assert record.latency <= max(0.0, record.ends - record.started) + LATE
        assert not record.attempts or record.ends > record.started
        assert [attempt.number for attempt in record.attempts] == list(range(1, len(record.attempts) + 1))
        for name in service.providers:
            tried = [attempt for attempt in record.attempts if attempt.provider == name]
            assert len(tried) <= world["attempts"]
        if record.result is not None:
            assert record.attempts[-1].outcome is Outcome.SUCCESS or service._hedger is not None
    asked = sum(provider.asked for provider in service.providers.values())  # type: ignore[attr-defined]
    assert asked == sent, "what reached a provider is in a record, and the other way round"


def assert_done_once(service: ProviderManager[Any, Any], callers: int) -> None:
    for number in range(callers):
        by = [name for name, actor in service.providers.items() if number in actor.done_for]  # type: ignore[attr-defined]
        assert len(by) <= 1, f"call {number} may have been done by {by}"


async def live(world: dict[str, Any]) -> None:
    calls: list[Call] = []
    service = build(world, calls)
    await asyncio.gather(*(call(service, caller, number) for number, caller in enumerate(world["callers"])))
    await asyncio.sleep(2)
    assert_settled(service)
    assert_kept_promises(world, service, calls)
    if world["effect"] is Effect.ONCE:
        assert_done_once(service, len(world["callers"]))
    # Whatever it went through: once all are well, it finds them again.
    for provider in service.providers.values():
        provider.script = ()  # type: ignore[attr-defined]
    for _ in range(5):
        await asyncio.sleep(10)
        assert (await service.process("last")).output == "good"
    assert_settled(service)
    await service.aclose()


# The same worlds every time: new ones are looked for at length.
@settings(max_examples=150, deadline=None, derandomize=True)
@given(worlds)
def test_s29_whatever_happens_nothing_is_lost_left_behind_late_or_done_twice(world: dict[str, Any]) -> None:
    run(lambda: live(world))


@pytest.mark.full
@settings(max_examples=10_000, deadline=None)
@given(worlds)
def test_s29_whatever_happens_nothing_is_lost_left_behind_late_or_done_twice_at_length(world: dict[str, Any]) -> None:
    run(lambda: live(world))
