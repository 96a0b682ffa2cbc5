"""The conformance suite of providers: a good one passes, and each check finds the fault that was planted for it."""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs
import pytest
from switchgear import (
    BaseProvider,
    BlockingProvider,
    ConfigError,
    InvalidInput,
    Price,
    ProviderError,
    ProviderResult,
    ProviderStatus,
    Secret,
    SimpleProvider,
)
from switchgear.testing import ChaosProvider, ProviderSuite, ScriptedProvider


class Wire:
    """The other end of a provider's line."""

    def __init__(self) -> None:
        self.calls = 0
        self.is_down = False

    async def send(self, text: str) -> str:
        self.calls += 1
        await asyncio.sleep(0)
        if self.is_down:
            raise ConnectionResetError("planted")
        return text.upper()


WIRE = Wire()


@attrs.define
class Good(SimpleProvider[str, str]):
    language: str = "en"
    api_key: Secret = attrs.Factory(lambda: Secret("planted-key"))

    async def process(self, request: str) -> ProviderResult[str]:
        assert self.language
        assert self.api_key.reveal()
        try:
            answer = await WIRE.send(request)
        except ConnectionError as error:
            raise ProviderError("no connection") from error
        return ProviderResult(answer, usage=self.estimate_usage(request), confidence=0.5)

    def validate_input(self, request: str) -> None:
        if not request:
            raise InvalidInput("empty")

    def estimate_usage(self, request: str) -> Mapping[str, Decimal]:
        return {"characters": Decimal(len(request))}


class TestGood(ProviderSuite):
    output_type = str

    def make(self) -> BaseProvider[Any, Any]:
        return Good(name="good", language="de")

    def requests(self) -> Sequence[str]:
        return ["one", "two"]

    def bad_requests(self) -> Sequence[str]:
        return [""]

    def options(self) -> Mapping[str, Any]:
        return {"language": "de", "api_key": "planted-key"}

    def wire_calls(self) -> int:
        return WIRE.calls

    def break_wire(self) -> None:
        WIRE.is_down = True

    @pytest.fixture(autouse=True)
    def wire(self) -> None:
        WIRE.is_down = False


class TestScriptedProvider(ProviderSuite):
    conditional_options = ("then",)

    def make(self) -> BaseProvider[Any, Any]:
        return ScriptedProvider(["ok"], name="scripted")

    def requests(self) -> Sequence[str]:
        return ["one"]


class TestChaosProvider(ProviderSuite):
    conditional_options = ("clock", "random")
    is_of_one_process = True

    def make(self) -> BaseProvider[Any, Any]:
        return ChaosProvider(ScriptedProvider(["ok"], name="inner"))

    def requests(self) -> Sequence[str]:
        return ["one"]


@attrs.define
class InThreads(BlockingProvider[str, str]):
    def process_blocking(self, request: str) -> ProviderResult[str]:
        return ProviderResult(request.upper())


class TestBlockingProvider(ProviderSuite):
    output_type = str

    def make(self) -> BaseProvider[Any, Any]:
        return InThreads(name="threads")

    def requests(self) -> Sequence[str]:
        return ["one"]


@attrs.define
class Misspelled(Good):
    def estimate_costs(self, request: str) -> None:
        """Nobody calls it."""


class Undecorated(Good):
    extra: int = 1


@attrs.define
class Unread(Good):
    extra: int = attrs.field(default=1, validator=attrs.validators.ge(0))


@attrs.define
class OwnOption(Good):
    extra: int = 1

    def __attrs_post_init__(self) -> None:
        raise ValueError(self.extra)


@attrs.define
class Unspellable(Good):
    reader: Any = attrs.field(factory=lambda: lambda text: text)


class ByValue(Good):
    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByValue)

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(self.language)


class Talkative(Good):
    def __repr__(self) -> str:
        return f"Talkative({self.api_key.reveal()})"


