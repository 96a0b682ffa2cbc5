"""The clock that a test moves by hand."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from switchgear.testing import FakeClock


def test_it_stands_still_until_somebody_moves_it() -> None:
    clock = FakeClock(start=5.0)
    assert [clock.monotonic(), clock.monotonic()] == [5.0, 5.0]


def test_advancing_moves_both_clocks() -> None:
    clock = FakeClock(utc=datetime(2030, 1, 1, tzinfo=UTC))
    clock.advance(90)
    assert clock.monotonic() == 90
    assert clock.utc() == datetime(2030, 1, 1, 0, 1, 30, tzinfo=UTC)


def test_stepping_the_calendar_leaves_durations_alone() -> None:
    clock = FakeClock()
    before = clock.utc()
    clock.step_utc(-3600)
    assert clock.monotonic() == 0
    assert before - clock.utc() == timedelta(hours=1)


def test_time_cannot_go_back() -> None:
    with pytest.raises(ValueError, match=r"cannot go back by 1\.5 s"):
        FakeClock().advance(-1.5)


def test_sleeping_moves_time_and_lets_others_run_once() -> None:
    clock = FakeClock()
    ran: list[object] = []

    async def other() -> None:
        ran.append(clock.monotonic())

    async def main() -> None:
        task = asyncio.ensure_future(other())
        await clock.sleep(10)
        ran.append("slept")
        await task

    asyncio.run(main())
    assert ran == [10.0, "slept"]


def test_a_negative_pause_is_none() -> None:
    clock = FakeClock()
    asyncio.run(clock.sleep(-1))
    assert clock.monotonic() == 0
