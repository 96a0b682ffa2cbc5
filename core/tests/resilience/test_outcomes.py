"""The table that every mechanism reads, spelled out once more and held against what a service does (S1)."""

from contextlib import suppress
from typing import Any

import attrs
import pytest
from switchgear import (
    AllProvidersFailed,
    BadCredentials,
    Breaker,
    Effect,
    InDoubt,
    InvalidInput,
    InvalidResult,
    NotSent,
    Outcome,
    PluginBug,
    ProviderError,
    ProviderManager,
    ProviderResult,
    QuotaExceeded,
    Rejected,
    Retry,
    Throttled,
    Unsupported,
)
from switchgear.outcome import RULES
from switchgear.testing import HANG, ScriptedProvider, VirtualClock

NEVER_OPENS = Breaker(consecutive=99, min_calls=99)


@attrs.frozen
class Row:
    """What comes of a provider that always ends like this, with another one behind it."""

    step: Any
    tries: int = 1  # of three that it may have
    falls_over: bool = True
    counts: bool = False  # as a failure, for its circuit
    tokens: float = 0.0  # that each retry takes from the budget


TABLE = {
    Outcome.TRANSIENT: Row(ProviderError("HTTP 503"), tries=3, counts=True, tokens=1.0),
    Outcome.ATTEMPT_TIMEOUT: Row(HANG, tries=3, counts=True, tokens=2.0),
    Outcome.NOT_SENT: Row(NotSent("refused"), tries=2, counts=True),
    Outcome.THROTTLED: Row(Throttled("HTTP 429", retry_after=500.0)),
    Outcome.INVALID_INPUT: Row(InvalidInput("no page"), falls_over=False),
    Outcome.UNSUPPORTED: Row(Unsupported("HTTP 415")),
    Outcome.CREDENTIALS: Row(BadCredentials("HTTP 401")),
    Outcome.QUOTA: Row(QuotaExceeded("HTTP 456")),
    Outcome.INVALID_RESULT: Row(InvalidResult("empty")),
    Outcome.REJECTED: Row(Rejected("no room")),
    Outcome.PLUGIN_BUG: Row(TypeError("oops"), counts=True),
    Outcome.IN_DOUBT: Row(InDoubt("sent, who knows"), falls_over=False, counts=True, tokens=2.0),
}
UNKNOWN = (Outcome.TRANSIENT, Outcome.ATTEMPT_TIMEOUT, Outcome.PLUGIN_BUG)
EFFECTS = [Effect.PURE, Effect.IDEMPOTENT]


async def ask(step: Any, **settings: Any) -> tuple[ProviderManager[Any, Any], ScriptedProvider, str]:
    """A call to a service of two; who answered, or how the call ended."""
    first = ScriptedProvider([step], name="first", timeout=1.0)
    key = settings.pop("idempotency_key", None)
    service = ProviderManager(
        [first, ScriptedProvider(["good"], name="second")], clock=VirtualClock(), breaker=NEVER_OPENS, **settings
    )
    try:
        return service, first, (await service.process("x", idempotency_key=key)).provider
    except (InvalidInput, InDoubt, InvalidResult) as error:
        return service, first, error.outcome.value


def failures(service: ProviderManager[Any, Any]) -> int:
    breaker = service._by_name["first"].breaker
    assert breaker is not None
    return breaker._window.failures


def spent(service: ProviderManager[Any, Any], answered_by: str) -> float:
    return 100.0 - service.budget.tokens + (0.1 if answered_by == "second" and service.budget.tokens < 100 else 0.0)


def test_s1_there_is_a_row_for_every_outcome_that_a_provider_can_bring_about() -> None:
    assert (
        set(TABLE)
        == set(RULES) - {Outcome.SUCCESS, Outcome.CANCELLED}
        == set(Outcome)
        - {
            Outcome.SUCCESS,
            Outcome.CANCELLED,
        }
    )


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("outcome", [each for each in TABLE if each is not Outcome.IN_DOUBT])
async def test_s1_repeatable_work_is_retried_as_often_as_the_row_allows(outcome: Outcome, effect: Effect) -> None:
    _, first, _ = await ask(TABLE[outcome].step, effect=effect)
    assert first.calls == TABLE[outcome].tries


@pytest.mark.parametrize("outcome", TABLE)
async def test_s1_it_falls_over_where_the_row_says_so_and_ends_the_call_otherwise(outcome: Outcome) -> None:
    _, _, answered_by = await ask(TABLE[outcome].step)
    assert answered_by == ("second" if TABLE[outcome].falls_over else outcome.value)


@pytest.mark.parametrize("outcome", TABLE)
async def test_s1_the_circuit_counts_failures_and_ignores_what_says_nothing(outcome: Outcome) -> None:
    service, first, _ = await ask(TABLE[outcome].step)
    assert failures(service) == (first.calls if TABLE[outcome].counts else 0)


@pytest.mark.parametrize("outcome", TABLE)
async def test_s1_each_retry_takes_from_the_budget_what_the_row_says(outcome: Outcome) -> None:
    service, first, answered_by = await ask(TABLE[outcome].step)
    assert spent(service, answered_by) == pytest.approx((first.calls - 1) * TABLE[outcome].tokens)