class Strict(Good):
    def validate_input(self, request: str) -> None:
        raise InvalidInput("never")


class Answering(Good):
    def validate_input(self, request: str) -> None:
        return bool(request)  # type: ignore[return-value]


class Lenient(Good):
    def validate_input(self, request: str) -> None:
        pass


class WrongError(Good):
    def validate_input(self, request: str) -> None:
        if not request:
            raise ValueError("empty")


class Silent(Good):
    def validate_input(self, request: str) -> None:
        if not request:
            raise InvalidInput


class Asking(Good):
    def validate_input(self, request: str) -> None:
        WIRE.calls += 1


class Thinking(Good):
    def validate_input(self, request: str) -> None:
        threading.Event().wait(0.06)


class FreeByMistake(Good):
    def estimate_cost(self, request: str) -> Decimal | None:
        return Decimal(0)


class FloatCost(Good):
    def estimate_cost(self, request: str) -> Any:
        return 0.1


class NegativeCost(Good):
    def estimate_cost(self, request: str) -> Decimal | None:
        return Decimal(-1)


class FloatUsage(Good):
    def estimate_usage(self, request: str) -> Any:
        return {"pages": 1}


class ListedUsage(Good):
    def estimate_usage(self, request: str) -> Any:
        return [("pages", 1)]


class NoneUsage(Good):
    def estimate_usage(self, request: str) -> Any:
        return {"pages": None}


def answering(result: Any) -> type[Good]:
    class Answers(Good):
        async def process(self, request: str) -> Any:
            return result

    return Answers


class SharedMetadata(Good):
    async def process(self, request: str) -> ProviderResult[str]:
        return ProviderResult("ok", metadata=SHARED)


SHARED: dict[str, Any] = {}


class OneAtATime(Good):
    async def process(self, request: str) -> ProviderResult[str]:
        if WIRE.is_down:
            raise ProviderError("busy")
        WIRE.is_down = True
        try:
            await asyncio.sleep(0)
            return ProviderResult("ok")
        finally:
            WIRE.is_down = False


class BilledHealth(Good):
    async def health_check(self) -> ProviderStatus:
        await WIRE.send("ping")
        return ProviderStatus.AVAILABLE


class CountedHealth(Good):
    async def health_check(self) -> ProviderStatus:
        self.figures.requests += 1
        return ProviderStatus.AVAILABLE


class BooleanHealth(Good):
    async def health_check(self) -> Any:
        return True


class Twice(Good):
    async def process(self, request: str) -> ProviderResult[str]:
        await WIRE.send(request)
        return await super().process(request)


class Retrying(Good):
    async def process(self, request: str) -> ProviderResult[str]:
        try:
            return await super().process(request)
        except ProviderError:
            return await super().process(request)


class RawError(Good):
    async def process(self, request: str) -> ProviderResult[str]:
        return ProviderResult(await WIRE.send(request))


STRAYS: set[asyncio.Task[Any]] = set()


class Stray(Good):
    async def process(self, request: str) -> ProviderResult[str]:
        task = asyncio.ensure_future(asyncio.Event().wait())
        STRAYS.add(task)
        await asyncio.sleep(0)
        task.cancel()
        return ProviderResult("ok")


class StuckAfterCancel(Good):
    async def process(self, request: str) -> ProviderResult[str]:
        if WIRE.is_down:
            raise ProviderError("still busy with the cancelled one")
        WIRE.is_down = True
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        WIRE.is_down = False
        return ProviderResult("ok")


class Swallowing(Good):
    async def process(self, request: str) -> ProviderResult[str]:
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            raise ProviderError("cancelled") from None
        return ProviderResult("ok")


class Threaded(Good):
    async def aopen(self) -> None:
        threading.Thread(target=RELEASED.wait, name="planted-thread", daemon=True).start()


RELEASED = threading.Event()


class Unopened(Good):
    async def aclose(self) -> None:
        raise AttributeError("session")


