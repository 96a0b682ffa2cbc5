"""Providers that do as they are told."""

import asyncio
import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from switchgear import (
    InvalidInput,
    PluginBug,
    Price,
    ProviderError,
    ProviderManager,
    ProviderResult,
    ProviderStatus,
    SimpleProvider,
    Throttled,
)
from switchgear.testing import (
    HANG,
    NOTHING,
    Between,
    ChaosProvider,
    ChaosRule,
    Delay,
    Every,
    FakeClock,
    ScriptedProvider,
    VirtualClock,
    run,
)


def ask(provider: SimpleProvider[Any, Any], *requests: Any) -> list[Any]:
    """Outputs, or the errors in their place."""

    async def main() -> list[Any]:
        answers: list[Any] = []
        for request in requests or ["request"]:
            try:
                answers.append((await provider.process(request)).output)
            except ProviderError as error:
                answers.append(error)
        return answers

    return run(main)


def test_a_script_is_played_step_by_step_and_its_last_step_repeats() -> None:
    down = ProviderError("down")
    provider = ScriptedProvider([down, "ok", "still ok"])
    assert ask(provider, 1, 2, 3, 4) == [down, "ok", "still ok", "still ok"]
    assert provider.requests == [1, 2, 3, 4]
    assert provider.calls == 4


def test_a_script_that_is_over_can_fail_instead() -> None:
    provider = ScriptedProvider(["only"], then="fail")
    _, error = ask(provider, 1, 2)
    assert isinstance(error, PluginBug)
    assert str(error) == "asked 2 times, but the script has 1 steps"


def test_an_empty_script_must_never_be_asked() -> None:
    assert isinstance(ask(ScriptedProvider([]))[0], PluginBug)


def test_an_error_class_is_raised_too() -> None:
    assert isinstance(ask(ScriptedProvider([Throttled]))[0], Throttled)


def test_an_error_raised_again_and_again_keeps_a_short_traceback() -> None:
    error = ProviderError("down")
    lengths = []
    provider = ScriptedProvider([error])
    for _ in range(3):
        ask(provider)
        traceback, length = error.__traceback__, 0
        while traceback:
            traceback, length = traceback.tb_next, length + 1
        lengths.append(length)
    assert len(set(lengths)) == 1


def test_a_result_is_handed_out_as_a_fresh_copy() -> None:
    step = ProviderResult("ok", usage={"pages": Decimal(3)}, metadata={"a": 1})
    provider = ScriptedProvider([step])

    async def main() -> tuple[ProviderResult[Any], ProviderResult[Any]]:
        return await provider.process("x"), await provider.process("x")

    one, other = run(main)
    assert one == other == step
    assert len({id(one), id(other), id(step)}) == 3
    assert one.metadata is not other.metadata


def test_a_function_gets_the_request_and_gives_the_step() -> None:
    provider = ScriptedProvider([lambda request: ProviderError("odd") if request % 2 else request * 10])
    even, odd = ask(provider, 2, 3)
    assert even == 20
    assert str(odd) == "odd"


def test_an_async_function_can_be_a_step() -> None:
    async def step(request: str) -> str:
        await asyncio.sleep(5)
        return request.upper()

    assert ask(ScriptedProvider([step]), "a") == ["A"]


def test_a_delay_takes_its_time_and_then_answers() -> None:
    clock = FakeClock()
    assert ask(ScriptedProvider([Delay(2.0, "ok")], clock=clock)) == ["ok"]
    assert clock.monotonic() == 2.0


def test_on_a_virtual_loop_a_delay_needs_no_clock() -> None:
    async def main() -> float:
        await ScriptedProvider([Delay(2.0, Delay(3.0, "ok"))]).process("x")
        return asyncio.get_running_loop().time()

    assert run(main) == 5.0


def test_a_hang_lasts_until_it_is_cancelled() -> None:
    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3600):
                await ScriptedProvider([HANG]).process("x")
        return asyncio.get_running_loop().time()

    assert run(main) == 3600


def test_scripted_providers_work_behind_a_manager() -> None:
    async def main() -> ProviderResult[Any]:
        first = ScriptedProvider([ProviderError("down")], name="first", priority=1)
        second = ScriptedProvider(["ok"], name="second", priority=2)
        manager: ProviderManager[Any, Any] = ProviderManager([first, second], clock=VirtualClock())
        try:
            return await manager.process("x")
        finally:
            await manager.aclose()

    assert run(main).provider == "second"


@pytest.mark.parametrize(
    ("schedule", "moments"),
    [
        (Between(2, 4), [2, 3]),
        (Between(end=3), [0, 1, 2]),
        (Between(start=5), [5, 6, 7]),
        (Every(3, 1), [0, 3, 6]),
        (Every(4, 2, start=1, end=6), [1, 2, 5]),
    ],
)
def test_a_schedule_includes_its_start_and_not_its_end(schedule: Any, moments: Sequence[int]) -> None:
    assert [moment for moment in range(8) if schedule(moment)] == moments


def chaos(*rules: ChaosRule, seed: int = 0, clock: FakeClock | None = None, **settings: Any) -> ChaosProvider:
    return ChaosProvider("ok", rules, random=random.Random(seed), clock=clock or FakeClock(), **settings)


def test_without_rules_chaos_answers() -> None:
    assert ask(chaos()) == ["ok"]


def test_rules_apply_by_the_clock() -> None:
    clock = FakeClock()
    provider = chaos(ChaosRule(ProviderError("down"), when=Between(10, 20)), clock=clock)
    answers = []
    for _ in range(3):
        answers += ask(provider)
        clock.advance(10)
    assert [str(answer) for answer in answers] == ["ok", "down", "ok"]


def test_a_rate_hits_that_share_and_the_seed_says_whom() -> None:
    def hits(seed: int) -> list[bool]:
        answers = ask(chaos(ChaosRule(ProviderError("down"), rate=0.3), seed=seed), *range(1000))
        return [answer == "ok" for answer in answers]

    assert hits(1) == hits(1) != hits(2)
    assert hits(1).count(False) == pytest.approx(300, abs=50)


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_rate_is_a_share(rate: float) -> None:
    with pytest.raises(ValueError, match="rate"):
        ChaosRule(HANG, rate=rate)


def test_latency_comes_on_top_of_what_follows() -> None:
    clock = FakeClock()
    provider = chaos(ChaosRule(Delay(1.0)), ChaosRule(Delay(0.5)), ChaosRule("garbage"), clock=clock)
    assert ask(provider) == ["garbage"]
    assert clock.monotonic() == 1.5


def test_a_function_may_let_a_request_pass() -> None:
    rule = ChaosRule(lambda request: NOTHING if request < 2 else ProviderError("too many"))
    answers = ask(chaos(rule), 1, 2)
    assert [str(answer) for answer in answers] == ["ok", "too many"]


def test_chaos_in_front_of_a_provider_is_that_provider_otherwise() -> None:
    class Picky(ScriptedProvider):
        def validate_input(self, request: Any) -> None:
            raise InvalidInput("no")

        async def health_check(self) -> ProviderStatus:
            return ProviderStatus.DEGRADED

    inner = Picky(["inner"], name="picky", price=Price(per_call=Decimal(2)))
    provider = ChaosProvider(inner)
    assert ask(provider) == ["inner"]
    assert (provider.name, provider.price, provider.estimate_cost("x")) == ("picky", inner.price, Decimal(2))
    assert asyncio.run(provider.health_check()) is ProviderStatus.DEGRADED
    with pytest.raises(InvalidInput):
        provider.validate_input("x")
