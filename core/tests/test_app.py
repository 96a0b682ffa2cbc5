"""A composed configuration: opened, called and closed, under asyncio and in ordinary code."""

import asyncio
import gc
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from switchgear import (
    Capability,
    ConfigError,
    InvalidInput,
    ProviderError,
    ProviderManager,
    ProviderResult,
    Secret,
    SimpleProvider,
    Switchgear,
    UsageError,
)
from switchgear.testing import FakeClock, MemoryObserver, ScriptedProvider

Tables = dict[str, Any]


class Echo(Capability[str, str]):
    name = "echo"
    request_type = output_type = str

    def request(self, value: Any, **options: Any) -> str:
        if isinstance(value, int):
            return f"number {value}"
        return super().request(value, **options)


class Sums(Capability[list[int], int]):
    name = "sums"
    request_type = list
    output_type = int


@attrs.define
class Life(SimpleProvider[Any, Any]):
    """Notes what happens to it; `fail_to` open or close it may be asked to."""

    fail_to: str = ""
    key: Secret | None = None
    lived: list[str] = attrs.field(factory=list, init=False)
    loop: Any = attrs.field(default=None, init=False)

    async def aopen(self) -> None:
        self.lived.append("opened")
        self.loop = asyncio.get_running_loop()
        if self.fail_to == "open":
            raise ProviderError("no engine")

    async def process(self, request: Any) -> ProviderResult[Any]:
        self.lived.append("asked")
        return ProviderResult(request)

    async def aclose(self) -> None:
        self.lived.append("closed")
        if self.fail_to == "close":
            raise ProviderError("stuck")


EXTRA: list[tuple[str, str, Any]] = [
    ("capabilities", "echo", Echo),
    ("capabilities", "sums", Sums),
    ("providers", "echo.life", Life),
    ("observers", "memory", MemoryObserver),
]


def tables(**provider: Any) -> Tables:
    return {"services": {"talk": {"capability": "echo", "providers": {"one": {"type": "life", **provider}}}}}


def compose(settings: Tables | None = None, *extra: tuple[str, str, Any], **options: Any) -> Switchgear:
    return Switchgear.compose(tables() if settings is None else settings, extra=[*EXTRA, *extra], **options)


def life_of(board: Switchgear, provider: str = "one") -> Life:
    found: Any = board["talk"].providers[provider]
    assert isinstance(found, Life)
    return found


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert [each.name for each in {*threading.enumerate()} - before if each.name == "switchgear-home"] == []


# The services


def test_services_are_found_by_their_names_in_the_order_of_the_file() -> None:
    settings = tables()
    settings["services"]["chat"] = settings["services"]["talk"]
    board = compose(settings)
    assert list(board) == ["talk", "chat"]
    assert len(board) == 2
    assert isinstance(board["talk"], ProviderManager)
    assert board["talk"].service == "talk"


def test_an_unknown_service_names_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"^there is no service 'tlak'; configured: talk$"):
        compose()["tlak"]
    with pytest.raises(UsageError, match=r"configured: none$"):
        compose({})["talk"]
    with pytest.raises(UsageError, match=r"^there is no service 'tlak'"):
        compose().capability("tlak")


def test_a_service_comes_with_its_types_where_its_capability_is_named() -> None:
    board = compose()
    assert board.service("talk", Echo()) is board["talk"]
    assert isinstance(board.capability("talk"), Echo)
    with pytest.raises(UsageError, match=r"^service 'talk' offers echo, not sums$"):
        board.service("talk", Sums())
    with pytest.raises(UsageError, match=r"^give the capability itself"):
        board.service("talk", "echo")  # type: ignore[arg-type]


def test_a_request_of_another_type_is_the_callers_mistake_and_not_its_providers() -> None:
    assert compose()["talk"]._request_type is str
    service = ProviderManager([ScriptedProvider([AttributeError("no text")])], request_type=bytes)
    with pytest.raises(UsageError, match=r"^service takes a bytes, and got a int$"):
        service.process_sync(3)
    service.close()


def test_the_currency_is_that_of_the_file() -> None:
    assert compose().currency == "USD"
    assert compose({**tables(), "switchgear": {"currency": "EUR"}}).currency == "EUR"


def test_a_board_of_no_services_opens_and_closes() -> None:
    with compose({}) as board:
        assert len(board) == 0


# Calling


def test_ordinary_code_calls_and_closes_with_a_with() -> None:
    with compose() as board:
        result = board.process_sync("talk", "hello", tags=("a",))
        assert (result.output, result.provider) == ("hello", "one")
        life = life_of(board)
    assert life.lived == ["opened", "asked", "closed"]


