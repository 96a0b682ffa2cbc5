"""Traffic in virtual time: so many requests a second against a manager, whatever becomes of them."""

import random
from asyncio import TaskGroup
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, Literal

import attrs

from switchgear.errors import SwitchgearError
from switchgear.manager import ProviderManager
from switchgear.provider import AnyProvider
from switchgear.testing.faults import Fault
from switchgear.testing.providers import ChaosProvider, ChaosRule
from switchgear.testing.report import Report, Sent, Served
from switchgear.testing.steps import NOTHING, Delay
from switchgear.testing.virtual import VirtualClock, run

Arrivals = Literal["constant", "poisson"]
Latency = float | Callable[[random.Random], float]

# Which call a provider is asked for: requests are the caller's own, and may be equal.
_call: ContextVar[int] = ContextVar("simulated call", default=-1)


@attrs.frozen(eq=False)
class World:
    """What a simulation happens in: its clock, its dice, and the providers made here, whose traffic it notes."""

    clock: VirtualClock
    seed: int
    sent: dict[str, list[Sent]] = attrs.field(factory=dict, init=False)

    def dice(self, name: str) -> random.Random:
        """One's own: who rolls more often must change nobody else's luck."""
        return random.Random(f"{self.seed}.{name}")

    def provider(
        self, name: str, latency: Latency = 0.1, faults: Sequence[Fault] = (), *, answer: Any = "ok", **settings: Any
    ) -> ChaosProvider:
        """A provider that answers after `latency` seconds (a number, or a function of its dice) between its faults.

        A fault comes instead of the latency, or on top of it. `settings` are those of every provider (`priority`,
        `price`).
        """
        dice = self.dice(name)

        def draw() -> float:
            return latency if isinstance(latency, int | float) else latency(dice)

        rules = [
            ChaosRule(self._noting(name)),
            *(fault.rule(draw) for fault in faults),
            ChaosRule(lambda _: Delay(draw())),
        ]
        return ChaosProvider(answer, rules, random=dice, clock=self.clock, name=name, **settings)

    def manager(self, providers: Sequence[AnyProvider], *args: Any, **settings: Any) -> ProviderManager[Any, Any]:
        """A manager that lives by this world's clock and dice; the settings are those of `ProviderManager`."""
        return ProviderManager(providers, *args, clock=self.clock, random=self.dice("manager"), **settings)

    def _noting(self, name: str) -> Callable[[Any], Any]:
        sent = self.sent.setdefault(name, [])

        def note(_: Any) -> Any:
            sent.append(Sent(self.clock.monotonic(), _call.get()))
            return NOTHING

        return note


def simulate(
    build: Callable[[World], ProviderManager[Any, Any]],
    *,
    rate: float,
    seconds: float,
    arrivals: Arrivals = "constant",
    request: Callable[[int], Any] = int,
    seed: int = 0,
    bucket: float = 1.0,
) -> Report:
    """Send `rate` requests a virtual second for so many `seconds`, and report what became of them.

    The loop is open: a new request comes when its time has come, answered or not the ones before; evenly, or as
    independent callers send them (`poisson`). `build` makes the manager: `world.manager([world.provider("a"), ...])`;
    `request` makes a request from its number. All calls are waited for, and the manager is closed. A call that fails
    with a `SwitchgearError` is counted; any other exception is a bug and comes out.
    """

    async def main() -> Report:
        world = World(VirtualClock(), seed)
        traffic = _Traffic(world.clock, build(world), request)
        await traffic.send_at(_moments(arrivals, rate, seconds, world.dice("arrivals")))
        return Report(sorted(traffic.served, key=lambda call: call.started), world.sent, seconds, bucket)

    return run(main, seed=seed)


@attrs.frozen(eq=False)
class _Traffic:
    clock: VirtualClock
    manager: ProviderManager[Any, Any]
    request: Callable[[int], Any]
    served: list[Served] = attrs.field(factory=list, init=False)

    async def send_at(self, moments: Iterable[float]) -> None:
        async with self.manager, TaskGroup() as calls:
            for number, moment in enumerate(moments):
                await self.clock.sleep(moment - self.clock.monotonic())
                calls.create_task(self._serve(number))

    async def _serve(self, number: int) -> None:
        _call.set(number)
        started = self.clock.monotonic()
        answered_by = None
        with suppress(SwitchgearError):
            answered_by = (await self.manager.process(self.request(number))).provider
        self.served.append(Served(started, self.clock.monotonic() - started, answered_by))


def _moments(arrivals: Arrivals, rate: float, seconds: float, dice: random.Random) -> Iterator[float]:
    if arrivals == "constant":
        yield from (number / rate for number in range(round(rate * seconds)))
        return
    moment = dice.expovariate(rate)
    while moment < seconds:
        yield moment
        moment += dice.expovariate(rate)
