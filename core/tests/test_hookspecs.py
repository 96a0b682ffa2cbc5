"""What an implementation of each kind must and may have, and how each way of getting it wrong is said."""

import functools
import re
import types
from typing import Any

import attrs
import pytest
from switchgear import BlockingProvider, Capability, ProviderResult, ProviderStatus, SimpleProvider
from switchgear.hookspecs import SPECS, check_contract, methods_of
from switchgear.observers.log import CallLog
from switchgear.plugins import Registry
from switchgear.strategies import BUILT_IN


class Echo(Capability[str, str]):
    name = "echo"
    request_type = output_type = str


class Good(SimpleProvider[Any, Any]):
    async def process(self, request: Any) -> ProviderResult[Any]:
        return ProviderResult(request)


def wrong(kind: str, implementation: Any) -> list[str]:
    """What is wrong, without the place of the found definition."""
    return [re.sub(r" in \S+:\d+$", "", each) for each in check_contract(kind, implementation)]


def test_what_the_core_ships_keeps_to_its_contracts() -> None:
    for make in BUILT_IN.values():
        assert wrong("strategies", make()) == []
    assert wrong("observers", CallLog()) == []
    assert wrong("capabilities", Echo()) == []
    assert wrong("providers", Good()) == []


def test_every_required_method_is_one_that_the_specification_declares() -> None:
    for spec in SPECS.values():
        assert {*spec.required} <= {*methods_of(spec)}


@pytest.mark.parametrize("kind", [kind for kind, spec in SPECS.items() if spec.required])
def test_a_required_method_that_is_missing_is_named_with_its_contract(kind: str) -> None:
    found = wrong(kind, object())
    for name in SPECS[kind].required:
        assert [each for each in found if each.startswith(f"has no {name}(); the contract: `")]


def test_a_required_name_that_is_no_method_is_missing_too() -> None:
    class Strange:
        order = None

    assert wrong("strategies", Strange()) == [
        "has no order(); the contract: `def order(self, candidates, request, turn)`"
    ]


def test_an_observer_may_leave_out_everything() -> None:
    assert wrong("observers", object()) == []


def test_a_plain_method_where_it_will_be_awaited_is_shown_with_its_place() -> None:
    class Plain(Good):
        def process(self, request: Any) -> Any: ...

    (found,) = check_contract("providers", Plain())
    assert found.startswith(
        "process must be async def: contract `async def process(self, request)`, found `def process(self, request)` in "
    )
    assert re.search(r"test_hookspecs\.py:\d+$", found)


def test_an_async_method_where_nobody_awaits_it_is_wrong() -> None:
    class Async(Good):
        async def estimate_cost(self, request: Any) -> Any: ...  # type: ignore[override]

    assert wrong("providers", Async()) == [
        "estimate_cost must be a plain def: contract `def estimate_cost(self, request)`, "
        "found `async def estimate_cost(self, request)`"
    ]


def test_an_async_generator_is_no_coroutine() -> None:
    class Streaming(Good):
        async def process(self, request: Any) -> Any:
            yield request

    assert wrong("providers", Streaming())[0].startswith("process must be async def: ")


