"""Settings and plugins become managers, or all that is wrong with them in one run."""

import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest
from switchgear import (
    Breaker,
    Capability,
    ConfigError,
    Effect,
    InvalidResult,
    Policies,
    Price,
    ProviderManager,
    ProviderResult,
    Rate,
    Retry,
    SimpleProvider,
    Switchgear,
)
from switchgear.durations import Duration
from switchgear.money import Tier
from switchgear.strategies.priority import Priority
from switchgear.strategies.weighted import Weighted
from switchgear.testing import MemoryObserver, ScriptedProvider

Tables = dict[str, Any]


@attrs.define
class NotShorter:
    """Turns down what is shorter than the request, or than `least`."""

    least: int = 0

    def check(self, request: str, result: ProviderResult[str]) -> None:
        if len(result.output) < max(self.least, len(request)):
            raise InvalidResult("too short")


class Echo(Capability[str, str]):
    name = "echo"
    request_type = output_type = str
    validators: ClassVar[Mapping[str, type[Any]]] = {"not-shorter": NotShorter}


class Once(Echo):
    name = "once"
    effect = Effect.ONCE


@attrs.define
class Voice(SimpleProvider[str, str]):
    """Says what it was told."""

    suffix: str = ""

    async def process(self, request: str) -> ProviderResult[str]:
        return ProviderResult(request + self.suffix)


EXTRA: list[tuple[str, str, Any]] = [
    ("capabilities", "echo", Echo),
    ("capabilities", "once", Once),
    ("providers", "echo.voice", Voice),
    ("providers", "once.voice", Voice),
    ("observers", "memory", MemoryObserver),
]


def tables(*, providers: Any = None, **service: Any) -> Tables:
    voices = {"voice": {"type": "voice"}} if providers is None else providers
    return {"services": {"talk": {"capability": "echo", "providers": voices, **service}}}


def compose(settings: Tables, *extra: tuple[str, str, Any], **options: Any) -> Switchgear:
    return Switchgear.compose(settings, extra=[*EXTRA, *extra], **options)


def refused(settings: Tables, *extra: tuple[str, str, Any], **options: Any) -> dict[str, str]:
    """The messages of all problems, by path."""
    with pytest.raises(ConfigError) as caught:
        compose(settings, *extra, **options)
    found = {problem.path: problem.message for problem in caught.value.problems}
    assert len(found) == len(caught.value.problems), "one place, several problems"
    return found


def strategy_of(board: Switchgear) -> Any:
    return board["talk"].strategy


# What comes of it


def test_a_service_gets_what_its_tables_say() -> None:
    board = compose(
        tables(
            providers={
                "fast": {"type": "voice", "priority": 2, "quality_score": 0.8, "timeout": "3s", "concurrency": 2},
                "good": {"type": "voice", "priority": 1, "options": {"suffix": "!"}},
            },
            deadline="10s",
            on_refused="best",
            all_down="fail_fast",
            retry={"attempts": 2},
        )
    )
    talk = board["talk"]
    assert (talk.service, talk.deadline, talk.on_refused, talk.all_down) == ("talk", 10.0, "best", "fail_fast")
    fast, good = talk.providers["fast"], talk.providers["good"]
    assert (fast.priority, fast.quality_score, fast.timeout, fast.concurrency) == (2, 0.8, 3.0, 2)
    assert (good.name, good.priority, good.quality_score, good.timeout, good.concurrency) == (
        "good",
        1,
        0.5,
        None,
        None,
    )
    assert board.process_sync("talk", "hello").output == "hello!"
    board.close()


def test_no_deadline_at_all_is_possible() -> None:
    assert compose(tables(deadline="none"))["talk"].deadline is None


def test_two_services_may_use_the_same_strategy_and_the_same_types() -> None:
    both = tables()
    both["services"]["chat"] = both["services"]["talk"]
    with compose(both) as board:
        assert [board.process_sync(name, "hi").output for name in board] == ["hi", "hi"]
        assert board["talk"].providers["voice"] is not board["chat"].providers["voice"]