def test_under_asyncio_providers_are_called_on_the_callers_loop() -> None:
    async def main() -> None:
        async with compose() as board:
            assert (await board.process("talk", "hello")).output == "hello"
            life = life_of(board)
            assert life.loop is asyncio.get_running_loop()
        assert life.lived == ["opened", "asked", "closed"]

    asyncio.run(main())


def test_without_a_with_a_board_is_closed_by_hand() -> None:
    board = compose()
    board.process_sync("talk", "hello")
    board.close()
    assert life_of(board).lived == ["opened", "asked", "closed"]


def test_a_capability_makes_the_request_where_it_is_not_one_yet() -> None:
    with compose() as board:
        assert board.process_sync("talk", 3).output == "number 3"
        with pytest.raises(InvalidInput, match="echo: cannot make a request from float"):
            board.process_sync("talk", 3.0)

    async def main() -> str:
        async with compose() as board:
            return str((await board.process("talk", 3)).output)

    assert asyncio.run(main()) == "number 3"


def test_a_blocking_call_inside_a_loop_says_what_to_do_instead() -> None:
    async def main() -> None:
        async with compose() as board:
            with pytest.raises(UsageError, match="await process"):
                board.process_sync("talk", "hello")

    asyncio.run(main())


def test_calls_come_from_any_thread() -> None:
    with compose() as board:
        answers: list[str] = []
        threads = [
            threading.Thread(target=lambda text=text: answers.append(board.process_sync("talk", text).output))
            for text in "abcd"
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers) == ["a", "b", "c", "d"]
        assert life_of(board).lived.count("opened") == 1


def test_a_loop_that_has_ended_is_named_as_the_reason() -> None:
    board = compose()
    asyncio.run(board.process("talk", "hello"))
    with pytest.raises(UsageError, match=r"keep to one asyncio\.run"):
        board.process_sync("talk", "hello")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_process_is_told_to_open_its_own() -> None:
    with compose() as board:
        board.process_sync("talk", "hello")
        reader, writer = os.pipe()
        if (child := os.fork()) == 0:
            try:
                board.process_sync("talk", "hello")
            except UsageError as error:
                os.write(writer, str(error).encode())
            finally:
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as said:
            assert said.read() == "this was opened before the process forked; open another one in the child"
        os.waitpid(child, 0)


def test_the_boards_clock_times_its_calls() -> None:
    clock = FakeClock(start=100.0)

    def work(request: str) -> str:
        clock.advance(2.5)
        return "done"

    extra = ("providers", "echo.slow", ScriptedProvider([work]))
    with compose(tables(type="slow"), extra, clock=clock) as board:
        assert board.process_sync("talk", "hello").latency == 2.5


# Opening


def test_providers_open_at_first_use_and_warm_ones_at_the_start() -> None:
    settings = tables(warm=True)
    settings["services"]["talk"]["providers"]["two"] = {"type": "life"}
    with compose(settings) as board:
        assert life_of(board).lived == ["opened"]
        assert life_of(board, "two").lived == []
    assert life_of(board).lived == ["opened", "closed"]
    assert life_of(board, "two").lived == []


def test_a_warm_provider_that_does_not_open_stops_the_start_and_everything_is_closed() -> None:
    settings = tables(warm=True)
    settings["services"]["talk"]["providers"]["two"] = {
        "type": "life",
        "warm": True,
        "options": {"fail_to": "open"},
    }
    settings["observers"] = {"ears": {"type": "memory"}}
    ears = MemoryObserver()
    board = compose(settings, ("observers", "memory", ears))
    with pytest.raises(ProviderError, match="no engine"), board:
        pass
    assert life_of(board).lived == ["opened", "closed"]
    assert ears.closed

    async def main() -> None:
        board = compose(settings, ("observers", "memory", MemoryObserver()))
        with pytest.raises(ProviderError, match="no engine"):
            await board.__aenter__()
        assert life_of(board).lived == ["opened", "closed"]

    asyncio.run(main())


def test_an_optional_warm_provider_that_does_not_open_is_reported_and_the_rest_goes_on() -> None:
    settings = tables()
    broken = {"type": "life", "warm": True, "optional": True, "options": {"fail_to": "open"}, "priority": 1}
    settings["services"]["talk"]["providers"]["two"] = broken
    with compose(settings) as board:
        (problem,) = board.degraded
        assert str(problem) == "services.talk.providers.two: cannot be opened: ProviderError"
        assert board.process_sync("talk", "hello").provider == "one"


