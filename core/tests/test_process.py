"""The whole story of a call, in virtual time: whom it asks, how long it waits, what it counts. Rules are S1 to S30."""

import asyncio
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

import attrs
import pytest
from switchgear import (
    AllProvidersFailed,
    BadCredentials,
    BlockingProvider,
    Breaker,
    Call,
    Effect,
    Hedge,
    InDoubt,
    InvalidInput,
    InvalidResult,
    NotSent,
    Outcome,
    Policies,
    ProviderError,
    ProviderManager,
    ProviderResult,
    QuotaExceeded,
    Rate,
    Retry,
    SimpleProvider,
    Throttled,
    Unsupported,
    UsageError,
    current_call,
)
from switchgear.outcome import RULES, Sample
from switchgear.outcome import Retry as Again
from switchgear.policies.breaker import State
from switchgear.testing import HANG, Delay, ScriptedProvider, VirtualClock, cancel_at_every_await, run

Manager = ProviderManager[Any, Any]


def manager(*providers: Any, **settings: Any) -> Manager:
    return ProviderManager(providers, clock=VirtualClock(), **settings)


def scripted(name: str, *script: Any, **settings: Any) -> ScriptedProvider:
    return ScriptedProvider(list(script), name=name, **settings)


def story(scenario: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """A scenario as a test, on a loop whose time is virtual."""

    def test() -> None:
        run(scenario)

    test.__name__, test.__doc__ = scenario.__name__, scenario.__doc__
    return test


def outcomes(record: Any) -> list[tuple[str, str]]:
    return [(attempt.provider, attempt.outcome.value) for attempt in record.attempts]


ERRORS: dict[Outcome, Any] = {
    Outcome.TRANSIENT: ProviderError("down"),
    Outcome.NOT_SENT: NotSent("refused"),
    Outcome.THROTTLED: Throttled("slow down", retry_after=500.0),
    Outcome.INVALID_INPUT: InvalidInput("not a page"),
    Outcome.UNSUPPORTED: Unsupported("no such language"),
    Outcome.CREDENTIALS: BadCredentials("wrong key"),
    Outcome.QUOTA: QuotaExceeded("used up"),
    Outcome.INVALID_RESULT: InvalidResult("empty", score=0.2),
    Outcome.PLUGIN_BUG: TypeError("boom"),
    Outcome.ATTEMPT_TIMEOUT: HANG,
}


@pytest.mark.parametrize("outcome", ERRORS)
def test_s1_every_outcome_retries_falls_over_and_counts_as_its_row_says(outcome: Outcome) -> None:
    async def scenario() -> None:
        first = scripted("first", ERRORS[outcome], timeout=1.0)
        board = manager(first, scripted("second", "good"), breaker=Breaker(consecutive=99, min_calls=99))
        rule = outcome.rule
        budget = board.budget.tokens
        if rule.falls_over:
            result = await board.process("x")
            assert result.provider == "second"
            assert result.attempts[0].outcome is outcome
        else:
            with pytest.raises(InvalidInput):
                await board.process("x")
        tries = {Again.REPEATABLE: 3, Again.ALWAYS: 2}.get(rule.retry, 1)
        assert first.calls == tries
        earned = 0.1 if rule.falls_over and tries > 1 else 0.0
        assert board.budget.tokens == pytest.approx(min(100.0, budget - rule.withdraw * (tries - 1) + earned))
        breaker = board._by_name["first"].breaker
        assert breaker is not None
        counted = breaker._window.failures
        assert counted == (tries if rule.breaker.value in ("failure", "slow-failure") else 0)
        sampled = first.figures.latency.samples
        assert sampled == (tries if rule.sample is Sample.YES else 0)
        assert board.in_flight == first.figures.in_flight == 0

    run(scenario)


def test_s1_the_table_has_a_row_for_every_outcome() -> None:
    assert set(RULES) == set(Outcome)


@story
async def test_s1_bad_credentials_leave_the_provider_alone_for_its_cool_down() -> None:
    first = scripted("first", BadCredentials("wrong key"), "good")
    board = manager(first, scripted("second", "other"))
    assert (await board.process("x")).provider == "second"
    await asyncio.sleep(299)
    assert (await board.process("x")).provider == "second"
    assert first.calls == 1
    await asyncio.sleep(2)
    assert (await board.process("x")).provider == "first"


@story
async def test_s1_work_that_must_happen_once_is_in_doubt_after_an_unknown_outcome_and_nobody_else_is_asked() -> None:
    second = scripted("second", "twice")
    board = manager(scripted("first", ProviderError("reset")), second, effect=Effect.ONCE)
    with pytest.raises(InDoubt) as caught:
        await board.process("pay")
    assert second.calls == 0
    assert caught.value.call_id


@story
async def test_s1_with_the_callers_key_it_is_repeated_at_the_same_provider_only() -> None:
    keys: list[str | None] = []

    def look(request: Any) -> Any:
        call = current_call()
        keys.append(call.idempotency_key if call else None)
        return ProviderError("reset") if len(keys) == 1 else "paid"

    board = manager(scripted("first", look), scripted("second", "twice"), effect=Effect.ONCE)
    result = await board.process("pay", idempotency_key="k-1")
    assert result.provider == "first"
    assert keys == ["k-1", "k-1"]


@story
async def test_s1_what_never_left_falls_over_even_when_it_must_happen_once() -> None:
    board = manager(scripted("first", NotSent("refused")), scripted("second", "paid"), effect=Effect.ONCE)
    result = await board.process("pay")
    assert outcomes(result) == [("first", "not_sent"), ("first", "not_sent"), ("second", "success")]


@story
async def test_s1_a_refused_answer_to_work_that_must_happen_once_does_not_fall_over() -> None:
    class Strict:
        def check(self, request: Any, result: Any) -> None:
            raise InvalidResult("no")

    second = scripted("second", "twice")
    board = manager(scripted("first", "paid"), second, effect=Effect.ONCE, validators=[Strict()])
    with pytest.raises(InvalidResult):
        await board.process("pay")
    assert second.calls == 0


@story
async def test_s2_the_callers_cancellation_passes_through_and_is_nobodys_failure() -> None:
    first = scripted("first", HANG)
    seen: list[Call] = []
    board = manager(first, scripted("second", "good"), observers=[seen.append])
    task = asyncio.ensure_future(board.process("x"))
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert outcomes(seen[0]) == [("first", "cancelled")]
    breaker = board._by_name["first"].breaker
    assert breaker is not None
    assert (breaker._row, first.figures.in_flight, board._home.timers.pending) == (0, 0, 0)


@story
async def test_s3_the_error_carries_every_attempt_in_order_the_cause_and_when_to_come_back() -> None:
    last = Throttled("slow down", retry_after=90.0)
    busy = Throttled("slow down", retry_after=120.0)
    board = manager(scripted("first", busy), scripted("second", last))
    with pytest.raises(AllProvidersFailed) as caught:
        await board.process("x")
    error = caught.value
    assert outcomes(error) == [("first", "throttled"), ("second", "throttled")]
    assert [attempt.number for attempt in error.attempts] == [1, 2]
    assert error.__cause__ is last
    assert error.retry_after == pytest.approx(90.0, abs=1.0)
    assert error.attempts[0].message == "slow down"
    assert error.call_id
    assert "first: slow down (throttled)" in str(error)


@story
async def test_s5_one_that_hangs_uses_up_its_own_share_of_the_deadline_only() -> None:
    board = manager(scripted("first", HANG), scripted("second", Delay(5, "good")), retry=Retry(attempts=1))
    clock = board._home.clock
    result = await board.process("x", deadline=30.0)
    assert result.provider == "second"
    assert 15.0 <= result.attempts[0].latency <= 15.02
    assert clock.monotonic() == pytest.approx(20.0, abs=0.1)


@story
async def test_s5_expired_on_entry_means_not_called() -> None:
    first = scripted("first", "good")
    with pytest.raises(AllProvidersFailed):
        await manager(first).process("x", deadline=0.0)
    assert first.calls == 0


@story
async def test_s5_a_nested_call_has_at_most_the_deadline_of_the_call_it_works_for() -> None:
    inner = manager(scripted("slow", HANG), service="inner")

    @attrs.define
    class Outer(SimpleProvider[Any, Any]):
        async def process(self, request: Any) -> ProviderResult[Any]:
            return await inner.process(request)

    with pytest.raises(AllProvidersFailed):
        await manager(Outer(name="outer"), retry=Retry(attempts=1)).process("x", deadline=2.0)
    assert VirtualClock().monotonic() == pytest.approx(2.0, abs=0.05)
    await asyncio.sleep(1)
    assert inner.in_flight == 0


@story
async def test_s7_a_throttled_provider_is_skipped_by_other_calls_until_it_said() -> None:
    first = scripted("first", Throttled("slow down", retry_after=10.0), "good")
    board = manager(first, scripted("second", "other"))
    for _ in range(5):
        assert (await board.process("x")).provider == "second"
    assert first.calls == 1
    await asyncio.sleep(10.1)
    assert (await board.process("x")).provider == "first"


@story
async def test_s7_when_nobody_else_is_left_the_call_waits_if_that_fits_and_not_otherwise() -> None:
    board = manager(scripted("only", Throttled("slow down", retry_after=3.0), "good"))
    assert (await board.process("x")).attempts[-1].outcome is Outcome.SUCCESS
    assert VirtualClock().monotonic() == pytest.approx(3.0, abs=0.05)
    board = manager(scripted("only", Throttled("slow down", retry_after=90.0), "good"))
    with pytest.raises(AllProvidersFailed) as caught:
        await board.process("x")
    assert VirtualClock().monotonic() == pytest.approx(3.0, abs=0.05)
    assert caught.value.retry_after == pytest.approx(90.0)


@story
async def test_s8_in_an_outage_retries_stop_when_the_budget_is_spent() -> None:
    only = scripted("only", ProviderError("down"))
    board = manager(only, retry=Retry(budget=20.0), breaker=Breaker(enabled=False))
    for _ in range(200):
        with pytest.raises(AllProvidersFailed):
            await board.process("x")
    assert only.calls == 200 + 20


@story
async def test_retries_leave_an_attempt_for_every_untried_provider() -> None:
    down = [scripted(f"down{n}", ProviderError("down")) for n in range(6)]
    result = await manager(*down, scripted("last", "good")).process("x")
    assert result.provider == "last"
    assert len(result.attempts) == 7


@story
async def test_s11_five_failures_in_a_row_open_the_circuit_and_the_next_call_skips_it() -> None:
    first = scripted("first", ProviderError("down"))
    board = manager(first, scripted("second", "good"), retry=Retry(attempts=1))
    for _ in range(20):
        assert (await board.process("x")).provider == "second"
    assert first.calls == 5
    assert board.is_open("first")
    rows = {row.provider: row for row in board.explain("x").rows}
    assert (rows["first"].reason, rows["first"].circuit) == ("circuit open", "open")
    assert rows["first"].status.value == "unavailable"


@story
async def test_s12_of_a_hundred_callers_one_is_the_trial() -> None:
    first = scripted("first", *[ProviderError("down")] * 5, Delay(1, "good"))
    board = manager(first, scripted("second", "other"), retry=Retry(attempts=1))
    for _ in range(5):
        await board.process("x")
    await asyncio.sleep(5.1)
    results = await asyncio.gather(*(board.process("x") for _ in range(100)))
    assert sum(result.provider == "first" for result in results) == 1
    assert first.calls == 6


@story
async def test_s12_a_cancelled_trial_gives_its_place_back() -> None:
    first = scripted("first", *[ProviderError("down")] * 5, HANG, "good")
    board = manager(first, scripted("second", "other"), retry=Retry(attempts=1))
    for _ in range(5):
        await board.process("x")
    await asyncio.sleep(5.1)
    trial = asyncio.ensure_future(board.process("x"))
    await asyncio.sleep(0.1)
    trial.cancel()
    await asyncio.wait([trial])
    assert (await board.process("x")).provider == "first"


@story
async def test_s14_after_closing_the_load_comes_back_by_and_by() -> None:
    first = scripted("first", *[ProviderError("down")] * 5, "good")
    board = manager(first, scripted("second", "other"), retry=Retry(attempts=1))
    for _ in range(5):
        await board.process("x")
    await asyncio.sleep(5.1)
    await board.process("x")
    await board.process("x")
    assert board._by_name["first"].circuit == "closed"
    early = [(await board.process("x")).provider for _ in range(200)]
    assert 0 < early.count("first") < 80
    await asyncio.sleep(10)
    assert {(await board.process("x")).provider for _ in range(50)} == {"first"}


async def _all_down(mode: Any) -> tuple[Manager, ScriptedProvider, ScriptedProvider]:
    first = scripted("first", *[ProviderError("down")] * 5, "good")
    second = scripted("second", *[ProviderError("down")] * 5, "other")
    board = manager(first, second, retry=Retry(attempts=1), all_down=mode)
    for _ in range(5):
        with pytest.raises(AllProvidersFailed):
            await board.process("x")
    assert board.is_open("first")
    assert board.is_open("second")
    return board, first, second


@story
async def test_s16_with_everybody_down_probing_goes_on_and_finds_the_first_that_is_back() -> None:
    board, first, _ = await _all_down("probe")
    assert (await board.process("x")).output in ("good", "other")
    assert first.calls <= 6


@story
async def test_s16_the_least_bad_is_asked_whatever_its_circuit_says() -> None:
    board, _, _ = await _all_down("least_bad")
    assert (await board.process("x")).output in ("good", "other")


@story
async def test_s16_failing_fast_says_when_to_come_back() -> None:
    board, first, second = await _all_down("fail_fast")
    with pytest.raises(AllProvidersFailed) as caught:
        await board.process("x")
    assert (first.calls, second.calls) == (5, 5)
    assert caught.value.retry_after is not None
    assert 2.0 <= caught.value.retry_after <= 5.0


@story
async def test_circuits_are_opened_disabled_and_closed_by_hand() -> None:
    board = manager(scripted("first", "good"), scripted("second", "other"))
    board.force_open("first")
    assert (await board.process("x")).provider == "second"
    board.disable_circuit("first")
    assert (await board.process("x")).provider == "first"
    board.close_circuit("first")
    assert board._by_name["first"].circuit == State.CLOSED.value
    with pytest.raises(UsageError, match="no provider 'third'"):
        board.force_open("third")


@story
async def test_s18_a_slow_first_is_hedged_and_the_loser_is_cancelled_and_counted() -> None:
    slow = [Delay(0.1, "first")] * 60 + [Delay(30, "late")] + [Delay(0.1, "first")]
    first = scripted("first", *slow)
    second = scripted("second", Delay(0.1, "second"))
    board = manager(first, second, hedge=Hedge(share=0.5))
    for _ in range(60):
        await board.process("x")
    result = await board.process("x")
    assert result.output == "second"
    assert sorted(outcomes(result)) == [("first", "cancelled"), ("second", "success")]
    assert first.figures.in_flight == 0
    with pytest.raises(UsageError):
        manager(first, effect=Effect.ONCE, hedge=Hedge())


@story
async def test_s19_a_bulkhead_keeps_the_line_in_order_and_bounded() -> None:
    only = scripted("only", Delay(1, "done"), concurrency=2)
    board = manager(only, policies={"only": Policies(queue=3)})
    results = await asyncio.gather(*(board.process(n) for n in range(8)), return_exceptions=True)
    assert list(only.requests) == [0, 1, 2, 3, 4]
    assert sum(isinstance(result, AllProvidersFailed) for result in results) == 3
    bulkhead = board._by_name["only"].bulkhead
    assert bulkhead is not None
    assert (bulkhead.taken, bulkhead.waiting) == (0, 0)


@story
async def test_s19_who_cannot_be_served_in_time_is_turned_away_at_once() -> None:
    only = scripted("only", Delay(10, "done"), concurrency=1)
    board = manager(only)
    await board.process("x")
    under_way = [asyncio.ensure_future(board.process(n)) for n in range(3)]
    await asyncio.sleep(0.1)
    before = VirtualClock().monotonic()
    with pytest.raises(AllProvidersFailed, match="are waiting"):
        await board.process("late", deadline=5.0)
    assert VirtualClock().monotonic() == before
    await asyncio.gather(*under_way)


@story
async def test_s19_beyond_its_rate_a_provider_is_passed_over_and_waited_for_only_when_alone() -> None:
    rate = {"first": Policies(rate=Rate(calls=2, per=1.0, burst=2))}  # type: ignore[arg-type]
    board = manager(scripted("first", "one"), scripted("second", "two"), policies=rate)
    assert [(await board.process("x")).output for _ in range(3)] == ["one", "one", "two"]
    alone = manager(scripted("first", "one"), policies=rate)
    for _ in range(6):
        await alone.process("x")
    assert VirtualClock().monotonic() == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("kind", ["good", "retry", "fallback", "hedge"])
def test_s29_cancelled_at_any_await_nothing_is_left_behind(kind: str) -> None:
    boards: list[Manager] = []

    async def scenario() -> None:
        hang_then_good = {"retry": [ProviderError("down"), "good"], "fallback": [Unsupported("no")]}
        settings: dict[str, Any] = {"hedge": Hedge(min_samples=1)} if kind == "hedge" else {}
        script = [Delay(0.5, step) for step in hang_then_good.get(kind, ["good"])]
        first = scripted("first", *script, concurrency=1)
        boards[:] = [manager(first, scripted("second", Delay(0.5, "other")), **settings)]
        others = [asyncio.ensure_future(boards[0].process(n)) for n in range(3)]
        try:
            for n in range(3):
                await boards[0].process(n)
        finally:
            for other in others:
                other.cancel()
            await asyncio.wait(others)

    async def check() -> None:
        board = boards[0]
        candidates = board._by_name.values()
        assert board.in_flight == 0
        assert [each.in_flight for each in candidates] == [0, 0]
        assert [each.bulkhead.taken for each in candidates if each.bulkhead] == [0]
        assert board._home.timers.pending == 0
        assert not board.is_open("first")
        await board.aclose()

    assert cancel_at_every_await(scenario, check) > 3


@attrs.define
class Costly(BlockingProvider[Any, Any]):
    def process_blocking(self, request: Any) -> ProviderResult[Any]:
        request.wait(5)
        return ProviderResult("late", cost=Decimal("0.25"))


def test_s27_a_worker_that_hangs_keeps_its_place_and_its_late_answer_is_counted() -> None:
    import threading

    release = threading.Event()

    async def scenario() -> None:
        provider = Costly(name="only", concurrency=1, timeout=0.05)
        board = ProviderManager([provider], retry=Retry(attempts=1))
        with pytest.raises(AllProvidersFailed) as caught:
            await board.process(release)
        bulkhead = board._by_name["only"].bulkhead
        assert bulkhead is not None
        assert (bulkhead.taken, bulkhead.held) == (1, 1)
        with pytest.raises(AllProvidersFailed, match="full"):
            await board.process(release)
        release.set()
        while bulkhead.taken:  # noqa: ASYNC110 - the thread that is waited for knows no event
            await asyncio.sleep(0.005)
        assert provider.figures.late == 1
        assert caught.value.attempts[0].cost == Decimal("0.25")
        await board.aclose()

    asyncio.run(scenario())


def test_s27_calls_from_threads_and_other_loops_are_handed_over_to_the_home_loop() -> None:
    board: Manager = ProviderManager([ScriptedProvider(["good"], name="only")])
    assert board.process_sync("x").output == "good"

    async def elsewhere() -> str:
        with pytest.raises(UsageError, match="await process"):
            board.process_sync("x")
        return str((await board.process("x")).output)

    assert asyncio.run(elsewhere()) == "good"
    board.close()
    with pytest.raises(UsageError, match="closed"):
        board.process_sync("x")


@story
async def test_s27_closing_waits_then_ends_what_is_stuck() -> None:
    board = manager(scripted("only", HANG), retry=Retry(attempts=1))
    stuck = asyncio.ensure_future(board.process("x"))
    await asyncio.sleep(1)
    await board.aclose(drain=2.0)
    with pytest.raises(AllProvidersFailed):
        await stuck
    assert VirtualClock().monotonic() == pytest.approx(3.0, abs=0.2)


@story
async def test_s30_an_unforeseen_errors_text_is_in_no_message() -> None:
    board = manager(scripted("only", RuntimeError("secret page text")), retry=Retry(attempts=1))
    with pytest.raises(AllProvidersFailed) as caught:
        await board.process("x")
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(caught.value.attempts)
    assert "RuntimeError" in str(caught.value)
