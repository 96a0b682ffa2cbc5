"""What a call through a `ProviderManager` costs over awaiting its provider: CPU time, and memory while in flight."""

import asyncio
import random
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import attrs
from figures import Row, Section, judged, parser, show
from measure import MICRO, Case, Effort, calling, cpu_us, plain_us
from switchgear import (
    Breaker,
    CircuitBreaker,
    InvalidInput,
    Policies,
    ProviderError,
    ProviderManager,
    ProviderResult,
    Rate,
    Retry,
    SimpleProvider,
    SystemClock,
    Unsupported,
)
from switchgear.durations import Duration

REQUEST = "request"
NEVER = 1_000_000_000
NEVER_OPENS = Breaker(consecutive=NEVER, min_calls=NEVER)
OPENS_FOR_LONG = Breaker(consecutive=1, open_for=Duration(10_000.0), open_cap=Duration(10_000.0))

AT_ONCE = "answers at once"
DEFAULT = "manager, all defaults (deadline, breaker, retry)"
BULKHEAD = "the same and a bulkhead"
EVERYTHING = "the same and a timeout, a rate limit, a validator, an observer"
NO_TIMER = "no deadline, so no timer"
NO_TIMER_BULKHEAD = "no deadline, with a bulkhead"
NO_BREAKER = "breaker switched off"
PLAIN = "strategy, figures, a look at the input; no timer, breaker or retry"
UNSUPPORTED = "the first provider raises Unsupported"
FAILING = "the first provider raises ProviderError, no retry"
OPEN = "the first provider's circuit is open"

# Microseconds over the provider alone, or over a call without the hop.
TARGETS = {PLAIN: 6.0, DEFAULT: 10.0, BULKHEAD: 10.0, NO_TIMER: 7.0, NO_TIMER_BULKHEAD: 7.0}
HOP_TARGETS = {UNSUPPORTED: 20.0, FAILING: 20.0, OPEN: 3.0}
BREAKER_TARGET = 3.0
SYNC_TARGET = 1.3
BYTES_TARGET = 4096.0


@attrs.define(eq=False)
class Answers(SimpleProvider[Any, str]):
    async def process(self, request: Any) -> ProviderResult[str]:
        return ProviderResult("answer")


@attrs.define(eq=False)
class Looks(Answers):
    def validate_input(self, request: Any) -> None:
        if not request:
            raise InvalidInput("empty")


@attrs.define(eq=False)
class Raises(SimpleProvider[Any, str]):
    error: type[ProviderError] = ProviderError

    async def process(self, request: Any) -> ProviderResult[str]:
        raise self.error("no")


@attrs.define(eq=False)
class Waits(SimpleProvider[Any, str]):
    gate: asyncio.Event = attrs.field(factory=asyncio.Event)

    async def process(self, request: Any) -> ProviderResult[str]:
        await self.gate.wait()
        return ProviderResult("answer")


class Accepts:
    def check(self, request: Any, result: ProviderResult[Any]) -> None:
        pass


def two(**settings: Any) -> list[Answers]:
    return [Answers(name="first", **settings), Answers(name="second", **settings)]


def plain() -> ProviderManager[Any, str]:
    return ProviderManager(
        [Looks(name="first"), Looks(name="second")],
        deadline=None,
        breaker=Breaker(enabled=False),
        retry=Retry(attempts=1),
    )


def everything() -> ProviderManager[Any, str]:
    rate = Rate(calls=NEVER, burst=NEVER)
    policies = Policies(rate=rate)
    return ProviderManager(
        two(concurrency=8, timeout=10.0),
        policies={"first": policies, "second": policies},
        validators=[Accepts()],
        observers=[lambda call: None],
    )


def hopping(first: SimpleProvider[Any, str], **settings: Any) -> ProviderManager[Any, str]:
    return ProviderManager([first, Answers(name="second")], **settings)


def call_cases() -> dict[str, Case]:
    managers: dict[str, ProviderManager[Any, str]] = {
        PLAIN: plain(),
        DEFAULT: ProviderManager(two()),
        BULKHEAD: ProviderManager(two(concurrency=8)),
        EVERYTHING: everything(),
        NO_TIMER: ProviderManager(two(), deadline=None),
        NO_TIMER_BULKHEAD: ProviderManager(two(concurrency=8), deadline=None),
        NO_BREAKER: ProviderManager(two(), breaker=Breaker(enabled=False)),
        UNSUPPORTED: hopping(Raises(name="first", error=Unsupported)),
        FAILING: hopping(Raises(name="first"), retry=Retry(attempts=1), breaker=NEVER_OPENS),
        OPEN: hopping(Raises(name="first"), retry=Retry(attempts=1), breaker=OPENS_FOR_LONG),
    }
    cases = {AT_ONCE: calling(Answers(name="alone").process)}
    return cases | {name: calling(manager.process) for name, manager in managers.items()}


