"""The same work by other libraries: retry, circuit breaker and fallback over two providers, CPU time per call.

Switchgear does more in its call (a deadline, a record of the attempts, figures, a retry budget); nothing of that is
switched off. LangChain has no breaker, LiteLLM's is its cool-down. No case pauses between attempts.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from importlib.metadata import version
from typing import Any

import attrs
from figures import Section, parser, show
from measure import Case, Effort, calling, cpu_us
from switchgear import Breaker, ProviderError, ProviderManager, ProviderResult, Retry, SimpleProvider

Ask = Callable[[Any], Awaitable[str]]

NEVER = 1_000_000_000
OURS = "switchgear, all defaults"


class DownError(Exception):
    """What a failing provider raises, for everybody else."""


@attrs.frozen
class Job:
    """Two providers; the first answers, or fails each time: then it is asked once, and its circuit stays closed."""

    first_answers: bool

    @property
    def attempts(self) -> int:
        return 3 if self.first_answers else 1

    @property
    def threshold(self) -> int:
        return 5 if self.first_answers else NEVER

    @property
    def first(self) -> Ask:
        return answers if self.first_answers else fails

    @property
    def second(self) -> Ask:
        return answers


async def answers(request: Any) -> str:
    return "answer"


async def fails(request: Any) -> str:
    raise DownError


@attrs.define(eq=False)
class Asks(SimpleProvider[Any, str]):
    works: bool = True

    async def process(self, request: Any) -> ProviderResult[str]:
        if not self.works:
            raise ProviderError("down")
        return ProviderResult("answer")


def switchgear(job: Job) -> Case:
    return calling(_manager(job).process)


def switchgear_without_deadline(job: Job) -> Case:
    return calling(_manager(job, deadline=None).process)


def _manager(job: Job, **settings: Any) -> ProviderManager[Any, str]:
    return ProviderManager(
        [Asks(name="first", works=job.first_answers), Asks(name="second")],
        retry=Retry(attempts=job.attempts),
        breaker=Breaker(consecutive=job.threshold, min_calls=10 if job.first_answers else NEVER),
        **settings,
    )


def by_hand(job: Job, wrap: Callable[[Ask], Ask] = lambda ask: ask) -> Case:
    """As little as one can write that still retries, opens a circuit and falls back."""
    asks = wrap(job.first), wrap(job.second)
    failures, open_until = [0, 0], [0.0, 0.0]

    async def process(request: Any) -> str:
        error: DownError | None = None
        for number, ask in enumerate(asks):
            for _ in range(job.attempts):
                if failures[number] >= job.threshold and time.monotonic() < open_until[number]:
                    break
                try:
                    answer = await ask(request)
                except DownError as raised:
                    error = raised
                    failures[number] += 1
                    open_until[number] = time.monotonic() + 5.0
                else:
                    failures[number] = 0
                    return answer
        raise DownError from error

    return calling(process)


def by_hand_with_timeout(job: Job) -> Case:
    """The same, with the deadline that ours has: `asyncio.timeout` around each attempt."""

    def timed(ask: Ask) -> Ask:
        async def attempt(request: Any) -> str:
            async with asyncio.timeout(60.0):
                return await ask(request)

        return attempt

    return by_hand(job, timed)


def tenacity_aiobreaker(job: Job) -> Case:
    from aiobreaker import CircuitBreaker
    from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

    def guarded(ask: Ask) -> Ask:
        breaker = CircuitBreaker(fail_max=job.threshold, timeout_duration=timedelta(seconds=5))

        @retry(
            retry=retry_if_exception_type(DownError),
            stop=stop_after_attempt(job.attempts),
            wait=wait_random_exponential(0.1, max=20),
            reraise=True,
        )
        async def attempt(request: Any) -> str:
            answer: str = await breaker.call_async(ask, request)
            return answer

        return attempt

    return calling(_one_or_the_other(guarded(job.first), guarded(job.second)))


def stamina_purgatory(job: Job) -> Case:
    import stamina
    from purgatory import AsyncCircuitBreakerFactory

    factory = AsyncCircuitBreakerFactory(default_threshold=job.threshold, default_ttl=5)

    def guarded(name: str, ask: Ask) -> Ask:
        @stamina.retry(on=DownError, attempts=job.attempts)
        async def attempt(request: Any) -> str:
            async with await factory.get_breaker(name):
                return await ask(request)

        return attempt

    return calling(_one_or_the_other(guarded("first", job.first), guarded("second", job.second)))


def hyx(job: Job) -> Case:
    from hyx.circuitbreaker import consecutive_breaker
    from hyx.fallback import fallback
    from hyx.retry import retry
    from hyx.retry.exceptions import MaxAttemptsExceeded

    def guarded(ask: Ask) -> Ask:
        breaker = consecutive_breaker(exceptions=(DownError,), failure_threshold=job.threshold, recovery_time_secs=5)
        again = retry(on=DownError, attempts=job.attempts - 1, backoff=0.1)  # it counts retries
        return again(breaker(ask))  # type: ignore[no-any-return]

    second = guarded(job.second)

    async def handler(outcome: Any, request: Any) -> str:
        return await second(request)

    return calling(fallback(handler, on=(DownError, MaxAttemptsExceeded))(guarded(job.first)))


def langchain(job: Job) -> Case:
    from langchain_core.runnables import RunnableLambda

    def guarded(ask: Ask) -> Any:
        return RunnableLambda(ask).with_retry(
            retry_if_exception_type=(DownError,), stop_after_attempt=job.attempts, wait_exponential_jitter=True
        )

    chain = guarded(job.first).with_fallbacks([guarded(job.second)], exceptions_to_handle=(DownError,))
    return calling(chain.ainvoke)


def litellm(job: Job) -> Case:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or it asks the network when it is imported
    from litellm import Router

    def deployment(name: str, mock: str) -> dict[str, Any]:
        return {"model_name": name, "litellm_params": {"model": "openai/x", "api_key": "x", "mock_response": mock}}

    first = "answer" if job.first_answers else "litellm.InternalServerError"
    router = Router(
        model_list=[deployment("first", first), deployment("second", "answer")],
        fallbacks=[{"first": ["second"]}],
        num_retries=job.attempts - 1,
        disable_cooldowns=not job.first_answers,
    )
    messages = [{"role": "user", "content": "request"}]

    async def process(request: Any) -> Any:
        return await router.acompletion(model="first", messages=messages)

    return calling(process)


@attrs.frozen
class Peer:
    """How somebody does the job, and the packages that takes."""

    title: str
    build: Callable[[Job], Case]
    packages: tuple[str, ...] = ()


PEERS = [
    Peer(OURS, switchgear),
    Peer("switchgear, no deadline", switchgear_without_deadline),
    Peer("a lean loop by hand", by_hand),
    Peer("the same with asyncio.timeout", by_hand_with_timeout),
    Peer("tenacity + aiobreaker", tenacity_aiobreaker, ("tenacity", "aiobreaker")),
    Peer("stamina + purgatory", stamina_purgatory, ("stamina", "purgatory")),
    Peer("hyx", hyx, ("hyx",)),
    Peer("LangChain with_retry, with_fallbacks", langchain, ("langchain-core",)),
    Peer("LiteLLM Router, mocked answers", litellm, ("litellm",)),
]


def _one_or_the_other(first: Ask, second: Ask) -> Ask:
    async def process(request: Any) -> str:
        try:
            return await first(request)
        except DownError:
            return await second(request)

    return process


def section(title: str, job: Job, effort: Effort) -> Section:
    cases: dict[str, Case] = {}
    missing: dict[str, str] = {}
    for peer in PEERS:
        try:
            cases[peer.title] = peer.build(job)
        except ImportError as error:
            missing[peer.title] = f"not installed: {error.name}"
    spent = cpu_us(cases, effort)
    ours = spent[OURS]
    rows = []
    for peer in PEERS:
        row = {"how": peer.title, "versions": ", ".join(version(name) for name in _installed(peer, missing))}
        if peer.title in missing:
            rows.append(row | {"versions": missing[peer.title]})
        else:
            rows.append(row | {"CPU us": spent[peer.title], "times ours": spent[peer.title] / ours})
    return Section(title, rows)


def _installed(peer: Peer, missing: dict[str, str]) -> tuple[str, ...]:
    return () if peer.title in missing else peer.packages


def main() -> None:
    options = parser(__doc__).parse_args()
    effort = Effort.of(options.quick)
    sections = [
        section("The first provider answers", Job(first_answers=True), effort),
        section("The first provider fails, the second answers", Job(first_answers=False), effort),
    ]
    show(sections, options.json)


if __name__ == "__main__":
    main()