def test_each_provider_has_its_own_policies_or_those_of_its_service(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    def spy(*arguments: Any, **settings: Any) -> Any:
        given.update(settings)
        return ProviderManager(*arguments, **settings)

    monkeypatch.setattr("switchgear.composition.ProviderManager", spy)
    own = {
        "retry": {"attempts": 5},
        "breaker": {"open_for": "9s"},
        "rate": {"calls": 3, "per": "1m", "burst": 2},
        "queue": 7,
        "cool_down": "1m",
    }
    providers = {"own": {"type": "voice", **own}, "shared": {"type": "voice"}}
    of_all = {
        "retry": {"attempts": 2},
        "breaker": {"open_for": "4s"},
        "rate": {"calls": 8},
        "queue": 9,
        "cool_down": "7s",
    }
    compose(tables(providers=providers, **of_all))
    assert given["policies"] == {
        "own": Policies(
            retry=Retry(attempts=5),
            breaker=Breaker(open_for=Duration(9.0)),
            rate=Rate(calls=3, per=Duration(60.0), burst=2),
            queue=7,
            cool_down=60.0,
        ),
        "shared": Policies(
            retry=Retry(attempts=2),
            breaker=Breaker(open_for=Duration(4.0)),
            rate=Rate(calls=8),
            queue=9,
            cool_down=7.0,
        ),
    }
    assert (given["retry"], given["breaker"]) == (Retry(attempts=2), Breaker(open_for=Duration(4.0)))


def test_each_provider_has_its_own_time_and_places_or_those_of_its_service() -> None:
    own = {"type": "voice", "timeout": "3s", "concurrency": 2, "queue": 0}
    board = compose(tables(providers={"own": own, "shared": {"type": "voice"}}, timeout="8s", concurrency=4, queue=5))
    talk = board["talk"]
    assert [(each.timeout, each.concurrency) for each in talk.providers.values()] == [(3.0, 2), (8.0, 4)]
    assert [each.queue for each in talk._candidates] == [0, 5]


@pytest.mark.parametrize(("key", "value"), [("budget", 0.0), ("earn", 0.5), ("call_attempts", 9)])
def test_msaas_ocr_what_counts_for_a_whole_call_is_refused_at_a_provider_where_nobody_would_read_it(
    key: str, value: float
) -> None:
    path = f"services.talk.providers.voice.retry.{key}"
    problems = refused(tables(providers={"voice": {"type": "voice", "retry": {key: value}}}))
    assert problems == {path: "it holds for the whole service"}


def test_a_price_table_makes_the_cost_before_the_call_and_after_it() -> None:
    @attrs.define
    class Counting(Voice):
        def estimate_usage(self, request: str) -> Mapping[str, Decimal]:
            return {"letters": Decimal(len(request))}

    table = {"type": "counting", "cost": {"per_call": "0.01", "per_letter": "0.002"}}
    with compose(tables(providers={"priced": table}), ("providers", "echo.counting", Counting)) as board:
        assert board["talk"].providers["priced"].price == Price(Decimal("0.01"), {"letters": Decimal("0.002")})
        assert board["talk"].estimate_cost("hello") == {"priced": Decimal("0.020")}
        assert board.process_sync("talk", "hello").cost == Decimal("0.020")


class Lettered(Echo):
    name = "lettered"
    units = ("letters",)


@attrs.define
class Vendor(Voice):
    default_price = Price(per_unit={"tokens": Decimal(1)}, tiers={"images": [Tier(Decimal(1))]})
    own_units = ("seconds",)


LETTERED: list[tuple[str, str, Any]] = [
    ("capabilities", "lettered", Lettered),
    ("providers", "lettered.voice", Voice),
    ("providers", "lettered.vendor", Vendor),
]


def lettered(*costs: Any, type_name: str = "voice") -> Tables:
    return tables(
        capability="lettered",
        providers={f"v{number}": {"type": type_name, "cost": cost} for number, cost in enumerate(costs)},
    )


@pytest.mark.parametrize(
    ("cost", "key", "near"),
    [
        ({"per_leter": "1"}, ".per_leter", "per_letter"),
        ({"per_thousand_leters": "1"}, ".per_thousand_leters", "per_thousand_letters"),
        ({"per_cal": "1"}, ".per_cal", "per_call"),
        ({"per_letter": "1", "free": {"letter": 3}}, ".free.letter", "letters"),
        ({"per_leter": "1", "free": {"letters": 3}}, ".per_leter", "per_letter"),
        ({"tiers": {"leters": [{"price": "1"}]}}, ".tiers.leters", "letters"),
        ([{"per_letter": "1"}, {"per_leter": "1"}], "[1].per_leter", "per_letter"),
    ],
)
def test_litellm_2026_01_a_price_of_what_nobody_counts_is_an_error_and_not_unknown(
    cost: Any, key: str, near: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        compose(lettered(cost), *LETTERED)
    (problem,) = caught.value.problems
    assert problem.path == f"services.talk.providers.v0.cost{key}"
    assert problem.message.startswith("nobody counts le") or near == "per_call"
    assert problem.remedy.startswith(f"Did you mean {near}? Valid here: ")


def test_what_the_capability_the_provider_or_its_own_price_counts_can_have_a_price() -> None:
    unit_prices = ({f"per_{unit}": "1"} for unit in ("letter", "million_letters", "second", "token", "image"))
    compose(lettered(*unit_prices, {"bps": "290"}, type_name="vendor"), *LETTERED)
    assert len(refused(lettered({"per_second": "1"}, {"per_token": "1"}), *LETTERED)) == 2


def test_what_is_wrong_with_a_price_is_said_beside_what_is_wrong_with_the_options() -> None:
    table = {"type": "voice", "options": {"sufix": "!"}, "cost": {"per_call": "1", "currency": "EUR"}}
    assert sorted(refused(tables(providers={"voice": table}))) == [
        "services.talk.providers.voice.cost",
        "services.talk.providers.voice.options.sufix",
    ]


def test_litellm_2026_01_an_empty_price_table_is_unknown_and_not_free() -> None:
    with compose(tables(providers={"voice": {"type": "voice", "cost": {}}})) as board:
        assert board["talk"].estimate_cost("hello") == {"voice": None}
        assert board.process_sync("talk", "hello").cost is None


def test_strategies_come_by_name_and_by_table() -> None:
    assert strategy_of(compose(tables())) == Priority()
    table = {"type": "weighted", "options": {"weights": {"voice": 2}}}
    strategy = strategy_of(compose(tables(strategy=table)))
    assert isinstance(strategy, Weighted)
    assert strategy.weights == {"voice": 2.0}


def test_a_strategy_that_is_switched_off_leaves_the_usual_one() -> None:
    strategy = {"type": "no such strategy", "enabled": False}
    assert strategy_of(compose(tables(strategy=strategy))) == Priority()


def test_validators_come_from_the_capability_and_check_in_order() -> None:
    checks = ["not-shorter", {"type": "not-shorter", "options": {"least": 9}}, {"type": "x", "enabled": False}]
    with compose(tables(validate=checks), ("providers", "echo.voice", Voice)) as board:
        assert board.process_sync("talk", "long enough").output == "long enough"
        with pytest.raises(Exception, match="too short"):
            board.process_sync("talk", "short")


def test_observers_hear_of_calls_in_the_order_of_the_file_and_are_closed_once() -> None:
    heard: list[str] = []

    class Ears:
        def __init__(self, name: str) -> None:
            self.name = name

        def call_finished(self, call: Any) -> None:
            heard.append(f"{self.name} {call.service}")

        def close(self) -> None:
            heard.append(f"{self.name} closed")

    extra = [("observers", name, Ears(name)) for name in ("a", "z")]
    board = compose({**tables(), "observers": {"z": {"type": "z"}, "a": {"type": "a"}}}, *extra)
    board.process_sync("talk", "hello")
    board.close()
    board.close()
    assert heard == ["z talk", "a talk", "z closed", "a closed"]


def test_a_listener_that_breaks_fails_no_call_and_keeps_no_board_open() -> None:
    class Broken:
        def call_finished(self, call: Any) -> None:
            raise RuntimeError("no")

        def close(self) -> None:
            raise RuntimeError("no")

    ears = MemoryObserver()
    settings = {**tables(), "observers": {"broken": {"type": "broken"}, "ears": {"type": "ears"}}}
    with compose(settings, ("observers", "broken", Broken), ("observers", "ears", ears)) as board:
        assert board.process_sync("talk", "hello").output == "hello"
    assert len(ears.calls) == 1
    assert ears.closed


def test_observers_hear_of_circuits_that_change() -> None:
    ears = MemoryObserver()
    settings = {**tables(), "observers": {"ears": {"type": "ears"}}}
    board = compose(settings, ("observers", "ears", ears))
    board["talk"].force_open("voice")
    (change,) = ears.changes
    assert (change.service, change.provider, change.old, change.new) == ("talk", "voice", "closed", "forced_open")


def test_the_call_log_is_there_only_where_logging_is_on() -> None:
    assert compose(tables())._components.observers == []
    with compose({**tables(), "switchgear": {"logging": {}}}) as board:
        (log,) = board._components.observers
        assert type(log).__name__ == "CallLog"


def test_a_call_log_that_the_file_configures_is_not_doubled() -> None:
    settings = {**tables(), "switchgear": {"logging": {}}, "observers": {"log": {"type": "log", "enabled": False}}}
    with compose(settings) as board:
        assert board._components.observers == []


def test_an_object_can_be_a_provider_and_takes_its_name_and_rank_from_the_file() -> None:
    voice = ScriptedProvider(["one", "two"], name="its own")
    table = {"fake": {"type": "fake", "priority": 7, "cost": {"per_call": "0.5"}}}
    with compose(tables(providers=table), ("providers", "echo.fake", voice)) as board:
        assert board["talk"].providers == {"fake": voice}
        result = board.process_sync("talk", "hi")
    assert (result.output, result.provider, result.cost) == ("one", "fake", Decimal("0.5"))
    assert (voice.name, voice.priority) == ("fake", 7)


# Switched off


OFF = {
    "providers": "echo.off",
    "strategies": "off",
    "observers": "off",
    "cost_sinks": "off",
    "caches": "off",
    "secrets": "vault",
}


@pytest.mark.parametrize("levels", [False, True])
def test_gptme_pr_3193_what_is_disabled_is_neither_imported_nor_checked(site: Any, levels: bool) -> None:
    for kind, name in OFF.items():
        module = f"acme_{kind}"
        site.install(f"acme-{kind}", "raise RuntimeError('imported')", **{kind: [f"{name} = {module}:Off"]})
    off = {"type": "off", "options": {"no": "such option", "key": "${NOBODY_SETS_THIS}", "vault": "${vault:x}"}}
    settings = {
        "plugins": {
            "disable": ["acme-providers", "Acme_Strategies", "acme.observers", "acme-cost-sinks", "acme-caches"]
        },
        "observers": {"off": off},
        "cost_sinks": {"off": off},
        **tables(
            providers={"off": off, "off_too": {**off, "enabled": False}, "on": {"type": "voice"}},
            strategy=off,
            cache={"levels": [off, off]} if levels else off,
        ),
    }
    with compose(settings) as board:
        assert board.process_sync("talk", "hello").provider == "on"
        assert board.inactive > {"services.talk.providers.off", "cost_sinks.off", "observers.off"}
        assert not board.cost_sinks
    assert site.imported() == set()


def test_a_cache_that_is_disabled_leaves_the_service_without(site: Any) -> None:
    site.install("acme-keep", "raise RuntimeError('imported')", caches=["keep = acme_keep:Keep"])
    settings = {**tables(cache={"type": "keep"}), "plugins": {"disable": ["acme-keep"]}}
    with compose(settings) as board:
        assert [board.process_sync("talk", "hi").cache for _ in range(2)] == ["off", "off"]
    assert site.imported() == set()


def test_a_capability_that_is_disabled_cannot_be_used(site: Any) -> None:
    site.install("acme-sums", "raise RuntimeError('imported')", capabilities=["sums = acme_sums:Sums"])
    settings = {**tables(capability="sums"), "plugins": {"disable": ["acme-sums"]}}
    assert refused(settings) == {"services.talk.capability": "sums (acme_sums:Sums, acme-sums 1.0) is disabled"}
    assert site.imported() == set()


def test_a_secret_store_that_is_disabled_is_not_there(site: Any) -> None:
    site.install("acme-vault", "raise RuntimeError('imported')", secrets=["vault = acme_vault:Vault"])
    voice = {"type": "voice", "options": {"suffix": "${vault:x}"}}
    settings = {**tables(providers={"voice": voice}), "plugins": {"disable": ["acme-vault"]}}
    assert refused(settings) == {"services.talk.providers.voice.options.suffix": "no secret store is called 'vault'"}
    assert site.imported() == set()


def test_llm_875_a_broken_plugin_that_nobody_names_is_invisible(site: Any) -> None:
    site.install("acme-broken", "raise SystemExit", providers=["echo.broken = acme_broken:P"])
    site.install("acme-bad", "assert False", capabilities=["bad = acme_bad:C"], strategies=["bad = acme_bad:S"])
    with compose(tables()) as board:
        assert board.process_sync("talk", "hello").output == "hello"
    assert site.imported() == set()


def test_a_service_whose_providers_are_all_disabled_has_nobody_left(site: Any) -> None:
    site.install("acme-off", providers=["echo.off = acme_off:Off"])
    settings = {**tables(providers={"off": {"type": "off"}}), "plugins": {"disable": ["acme-off"]}}
    assert refused(settings) == {"services.talk.providers": "no provider left: off switched off"}


def test_a_provider_of_a_capability_that_was_picked_by_distribution_can_be_disabled(site: Any) -> None:
    code = """
from switchgear import Capability

class Sums(Capability):
    name = "sums"
    request_type = output_type = int
"""
    for name in ("acme", "zeta"):
        site.install(f"{name}-sums", code, capabilities=[f"sums = {name}_sums:Sums"])
    site.install("acme-off", "raise RuntimeError('imported')", providers=["sums.off = acme_off:Off"])
    providers = {"off": {"type": "off", "options": {"key": "${NOBODY_SETS_THIS}"}}, "voice": {"type": "voice"}}
    settings = {**tables(capability="sums@zeta-sums", providers=providers), "plugins": {"disable": ["acme-off"]}}
    board = compose(settings, ("providers", "sums.voice", Voice))
    assert [*board["talk"].providers] == ["voice"]
    assert site.imported() == {"zeta_sums"}


# What is wrong


def test_everything_that_is_wrong_is_said_in_one_run(site: Any) -> None:
    """Of the file and of the plugins it names, each at its place."""
    site.install("acme-broken", "import libwhatever", version="0.3", providers=["echo.broken = acme_broken:P"])
    settings = {
        "plugins": {"require": ["switchgear-nowhere>=1"]},
        "observers": {"ears": {"type": "memry"}},
        **tables(
            providers={
                "misspelled": {"type": "voice", "priorty": 1},
                "unknown": {"type": "vioce"},
                "broken": {"type": "broken"},
                "unset": {"type": "voice", "options": {"suffix": "${NOBODY_SETS_THIS}"}},
                "option": {"type": "voice", "options": {"sufix": "!"}},
            },
            strategy="prioritty",
            validate=["shorter"],
            deadline=5,
        ),
    }
    found = refused(settings)
    broken = found.pop("services.talk.providers.broken")
    assert broken.startswith("echo.broken (acme_broken:P, acme-broken 0.3) cannot be imported: ModuleNotFoundError: ")
    assert found == {
        "plugins.require[0]": "switchgear-nowhere is not installed",
        "observers.ears": "unknown observer 'memry'; did you mean 'memory'? installed: log, memory, webhook",
        "services.talk.deadline": 'expected a duration such as "250ms", "30s", "5m", "1h30m" or "7d", got 5',
        "services.talk.strategy": (
            "unknown strategy 'prioritty'; did you mean 'priority'? "
            "installed: cost, least-busy, p2c, priority, quality, round-robin, speed, weighted"
        ),
        "services.talk.validate[0]": "echo has no validator 'shorter'",
        "services.talk.providers.misspelled.priorty": "unknown key",
        "services.talk.providers.unknown": (
            "unknown echo provider 'vioce'; did you mean 'voice'? installed: broken, voice"
        ),
        "services.talk.providers.unset.options.suffix": "${NOBODY_SETS_THIS} is not set",
        "services.talk.providers.option.options.sufix": "unknown key",
    }


def test_faults_of_every_kind_in_one_file_are_all_said_and_each_once(site: Any) -> None:
    """Keys that are wrong, missing or unset hide nothing: the rest is composed without them."""
    site.install("acme-broken", "import libwhatever", providers=["echo.broken = acme_broken:P"])
    voice = {"voice": {"type": "voice"}}
    settings = {
        "unknown": {},
        "plugins": {"require": ["switchgear-nowhere"]},
        "observers": {"number": {"type": 3}, "ears": {"type": "memry"}, "empty": {}},
        "cost_sinks": {"ledger": {"type": "sqlit"}, "no_table": 3, "second": {"options": {"path": "x"}}},
        "budgets": {
            "worded": {"limit": "x", "services": ["tlak"]},
            "unlimited": {"per": "day", "providers": ["talk.unknwon"]},
            "shared": {"limit": 1, "shared_by": "ledger"},
            "elsewhere": {"limit": 1, "shared_by": "nowhere"},
        },
        "services": {
            "talk": {
                "capability": "echo",
                "strategy": {"type": "weighted", "options": {"weights": {"number": 1, "nmuber": 1}}},
                "validate": [{"type": 3}, {"type": "shorter"}, {"options": {"least": 1}}],
                "cache": {"type": "memry", "ttl": 5},
                "providers": {
                    "number": {"type": 3, "options": {"suffix": 1}},
                    "unknown": {"type": "vioce"},
                    "broken": {"type": "broken", "priorty": 1},
                    "typeless": {"options": {"suffix": "!"}},
                    "unset": {"type": "${NOBODY_SETS_THIS}"},
                    "options": {"type": "voice", "options": {"sufix": "!", "suffix": "${NOBODY_SETS_THIS}"}},
                    "no_table": 3,
                    "priced": {"type": "voice", "cost": {"per_call": 0.1, "free": {"pages": 3}}},
                },
            },
            "open": {"capability": "${NOBODY_SETS_THIS}", "strategy": "prioritty", "providers": voice},
            "nothing": {"deadline": 5, "providers": voice, "cache": {"levels": [{"type": "memry"}, {}]}},
            "no_table": 3,
            "alone": {"capability": "echo", "validate": ["longer"], "providers": {"number": {"type": 3}}},
            "nobody": {"capability": "echo", "strategy": "nobodys"},
            "number": {"capability": 3, "providers": voice},
        },
    }
    assert sorted(refused(settings)) == sorted(
        [
            "unknown",
            "plugins.require[0]",
            "observers.number.type",
            "observers.ears",
            "observers.empty.type",
            "cost_sinks.ledger",
            "cost_sinks.no_table",
            "cost_sinks.second.type",
            "budgets.worded.limit",
            "budgets.worded.services",
            "budgets.unlimited.limit",
            "budgets.unlimited.providers",
            "budgets.elsewhere.shared_by",
            "services.talk.strategy.options",
            "services.talk.validate[0].type",
            "services.talk.validate[1]",
            "services.talk.validate[2].type",
            "services.talk.cache",
            "services.talk.cache.ttl",
            "services.talk.providers.number.type",
            "services.talk.providers.unknown",
            "services.talk.providers.broken",
            "services.talk.providers.broken.priorty",
            "services.talk.providers.typeless.type",
            "services.talk.providers.unset.type",
            "services.talk.providers.options.options.sufix",
            "services.talk.providers.options.options.suffix",
            "services.talk.providers.no_table",
            "services.talk.providers.priced.cost.per_call",
            "services.open.capability",
            "services.open.strategy",
            "services.nothing.capability",
            "services.nothing.deadline",
            "services.nothing.cache.levels[0]",
            "services.nothing.cache.levels[1].type",
            "services.no_table",
            "services.alone.validate[0]",
            "services.alone.providers.number.type",
            "services.nobody.strategy",
            "services.nobody.providers",
            "services.number.capability",
        ]
    )


def test_a_misspelled_validator_gets_the_nearest_right_spelling() -> None:
    with pytest.raises(ConfigError) as caught:
        compose(tables(validate=["not-shortr"]))
    (problem,) = caught.value.problems
    assert problem.message == "echo has no validator 'not-shortr'"
    assert problem.remedy == "Did you mean not-shorter? Valid here: not-shorter"


@pytest.mark.parametrize(
    "table",
    [
        {"type": 3, "options": {"suffix": 3}},
        {"options": {"suffix": 3}},
        {"type": "${NOBODY_SETS_THIS}"},
        {"type": "voice", "cost": [{"per_call": "1", "valid_from": "soon", "valid_until": "2020-01-01"}]},
        {"type": "voice", "options": 3},
        {"type": "picky", "options": {"word": "${NOBODY_SETS_THIS}"}},
        3,
    ],
)
def test_what_follows_from_a_fault_is_no_fault_of_its_own(table: Any) -> None:
    @attrs.define
    class Picky(Voice):
        word: str = attrs.field(default="fine")

        def __attrs_post_init__(self) -> None:
            if self.word != "fine":
                raise ValueError("no such word")

    settings = tables(providers={"it": table}, strategy={"type": "weighted", "options": {"weights": {"it": 1}}})
    settings["budgets"] = {"month": {"limit": 1, "providers": ["talk.it"]}}
    assert len(refused(settings, ("providers", "echo.picky", Picky))) == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"services": 3},
        {"services": {"talk": 3}},
        {"services": {"talk": "${NOBODY_SETS_THIS}"}},
        {"cost_sinks": "${broken"},
        tables(providers=3, strategy={"type": "weighted", "options": {"weights": {"voice": 1}}}),
        tables(providers={}, strategy={"type": "weighted", "options": {"weights": {"voice": 1}}}),
    ],
    ids=str,
)
def test_names_are_not_said_to_be_misspelled_where_there_is_nothing_to_compare_them_with(settings: Tables) -> None:
    sinks = {"ledger": {"type": "sqlite"}}
    budget = {"limit": 1, "services": ["talk"], "providers": ["talk.voice", "voice"], "shared_by": "ledger"}
    whole = {**tables(), "cost_sinks": sinks, "budgets": {"month": budget}, **settings}
    assert len(refused(whole)) == 1


