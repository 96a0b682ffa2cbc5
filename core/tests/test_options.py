"""A plugin class's options: its own attrs fields, strictly filled."""

from decimal import Decimal
from typing import Annotated, Any, ClassVar

import attrs
import pytest
from switchgear import BlockingProvider, Price, Problem, ProviderResult, Secret, SimpleProvider
from switchgear.config.templates import Interpolated
from switchgear.durations import Duration
from switchgear.errors import ConfigError
from switchgear.options import build, option_fields, secrets_in, types_of
from switchgear.rules import Rule
from switchgear.strategies.weighted import Weighted


@attrs.define
class Engine(SimpleProvider[Any, Any]):
    language: str
    threshold: float = 0.5
    wait: Duration = attrs.field(default=Duration(1.0))
    key: Secret | None = None
    level: Annotated[int, Rule("an even level", lambda level: level % 2 == 0)] = 2
    handle: object = attrs.field(default=None, init=False)
    KIND: ClassVar[str] = "engine"

    async def process(self, request: Any) -> ProviderResult[Any]: ...  # type: ignore[empty-body]


def problems(implementation: Any, options: dict[str, Any] | None = None, **given: Any) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        build(implementation, options or {}, "here", **given)
    return list(caught.value.problems)


def test_options_are_the_fields_a_class_declares_and_nothing_else() -> None:
    assert [field.name for field in option_fields(Engine)] == ["language", "threshold", "wait", "key", "level"]


def test_options_arrive_as_their_types() -> None:
    made = build(Engine, {"language": "eng", "wait": "1m", "key": "sk-1", "level": 4}, "here", name="fast", priority=1)
    assert (made.name, made.priority, made.language, made.threshold) == ("fast", 1, "eng", 0.5)
    assert (made.wait, made.key, made.level) == (60.0, Secret("sk-1"), 4)


def test_all_that_is_wrong_is_said_at_once_each_at_its_place() -> None:
    found = problems(Engine, {"langauge": "eng", "threshold": "high", "level": 3, "wait": 5})
    assert {problem.path: problem.message for problem in found} == {
        "here.options.language": "missing, expected a string",
        "here.options.langauge": "unknown key",
        "here.options.threshold": "expected a number, got 'high'",
        "here.options.level": "expected an even level, got 3",
        "here.options.wait": "expected " + 'a duration such as "250ms", "30s", "5m", "1h30m" or "7d", got 5',
    }
    (misspelled,) = [problem for problem in found if problem.path.endswith("langauge")]
    assert misspelled.remedy.startswith("Did you mean language? ")


def test_what_every_provider_has_cannot_be_set_as_an_option() -> None:
    (found,) = problems(Engine, {"language": "eng", "priority": 1})
    assert (found.path, found.message) == ("here.options.priority", "unknown key")


def test_an_object_takes_no_options() -> None:
    ready = Weighted()
    assert build(ready, {}, "here") is ready
    assert problems(ready, {"weights": {}})[0].message == "this plugin takes no options"


def test_an_object_takes_what_composition_gives() -> None:
    engine = Engine(language="eng", name="mine")
    assert build(engine, {}, "here", name="fast", price=Price(Decimal(1))) is engine
    assert (engine.name, engine.price) == ("fast", Price(Decimal(1)))


def test_a_field_that_reuses_a_base_name_is_an_error() -> None:
    @attrs.define
    class Reusing(Engine):
        priority: int = 3

    (found,) = problems(Reusing)
    assert found.message == "Reusing declares priority, which every provider has already"
    assert (found.path, found.remedy) == ("here", "The name is taken: rename the field")


def test_private_names_of_the_worker_threads_are_taken_only_where_there_are_worker_threads() -> None:
    @attrs.define
    class Pooled(SimpleProvider[Any, Any]):
        _pool: int = 3

        async def process(self, request: Any) -> ProviderResult[Any]: ...  # type: ignore[empty-body]

    @attrs.define
    class Blocking(BlockingProvider[Any, Any]):
        _pool: int = 3  # type: ignore[assignment]

        def process_blocking(self, request: Any) -> ProviderResult[Any]: ...  # type: ignore[empty-body]

    assert build(Pooled, {"pool": 4}, "here")._pool == 4
    assert problems(Blocking)[0].message == "Blocking declares _pool, which every provider has already"


