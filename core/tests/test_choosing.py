"""Whom a manager asks, what it makes of the answers, and how it says so beforehand."""

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import attrs
import pytest
from switchgear import (
    AllProvidersFailed,
    BadCredentials,
    Breaker,
    Call,
    Health,
    InvalidInput,
    InvalidResult,
    Outcome,
    Plan,
    Policies,
    Price,
    ProviderError,
    ProviderManager,
    ProviderResult,
    ProviderStatus,
    Rate,
    Retry,
    SelectionStrategy,
    Switchgear,
    Throttled,
    Unsupported,
    UsageError,
)
from switchgear.testing import Delay, ScriptedProvider, VirtualClock, run

Manager = ProviderManager[Any, Any]


def scripted(name: str, *script: Any, **settings: Any) -> ScriptedProvider:
    return ScriptedProvider(list(script) or [name], name=name, **settings)


def asked(board: Manager, **options: Any) -> str:
    return run(lambda: board.process("x", **options)).provider


def build(*providers: Any, **settings: Any) -> Manager:
    return ProviderManager(providers, retry=Retry(attempts=1), **settings)


@pytest.mark.parametrize(
    ("strategy", "first"),
    [("priority", "b"), ("quality", "a"), ("cost", "c"), (SelectionStrategy.COST, "c"), ("speed", "b")],
)
def test_each_strategy_has_its_favourite(strategy: Any, first: str) -> None:
    board = build(
        scripted("a", priority=2, quality_score=0.9, price=Price(Decimal("0.2"))),
        scripted("b", priority=1, quality_score=0.5),
        scripted("c", priority=3, quality_score=0.1, price=Price(Decimal("0.1"))),
        strategy=strategy,
    )
    assert board.explain("x").rows[0].provider == first
    assert asked(board) == first


def test_round_robin_gives_everybody_a_turn_and_explaining_takes_none() -> None:
    async def scenario() -> list[str]:
        board = build(scripted("a"), scripted("b"), scripted("c"), strategy="round-robin")
        names = []
        for _ in range(6):
            board.explain("x")
            names.append((await board.process("x")).provider)
        return names

    assert run(scenario) == ["a", "b", "c", "a", "b", "c"]


class Broken:
    def order(self, candidates: Sequence[Any]) -> Any:
        raise RuntimeError("no")


class Doubling:
    def order(self, candidates: Sequence[Any]) -> Any:
        return [candidates[0], candidates[0]]


@pytest.mark.parametrize("strategy", [Broken(), Doubling()])
def test_s17_a_strategy_that_breaks_or_lies_leaves_the_configured_order(strategy: Any) -> None:
    assert asked(build(scripted("a"), scripted("b"), strategy=strategy)) == "a"


def test_an_unknown_strategy_names_the_built_in_ones() -> None:
    with pytest.raises(UsageError, match="round-robin"):
        build(scripted("a"), strategy="fastest")


def test_the_caller_can_name_and_leave_out_providers() -> None:
    board = build(scripted("a"), scripted("b"))
    assert run(lambda: board.process("x", exclude=["a"])).provider == "b"
    with pytest.raises(UsageError, match="no provider c"):
        asked(build(scripted("a")), only=["c"])


@attrs.define
class Picky(ScriptedProvider):
    def validate_input(self, request: Any) -> None:
        raise Unsupported("too large")


@attrs.define
class Confused(ScriptedProvider):
    def validate_input(self, request: Any) -> None:
        raise RuntimeError("secret content")


def test_s17_invalid_input_is_raised_only_when_every_candidate_refuses() -> None:
    assert asked(build(Picky(["a"], name="a"), scripted("b"))) == "b"
    assert asked(build(Confused(["a"], name="a"), scripted("b"))) == "b"
    with pytest.raises(InvalidInput, match="too large"):
        asked(build(Picky(["a"], name="a"), Picky(["b"], name="b")))
    row = build(Picky(["a"], name="a"), scripted("b")).explain("x").rows[-1]
    assert (row.provider, row.rank, row.kept, row.reason) == ("a", None, False, "too large")


def unavailable(name: str) -> ScriptedProvider:
    provider = scripted(name)
    provider.status = ProviderStatus.UNAVAILABLE
    return provider