def test_the_problems_of_a_file_and_of_its_plugins_are_in_the_files_order() -> None:
    settings = {**tables(strategy="nowhere", deadline=5), "observers": {"ears": {"type": 3}, "eyes": {"type": "no"}}}
    assert list(refused(settings)) == [
        "services.talk.strategy",
        "services.talk.deadline",
        "observers.ears.type",
        "observers.eyes",
    ]


def test_what_is_wrong_in_an_overlay_hides_no_plugins_problem() -> None:
    settings = tables()
    settings["environments"] = {"prod": {"services": {"talk": {"deadline": 5, "strategy": "nowhere"}}}}
    assert sorted(refused(settings, environment="prod")) == [
        "environments.prod.services.talk.deadline",
        "environments.prod.services.talk.strategy",
    ]


def test_problems_of_plugins_stand_where_the_overlay_names_them() -> None:
    settings = tables()
    settings["environments"] = {
        "prod": {"services": {"talk": {"strategy": "nowhere", "providers": {"second": {"type": "nobody"}}}}}
    }
    found = refused(settings, environment="prod")
    assert sorted(found) == [
        "environments.prod.services.talk.providers.second",
        "environments.prod.services.talk.strategy",
    ]
    settings["services"]["talk"]["unknown"] = 1
    assert sorted(refused(settings, environment="prod")) == [
        "environments.prod.services.talk.providers.second",
        "environments.prod.services.talk.strategy",
        "services.talk.unknown",
    ]


