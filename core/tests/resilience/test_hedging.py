"""A second provider for the slow few (S18)."""

import asyncio
import random
from contextlib import suppress
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import attrs
import pytest
from loguru import logger
from switchgear import (
    AllProvidersFailed,
    Attempt,
    Call,
    Effect,
    Hedge,
    InvalidInput,
    Outcome,
    Price,
    ProviderError,
    ProviderManager,
    ProviderResult,
    Retry,
    SimpleProvider,
    Throttled,
    Unsupported,
    UsageError,
)
from switchgear.hedging import _end
from switchgear.testing import HANG, Delay, ScriptedProvider, VirtualClock, simulate

Manager = ProviderManager[Any, Any]
PRICE = Price(per_call=Decimal("0.5"))
AT_ONCE = Hedge(min_samples=1, share=1.0)
NO_RETRY = Retry(attempts=1)


def scripted(name: str, *script: Any, **options: Any) -> ScriptedProvider:
    return ScriptedProvider(list(script), name=name, price=PRICE, **options)


def service_of(*providers: Any, **settings: Any) -> Manager:
    return ProviderManager(providers, **{"clock": VirtualClock(), "hedge": AT_ONCE, **settings})


def now() -> float:
    return asyncio.get_running_loop().time()


async def warmed_up(service: Manager) -> Manager:
    """The first has answered once, in a second: by then most of its answers have come."""
    assert (await service.process("x")).provider == "first"
    return service


USUAL = Delay(1.0, "usual")
NO = Unsupported("no")
DOWN = ProviderError("down")


async def test_s18_a_second_one_is_asked_when_the_first_takes_longer_than_most_of_its_answers() -> None:
    second = scripted("second", Delay(0.5, "quick"))
    service = await warmed_up(service_of(scripted("first", USUAL, HANG), second))
    result = await service.process("x")
    assert (result.output, result.provider) == ("quick", "second")
    assert now() == pytest.approx(1 + 1 * 1.13 + 0.5, abs=0.15)


async def test_s18_the_loser_is_cancelled_and_its_cost_recorded() -> None:
    service = await warmed_up(service_of(scripted("first", USUAL, HANG), scripted("second", "quick")))
    result = await service.process("x")
    assert [(each.provider, each.outcome, each.cost) for each in result.attempts] == [
        ("first", Outcome.CANCELLED, Decimal("0.5")),
        ("second", Outcome.SUCCESS, Decimal("0.5")),
    ]
    assert result.cost == Decimal("0.5")
    first = service.providers["first"]
    assert (first.figures.in_flight, first.figures.success_rate) == (0, 1.0)
    assert not service.is_open("first")


async def test_s18_the_first_wins_if_it_comes_first_after_all() -> None:
    service = await warmed_up(service_of(scripted("first", USUAL, Delay(2, "late")), scripted("second", HANG)))
    result = await service.process("x")
    assert result.provider == "first"
    assert [each.outcome for each in result.attempts] == [Outcome.SUCCESS, Outcome.CANCELLED]


async def test_s18_a_quick_first_leaves_the_second_alone() -> None:
    second = scripted("second", "quick")
    service = await warmed_up(service_of(scripted("first", USUAL, Delay(0.9, "good")), second))
    for _ in range(50):
        await service.process("x")
    assert second.calls == 0


async def test_s18_before_it_has_learnt_enough_it_hedges_nobody() -> None:
    second = scripted("second", "quick")
    service = service_of(scripted("first", *[USUAL] * 19, Delay(30, "slow")), second, hedge=Hedge(share=1.0))
    for _ in range(20):
        await service.process("x")
    assert second.calls == 0


def test_s18_at_most_one_in_twenty_calls_has_a_second_request() -> None:
    def build(world: Any) -> Any:
        providers = [world.provider("a", lambda dice: dice.expovariate(1.0)), world.provider("b", 0.01)]
        return world.manager(providers, hedge=Hedge(percentile=0.5))

    report = simulate(build, rate=20, seconds=100, arrivals="poisson")
    calls = len(report.calls)
    extra = len(report.sent["a"]) + len(report.sent["b"]) - calls
    assert report.success_rate() == 1.0
    assert 0.03 * calls < extra <= 0.05 * calls


@pytest.mark.parametrize("effect", [Effect.IDEMPOTENT, Effect.ONCE])
def test_s18_only_pure_work_is_hedged(effect: Effect) -> None:
    with pytest.raises(UsageError, match="repeated freely"):
        ProviderManager([scripted("first", "good")], hedge=Hedge(), effect=effect)