DROPPED: dict[str, tuple[Callable[[], ScriptedProvider], str]] = {
    "unavailable": (lambda: unavailable("a"), "unavailable"),
    "open": (lambda: scripted("a", ProviderError("down")), "circuit open"),
    "throttled": (lambda: scripted("a", Throttled("wait", retry_after=60.0)), "throttled"),
    "misconfigured": (lambda: scripted("a", BadCredentials("HTTP 401")), "misconfigured: credentials or quota"),
    "over its rate": (lambda: scripted("a"), "rate limit"),
    "refused": (lambda: Picky(["a"], name="a"), "too large"),
}


@pytest.mark.parametrize("kind", DROPPED)
def test_s17_who_drops_out_does_so_with_its_reason_in_the_plan_and_in_the_record(kind: str) -> None:
    make, reason = DROPPED[kind]

    async def scenario() -> tuple[Plan, Call]:
        calls: list[Call] = []
        policies = Policies(retry=Retry(attempts=1), breaker=Breaker(consecutive=1), rate=Rate(calls=1))
        first = make()
        limited = {"a": policies if kind == "over its rate" else attrs.evolve(policies, rate=None)}
        board = build(first, scripted("b"), policies=limited, observers=[calls.append], clock=VirtualClock())
        if kind not in {"unavailable", "refused"}:
            await board.process("the one that drops it")
        plan, sent = board.explain("x"), first.calls
        await board.process("x")
        assert first.calls == sent
        return plan, calls[-1]

    plan, call = run(scenario)
    assert [(row.provider, row.kept, row.reason) for row in plan.rows] == [("b", True, ""), ("a", False, reason)]
    assert [(each.provider, each.kept, each.reason) for each in call.candidates] == [
        ("a", False, reason),
        ("b", True, ""),
    ]


def test_an_unavailable_provider_is_passed_over_and_probed_when_alone() -> None:
    assert asked(build(unavailable("a"), scripted("b"))) == "b"
    assert asked(build(unavailable("a"))) == "a"


@attrs.define
class AtLeast:
    length: int

    def check(self, request: Any, result: ProviderResult[Any]) -> None:
        if len(result.output) < self.length:
            raise InvalidResult(f"{len(result.output)} letters", score=len(result.output) / 10)


@attrs.define
class InAThread(AtLeast):
    blocking = True


class Agreeing:
    def check(self, request: Any, result: ProviderResult[Any], refused: Sequence[ProviderResult[Any]]) -> None:
        if result.output not in [other.output for other in refused]:
            raise InvalidResult("alone")


class Faulty:
    def check(self, request: Any, result: ProviderResult[Any]) -> None:
        raise KeyError("secret")


@pytest.mark.parametrize("validator", [AtLeast(4), InAThread(4)])
def test_a_refused_answer_goes_on_to_the_next_provider(validator: Any) -> None:
    result = run(lambda: build(scripted("a", "abc"), scripted("b", "abcd"), validators=[validator]).process("x"))
    assert [attempt.outcome for attempt in result.attempts] == [Outcome.INVALID_RESULT, Outcome.SUCCESS]
    assert result.attempts[0].message == "3 letters"


def test_when_all_are_refused_the_best_is_given_where_that_was_asked_for() -> None:
    providers = scripted("a", "ab"), scripted("b", "abc"), scripted("c", "a")
    result = run(lambda: build(*providers, validators=[AtLeast(4)], on_refused="best").process("x"))
    assert (result.provider, result.metadata["refused"]) == ("b", "3 letters")
    with pytest.raises(AllProvidersFailed):
        asked(build(scripted("a", "ab"), validators=[AtLeast(4)]))


def test_a_validator_sees_the_answers_that_were_refused_before() -> None:
    result = run(lambda: build(scripted("a", "same"), scripted("b", "same"), validators=[Agreeing()]).process("x"))
    assert result.provider == "b"


def test_an_answer_that_could_not_be_checked_does_not_pass() -> None:
    with pytest.raises(AllProvidersFailed, match="Faulty broke: KeyError") as caught:
        asked(build(scripted("a"), validators=[Faulty()]))
    assert "secret" not in str(caught.value)


@attrs.define
class Wrong(ScriptedProvider):
    async def process(self, request: Any) -> Any:
        return "just text"


