"""Cancels a scenario at each of its awaits in turn, and looks at what that leaves behind."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Literal

import attrs

from switchgear.testing.virtual import VirtualLoop, place_of, run, settle

Moment = Literal["as it waits", "as it is granted"]

_MOMENTS: tuple[Moment, ...] = ("as it waits", "as it is granted")
_NEVER = 0


def cancel_at_every_await(
    scenario: Callable[[], Coroutine[Any, Any, object]], check: Callable[[], object] = lambda: None, *, seed: int = 0
) -> int:
    """Run the scenario again and again, cancelled at its 1st, 2nd, ... last suspension; gives their number.

    Each run has a fresh `VirtualLoop`, and each suspension two: cancelled while it waits, and in the very tick in which
    what it waits for is there, when a slot is granted and nobody takes it. Afterwards `check()` (plain or async) is
    called on the same loop: close what must be closed, assert that every gauge is zero. The first run is not cancelled.

    Raises `AssertionError` if the scenario swallows the cancellation, or if a task or a timer is still there after the
    check; a note on the error says where the scenario was cancelled.
    """
    suspensions = _Cut(_NEVER, "as it waits").apply(scenario, check, seed)
    for number in range(1, suspensions + 1):
        for moment in _MOMENTS:
            _Cut(number, moment).apply(scenario, check, seed)
    return suspensions


@attrs.define
class _Cut:
    """One run, cancelled at one suspension."""

    suspension: int
    moment: Moment
    place: str = ""
    delivered: bool = False
    seen: int = 0

    def apply(self, scenario: Callable[[], Coroutine[Any, Any, object]], check: Callable[[], object], seed: int) -> int:
        """Run and check; gives the number of suspensions."""

        async def main() -> None:
            task = asyncio.ensure_future(self._drive(scenario()))
            await asyncio.wait([task])
            self._check_end(task)
            await settle()
            verdict = check()
            if inspect.isawaitable(verdict):
                await verdict
            await _check_timers()

        try:
            run(main, seed=seed)
        # It goes on as it is; all it lacks is where.
        except Exception as error:
            if self.place:
                error.add_note(f"cancelled at suspension {self.suspension}, {self.moment}, in {self.place}")
            raise
        return self.seen

    async def _drive(self, scenario: Coroutine[Any, Any, object]) -> object:
        return await _Stepwise(scenario, self._suspended)

    def _suspended(self, scenario: Coroutine[Any, Any, object], awaited: Any) -> None:
        self.seen += 1
        if self.seen != self.suspension:
            return
        self.place = place_of(scenario)
        task = asyncio.current_task()
        assert task is not None

        def cancel(_: object = None) -> None:
            self.delivered = task.cancel() or self.delivered

        if self.moment == "as it is granted" and asyncio.isfuture(awaited):
            # Before the task itself asks to be told: so the cancel comes after the grant and before the waking.
            awaited.add_done_callback(cancel)
        else:
            asyncio.get_running_loop().call_soon(cancel)

    def _check_end(self, task: "asyncio.Task[object]") -> None:
        if not self.delivered:
            task.result()
        elif not task.cancelled():
            error = task.exception()
            ended = "returned" if error is None else f"raised {type(error).__name__}"
            raise AssertionError(f"the scenario swallowed the cancellation and {ended}") from error


class _Stepwise(Awaitable[object]):
    """Awaits a coroutine and reports each of its suspensions, with what it waits for."""

    def __init__(
        self, inner: Coroutine[Any, Any, object], suspended: Callable[[Coroutine[Any, Any, object], Any], None]
    ) -> None:
        self._inner = inner
        self._suspended = suspended

    def __await__(self) -> Generator[Any, Any, object]:
        resume, value = self._inner.send, None
        while True:
            try:
                awaited = resume(value)
            except StopIteration as stop:
                return stop.value
            self._suspended(self._inner, awaited)
            try:
                value = yield awaited
                resume = self._inner.send
            # Whatever is thrown in here, cancellation above all, is meant for the scenario.
            except BaseException as error:
                value, resume = error, self._inner.throw


async def _check_timers() -> None:
    if await settle():
        return  # each may have a timer of its own; `run` reports the tasks
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    assert loop.timers == 0, f"{loop.timers} timers are still set"