def test_a_decorated_coroutine_is_one() -> None:
    def traced(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return wrapper

    class Decorated(Good):
        process = traced(Good.process)

    assert wrong("providers", Decorated()) == []


def test_an_extra_mandatory_parameter_is_wanted_of_nobody() -> None:
    class Greedy:
        def order(self, candidates: Any, mood: Any, *, weather: Any) -> Any: ...

    contract = (
        "contract `def order(self, candidates, request, turn)`, found `def order(self, candidates, mood, weather)`"
    )
    assert wrong("strategies", Greedy()) == [
        f"order wants 'mood', which nobody passes: {contract}",
        f"order wants 'weather', which nobody passes: {contract}",
    ]


def test_a_parameter_of_another_name_is_an_extra_one() -> None:
    class Renamed(Good):
        async def process(self, page: Any) -> Any: ...

    assert "process wants 'page', which nobody passes" in wrong("providers", Renamed())[0]


def test_extra_parameters_with_a_default_are_the_plugins_own() -> None:
    class Generous:
        def order(self, candidates: Any, mood: str = "good", *rest: Any, **more: Any) -> Any: ...

    assert wrong("strategies", Generous()) == []
    assert Registry("strategies").add("services.s.strategy", Generous()) == []


@pytest.mark.parametrize(
    "order",
    [
        lambda self, candidates: None,
        lambda self, candidates, request: None,
        lambda self, candidates, *, turn: None,
        lambda self, candidates, request, turn: None,
        lambda self, candidates, request, *, turn: None,
        lambda self, *arguments: None,
    ],
)
def test_a_strategy_may_leave_out_what_it_does_not_need(order: Any) -> None:
    implementation = type("Mine", (), {"order": order})()
    assert wrong("strategies", implementation) == []
    assert Registry("strategies").add("services.s.strategy", implementation) == []


@pytest.mark.parametrize(
    "order",
    [
        lambda self: None,
        lambda self, request: None,
        lambda self, candidates, *, request: None,
        lambda self, candidates, turn, request: None,
        lambda self, candidates, request, turn, /: None,
        lambda self, *, candidates: None,
    ],
)
def test_what_cannot_be_called_as_it_will_be_is_wrong(order: Any) -> None:
    found = wrong("strategies", type("Mine", (), {"order": order})())
    assert [each for each in found if each.startswith("order cannot be called, ")] == found != []


def test_a_provider_must_take_its_request() -> None:
    class Forgetful(Good):
        def validate_input(self) -> None: ...  # type: ignore[override]

    assert wrong("providers", Forgetful()) == [
        "validate_input cannot be called, too many positional arguments: "
        "contract `def validate_input(self, request)`, found `def validate_input(self)`"
    ]


def test_a_validator_may_look_at_what_was_refused_before() -> None:
    class Alone:
        def check(self, request: Any, result: Any) -> None: ...

    class Comparing:
        def check(self, request: Any, result: Any, refused: Any) -> None: ...

    class Late:
        def check(self, request: Any, result: Any, *, refused: Any) -> None: ...

    assert wrong("validators", Alone()) == wrong("validators", Comparing()) == []
    assert wrong("validators", Late())[0].startswith("check cannot be called, ")


@pytest.mark.parametrize("name", ["estimate_costs", "validate_inputs", "proces", "health_chek", "close"])
def test_a_near_miss_of_a_name_is_taken_for_a_slip_of_the_pen(name: str) -> None:
    implementation: Any = type("Slip", (Good,), {name: lambda self, request: None})()
    (found,) = wrong("providers", implementation)
    assert re.match(rf"has {name}\(\), which nobody calls; did you mean \w+\(\)\? `(async )?def ", found)


def test_names_that_are_not_near_private_ones_and_inherited_ones_are_the_plugins_own() -> None:
    class Busy(BlockingProvider[Any, Any]):
        processes = 4  # no method

        def process_blocking(self, request: Any) -> ProviderResult[Any]: ...  # type: ignore[empty-body]
        def beside(self) -> None: ...
        def _proces(self) -> None: ...

    assert wrong("providers", Busy()) == []


def test_a_capability_must_say_its_name_and_its_types() -> None:
    class Nameless(Capability[Any, Any]):
        pass

    assert wrong("capabilities", Nameless()) == ["has no `name`", "has no `request_type`", "has no `output_type`"]


def test_pluggy_refuses_what_only_it_can_see(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own check of names stands behind ours, and its complaint is one line."""

    class Greedy:
        def order(self, candidates: Any, mood: Any) -> Any: ...

    monkeypatch.setattr("switchgear.plugins.check_contract", lambda kind, implementation: iter(()))
    (found,) = Registry("strategies").add("services.scans.strategy", Greedy())
    assert "Plugin 'services.scans.strategy' for hook 'order'" in found
    assert "{'mood'} are declared in the hookimpl but can not be found in the hookspec" in found
    assert "\n" not in found


@attrs.define
class Fields:
    """A strategy whose method is a field: nothing of it may be more than unusual."""

    order: Any
    learn: Any = None


@pytest.mark.parametrize("order", [sorted, max, list, dict.get, functools.partial(sorted, key=id), Good.process])
def test_any_callable_can_be_looked_at(order: Any) -> None:
    assert all(isinstance(each, str) for each in check_contract("strategies", Fields(order)))
    Registry("strategies").add("services.s.strategy", Fields(order))


def test_what_is_written_in_c_may_have_no_signature_and_is_shown_without_one() -> None:
    assert wrong("providers", type("Odd", (Good,), {"process": max})()) == [
        "process must be async def: contract `async def process(self, request)`, found `def process(self, ...)`"
    ]


def test_a_module_can_be_an_implementation() -> None:
    module = types.ModuleType("mine")
    exec("def order(candidates): return candidates", vars(module))
    assert wrong("strategies", module) == []
    assert Registry("strategies").add("services.s.strategy", module) == []


async def _status(self: Any) -> ProviderStatus:
    return ProviderStatus.AVAILABLE


def test_a_method_put_on_from_elsewhere_is_a_method() -> None:
    assert wrong("providers", type("Patched", (Good,), {"health_check": _status})()) == []
