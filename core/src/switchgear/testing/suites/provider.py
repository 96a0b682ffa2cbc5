"""The conformance suite of providers."""

import asyncio
import copy
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar

import attrs

from switchgear.caching.identity import identity_of, ignored_options
from switchgear.errors import AllProvidersFailed, InvalidInput, OutcomeError, PluginBug, Rejected, Unsupported
from switchgear.manager import ProviderManager
from switchgear.money import Price
from switchgear.options import build, option_fields
from switchgear.provider import AnyProvider, ProviderStatus
from switchgear.results import ProviderResult
from switchgear.secret import Secret
from switchgear.testing.suites.checks import (
    check_amount,
    check_plugin,
    check_usage,
    duration_of,
    raised_by,
    run_within,
    skip,
)
from switchgear.testing.suites.reads import reads_of
from switchgear.testing.virtual import place_of, settle

_CHEAP = 0.05  # real seconds that a look at a request may take
_DEPTHS = (0, 1, 2, 3, 5, 10)  # turns of the loop after which a request is cancelled
_PARALLEL = 5


class ProviderSuite:
    """Checks a provider against the contract of `BaseProvider`. Three lines make it a test class::

        class TestMine(ProviderSuite):
            def make(self): return Mine(api_key=Secret("k"), url=self.server.url)
            def requests(self): return [PageRequest(b"...")]

    It runs on a real event loop, so that `make()` may point at a local server or engine (a pytest fixture with
    `autouse=True` can start one). The hooks that have a default switch on further checks; a check whose hook is not
    filled in is skipped.
    """

    output_type: ClassVar[type[Any]] = object  #: the capability's output type
    is_of_one_process: ClassVar[bool] = False  #: True where options are objects (functions, clients) and nothing else
    is_free: ClassVar[bool] = False  #: True where a request truly costs nothing, so that an estimate of 0 is right
    seconds: ClassVar[float] = 60.0  #: real time that one check may take
    conditional_options: ClassVar[Sequence[str]] = ()  #: options that only requests of another kind make it read

    def make(self) -> AnyProvider:
        """A new provider, not yet opened."""
        raise NotImplementedError

    def requests(self) -> Sequence[Any]:
        """Requests that it answers; at least one."""
        raise NotImplementedError

    def bad_requests(self) -> Sequence[Any]:
        """Requests that `validate_input` turns down."""
        return ()

    def options(self) -> Mapping[str, Any] | None:
        """An `options` table that makes one, as TOML would give it."""
        return None

    def wire_calls(self) -> int | None:
        """How many billable requests the other end has seen so far."""
        return None

    def break_wire(self) -> None:
        """Make the other end fail every request from now on, as it does when it is down."""
        skip("break_wire()")

    def test_it_keeps_to_the_contract_of_providers(self) -> None:
        check_plugin("providers", self.make())

    def test_its_options_are_declared_as_fields(self) -> None:
        option_fields(type(self.make()))

    def test_it_can_be_made_from_its_options(self) -> None:
        options = self.options()
        if options is None:
            skip("options()")
        build(type(self.make()), options, "test")

    def test_every_option_is_read(self) -> None:
        """An option that nobody reads is a promise that nobody keeps."""
        implementation = type(self.make())
        with reads_of(implementation) as read:
            provider = self.make()

            async def use() -> None:
                await self._answers(provider)
                await provider.health_check()

            self.run(provider, use)
        unread = {field.name for field in option_fields(implementation)} - read - set(self.conditional_options)
        assert not unread, f"never read: {', '.join(sorted(unread))}; use them, or name them in conditional_options"

    def test_kept_answers_count_for_the_same_options_and_engine_and_no_others(self) -> None:
        """By the same means as the cache: a field counts unless it says `metadata={"answer": False}` or is a secret."""
        if self.is_of_one_process:
            skip("a form of its options that other processes know")
        provider = self.make()
        stamp, ignored = identity_of(provider).stamp, ignored_options(provider)
        assert identity_of(self.make()).stamp == stamp, (
            "two of the same options do not give each other's kept answers: an option has no canonical form; "
            'mark it with metadata={"answer": False} if it changes no answer'
        )
        for field in option_fields(type(provider)):
            changed = copy.copy(provider)
            object.__setattr__(changed, field.name, f"another {field.name}")
            counts = identity_of(changed).stamp != stamp
            assert counts is ((field.alias or field.name) not in ignored), f"{field.name} counts, or does not"

    def test_two_of_the_same_options_are_two(self) -> None:
        one, other = self.make(), self.make()
        assert one == one
        assert one != other, "providers are compared by identity; do not define __eq__"
        assert len({one, other}) == 2, "providers are hashed by identity; do not define __hash__"

    def test_its_repr_shows_no_secret(self) -> None:
        provider = self.make()
        fields = attrs.fields(type(provider)) if attrs.has(type(provider)) else ()
        for field in fields:
            value = getattr(provider, field.name, None)
            shown = isinstance(value, Secret) and value and value.reveal() in repr(provider)
            assert not shown, f"repr() shows the secret {field.name}"

    def test_it_accepts_good_requests(self) -> None:
        provider = self.make()
        for request in self._requests():
            verdict: object = provider.validate_input(request)
            assert verdict is None, f"validate_input() returned {verdict!r}; it refuses by raising"

    def test_it_refuses_bad_requests_as_invalid_or_unsupported(self) -> None:
        if not self.bad_requests():
            skip("bad_requests()")
        provider = self.make()
        for number, request in enumerate(self.bad_requests()):
            error = raised_by(partial(provider.validate_input, request))
            assert error is not None, f"validate_input() let bad request {number} pass"
            ours = isinstance(error, InvalidInput | Unsupported)
            assert ours, f"validate_input() raised {type(error).__name__}; it may raise InvalidInput or Unsupported"
            assert str(error), f"the refusal of bad request {number} does not say why"

    def test_looking_at_a_request_is_cheap_and_sends_nothing(self) -> None:
        provider, before = self.make(), self.wire_calls()
        for request in self._requests():
            look = duration_of(partial(provider.validate_input, request))
            assert look < _CHEAP, f"validate_input() took {look:.3f} s"
            provider.estimate_cost(request)
            provider.estimate_usage(request)
        assert self.wire_calls() == before, "validate_input() or an estimate sent a request"

    def test_an_estimate_is_an_amount_or_unknown(self) -> None:
        provider = self.make()
        for request in self._requests():
            cost = provider.estimate_cost(request)
            check_amount(cost, "estimate_cost()")
            guessed = cost == 0 and provider.price is None and not self.is_free
            assert not guessed, "estimate_cost() is 0: give None for unknown, or set is_free where it costs nothing"

    def test_a_configured_price_is_the_one_that_counts(self) -> None:
        provider = self.make()
        provider.price = Price(per_call=Decimal(7))
        for request in self._requests():
            cost = provider.estimate_cost(request)
            assert cost == 7, f"estimate_cost() is {cost} at a price of 7 per call"

    def test_a_price_for_a_unit_it_does_not_count_is_unknown(self) -> None:
        provider = self.make()
        provider.price = Price(per_unit={"a unit nobody counts": Decimal(1)})
        for request in self._requests():
            cost = provider.estimate_cost(request)
            assert cost is None, f"estimate_cost() is {cost} where the priced unit is unknown"

    def test_estimated_usage_maps_units_to_decimals(self) -> None:
        provider = self.make()
        for request in self._requests():
            check_usage(provider.estimate_usage(request), "estimate_usage()")

    def test_it_answers_with_results_of_the_right_types(self) -> None:
        provider = self.make()

        async def answer() -> None:
            for result in await self._answers(provider):
                self.check_result(result)

        self.run(provider, answer)

    def test_every_answer_is_a_fresh_result(self) -> None:
        """The manager writes into it, so one handed out twice would change under the earlier reader."""
        provider = self.make()

        async def answer() -> None:
            request = self._requests()[0]
            one, other = await provider.process(request), await provider.process(request)
            assert one is not other, "process() returned the same ProviderResult twice"
            assert one.metadata is not other.metadata, "two results share their metadata"
            assert not one.call_id, "call_id is for the manager to fill in"

        self.run(provider, answer)

    def test_it_takes_several_requests_at_once(self) -> None:
        provider = self.make()

        async def answer() -> None:
            requests = [self._requests()[number % len(self._requests())] for number in range(_PARALLEL)]
            results = await asyncio.gather(*map(provider.process, requests))
            assert len(set(map(id, results))) == _PARALLEL, "requests at the same time share a result"
            for result in results:
                self.check_result(result)

        self.run(provider, answer)

    def test_its_health_is_a_status_and_no_request(self) -> None:
        provider, before = self.make(), self.wire_calls()

        async def check() -> None:
            status = await provider.health_check()
            assert isinstance(status, ProviderStatus), f"health_check() returned {type(status).__name__}"

        self.run(provider, check)
        assert provider.figures.requests == 0, "health_check() counted as a request"
        assert self.wire_calls() == before, "health_check() sent a billable request"

    def test_one_request_is_one_call_on_the_wire(self) -> None:
        before = self._counted()
        provider = self.make()
        self.run(provider, lambda: provider.process(self._requests()[0]))
        sent = self._counted() - before
        assert sent == 1, f"one process() sent {sent} requests"

    def test_a_failed_request_is_sent_once(self) -> None:
        """Retries are the manager's: a client with its own would multiply them."""
        before = self._counted()
        self._fail()
        sent = self._counted() - before
        assert sent <= 1, f"one failing process() sent {sent} requests; turn the client's own retries off"

    def test_a_failed_request_is_told_as_an_error_of_ours(self) -> None:
        error = self._fail()
        ours = isinstance(error, OutcomeError) and not isinstance(error, PluginBug)
        assert ours, f"a failing service came out as {error!r}; raise one of switchgear.errors"

    def test_a_cancelled_request_leaves_nothing_behind(self) -> None:
        for depth in _DEPTHS:
            provider = self.make()
            self.run(provider, partial(self._cancel, provider, depth))

    def test_closing_leaves_nothing_behind(self) -> None:
        before = set(threading.enumerate())
        provider = self.make()

        async def answer() -> None:
            await self._answers(provider)

        self.run(provider, answer)
        left = [thread.name for thread in set(threading.enumerate()) - before if thread.is_alive()]
        assert not left, f"aclose() left threads behind: {', '.join(left)}"

    def test_one_that_was_never_used_can_be_closed(self) -> None:
        async def nothing() -> None:
            pass

        self.run(self.make(), nothing)

    def test_it_can_be_opened_again_as_a_new_one(self) -> None:
        for _ in range(2):
            provider = self.make()
            self.run(provider, partial(self._answers, provider))

    def test_it_answers_behind_a_manager(self) -> None:
        provider = self.make()

        async def ask() -> None:
            manager = ProviderManager([provider], output_type=self.output_type)
            try:
                result = await manager.process(self._requests()[0])
            except AllProvidersFailed as error:
                raise AssertionError(str(error)) from error
            finally:
                await manager.aclose()
            assert result.provider == provider.name, f"the result names {result.provider!r}"

        run_within(self.seconds, ask())

    def check_result(self, result: Any) -> None:
        """Whether an answer has the right types and ranges; extend it with what the capability demands."""
        assert isinstance(result, ProviderResult), f"process() returned {type(result).__name__}, not a ProviderResult"
        found, expected = type(result.output).__name__, self.output_type.__name__
        assert isinstance(result.output, self.output_type), f"the output is a {found}, not a {expected}"
        if result.usage is not None:
            check_usage(result.usage, "usage")
        check_amount(result.cost, "cost")
        confidence = result.confidence
        assert confidence is None or (type(confidence) in (int, float) and 0 <= confidence <= 1), (
            f"confidence is {confidence!r}; it runs from 0 to 1, or is None"
        )

    def run(self, provider: AnyProvider, use: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Open the provider, `use()` it and close it, on a fresh event loop."""

        async def life() -> None:
            await provider.aopen()
            try:
                await use()
            finally:
                await provider.aclose()
            await self._check_nothing_runs("aclose()")

        run_within(self.seconds, life())

    def _requests(self) -> Sequence[Any]:
        requests = self.requests()
        assert requests, "requests() has to give at least one"
        return requests

    async def _answers(self, provider: AnyProvider) -> list[ProviderResult[Any]]:
        return [await provider.process(request) for request in self._requests()]

    def _counted(self) -> int:
        count = self.wire_calls()
        if count is None:
            skip("wire_calls()")
        return count

    def _fail(self) -> Exception | None:
        self.break_wire()
        provider = self.make()
        return raised_by(lambda: self.run(provider, lambda: provider.process(self._requests()[0])))

    async def _cancel(self, provider: AnyProvider, depth: int) -> None:
        request = self._requests()[0]
        task = asyncio.ensure_future(provider.process(request))
        for _ in range(depth):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled() or task.exception() is None, f"cancelled, process() raised {task.exception()!r}"
        await self._check_nothing_runs("a cancelled process()")
        self.check_result(await _once_there_is_room(partial(provider.process, request)))

    async def _check_nothing_runs(self, after: str) -> None:
        places = [place_of(task.get_coro()) for task in await settle()]
        assert not places, f"{after} left tasks behind: {', '.join(places)}"


async def _once_there_is_room(ask: Callable[[], Coroutine[Any, Any, ProviderResult[Any]]]) -> ProviderResult[Any]:
    """A thread cannot be cancelled: one that was left keeps its place until it returns."""
    while True:
        try:
            return await ask()
        except Rejected:
            await asyncio.sleep(_CHEAP)