@pytest.mark.parametrize("outcome", TABLE)
async def test_s1_the_record_says_how_each_attempt_ended(outcome: Outcome) -> None:
    service, first, _ = await ask(TABLE[outcome].step)
    assert first.figures.outcomes == {outcome: first.calls}
    assert service.in_flight == first.figures.in_flight == 0


@pytest.mark.parametrize("outcome", UNKNOWN)
async def test_s1_work_to_be_done_once_is_in_doubt_after_an_unknown_outcome(outcome: Outcome) -> None:
    service, first, ended = await ask(TABLE[outcome].step, effect=Effect.ONCE)
    assert ended == "in_doubt"
    assert first.calls == 1
    assert first.figures.outcomes == {Outcome.IN_DOUBT: 1}
    assert failures(service) == 1
    assert service.budget.tokens == 100


@pytest.mark.parametrize("outcome", UNKNOWN)
async def test_s1_with_the_callers_key_it_is_repeated_here_for_two_tokens_each(outcome: Outcome) -> None:
    service, first, ended = await ask(TABLE[outcome].step, effect=Effect.ONCE, idempotency_key="order-7")
    assert ended == "in_doubt"
    assert first.calls == 3
    assert service.budget.tokens == pytest.approx(96)


@pytest.mark.parametrize("outcome", [each for each in TABLE if TABLE[each].falls_over and each not in UNKNOWN])
async def test_s1_work_to_be_done_once_falls_over_after_a_plain_refusal(outcome: Outcome) -> None:
    _, first, ended = await ask(TABLE[outcome].step, effect=Effect.ONCE)
    # An answer that a validator would refuse is an answer: the work has been done.
    assert ended == ("invalid_result" if outcome is Outcome.INVALID_RESULT else "second")
    assert first.calls == TABLE[outcome].tries


@pytest.mark.parametrize("outcome", [Outcome.CREDENTIALS, Outcome.QUOTA])
async def test_s1_misconfigured_providers_are_left_alone_for_their_own_long_time(outcome: Outcome) -> None:
    service, first, _ = await ask(TABLE[outcome].step)
    await service._home.clock.sleep(299)
    assert (await service.process("x")).provider == "second"
    assert (first.calls, first.is_available) == (1, False)
    await service._home.clock.sleep(2)
    await service.process("x")
    assert first.calls == 2


async def test_s1_an_unknown_exception_is_reported_as_the_plugins_defect() -> None:
    service = ProviderManager([ScriptedProvider([KeyError("page 7")], name="only")], clock=VirtualClock())
    with pytest.raises(AllProvidersFailed) as caught:
        await service.process("x")
    assert isinstance(caught.value.__cause__, PluginBug)
    assert isinstance(caught.value.__cause__.__cause__, KeyError)
    assert "unexpected KeyError at steps.py:" in caught.value.attempts[0].message


async def test_s1_answers_that_are_refused_open_no_circuit() -> None:
    service, _, _ = await ask(InvalidResult("empty"))
    for _ in range(200):
        await service.process("x")
    assert not service.is_open("first")


async def test_s1_a_refused_answer_lowers_the_quality_figure() -> None:
    provider = ScriptedProvider(["good", "bad", "good", "good", ProviderError("down")], name="only")

    class Picky:
        def check(self, request: Any, result: ProviderResult[Any]) -> None:
            if result.output == "bad":
                raise InvalidResult("bad", score=0.1)

    service = ProviderManager([provider], validators=[Picky()], clock=VirtualClock(), retry=Retry(attempts=1))
    assert provider.figures.quality is None
    for _ in range(5):
        with suppress(AllProvidersFailed):
            await service.process("x")
    assert provider.figures.quality == 0.75
    assert service.explain("x").rows[0].quality == 0.75


async def test_s1_refused_answers_open_the_circuit_where_that_is_wanted() -> None:
    class Picky:
        def check(self, request: Any, result: ProviderResult[Any]) -> None:
            raise InvalidResult("bad")

    for counts in (False, True):
        provider = ScriptedProvider(["bad"], name="only")
        breaker = Breaker(consecutive=3, count_invalid=counts)
        service = ProviderManager([provider], validators=[Picky()], clock=VirtualClock(), breaker=breaker)
        for _ in range(3):
            with suppress(AllProvidersFailed):
                await service.process("x")
        assert service.is_open("only") is counts


async def test_s1_s9_what_is_made_of_other_services_fails_as_they_do_and_is_not_repeated_on_top() -> None:
    wire = ScriptedProvider([ProviderError("down")], name="wire")
    inner = ProviderManager([wire], clock=VirtualClock(), retry=Retry(attempts=2), service="inner")
    outer = ScriptedProvider([inner.process], name="outer")
    service = ProviderManager([outer], clock=VirtualClock(), retry=Retry(attempts=3))
    with pytest.raises(AllProvidersFailed) as caught:
        await service.process("x")
    assert [each.outcome for each in caught.value.attempts] == [Outcome.TRANSIENT]
    assert wire.calls == 2


async def test_s1_an_error_that_cannot_say_what_it_is_falls_over_like_any_other() -> None:
    class Speechless(ProviderError):
        def __str__(self) -> str:
            raise KeyError("nothing")

    first, second = ScriptedProvider([Speechless()], name="first"), ScriptedProvider(["good"], name="second")
    service = ProviderManager([first, second], clock=VirtualClock(), retry=Retry(attempts=1))
    result = await service.process("x")
    assert [each.message for each in result.attempts] == ["Speechless", ""]