def test_an_undecorated_subclass_with_annotations_is_an_error() -> None:
    class Undecorated(Engine):
        extra: str = "never an option"

    (found,) = problems(Undecorated, {"language": "eng"})
    assert found.message == "Undecorated has annotations but is not decorated"
    assert found.remedy == "Decorate the class with @attrs.define"


def test_an_undecorated_class_with_annotations_and_no_base_is_an_error() -> None:
    class Plain:
        extra: str = "never an option"

    assert problems(Plain)[0].message == "Plain has annotations but is no attrs class"


def test_an_undecorated_subclass_without_annotations_is_right() -> None:
    class Renamed(Engine):
        KIND: ClassVar[str] = "renamed"

    assert build(Renamed, {"language": "eng"}, "here").language == "eng"


def test_a_class_without_fields_takes_no_options() -> None:
    class Bare:
        SIZE: ClassVar[int] = 3

    assert isinstance(build(Bare, {}, "here"), Bare)
    assert problems(Bare, {"size": 3})[0].message == "unknown key"


def test_a_field_without_an_annotation_takes_anything() -> None:
    @attrs.define
    class Untyped:
        anything = attrs.field(default=None)  # type: ignore[var-annotated]

    assert build(Untyped, {"anything": [1, "two"]}, "here").anything == [1, "two"]


def test_an_annotation_that_is_not_there_at_run_time_is_the_plugins_fault() -> None:
    @attrs.define
    class Guarded:
        page: "OnlyForTypeCheckers"  # type: ignore[name-defined] # noqa: F821

    (found,) = problems(Guarded, {"page": "x"})
    assert found.path == "here"
    assert found.message == (
        "the annotations of Guarded cannot be read: NameError: name 'OnlyForTypeCheckers' is not defined"
    )
    assert found.remedy == "Import what they name outside of `if TYPE_CHECKING`"


def test_what_a_class_says_of_its_own_checks_is_shown() -> None:
    (found,) = problems(Weighted, {"weights": {"fast": -1.0}})
    assert found.path == "here.options"
    assert found.message == "refused: weights must be 0 or more: fast (ValueError from Weighted(weights))"


@attrs.define
class Picky:
    key: Secret
    word: str = ""

    def __attrs_post_init__(self) -> None:
        raise ValueError(f"cannot use {self.key.reveal()} {self.word}")


@attrs.define
class Holder:
    inner: Picky | None = None
    texts: list[str] = attrs.Factory(list)

    def __attrs_post_init__(self) -> None:
        raise ValueError(f"cannot use {self.texts}")


@pytest.mark.parametrize(
    ("implementation", "options"),
    [
        (Picky, {"key": "hunter2"}),
        (Holder, {"texts": ["fine", Interpolated("hunter2")]}),
    ],
)
def test_what_a_class_says_is_not_shown_where_it_may_repeat_a_secret(implementation: Any, options: Any) -> None:
    (found,) = problems(implementation, options)
    assert "hunter2" not in str(found)
    assert found.message.startswith("refused: ValueError from ")


def test_a_class_that_fails_without_a_word_is_named() -> None:
    class Silent:
        def __init__(self) -> None:
            raise RuntimeError

    assert problems(Silent)[0].message == "refused: RuntimeError from Silent()"


def test_ctrl_c_in_a_constructor_ends_the_program() -> None:
    class Slow:
        def __init__(self) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(Slow, {}, "here")


def test_secrets_are_found_however_deep() -> None:
    @attrs.frozen
    class Account:
        key: Secret
        others: tuple[Secret, ...] = ()

    account = Account(Secret("a"), (Secret("b"),))
    assert [*secrets_in({"one": account, "two": [Secret("c")], "three": "d"})] == [
        Secret("a"),
        Secret("b"),
        Secret("c"),
    ]


def test_a_class_that_is_no_attrs_class_has_no_types() -> None:
    assert types_of(int) == {}