def test_an_overlay_changes_what_is_composed() -> None:
    settings = tables(providers={"voice": {"type": "voice", "options": {"suffix": "?"}}})
    settings["environments"] = {
        "prod": {"services": {"talk": {"providers": {"voice": {"options": {"suffix": "!"}}}}}},
        "dev": {},
    }
    for environment, answer in {"prod": "hi!", "dev": "hi?"}.items():
        with compose(settings, environment=environment) as board:
            assert board.process_sync("talk", "hi").output == answer


def test_a_capability_that_nobody_offers_hides_no_other_problem() -> None:
    settings = tables(capability="eco", strategy="nowhere")
    assert sorted(refused(settings)) == ["services.talk.capability", "services.talk.strategy"]


@pytest.mark.parametrize("kind", ["hedge", "cache"])
def test_work_that_must_not_be_done_twice_is_neither_hedged_nor_cached(kind: str) -> None:
    table = {"hedge": {}, "cache": {"type": "memory"}}[kind]
    assert list(refused(tables(capability="once", **{kind: table}))) == [f"services.talk.{kind}"]


def test_a_contract_that_is_broken_is_shown_with_both_definitions() -> None:
    class Wrong(Voice):
        def estimate_costs(self, request: str) -> Decimal: ...  # type: ignore[empty-body]

        def health_check(self, thorough: bool) -> Any: ...  # type: ignore[override]

    with pytest.raises(ConfigError) as caught:
        compose(tables(providers={"voice": {"type": "wrong"}}), ("providers", "echo.wrong", Wrong))
    messages = [problem.message for problem in caught.value.problems]
    assert {problem.path for problem in caught.value.problems} == {"services.talk.providers.voice"}
    assert len(messages) == 3
    assert "has estimate_costs(), which nobody calls; did you mean estimate_cost()?" in messages[2]
    for message in messages[:2]:
        assert "contract `async def health_check(self)`, found `def health_check(self, thorough)` in " in message