def test_a_wrong_type_is_the_plugins_defect_and_the_next_is_asked() -> None:
    result = run(lambda: build(Wrong(["a"], name="a"), scripted("b")).process("x"))
    assert result.attempts[0].outcome is Outcome.PLUGIN_BUG
    assert "returned str" in result.attempts[0].message
    with pytest.raises(AllProvidersFailed, match="output is a int"):
        asked(build(scripted("a", "text"), output_type=int))


@attrs.define
class Reusing(ScriptedProvider):
    kept: Any = attrs.field(factory=lambda: ProviderResult("same"), init=False)

    async def process(self, request: Any) -> Any:
        return self.kept


def test_one_result_object_handed_out_twice_keeps_the_first_readers_figures() -> None:
    async def scenario() -> None:
        board = build(Reusing(["x"], name="a"))
        first = await board.process("x")
        known = first.call_id
        second = await board.process("x")
        assert first.call_id == known != second.call_id

    run(scenario)


def test_many_requests_stay_within_their_bound_and_one_failure_ends_none() -> None:
    async def scenario() -> None:
        answers = {3: InvalidInput("bad")}
        provider = ScriptedProvider([lambda n: Delay(1 + (n == 0) * 5, answers.get(n, n))], name="a")
        board = ProviderManager([provider], clock=VirtualClock())
        found = [each async for each in board.map(range(6), concurrency=2, ordered=True)]
        assert [each.index for each in found] == list(range(6))
        assert [each.error is None for each in found] == [True, True, True, False, True, True]
        loose = [each.index async for each in board.map(range(6), concurrency=2)]
        assert loose[0] != 0
        assert sorted(loose) == list(range(6))
        with pytest.raises(UsageError):
            [each async for each in board.map([1], concurrency=0)]

    run(scenario)


def test_cost_and_health_are_asked_of_everybody() -> None:
    @attrs.define
    class Sick(ScriptedProvider):
        async def health_check(self) -> ProviderStatus:
            raise ProviderError("down")

    async def scenario() -> None:
        board = build(scripted("a", price=Price(Decimal("0.2"))), Sick(["b"], name="b"))
        assert board.estimate_cost("x") == {"a": Decimal("0.2"), "b": None}
        statuses = await board.health_check_all()
        assert statuses == {"a": ProviderStatus.AVAILABLE, "b": ProviderStatus.UNAVAILABLE}
        assert board.providers["a"].figures.requests == 0
        board._log_metrics()

    run(scenario)


def test_s26_only_the_idle_are_checked_and_a_good_check_hastens_the_trial_only() -> None:
    @attrs.define
    class Checked(ScriptedProvider):
        checks: int = attrs.field(default=0, init=False)

        async def health_check(self) -> ProviderStatus:
            self.checks += 1
            return ProviderStatus.AVAILABLE

    async def scenario() -> None:
        provider = Checked([ProviderError("down")] * 5 + ["good"], name="a")
        board = build(provider, clock=VirtualClock(), health=Health())
        async with board:
            for _ in range(5):
                with pytest.raises(AllProvidersFailed):
                    await board.process("x")
            breaker = board._by_name["a"].breaker
            assert breaker is not None
            breaker._until += 1000
            await asyncio.sleep(40)
            assert provider.checks == 1
            assert breaker.state.value == "half_open"
            await board.process("x")
            await board.process("x")
            assert breaker.state.value == "closed"

    run(scenario)


def test_names_must_differ_and_one_provider_must_be_there() -> None:
    with pytest.raises(UsageError, match="two providers"):
        build(scripted("a"), scripted("a"))
    with pytest.raises(UsageError, match="at least one"):
        build()


def test_a_required_distribution_that_is_missing_or_too_old_is_an_error_with_the_command() -> None:
    tables = {
        "plugins": {"require": ["switchgear-nowhere>=1", "switchgear>=99", "not a requirement!"]},
        "services": {"s": {"capability": "nowhere", "providers": {"a": {"type": "b"}}}},
    }
    with pytest.raises(Exception, match="pip install") as caught:
        Switchgear.compose(tables)
    text = str(caught.value)
    assert "switchgear-nowhere is not installed" in text
    assert "--upgrade" in text
    assert "is not a requirement" in text