class Locking(Good):
    async def aopen(self) -> None:
        if LOCKS:
            raise ProviderError("somebody has the lock")
        LOCKS.append(self)


LOCKS: list[Good] = []


class Renaming(Good):
    async def process(self, request: str) -> ProviderResult[str]:
        self.name = "other"
        return ProviderResult("ok")


CONTRACT = "test_it_keeps_to_the_contract_of_providers"
GOOD_REQUESTS = "test_it_accepts_good_requests"
BAD_REQUESTS = "test_it_refuses_bad_requests_as_invalid_or_unsupported"
CHEAP = "test_looking_at_a_request_is_cheap_and_sends_nothing"
ESTIMATE = "test_an_estimate_is_an_amount_or_unknown"
USAGE = "test_estimated_usage_maps_units_to_decimals"
TYPES = "test_it_answers_with_results_of_the_right_types"
FRESH = "test_every_answer_is_a_fresh_result"
HEALTH = "test_its_health_is_a_status_and_no_request"
CANCELLED = "test_a_cancelled_request_leaves_nothing_behind"

PLANTED: list[tuple[type[Good], str, str]] = [
    (Misspelled, CONTRACT, "estimate_costs"),
    (Undecorated, "test_its_options_are_declared_as_fields", "not decorated"),
    (Unread, "test_every_option_is_read", "never read: extra"),
    (Unspellable, "test_kept_answers_count_for_the_same_options_and_engine_and_no_others", "no canonical form"),
    (ByValue, "test_two_of_the_same_options_are_two", "compared by identity"),
    (Talkative, "test_its_repr_shows_no_secret", "api_key"),
    (Strict, GOOD_REQUESTS, "never"),
    (Answering, GOOD_REQUESTS, "returned True"),
    (Lenient, BAD_REQUESTS, "let bad request 0 pass"),
    (WrongError, BAD_REQUESTS, "raised ValueError"),
    (Silent, BAD_REQUESTS, "does not say why"),
    (Asking, CHEAP, "sent a request"),
    (Thinking, CHEAP, "took 0.06"),
    (FreeByMistake, ESTIMATE, "None for unknown"),
    (FloatCost, ESTIMATE, "is a float"),
    (NegativeCost, ESTIMATE, "below zero"),
    (FreeByMistake, "test_a_configured_price_is_the_one_that_counts", "is 0 at a price of 7"),
    (FreeByMistake, "test_a_price_for_a_unit_it_does_not_count_is_unknown", "is 0 where"),
    (FloatUsage, USAGE, "is a int"),
    (ListedUsage, USAGE, "is a list"),
    (NoneUsage, USAGE, "leave out what is unknown"),
    (answering("text"), TYPES, "returned str"),
    (answering(ProviderResult(1)), TYPES, "the output is a int, not a str"),
    (answering(ProviderResult("ok", confidence=93)), TYPES, "confidence is 93"),
    (answering(ProviderResult("ok", confidence=True)), TYPES, "confidence is True"),
    (answering(ProviderResult("ok", cost=0.1)), TYPES, "cost is a float"),  # type: ignore[arg-type]
    (answering(ProviderResult("ok", cost=Decimal("NaN"))), TYPES, "cost is NaN"),
    (answering(ProviderResult("ok", usage={"pages": 1})), TYPES, "is a int"),  # type: ignore[dict-item]
    (answering(ProviderResult("ok", usage={1: Decimal(1)})), TYPES, "no text"),  # type: ignore[dict-item]
    (answering(ProviderResult("ok")), FRESH, "same ProviderResult twice"),
    (SharedMetadata, FRESH, "share their metadata"),
    (OneAtATime, "test_it_takes_several_requests_at_once", "busy"),
    (BilledHealth, HEALTH, "billable"),
    (CountedHealth, HEALTH, "counted as a request"),
    (BooleanHealth, HEALTH, "returned bool"),
    (Twice, "test_one_request_is_one_call_on_the_wire", "sent 2 requests"),
    (Retrying, "test_a_failed_request_is_sent_once", "own retries off"),
    (RawError, "test_a_failed_request_is_told_as_an_error_of_ours", "ConnectionResetError"),
    (Stray, CANCELLED, "left tasks behind: locks.py"),
    (StuckAfterCancel, CANCELLED, "still busy"),
    (Swallowing, CANCELLED, "cancelled, process\\(\\) raised"),
    (Threaded, "test_closing_leaves_nothing_behind", "planted-thread"),
    (Unopened, "test_one_that_was_never_used_can_be_closed", "session"),
    (Locking, "test_it_can_be_opened_again_as_a_new_one", "has the lock"),
    (answering(1), "test_it_answers_behind_a_manager", "returned int"),
    (Renaming, "test_it_answers_behind_a_manager", "the result names"),
]


