"""Does anything stay behind? A million calls that end in every way, and what memory and every map hold afterwards.

Time is virtual, so that timeouts and pauses cost none. Memory is what tracemalloc sees, after a collection; calls are
made by workers that are there all the time, and the first calls, which fill what is bounded, come before it starts.
"""

import asyncio
import gc
import random
import time
import tracemalloc
from collections import Counter, deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import attrs
from figures import Section, judged, parser, show
from switchgear import (
    Breaker,
    InvalidResult,
    NotSent,
    Policies,
    ProviderError,
    ProviderManager,
    ProviderResult,
    Rate,
    Retry,
    SimpleProvider,
    StateChange,
    SwitchgearError,
    Throttled,
    Unsupported,
)
from switchgear.durations import Duration
from switchgear.testing import HANG, VirtualClock, run

WORKERS = 50
TARGET_KIB = 64.0
# The share of each kind of request; a fault hits the first provider, and "everybody" both.
KINDS = {
    "success": 0.70,
    "transient": 0.06,
    "transient, everybody": 0.02,
    "not sent": 0.02,
    "timeout": 0.04,
    "throttled": 0.01,
    "unsupported": 0.04,
    "unsupported, everybody": 0.01,
    "refused": 0.04,
    "refused, everybody": 0.01,
    "plugin bug": 0.01,
    "cancelled": 0.04,
}
# Made anew each time: a shared exception would keep its last traceback, and with it a call, alive.
FAULTS: dict[str, Callable[[], Exception]] = {
    "transient": lambda: ProviderError("down"),
    "not sent": lambda: NotSent("refused"),
    "throttled": lambda: Throttled("slow down", retry_after=0.005),
    "unsupported": lambda: Unsupported("not this one"),
    "plugin bug": lambda: TypeError("a defect"),
}


@attrs.define(eq=False)
class MeetsFaults(SimpleProvider[str, str]):
    first: bool = True

    async def process(self, request: str) -> ProviderResult[str]:
        kind, _, whom = request.partition(", ")
        if self.first or whom == "everybody":
            if kind in {"timeout", "cancelled"}:
                await HANG.wait()
            fault = FAULTS.get(kind)
            if fault is not None:
                raise fault()
        return ProviderResult(request if self.first or whom else "good")


class RefusesBad:
    """Turns down what was asked to be turned down."""

    def check(self, request: str, result: ProviderResult[Any]) -> None:
        if result.output.startswith("refused"):
            raise InvalidResult("not good enough", score=0.4)


def manager(clock: VirtualClock, note: Callable[[StateChange], None]) -> ProviderManager[str, str]:
    both = [
        MeetsFaults(name="first", priority=1, timeout=0.5, concurrency=WORKERS),
        MeetsFaults(name="second", priority=2, timeout=0.5, first=False),
    ]
    return ProviderManager(
        both,
        retry=Retry(budget=1_000.0),
        breaker=Breaker(consecutive=25, ratio=0.8, open_for=Duration(0.05), open_cap=Duration(0.1)),
        policies={"second": Policies(rate=Rate(calls=1_000_000, burst=1_000))},
        validators=[RefusesBad()],
        observers=[lambda call: None],
        state_observers=[note],
        clock=clock,
        random=random.Random(1),
    )


@attrs.define
class Traffic:
    """Calls of all kinds, and how they ended."""

    service: ProviderManager[str, str] = attrs.field(init=False)
    dice: random.Random = attrs.Factory(lambda: random.Random(2))
    ends: Counter[str] = attrs.Factory(Counter)
    states: Counter[str] = attrs.Factory(Counter)

    def __attrs_post_init__(self) -> None:
        self.service = manager(VirtualClock(), self._note)

    def _note(self, change: StateChange) -> None:
        self.states[f"{change.provider}: circuit {change.new}"] += 1

    async def send(self, calls: int) -> None:
        kinds = islice(self._kinds(), calls)
        async with asyncio.TaskGroup() as workers:
            for _ in range(WORKERS):
                workers.create_task(self._work(kinds))

    def _kinds(self) -> Iterator[str]:
        names, weights = list(KINDS), list(KINDS.values())
        while True:
            yield from self.dice.choices(names, weights, k=1_000)

    async def _work(self, kinds: Iterator[str]) -> None:
        for kind in kinds:
            try:
                await (self._cancelled() if kind == "cancelled" else self.service.process(kind))
                self.ends["answered"] += 1
            except SwitchgearError as error:
                self.ends[type(error).__name__] += 1
            except asyncio.CancelledError:
                self.ends["cancelled"] += 1

    async def _cancelled(self) -> None:
        call = asyncio.ensure_future(self.service.process("cancelled"))
        await asyncio.sleep(self.dice.random() * 0.01)
        call.cancel()
        await call