def test_a_provider_that_lacks_a_method_is_refused() -> None:
    class Lacking(Voice):
        process = None  # type: ignore[assignment]

    found = refused(tables(providers={"voice": {"type": "lacking"}}), ("providers", "echo.lacking", Lacking))
    assert found == {
        "services.talk.providers.voice": "has no process(); the contract: `async def process(self, request)`"
    }


def test_a_provider_that_is_still_abstract_is_refused() -> None:
    class Abstract(SimpleProvider[str, str]):
        pass

    found = refused(tables(providers={"voice": {"type": "abstract"}}), ("providers", "echo.abstract", Abstract))
    assert found["services.talk.providers.voice.options"].startswith("refused: ")


@pytest.mark.parametrize("implementation", [object, object(), sys, dict])
def test_what_is_no_provider_is_refused(implementation: Any) -> None:
    found = refused(tables(providers={"voice": {"type": "odd"}}), ("providers", "echo.odd", implementation))
    assert found["services.talk.providers.voice"].endswith("is no BaseProvider")


def test_one_object_cannot_be_two_providers() -> None:
    providers = {"one": {"type": "fake"}, "two": {"type": "fake"}}
    found = refused(tables(providers=providers), ("providers", "echo.fake", ScriptedProvider(["x"])))
    assert list(found) == ["services.talk.providers.two"]
    assert "is one object, and used twice" in found["services.talk.providers.two"]