async def test_s18_one_that_fails_meanwhile_leaves_the_race_to_the_other() -> None:
    first, second = scripted("first", USUAL, Delay(3, Unsupported("no"))), scripted("second", Delay(5, "good"))
    service = await warmed_up(service_of(first, second))
    result = await service.process("x")
    assert [(each.provider, each.outcome) for each in result.attempts] == [
        ("first", Outcome.UNSUPPORTED),
        ("second", Outcome.SUCCESS),
    ]
    assert (first.figures.fallbacks, second.figures.fallbacks) == (1, 0)


async def test_s18_a_hedge_that_fails_first_leaves_the_race_to_the_first() -> None:
    first, second = scripted("first", USUAL, Delay(3, "good")), scripted("second", Unsupported("no"))
    service = await warmed_up(service_of(first, second))
    assert (await service.process("x")).provider == "first"
    assert (first.figures.fallbacks, second.figures.fallbacks) == (0, 1)


async def test_s18_when_both_fail_the_call_goes_on_to_those_not_asked_yet() -> None:
    first, second = scripted("first", USUAL, Delay(3, Unsupported("no"))), scripted("second", Unsupported("no"))
    third = scripted("third", "good")
    service = await warmed_up(service_of(first, second, third))
    assert (await service.process("x")).provider == "third"
    assert (first.calls, second.calls, third.calls) == (2, 1, 1)


async def test_s18_each_failure_is_its_own_providers() -> None:
    """A throttled hedge must be waited for, and not the first in its place."""
    first = scripted("first", USUAL, Delay(5, Unsupported("no")))
    second = scripted("second", Throttled("wait", retry_after=10.0), "good")
    service = await warmed_up(service_of(first, second))
    result = await service.process("x")
    assert [each.provider for each in result.attempts] == ["first", "second", "second"]
    assert (first.calls, second.calls) == (2, 2)


async def test_s18_what_ends_a_call_ends_the_race() -> None:
    first, second = scripted("first", USUAL, Delay(3, InvalidInput("no page"))), scripted("second", HANG)
    service = await warmed_up(service_of(first, second))
    with pytest.raises(InvalidInput, match="no page"):
        await service.process("x")
    assert now() == pytest.approx(4, abs=0.1)
    assert second.figures.in_flight == 0


async def test_s18_a_first_that_fails_before_it_is_slow_is_an_ordinary_fallback() -> None:
    second = scripted("second", "good")
    service = await warmed_up(service_of(scripted("first", USUAL, Unsupported("no")), second))
    result = await service.process("x")
    assert [each.provider for each in result.attempts] == ["first", "second"]


async def test_s18_one_that_may_not_be_asked_is_no_hedge() -> None:
    second = scripted("second", "good")
    service = await warmed_up(service_of(scripted("first", USUAL, Delay(5, "slow")), second))
    service.force_open("second")
    assert (await service.process("x")).provider == "first"
    assert second.calls == 0


async def test_s18_whether_it_may_be_asked_is_decided_when_it_is() -> None:
    """The second was throttled for a moment, which had passed by the time the first turned out to be slow."""
    first = scripted("first", USUAL, Delay(30, "slow"))
    second = scripted("second", Throttled("wait", retry_after=0.5), "quick")
    service = await warmed_up(service_of(first, second))
    call = asyncio.ensure_future(service.process("x"))
    await asyncio.sleep(0.2)
    with pytest.raises(AllProvidersFailed):
        await service.process("x", only=["second"], deadline=0.1)
    assert (await call).provider == "second"


async def test_s18_a_price_that_cannot_be_told_does_not_cost_the_answer() -> None:
    @attrs.define(eq=False)
    class Unpriceable(ScriptedProvider):
        def estimate_cost(self, request: Any) -> Decimal | None:
            raise ZeroDivisionError

    service = await warmed_up(service_of(Unpriceable([USUAL, HANG], name="first"), scripted("second", "quick")))
    result = await service.process("x")
    assert (result.output, result.attempts[0].cost) == ("quick", None)


async def test_s18_what_the_loser_has_cost_already_stays_what_it_was() -> None:
    class Slowly:
        """Refuses nothing, but takes its time over the first's answers."""

        blocking = False

        def check(self, request: Any, result: ProviderResult[Any]) -> None:
            pass

    @attrs.define(eq=False)
    class Known(SimpleProvider[Any, Any]):
        async def process(self, request: Any) -> ProviderResult[Any]:
            await asyncio.sleep(1)
            return ProviderResult("good", cost=Decimal("0.123"))

    first = Known(name="first", price=PRICE)
    service = await warmed_up(service_of(first, scripted("second", "quick"), validators=[Slowly()]))
    assert (await service.process("x")).attempts[0].cost == Decimal("0.123")


