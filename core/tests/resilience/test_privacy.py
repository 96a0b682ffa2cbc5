"""What was asked and answered, and the keys it took, stay out of messages, records and logs (S30)."""

import asyncio
from typing import Any

import pytest
from loguru import logger
from switchgear import (
    AllProvidersFailed,
    Call,
    Effect,
    Health,
    Hedge,
    InvalidResult,
    ProviderError,
    ProviderManager,
    ProviderResult,
    Retry,
    SwitchgearError,
)
from switchgear.durations import Duration
from switchgear.testing import HANG, ScriptedProvider, VirtualClock

Manager = ProviderManager[Any, Any]
PAGE, ANSWER, KEY = "Dear Mrs. Planted", "diagnosis: planted", "sk-planted-key"


class Page:
    """A request whose text shows in its repr."""

    text = PAGE

    def __repr__(self) -> str:
        return f"Page({self.text!r})"


def planted(*script: Any, name: str = "only", **options: Any) -> ScriptedProvider:
    return ScriptedProvider(list(script), name=name, **options)


def service_of(*providers: Any, **settings: Any) -> Manager:
    return ProviderManager(providers, **{"clock": VirtualClock(), "retry": Retry(attempts=1), **settings})


class Refuses:
    """A validator whose own failure tells what it saw."""

    def check(self, request: Any, result: ProviderResult[Any]) -> None:
        raise ValueError(f"{request!r} gave {result.output}")


async def broken_by(_: Any) -> str:
    raise LookupError(f"401 for {KEY}: {PAGE} -> {ANSWER}")


FAILURES: dict[str, dict[str, Any]] = {
    "an exception that nobody foresaw": {"script": [broken_by]},
    "one of a payment": {"script": [broken_by], "effect": Effect.ONCE},
    "a wrong type": {"script": [ANSWER], "output_type": int},
    "a timeout": {"script": [HANG], "deadline": 1.0},
    "a validator that breaks": {"script": [ANSWER], "validators": [Refuses()]},
    "a cancellation with a text": {"script": [asyncio.CancelledError(PAGE)]},
}


def texts_of(error: BaseException) -> list[str]:
    """Everything that somebody may print of an error of ours."""
    return [str(error), repr(error), *map(repr, getattr(error, "attempts", ()))]


def assert_clean(texts: list[str]) -> None:
    for text in texts:
        for secret in (PAGE, ANSWER, KEY, "Planted", "planted"):
            assert secret not in text, text


@pytest.mark.parametrize("kind", FAILURES)
async def test_s30_neither_error_nor_record_nor_log_repeats_what_was_said(kind: str) -> None:
    settings = dict(FAILURES[kind])
    calls: list[Call] = []
    lines: list[str] = []
    service = service_of(planted(*settings.pop("script")), observers=[calls.append], **settings)
    logger.enable("switchgear")
    sink = logger.add(lambda line: lines.append(str(line)), level=0, backtrace=False, diagnose=False)
    try:
        with pytest.raises(SwitchgearError) as caught:
            await service.process(Page())
        service._log_metrics()
        plan = service.explain(Page())
    finally:
        logger.remove(sink)
        logger.disable("switchgear")
    assert_clean([*texts_of(caught.value), *lines, repr(plan), str(plan.to_json())])
    assert_clean([repr(calls[0]), str(calls[0]), *(attempt.message for attempt in calls[0].attempts)])
    assert isinstance(calls[0].error, SwitchgearError)


async def test_s30_the_record_of_a_good_call_shows_no_content_either() -> None:
    calls: list[Call] = []
    service = service_of(planted(ANSWER), observers=[calls.append])
    result = await service.process(Page())
    assert result.output == ANSWER
    assert_clean([repr(calls[0]), repr(calls[0].attempts), repr(calls[0].candidates)])


async def test_s30_nor_does_that_of_a_refused_answer() -> None:
    class TooShort:
        def check(self, request: Any, result: ProviderResult[Any]) -> None:
            raise InvalidResult("two lines expected", score=0.3)

    calls: list[Call] = []
    service = service_of(planted(ANSWER), validators=[TooShort()], on_refused="best", observers=[calls.append])
    await service.process(Page())
    assert calls[0].refused
    assert_clean([repr(calls[0]), *map(repr, calls[0].refused)])


async def test_s30_listeners_strategies_and_checks_that_break_are_reported_by_type() -> None:
    lines: list[str] = []

    def breaks(*_: Any) -> None:
        raise ValueError(f"{PAGE} {KEY}")

    class Broken:
        def order(self, candidates: Any, request: Any) -> Any:
            raise ValueError(f"{request!r} {KEY}")

    class Unwell(ScriptedProvider):
        async def health_check(self) -> Any:
            raise ValueError(f"{PAGE} {KEY}")

    health = Health(interval=Duration(1.0))
    service = service_of(
        Unwell([ANSWER], name="only"), strategy=Broken(), observers=[breaks], state_observers=[breaks], health=health
    )
    logger.enable("switchgear")
    sink = logger.add(lambda line: lines.append(str(line)), level=0, backtrace=False, diagnose=False)
    try:
        async with service:
            await service.process(Page())
            service.force_open("only")
            await asyncio.sleep(5)
    finally:
        logger.remove(sink)
        logger.disable("switchgear")
    assert sum("ValueError" in line for line in lines) >= 4
    assert_clean(lines)


async def test_s30_a_hedge_whose_price_breaks_says_so_without_content() -> None:
    class Unpriceable(ScriptedProvider):
        def estimate_cost(self, request: Any) -> Any:
            raise ValueError(repr(request))

    lines: list[str] = []
    hedged = service_of(
        Unpriceable([ANSWER, HANG], name="first"), planted(ANSWER, name="second"), hedge=Hedge(min_samples=1, share=1.0)
    )
    logger.enable("switchgear")
    sink = logger.add(lambda line: lines.append(str(line)), level=0)
    try:
        for _ in range(2):
            await hedged.process(Page())
    finally:
        logger.remove(sink)
        logger.disable("switchgear")
    assert any("estimate_cost" in line for line in lines)
    assert_clean(lines)


async def test_s30_long_and_unprintable_texts_of_vendors_are_cut_and_flattened() -> None:
    service = service_of(planted(ProviderError("HTTP 503\r\n2026-01-01 INFO all is well\x1b[2J" + "x" * 5000)))
    with pytest.raises(AllProvidersFailed) as caught:
        await service.process(Page())
    message = caught.value.attempts[0].message
    assert len(message) <= 300
    assert message.isprintable()
    assert str(caught.value).isprintable()
