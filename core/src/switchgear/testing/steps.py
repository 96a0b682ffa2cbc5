"""What a fake provider can do with a request: the vocabulary of scripts and of chaos."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import attrs

from switchgear.clock import Clock
from switchgear.results import ProviderResult


@attrs.frozen
class Hang:
    """Never answers, until somebody cancels it."""

    async def wait(self) -> None:
        await asyncio.get_running_loop().create_future()


@attrs.frozen
class Nothing:
    """No step at all; None would be an output."""


HANG: Final = Hang()
NOTHING: Final = Nothing()


@attrs.frozen
class Delay:
    """Takes this many seconds, then does the step `then`."""

    seconds: float
    then: Any = NOTHING


async def perform(step: Any, request: Any, clock: Clock) -> ProviderResult[Any] | None:
    """Do one step: raise an exception, wait out a `Delay`, `HANG`, call a function with the request, or answer.

    What a function returns (or its coroutine) is the step to do. Anything else is an output; a `ProviderResult` is
    copied, so that each answer is a fresh one. None: the step was a `Delay` and nothing else.
    """
    while True:
        match step:
            case BaseException():
                # It may be raised again and again; its traceback must not grow with each time.
                raise step.with_traceback(None)
            case type() if issubclass(step, BaseException):
                raise step
            case Hang():
                await step.wait()
            case Delay():
                await clock.sleep(step.seconds)
                step = step.then
            case Nothing():
                return None
            case ProviderResult():
                return attrs.evolve(step, metadata=dict(step.metadata))
            case Callable():
                step = step(request)  # type: ignore[call-arg]
            case Awaitable():
                step = await step
            case _:
                return ProviderResult(step)