async def test_s18_a_loser_that_does_not_heed_its_cancellation_holds_nobody_up() -> None:
    async def deaf(_: Any) -> str:
        for _ in range(50):
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                continue
        return "at last"

    service = await warmed_up(service_of(scripted("first", USUAL, deaf), scripted("second", "quick"), retry=NO_RETRY))
    result = await service.process("x")
    assert result.provider == "second"
    assert now() == pytest.approx(1 + 1 * 1.13 + 1, abs=0.15), "a second is all it gets"
    assert [(each.outcome, each.cost) for each in result.attempts] == [
        (Outcome.CANCELLED, Decimal("0.5")),
        (Outcome.SUCCESS, Decimal("0.5")),
    ]
    await asyncio.sleep(100)
    assert service.providers["first"].figures.in_flight == 0


async def test_s18_a_cancelled_call_cancels_both() -> None:
    first, second = scripted("first", USUAL, HANG), scripted("second", HANG)
    service = await warmed_up(service_of(first, second))
    call = asyncio.ensure_future(service.process("x"))
    await asyncio.sleep(10)
    assert (first.figures.in_flight, second.figures.in_flight) == (1, 1)
    call.cancel()
    await asyncio.wait([call])
    assert call.cancelled()
    assert (first.figures.in_flight, second.figures.in_flight, service._home.timers.pending) == (0, 0, 0)


async def test_s18_each_loser_costs_what_itself_would_have_cost() -> None:
    calls: list[Call] = []
    cheap, dear = scripted("first", USUAL, HANG), scripted("second", HANG)
    dear.price = Price(per_call=Decimal("0.7"))
    service = await warmed_up(service_of(cheap, dear, observers=[calls.append]))
    call = asyncio.ensure_future(service.process("x"))
    await asyncio.sleep(10)
    call.cancel()
    await asyncio.wait([call])
    assert {each.provider: each.cost for each in calls[-1].attempts} == {
        "first": Decimal("0.5"),
        "second": Decimal("0.7"),
    }


async def deaf(_: Any) -> str:
    """Takes until its second after the cancellation, and answers all the same."""
    try:
        await asyncio.sleep(1000)
    except asyncio.CancelledError:
        await asyncio.sleep(2)
    return "at last"


async def answers_when_cancelled(_: Any) -> str:
    try:
        await asyncio.sleep(1000)
    except asyncio.CancelledError:
        return "just in time"
    return "never"


@pytest.mark.parametrize(
    ("last", "outcome"),
    [(HANG, Outcome.CANCELLED), (deaf, Outcome.CANCELLED), (answers_when_cancelled, Outcome.SUCCESS)],
)
async def test_s18_only_the_attempt_that_lost_is_cancelled_and_an_earlier_failure_stays_what_it_was(
    last: Any, outcome: Outcome
) -> None:
    first = scripted("first", USUAL, ProviderError("down"), last)
    service = await warmed_up(service_of(first, scripted("second", "quick"), random=random.Random(1)))
    attempts = (await service.process("x")).attempts
    assert [(each.provider, each.outcome) for each in attempts] == [
        ("first", Outcome.TRANSIENT),
        ("first", outcome),
        ("second", Outcome.SUCCESS),
    ]
    assert attempts[0].cost in (None, 0), "what failed by itself is not billed as a loser"
    await asyncio.sleep(10)


async def test_s18_a_loser_whose_cost_is_known_keeps_it() -> None:
    call, first = Call("c", "s"), SimpleNamespace(name="first", estimated_cost=lambda _: Decimal(9))
    call.attempts = [Attempt("c", "first", 1, Outcome.CANCELLED, cost=Decimal("0.123"))]
    await _end({asyncio.ensure_future(asyncio.Event().wait()): first}, "x", call)  # type: ignore[dict-item]
    assert call.attempts[0].cost == Decimal("0.123")


async def test_s18_a_second_that_may_not_be_asked_any_more_costs_no_hedge() -> None:
    second = scripted("second", "quick")
    slower = [Delay(seconds, "slow") for seconds in (5, 30, 200)]  # each slower than any before it
    service = await warmed_up(
        service_of(scripted("first", USUAL, *slower), second, hedge=Hedge(min_samples=1, share=0.5), deadline=10_000.0)
    )
    await service.process("earns a half")
    call = asyncio.ensure_future(service.process("earns the other half"))
    await asyncio.sleep(0.5)
    service.force_open("second")
    await call
    service.close_circuit("second")
    assert second.calls == 0
    attempts = (await service.process("has a hedge")).attempts
    assert [each.outcome for each in attempts] == [Outcome.CANCELLED, Outcome.SUCCESS]