@pytest.mark.parametrize(("planted", "check", "message"), PLANTED)
def test_a_planted_fault_is_found(planted: type[Good], check: str, message: str) -> None:
    class Suite(TestGood):
        def make(self) -> BaseProvider[Any, Any]:
            return planted(name="planted")

    WIRE.is_down = False
    RELEASED.clear()
    with pytest.raises((AssertionError, ConfigError, ProviderError, InvalidInput, AttributeError), match=message):
        getattr(Suite(), check)()
    RELEASED.set()
    STRAYS.clear()


def test_every_check_has_a_fault_planted_for_it() -> None:
    checks = {name for name in dir(ProviderSuite) if name.startswith("test_")}
    assert checks - {check for _, check, _ in PLANTED} == {"test_it_can_be_made_from_its_options"}


def test_s9_a_client_that_sends_a_failed_request_again_by_itself_is_found_by_what_reaches_the_wire() -> None:
    class Suite(TestGood):
        def make(self) -> BaseProvider[Any, Any]:
            return Retrying(name="planted")

    WIRE.is_down = False
    Suite().test_one_request_is_one_call_on_the_wire()
    with pytest.raises(
        AssertionError, match="one failing process\\(\\) sent 2 requests; turn the client's own retries"
    ):
        Suite().test_a_failed_request_is_sent_once()


def test_options_that_make_no_provider_are_found() -> None:
    class Suite(TestGood):
        def options(self) -> Mapping[str, Any]:
            return {"tongue": "de"}

    with pytest.raises(ConfigError, match="tongue"):
        Suite().test_it_can_be_made_from_its_options()


def test_a_check_whose_hook_is_not_filled_in_is_skipped() -> None:
    class Suite(ProviderSuite):
        def make(self) -> BaseProvider[Any, Any]:
            return Good(name="good")

        def requests(self) -> Sequence[str]:
            return ["one"]

    for check in (BAD_REQUESTS, "test_it_can_be_made_from_its_options", "test_one_request_is_one_call_on_the_wire"):
        with pytest.raises(pytest.skip.Exception, match="is not filled in"):
            getattr(Suite(), check)()


def test_a_suite_without_requests_says_so() -> None:
    class Suite(TestGood):
        def requests(self) -> Sequence[str]:
            return []

    with pytest.raises(AssertionError, match="requests\\(\\) has to give at least one"):
        Suite().test_it_accepts_good_requests()


def test_a_truly_free_provider_may_say_so() -> None:
    class Suite(TestGood):
        is_free = True

        def make(self) -> BaseProvider[Any, Any]:
            return FreeByMistake(name="free")

    Suite().test_an_estimate_is_an_amount_or_unknown()


def test_a_free_price_is_a_known_price() -> None:
    class Suite(TestGood):
        def make(self) -> BaseProvider[Any, Any]:
            return Good(name="good", price=Price())

    Suite().test_an_estimate_is_an_amount_or_unknown()