def test_what_is_no_capability_is_refused() -> None:
    class Half:
        name = "half"

        def request(self, value: Any) -> Any: ...

    with pytest.raises(ConfigError) as caught:
        compose(tables(capability="half"), ("capabilities", "half", Half))
    messages = [problem.message for problem in caught.value.problems]
    assert messages == ["has no `request_type`", "has no `output_type`"]


def test_a_capability_that_cannot_be_made_is_refused() -> None:
    class Failing(Echo):
        def __init__(self) -> None:
            raise RuntimeError("no dictionary")

    (message,) = refused(tables(capability="failing"), ("capabilities", "failing", Failing)).values()
    assert message == "refused: no dictionary (RuntimeError from Failing())"


# Optional


def test_conda_12455_what_is_optional_is_left_out_and_reported(site: Any) -> None:
    site.install("acme-broken", "1 / 0", providers=["echo.broken = acme_broken:P"])
    voice = {"type": "voice"}
    settings = {
        **tables(
            providers={
                "broken": {"type": "broken", "optional": True},
                "gone": {"type": "gone", "optional": True},
                "wrong": {"type": "voice", "optional": True, "options": {"sufix": 1}},
                "voice": voice,
            },
            strategy={"type": "gone", "optional": True},
            validate=[{"type": "gone", "optional": True}],
        ),
        "observers": {"gone": {"type": "gone", "optional": True}},
    }
    with compose(settings) as board:
        assert board.process_sync("talk", "hello").provider == "voice"
        assert strategy_of(board) == Priority()
        assert [problem.path for problem in board.degraded] == [
            "observers.gone",
            "services.talk.strategy",
            "services.talk.validate[0]",
            "services.talk.providers.broken",
            "services.talk.providers.gone",
            "services.talk.providers.wrong.options.sufix",
        ]