def containers(root: Any) -> Counter[str]:
    """How many entries every container has that can be reached from an object of ours, by the way to it.

    Equal ways (`[*]` is each of a list) are added up.
    """
    found = Counter[str]()
    seen: set[int] = set()
    queue = deque([("", root)])
    while queue:
        path, thing = queue.popleft()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, dict | list | set | deque):
            found[path] += len(thing)
        queue.extend((f"{path}{step}", part) for step, part in _parts(thing))
    return found


def _parts(thing: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(thing, dict):
        yield from ((f"[{key!r}]" if isinstance(key, str) else "[*]", value) for key, value in list(thing.items()))
    elif isinstance(thing, list | tuple | set | frozenset | deque):
        yield from (("[*]", value) for value in list(thing))
    elif type(thing).__module__.startswith("switchgear") or type(thing).__module__ == __name__:
        slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
        names = dict.fromkeys([*vars(thing)] if hasattr(thing, "__dict__") else []) | dict.fromkeys(slots)
        yield from ((f".{name}", getattr(thing, name)) for name in names if hasattr(thing, name))


def left_alive() -> Counter[str]:
    """How many of what a call makes are still there."""
    made = {"Call", "Attempt", "ProviderResult", "Refused", "DeadlineScope", "Task", "AllProvidersFailed"}
    return Counter(name for thing in gc.get_objects() if (name := type(thing).__name__) in made)


@attrs.frozen
class State:
    """Memory, maps and live objects at one moment."""

    kib: float
    maps: Counter[str]
    alive: Counter[str]

    @classmethod
    def of(cls, service: ProviderManager[str, str]) -> "State":
        gc.collect()
        kib = tracemalloc.get_traced_memory()[0] / 1024
        return cls(kib, containers(service), left_alive())


async def measure(warm_up: int, calls: int) -> list[Section]:
    traffic = Traffic()
    service = traffic.service
    tracemalloc.start()
    await traffic.send(warm_up)
    before = State.of(service)
    started = time.process_time()
    await traffic.send(calls)
    cpu = time.process_time() - started
    after = State.of(service)
    tracemalloc.stop()
    await service.aclose()
    return [
        _memory(before, after, calls, cpu),
        _maps(before, after),
        _ends(traffic),
    ]


def _memory(before: State, after: State, calls: int, cpu: float) -> Section:
    grown = after.kib - before.kib
    row = {
        "calls": calls,
        "KiB after warm-up": before.kib,
        "KiB at the end": after.kib,
        "grown by KiB": grown,
        "target": TARGET_KIB,
        "verdict": judged(grown, TARGET_KIB),
        "bytes per call": grown * 1024 / calls,
        "CPU s": cpu,
    }
    return Section("Memory", [row])


def _maps(before: State, after: State) -> Section:
    rows = [
        {"what": path, "after warm-up": before.maps[path], "at the end": entries}
        for path, entries in sorted(after.maps.items())
        if entries or before.maps[path]
    ]
    alive = [
        {"what": f"live {name}", "after warm-up": before.alive[name], "at the end": after.alive[name]}
        for name in sorted(before.alive | after.alive)
    ]
    return Section("Entries of every map that is not empty, and live objects", [*rows, *alive])


def _ends(traffic: Traffic) -> Section:
    outcomes = Counter(traffic.states)
    for name, provider in traffic.service.providers.items():
        outcomes.update({f"{name}: {outcome.value}": n for outcome, n in provider.figures.outcomes.items()})
        outcomes[f"{name}: success"] = provider.figures.successes
    ends = [{"how": f"call: {how}", "times": times} for how, times in traffic.ends.most_common()]
    return Section(
        "How calls and attempts ended", [*ends, *({"how": k, "times": n} for k, n in sorted(outcomes.items()))]
    )


def main() -> None:
    options = parser(__doc__).parse_args()
    calls = 50_000 if options.quick else 1_000_000
    show(run(lambda: measure(calls // 10, calls)), options.json)


if __name__ == "__main__":
    main()