async def test_s18_a_hedged_call_has_one_deadline() -> None:
    first, second = scripted("first", USUAL, HANG), scripted("second", HANG)
    service = await warmed_up(service_of(first, second, retry=NO_RETRY, deadline=20.0))
    with pytest.raises(AllProvidersFailed):
        await service.process("x")
    assert now() <= 1 + 20.05


async def test_s5_expired_on_entry_a_hedged_call_asks_nobody_either() -> None:
    service = await warmed_up(service_of(scripted("first", USUAL), scripted("second", "good")))
    with pytest.raises(AllProvidersFailed, match="no time left"):
        await service.process("x", deadline=0.0)
    assert service.providers["first"].figures.requests == 1


async def test_s17_a_losers_time_says_nothing_about_its_latency() -> None:
    service = await warmed_up(service_of(scripted("first", USUAL, HANG), scripted("second", "quick")))
    latency = service.providers["first"].figures.latency
    before = latency.average, latency.samples
    await service.process("x")
    assert (latency.average, latency.samples) == before


async def test_s18_failures_before_the_race_lower_no_threshold() -> None:
    """A provider that fails fast must not make the next call hedge at once."""
    script = [*[USUAL] * 20, *[ProviderError("down")] * 4, Delay(0.9, "good")]
    second = scripted("second", "quick")
    service = service_of(scripted("first", *script), second, hedge=Hedge(share=1.0), retry=NO_RETRY)
    for _ in range(25):
        await service.process("x")
    assert second.calls == 4


async def test_s5_s18_after_a_race_that_was_lost_the_next_is_timed_from_when_it_is_asked() -> None:
    first, second = scripted("first", USUAL, Delay(10, NO)), scripted("second", Delay(8, NO))
    third = scripted("third", Delay(1, "good"), timeout=5.0)
    service = await warmed_up(service_of(first, second, third, retry=NO_RETRY))
    result = await service.process("x")
    assert result.provider == "third"
    assert result.latency == pytest.approx(1.0)
    assert third.figures.latency.average == pytest.approx(1.0)


async def test_s5_s18_the_second_of_a_race_may_use_what_the_first_leaves_over() -> None:
    service = await warmed_up(service_of(scripted("first", USUAL, HANG), scripted("second", Delay(35, "good"))))
    assert (await service.process("x")).provider == "second"


@pytest.mark.parametrize("order", [("first", "second"), ("second", "first")])
async def test_s2_s18_of_two_that_end_together_the_one_that_ends_the_call_is_what_it_ends_with(order: Any) -> None:
    steps = {order[0]: InvalidInput("no page"), order[1]: ProviderError("down")}
    first = scripted("first", USUAL, Delay(3, steps["first"]))
    second = scripted("second", lambda _: Delay(4 - now(), steps["second"]))
    service = await warmed_up(service_of(first, second, retry=NO_RETRY))
    with pytest.raises(InvalidInput, match="no page"):
        await service.process("x")


async def test_s18_s27_a_loser_that_does_not_heed_its_cancellation_is_named_when_the_service_closes() -> None:
    async def deaf(_: Any) -> str:
        for _ in range(10):
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(1)
        return "late"

    service = await warmed_up(service_of(scripted("first", USUAL, deaf), scripted("second", "quick")))
    await service.process("x")
    lines: list[str] = []
    logger.enable("switchgear")
    sink = logger.add(lines.append, format="{message}")
    await service.aclose(drain=2.0)
    logger.remove(sink)
    logger.disable("switchgear")
    assert ["stuck in first" in line for line in lines] == [True]
    await asyncio.sleep(20)


async def test_s18_the_record_tells_a_hedge_from_a_fallback_and_a_retry() -> None:
    steps = scripted("first", USUAL, HANG), scripted("second", DOWN, "good")
    service = await warmed_up(service_of(*steps, retry=Retry(attempts=2)))
    assert [each.kind for each in (await service.process("x")).attempts] == ["first", "hedge", "retry"]
    plain = ProviderManager([scripted("a", DOWN), scripted("b", "good")], clock=VirtualClock(), retry=Retry(attempts=2))
    assert [each.kind for each in (await plain.process("x")).attempts] == ["first", "retry", "fallback"]