def test_an_optional_listener_that_breaks_its_contract_hears_nothing() -> None:
    class Async:
        async def call_finished(self, call: Any) -> None: ...

    settings = {**tables(), "observers": {"async": {"type": "async", "optional": True}}}
    with compose(settings, ("observers", "async", Async)) as board:
        board.process_sync("talk", "hello")
        assert [problem.path for problem in board.degraded] == ["observers.async"]


def test_a_service_that_only_had_optional_providers_has_nobody_left() -> None:
    settings = tables(providers={"gone": {"type": "gone", "optional": True}})
    assert refused(settings) == {"services.talk": "no provider is left"}


# Required


@pytest.mark.parametrize(
    ("requirement", "message"),
    [
        ("switchgear", None),
        ("switchgear>=0.0.1", None),
        ('switchgear-nowhere; python_version < "3"', None),
        ("switchgear>=99", r"switchgear \S+ is installed"),
        ("switchgear-nowhere", "switchgear-nowhere is not installed"),
        ("not a requirement!", "'not a requirement!' is not a requirement"),
    ],
)
def test_what_is_required_must_be_installed(requirement: str, message: str | None) -> None:
    settings = {**tables(), "plugins": {"require": [requirement]}}
    if message is None:
        compose(settings)
        return
    with pytest.raises(ConfigError, match=rf"^plugins.require\[0\]: {message}"):
        compose(settings)


