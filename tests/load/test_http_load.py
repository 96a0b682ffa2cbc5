"""HTTP providers under load, on a real server that fails in every way: nobody is left behind, nothing leaks."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from switchgear import AllProvidersFailed, Breaker, ProviderManager, Retry, Secret
from switchgear.testing import MemoryObserver
from switchgear_deepl import DeepL
from switchgear_deepl.testing import KEY, FakeDeepL
from switchgear_http.testing import FAULTS, Fault, LocalServer, Received
from switchgear_translation import TranslationRequest

AT_ONCE, CONNECTIONS = 500, 20
UNNOTICED = 5  # connections that the client has given up, and whose end the server has not seen yet
# Such as come and go; those of a wrong configuration would shut the provider off, as they should.
PASSING = [fault for fault in FAULTS.values() if fault.play and fault.outcome.value in ("transient", "attempt_timeout")]
FAILING = 0.2
PATIENT = Breaker(consecutive=10_000, ratio=1.0)


def open_files() -> int:
    return len(list(Path(f"/proc/{os.getpid()}/fd").iterdir()))


def mixed(share: float, faults: Sequence[Fault]) -> Any:
    dice = random.Random(7)

    def fault(request: Received) -> Fault | None:
        return dice.choice(faults) if dice.random() < share else None

    return fault


async def storm(url: str, requests: int, heard: MemoryObserver) -> Counter[str]:
    """So many requests, 500 at a time; what came of them."""
    provider = DeepL(
        name="deepl",
        api_key=Secret(KEY),
        base_url=url,
        connections=CONNECTIONS,
        connect_timeout=30.0,
        read_timeout=0.3,
        response_limit=500_000,
    )
    found: Counter[str] = Counter()
    retry = Retry(attempts=4, budget=10_000, base=0.01)
    manager = ProviderManager([provider], retry=retry, breaker=PATIENT, deadline=60.0, observers=[heard.call_finished])

    async def one(number: int) -> None:
        request = TranslationRequest(f"Text {number}", source="en", target="de")
        try:
            result = await manager.process(request)
        except AllProvidersFailed:
            found["failed"] += 1
            return
        found["answered" if result.output.texts == (f"[DE] Text {number}",) else "wrong"] += 1

    async with manager:
        for start in range(0, requests, AT_ONCE):
            await asyncio.gather(*(one(number) for number in range(start, start + AT_ONCE)))
    return found


def run(
    share: float, requests: int, faults: Sequence[Fault] = PASSING
) -> tuple[Counter[str], MemoryObserver, LocalServer]:
    unhandled: list[Any] = []
    heard = MemoryObserver()

    async def life(url: str) -> Counter[str]:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: unhandled.append(context))
        return await storm(url, requests, heard)

    with LocalServer(FakeDeepL(limit=10**9)) as server:
        server.fault = mixed(share, faults)
        found = asyncio.run(life(server.url))
        assert unhandled == []
    return found, heard, server


@pytest.mark.parametrize("share", [0.0, FAILING], ids=["sound", "faults"])
def test_five_hundred_at_once_share_a_few_connections(share: float) -> None:
    run(share, AT_ONCE)  # what stays open from now on (the selector, the log) is nobody's leak
    before = open_files()
    found, heard, server = run(share, AT_ONCE)
    assert open_files() <= before
    assert server.most_open <= CONNECTIONS + (UNNOTICED if share else 0)
    assert server.open == 0
    assert found["answered"] + found["failed"] == AT_ONCE
    assert found["wrong"] == 0
    # Four attempts fail together about twice in a thousand.
    assert found["failed"] <= AT_ONCE * (0.02 if share else 0)
    outcomes = Counter(attempt.outcome.value for call in heard.calls for attempt in call.attempts)
    assert "plugin_bug" not in outcomes
    assert sum(outcomes.values()) == len(server.requests("/v2/translate"))


def test_every_call_ends_whatever_goes_wrong() -> None:
    """Also with faults that pause a provider for minutes: then the rest of the calls fails at once."""
    faults = [fault for fault in FAULTS.values() if fault.play]
    run(FAILING, AT_ONCE, faults)
    before = open_files()
    found, heard, server = run(FAILING, AT_ONCE, faults)
    assert open_files() <= before
    assert found["answered"] + found["failed"] == AT_ONCE == len(heard.calls)
    assert found["wrong"] == server.open == 0
    assert not [attempt for call in heard.calls for attempt in call.attempts if attempt.outcome.value == "plugin_bug"]


@pytest.mark.full
def test_ten_thousand_requests_through_all_faults_leave_nothing_open() -> None:
    run(FAILING, AT_ONCE)
    before = open_files()
    found, heard, server = run(FAILING, 10_000)
    assert open_files() <= before
    assert (server.open, found["wrong"]) == (0, 0)
    assert server.most_open <= CONNECTIONS + UNNOTICED
    assert found["failed"] <= 100
    outcomes = Counter(attempt.outcome.value for call in heard.calls for attempt in call.attempts)
    print(dict(outcomes), dict(found), f"{server.most_open} connections")
    assert set(outcomes) <= {"success", "transient", "attempt_timeout"}