def call_sections(effort: Effort) -> list[Section]:
    spent = cpu_us(call_cases(), effort)
    direct, default = spent[AT_ONCE], spent[DEFAULT]
    calls = [_row(name, spent[name], direct, TARGETS.get(name)) for name in spent if name not in HOP_TARGETS]
    hops = [_row(name, spent[name], default, target) for name, target in HOP_TARGETS.items()]
    return [
        Section("One call: CPU us, and over awaiting the provider directly", calls),
        Section("One fallback: CPU us, and over a call that needs none", hops),
    ]


def _row(name: str, spent: float, base: float, target: float | None) -> Row:
    over = spent - base
    return {"case": name, "us": spent, "over": over, "target": target, "verdict": judged(over, target)}


def breaker_section(effort: Effort) -> Section:
    closed, opened = (CircuitBreaker(OPENS_FOR_LONG, SystemClock(), random.Random(1)) for _ in range(2))
    opened.record_failure(opened.acquire())
    assert opened.is_open()
    assert not closed.is_open()
    measured = {
        "closed: acquire, record_success": plain_us(lambda: closed.record_success(closed.acquire()), effort),
        "open: is_open": plain_us(opened.is_open, effort),
        "open: acquire": plain_us(opened.acquire, effort),
        "open: is_open, acquire": plain_us(lambda: (opened.is_open(), opened.acquire()), effort),
    }
    rows = [
        {"case": name, "us": spent, "target": BREAKER_TARGET, "verdict": judged(spent, BREAKER_TARGET)}
        for name, spent in measured.items()
    ]
    return Section("The circuit breaker alone: CPU us", rows)


def sync_section(effort: Effort) -> Section:
    """Wall and CPU time of a blocking call, beside the cheapest way there is from a thread to a loop."""
    with_home = ProviderManager(two())
    with_home.process_sync(REQUEST)
    loop = with_home._home.loop
    assert loop is not None

    async def nothing() -> None:
        pass

    measured = _alternating(
        {
            "bare hand-over": lambda: asyncio.run_coroutine_threadsafe(nothing(), loop).result(),
            "process_sync": lambda: with_home.process_sync(REQUEST),
        },
        effort,
    )
    with_home.close()
    bare = measured["bare hand-over"]
    rows = [_sync_row(name, figures, bare) for name, figures in measured.items()]
    return Section(f"A blocking call; target: wall <= {SYNC_TARGET} x the bare hand-over", rows)


def _sync_row(name: str, figures: tuple[float, float], bare: tuple[float, float]) -> Row:
    wall, cpu = figures
    ratio = wall / bare[0]
    verdict = "" if figures is bare else judged(ratio, SYNC_TARGET)
    return {
        "case": name,
        "wall us": wall,
        "CPU us": cpu,
        "wall ratio": ratio,
        "CPU ratio": cpu / bare[1],
        "verdict": verdict,
    }


def _alternating(cases: dict[str, Callable[[], Any]], effort: Effort) -> dict[str, tuple[float, float]]:
    """The best wall and the best CPU microseconds per call, all threads counted."""
    calls = effort.calls(50 / MICRO)
    best = dict.fromkeys(cases, (float("inf"), float("inf")))
    for _ in range(effort.rounds):
        for name, function in cases.items():
            wall, cpu = time.perf_counter(), time.process_time()
            for _ in range(calls):
                function()
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            known = best[name]
            best[name] = (
                min(known[0], wall / calls * MICRO),
                min(known[1], cpu / calls * MICRO),
            )
    return best


def memory_section(calls: int) -> Section:
    alone = Waits(name="alone")
    guarded = Waits(name="guarded")
    direct = asyncio.run(_bytes_per_call(alone.process, alone.gate, calls))
    bare = ProviderManager([guarded])
    managed = asyncio.run(_bytes_per_call(bare.process, guarded.gate, calls))
    rows = [
        _bytes_row("a task that awaits the provider", direct, None),
        _bytes_row("a task that awaits the manager", managed, BYTES_TARGET),
        _bytes_row("the difference", managed - direct, BYTES_TARGET),
    ]
    return Section(f"Memory per call in flight ({calls:,} suspended in the provider)", rows)


def _bytes_row(name: str, measured: float, target: float | None) -> Row:
    return {"case": name, "bytes": round(measured), "target": target, "verdict": judged(measured, target)}


async def _bytes_per_call(process: Callable[[Any], Any], gate: asyncio.Event, calls: int) -> float:
    async def settle() -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    warm_up = [asyncio.ensure_future(process(REQUEST)) for _ in range(10)]
    await settle()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tasks = [asyncio.ensure_future(process(REQUEST)) for _ in range(calls)]
    await settle()
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    gate.set()
    await asyncio.gather(*tasks, *warm_up)
    return used / calls


def main() -> None:
    options = parser(__doc__).parse_args()
    effort = Effort.of(options.quick)
    sections = [
        *call_sections(effort),
        breaker_section(effort),
        sync_section(effort),
        memory_section(1_000 if options.quick else 10_000),
    ]
    show(sections, options.json)


if __name__ == "__main__":
    main()