# Secret stores

VAULT = """
class Vault:
    asked = []

    def get(self, name, key):
        self.asked.append((name, key))
        if name == "gone":
            raise LookupError("no such entry")
        return f"{name}/{key}"


class Async:
    async def get(self, name, key):
        return "never"


class Picky:
    def __init__(self):
        raise RuntimeError("no credentials")
"""


def suffix(reference: str) -> Tables:
    return tables(providers={"voice": {"type": "voice", "options": {"suffix": reference}}})


@pytest.fixture
def vault(site: Any) -> None:
    points = ["vault = acme_vault:Vault", "async = acme_vault:Async", "picky = acme_vault:Picky"]
    site.install("acme-vault", VAULT, secrets=points)
    site.install("acme-broken", "1 / 0", secrets=["broken = acme_broken:Vault"])


def test_a_secret_store_is_an_entry_point_that_is_imported_when_a_reference_names_it(site: Any, vault: None) -> None:
    compose(tables())
    assert site.imported() == set()
    with compose(suffix("${vault:pay#key}${vault:pay#key}${vault:plain}")) as board:
        assert board.process_sync("talk", "").output == "pay/keypay/keyplain/None"
    assert sys.modules["acme_vault"].Vault.asked == [("pay", "key"), ("plain", None)]
    assert site.imported() == {"acme_vault"}


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("${nowhere:x}", "no secret store is called 'nowhere'"),
        ("${vault:gone}", "secret store 'vault' does not give 'gone' (LookupError: no such entry)"),
        ("${broken:x}", "broken (acme_broken:Vault, acme-broken 1.0) cannot be imported: ZeroDivisionError: "),
        (
            "${async:x}",
            "secret store 'async' get must be a plain def: contract `def get(self, name, key)`, found `async ",
        ),
        ("${picky:x}", "secret store 'picky' does not give 'x' (ConfigError: picky.options: refused: no credentials"),
    ],
)
def test_a_secret_that_cannot_be_had_is_a_problem_at_its_place(vault: None, reference: str, message: str) -> None:
    found = refused(suffix(reference))
    assert list(found) == ["services.talk.providers.voice.options.suffix"]
    assert found["services.talk.providers.voice.options.suffix"].startswith(message)


def test_the_stores_that_are_there_are_named(vault: None) -> None:
    with pytest.raises(ConfigError, match="Known: async, broken, file, picky, vault"):
        compose(suffix("${valut:x}"))


def test_a_file_composes_with_its_folder(tmp_path: Path) -> None:
    (tmp_path / "mark").write_text("!\n")
    path = tmp_path / "switchgear.toml"
    path.write_text(
        """
        [services.talk]
        capability = "echo"
        [services.talk.providers.voice]
        type = "voice"
        options = { suffix = "${file:mark}" }
        """
    )
    with Switchgear.open(path, extra=EXTRA) as board:
        assert board.process_sync("talk", "hi").output == "hi!"
