"""Every provider that talks HTTP against every fault: the right outcome, sent once, nothing leaks into its words."""

import asyncio
import functools
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs
import pytest
from switchgear import Outcome, ProviderManager, ProviderStatus, Retry, SwitchgearError
from switchgear.results import Attempt
from switchgear.testing import MemoryObserver
from switchgear_http.testing import FAULTS, Fault, LocalServer

PAGE = Path(__file__).parents[2] / "docs/reference/http-faults.md"
TABLE = re.compile(r"(?<=<!-- table -->\n).*?(?=<!-- end of table -->)", re.DOTALL)

every_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)


@attrs.frozen
class Seen:
    """The only attempt of a call while something goes wrong, and how many requests arrived."""

    attempt: Attempt
    requests: int


@functools.cache
def see(vendor: Any, fault: Fault) -> Seen:
    async def run(url: str) -> Attempt:
        heard = MemoryObserver()
        provider = vendor.make(url)
        # Too short to wait for a vendor that wants fewer requests: there is nobody else to ask.
        manager = ProviderManager([provider], retry=Retry(attempts=1), observers=[heard.call_finished], deadline=0.9)
        async with manager:
            with suppress(SwitchgearError):
                await manager.process(vendor.request)
        (call,) = heard.calls
        (only,) = call.attempts
        return only

    with LocalServer(vendor.app()) as server:
        server.fault = on(vendor.path, fault)
        return Seen(asyncio.run(run(server.url)), len(server.requests(vendor.path)))


def on(path: str, fault: Fault) -> Any:
    """The fault for what arrives there, since some providers ask for something else first; nobody there is for all."""
    return fault if fault.play is None else lambda request: fault if request.path.startswith(path) else None


@every_fault
def test_each_fault_has_the_right_outcome(vendor: Any, fault: Fault) -> None:
    seen = see(vendor, fault)
    assert seen.attempt.outcome is fault.outcome, seen.attempt.message
    assert seen.requests == (0 if fault.outcome is Outcome.NOT_SENT else 1)


@every_fault
def test_no_message_repeats_what_was_asked(vendor: Any, fault: Fault) -> None:
    message = see(vendor, fault).attempt.message or ""
    assert "Good morning" not in message
    assert "<html" not in message


@every_fault
def test_a_health_check_never_raises(vendor: Any, server: LocalServer, fault: Fault) -> None:
    async def run() -> ProviderStatus:
        provider = vendor.make(server.url)
        await provider.aopen()
        try:
            status: ProviderStatus = await provider.health_check()
            return status
        finally:
            await provider.aclose()

    server.fault = fault
    expected = ProviderStatus.AVAILABLE if fault.outcome is Outcome.SUCCESS else ProviderStatus.UNAVAILABLE
    assert asyncio.run(run()) is expected


@pytest.mark.parametrize("name", ["throttled", "throttled-until", "overloaded"])
def test_the_vendors_wish_is_respected(vendor: Any, server: LocalServer, name: str) -> None:
    """The call fails over instead of waiting, and says when asking again may help."""

    async def run() -> float | None:
        async with ProviderManager([vendor.make(server.url)], deadline=5.0) as manager:
            try:
                await manager.process(vendor.request)
            except SwitchgearError as error:
                return getattr(error, "retry_after", None)
        return None

    server.fault = on(vendor.path, FAULTS[name])
    wait = asyncio.run(run())
    assert wait is not None
    assert 100 < wait <= 121


def test_no_provider_that_talks_http_is_left_out(vendors: Any, installed: set[str]) -> None:
    assert set(vendors) == installed


def test_the_documented_table_is_what_happens(vendors: Any) -> None:
    page = PAGE.read_text("utf-8")
    documented = TABLE.search(page)
    assert documented is not None
    found = table(vendors)
    assert documented.group() == found, f"put this into {PAGE}:\n{found}"


def table(vendors: Any) -> str:
    names = [name.partition(".")[2] for name in vendors]
    lines = [f"| what goes wrong | {' | '.join(names)} |", f"| --- {'| --- ' * len(names)}|"]
    for fault in FAULTS.values():
        cells = [see(vendor, fault).attempt.outcome.value for vendor in vendors.values()]
        lines.append(f"| {fault.description} | {' | '.join(f'`{each}`' for each in cells)} |")
    return "\n".join([*lines, ""])
