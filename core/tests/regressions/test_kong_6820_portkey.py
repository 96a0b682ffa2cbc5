"""kong #6820 and Portkey: the last attempt, or every retry, was missing from the record."""

from typing import Any

import attrs
import pytest
from switchgear import (
    AllProvidersFailed,
    Call,
    NotSent,
    Outcome,
    ProviderError,
    ProviderManager,
    Throttled,
    Unsupported,
)
from switchgear.testing import HANG, ScriptedProvider, VirtualClock

DOWN = ProviderError("down")


@attrs.frozen
class Story:
    """Scripts of two providers, and how each request that reached them ended."""

    first: list[Any]
    second: list[Any]
    record: list[tuple[str, Outcome]]


STORIES = {
    "an answer": Story(["good"], [], [("first", Outcome.SUCCESS)]),
    "retries and an answer": Story(
        [DOWN, DOWN, "good"], [], [("first", Outcome.TRANSIENT)] * 2 + [("first", Outcome.SUCCESS)]
    ),
    "retries and a fallback": Story(
        [DOWN], ["good"], [("first", Outcome.TRANSIENT)] * 3 + [("second", Outcome.SUCCESS)]
    ),
    "all fail": Story([DOWN], [DOWN], [("first", Outcome.TRANSIENT)] * 3 + [("second", Outcome.TRANSIENT)] * 3),
    "a throttle waited out": Story(
        [Throttled("wait", retry_after=2.0), "good"],
        [Unsupported("no")],
        [("first", Outcome.THROTTLED), ("second", Outcome.UNSUPPORTED), ("first", Outcome.SUCCESS)],
    ),
    "timeouts, and what never left": Story(
        [HANG],
        [NotSent("refused")],
        [("first", Outcome.ATTEMPT_TIMEOUT)] * 3 + [("second", Outcome.NOT_SENT)] * 2,
    ),
}


@pytest.mark.parametrize("kind", STORIES)
async def test_every_request_that_was_sent_is_in_the_record(kind: str) -> None:
    story = STORIES[kind]
    calls: list[Call] = []
    first = ScriptedProvider(story.first, name="first", timeout=1.0)
    second = ScriptedProvider(story.second, name="second")
    service: ProviderManager[Any, Any] = ProviderManager(
        [first, second], observers=[calls.append], clock=VirtualClock()
    )
    try:
        attempts = (await service.process("x")).attempts
    except AllProvidersFailed as error:
        attempts = error.attempts
    assert [(attempt.provider, attempt.outcome) for attempt in attempts] == story.record
    assert [attempt.number for attempt in attempts] == list(range(1, len(story.record) + 1))
    assert list(attempts) == list(calls[0].attempts)
    assert first.calls + second.calls == len(attempts)