def test_active_health_checks_run_while_the_board_is_open() -> None:
    """They start with the board, whether or not a provider is warm."""

    async def main() -> None:
        checked = asyncio.Event()

        @attrs.define
        class Checked(Life):
            async def health_check(self) -> Any:
                checked.set()
                return self.status

        class Impatient(FakeClock):
            async def sleep(self, seconds: float) -> None:
                await super().sleep(seconds)
                await asyncio.sleep(0)

        settings = tables(type="checked")
        settings["services"]["talk"]["health"] = {"interval": "1s"}
        async with compose(settings, ("providers", "echo.checked", Checked), clock=Impatient()):
            await checked.wait()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


# Closing


def test_closing_twice_is_fine_and_calls_after_it_are_refused() -> None:
    board = compose()
    with board:
        board.process_sync("talk", "hello")
    board.close()
    assert life_of(board).lived == ["opened", "asked", "closed"]
    with pytest.raises(UsageError, match="talk is closed"):
        board.process_sync("talk", "hello")
    board.close()

    async def main() -> None:
        board = compose()
        async with board:
            pass
        await board.aclose()
        with pytest.raises(UsageError, match="talk is closed"):
            await board.process("talk", "hello")

    asyncio.run(main())


def test_one_that_cannot_close_keeps_nobody_else_open() -> None:
    settings = tables(options={"fail_to": "close"})
    settings["services"]["talk"]["providers"]["two"] = {"type": "life"}
    settings["observers"] = {"ears": {"type": "memory"}}
    ears = MemoryObserver()
    with compose(settings, ("observers", "memory", ears)) as board:
        for name in ("one", "two"):
            board.process_sync("talk", "hello", only=[name])
    assert [life_of(board, name).lived[-1] for name in ("one", "two")] == ["closed", "closed"]
    assert ears.closed


def test_a_board_whose_loop_has_ended_still_closes_its_listeners_and_its_log(tmp_path: Path) -> None:
    settings = {
        **tables(),
        "switchgear": {"logging": {"file": str(tmp_path / "log")}},
        "observers": {"ears": {"type": "memory"}},
    }
    ears = MemoryObserver()
    board = compose(settings, ("observers", "memory", ears))
    asyncio.run(board.__aenter__())
    with pytest.raises(UsageError, match=r"keep to one asyncio\.run"):
        board.close()
    assert ears.closed
    gc.collect()  # a log file left open would warn


def test_a_board_that_was_never_used_leaves_nothing_behind() -> None:
    compose()


# From files


def test_a_file_is_opened_with_its_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "switchgear.toml"
    path.write_text(
        """
        [services.talk]
        capability = "echo"
        [services.talk.providers.one]
        type = "life"
        options = { key = "${TALK_KEY}" }
        [environments.prod.services.talk.providers.one]
        priority = 3
        """
    )
    with pytest.raises(ConfigError, match="TALK_KEY"):
        Switchgear.open(path, extra=EXTRA)
    looked_at = Switchgear.open(path, extra=EXTRA, allow_unset=True)
    assert list(looked_at) == ["talk"]
    monkeypatch.setenv("TALK_KEY", "sk-1")
    board = Switchgear.open(path, environment="prod", extra=EXTRA)
    assert (life_of(board).priority, life_of(board).key) == (3, Secret("sk-1"))
    assert board.document.path == path
    with pytest.raises(ConfigError, match="staging"):
        Switchgear.open(path, environment="staging", extra=EXTRA)


def test_the_nearest_file_upwards_is_opened_where_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deeper").mkdir()
    (tmp_path / "switchgear.toml").write_text("")
    monkeypatch.delenv("SWITCHGEAR_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path / "deeper")
    assert Switchgear.open().document.path == tmp_path / "switchgear.toml"


# Secrets in the log


def test_secrets_of_every_component_stay_out_of_the_log(tmp_path: Path) -> None:
    @attrs.frozen
    class Account:
        key: Secret

    @attrs.define
    class Telling:
        account: Account
        others: list[Secret] = attrs.Factory(list)

        def call_finished(self, call: Any) -> None:
            from switchgear.logs import logger

            logger.patch(lambda record: record.update(name="switchgear")).info(  # type: ignore[call-arg]
                "{} {}", self.account.key.reveal(), [each.reveal() for each in self.others]
            )

    options = {"account": {"key": "sk-hunter2"}, "others": ["pw-swordfish"]}
    settings = {
        **tables(options={"key": "key-of-the-provider"}),
        "switchgear": {"logging": {"file": str(tmp_path / "log")}},
        "observers": {"telling": {"type": "telling", "options": options}},
    }
    with compose(settings, ("observers", "telling", Telling)) as board:
        board.process_sync("talk", "hello", tags=("key-of-the-provider",))
    lines = (tmp_path / "log").read_text()
    assert "**********" in lines
    for secret in ("hunter2", "swordfish", "key-of-the-provider"):
        assert secret not in lines
