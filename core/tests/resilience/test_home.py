"""One loop at home, and the way there from everywhere else (S27)."""

import asyncio
import subprocess
import sys
import threading
from typing import Any

import attrs
import pytest
from switchgear import ProviderManager, ProviderResult, SimpleProvider, UsageError, current_call
from switchgear.home import Home
from switchgear.testing import ScriptedProvider

Manager = ProviderManager[Any, Any]


@attrs.define
class Where(SimpleProvider[Any, Any]):
    """Answers with the thread it is called on; a function as a request is called there."""

    async def process(self, request: Any) -> ProviderResult[Any]:
        await asyncio.sleep(0)
        value = request() if callable(request) else None
        return ProviderResult((threading.current_thread().name, value))


@attrs.define
class Local(SimpleProvider[Any, Any]):
    """Never waits for anything; a function as a request is called."""

    suspends = False

    async def process(self, request: Any) -> ProviderResult[Any]:
        return ProviderResult(request() if callable(request) else request)


def where(**settings: Any) -> Manager:
    return ProviderManager([Where(name="only")], **settings)


def local(**settings: Any) -> Manager:
    from switchgear import Retry

    return ProviderManager([Local(name="only")], deadline=None, retry=Retry(attempts=1), **settings)


def in_threads(number: int, work: Any) -> list[Any]:
    """What `work` gave in each of so many threads at a time, or raised."""
    got: list[Any] = []

    def one() -> None:
        try:
            got.append(work())
        except Exception as error:
            got.append(error)

    threads = [threading.Thread(target=one) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return got


def test_s27_ordinary_code_has_one_background_thread_for_all_its_threads() -> None:
    service = where()
    answers = in_threads(20, lambda: [service.process_sync("x").output[0] for _ in range(20)])
    assert answers == [["switchgear-home"] * 20] * 20
    service.close()


def test_s27_the_loop_of_the_first_call_is_home_for_calls_from_other_threads_and_loops() -> None:
    service = where()

    async def main() -> None:
        home = threading.current_thread().name
        assert (await service.process("x")).output[0] == home
        sync = await asyncio.to_thread(service.process_sync, "x")
        other = await asyncio.to_thread(lambda: asyncio.run(service.process("x")))
        assert sync.output[0] == other.output[0] == home
        await service.aclose()

    asyncio.run(main())


def test_s27_a_call_handed_over_brings_its_context_along() -> None:
    """So that a nested call from another loop still has at most the outer one's deadline."""
    inner = where()
    ends: list[float | None] = []

    def note() -> None:
        call = current_call()
        assert call is not None
        ends.append(call.ends)

    async def outer_request(_: Any) -> str:
        call = current_call()
        assert call is not None
        ends.append(call.ends)
        await asyncio.to_thread(lambda: asyncio.run(inner.process(note)))
        return "good"

    inner.process_sync("warm")

    async def main() -> None:
        async with ProviderManager([ScriptedProvider([outer_request], name="outer")], deadline=5.0) as outer:
            await outer.process("x")

    asyncio.run(main())
    inner.close()
    assert ends[0] == ends[1]


def test_s27_cancelling_a_call_that_was_handed_over_cancels_it_at_home() -> None:
    cancelled = threading.Event()

    async def hang(_: Any) -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return "never"

    service: Manager = ProviderManager([ScriptedProvider(["good", hang], name="only")])
    service.process_sync("x")

    async def main() -> None:
        call = asyncio.ensure_future(service.process("x"))
        while not service.in_flight:  # noqa: ASYNC110 - on another loop
            await asyncio.sleep(0.001)
        call.cancel()
        await asyncio.wait([call])
        assert call.cancelled()

    asyncio.run(main())
    assert cancelled.wait(10)
    service.close()
    assert service.in_flight == 0


@pytest.mark.parametrize("make", [where, local])
async def test_s27_a_blocking_call_where_a_loop_runs_is_a_clear_error(make: Any) -> None:
    service = make()
    for _ in range(2):
        with pytest.raises(UsageError, match="await process"):
            service.process_sync("x")
        await service.process("x")
    await service.aclose()


def test_s27_a_loop_that_has_ended_is_a_clear_error() -> None:
    service = where()
    asyncio.run(service.process("x"))
    with pytest.raises(UsageError, match="has ended"):
        service.process_sync("x")
    with pytest.raises(UsageError, match="has ended"):
        asyncio.run(service.process("x"))


FORKED = """
import asyncio, os, sys
from switchgear import ProviderManager, UsageError
from switchgear.testing import ScriptedProvider

service = ProviderManager([ScriptedProvider(["good"], name="only")])
{bind}
child = os.fork()
if child == 0:
    code = 3
    try:
        {use}
    except UsageError as error:
        code = 0 if "before the process forked" in str(error) else 4
    except BaseException:
        code = 5
    os._exit(code)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
{after}
sys.exit(status)
"""
BINDS = {
    "a thread": ('service.process_sync("x")', 'assert service.process_sync("x").output == "good"; service.close()'),
    "a loop": ('asyncio.run(service.process("x"))', ""),
}
USES = {
    "blocking": 'service.process_sync("x")',
    "awaited": 'asyncio.run(service.process("x"))',
    "closed": "service.close()",
}


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="this system cannot fork")
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("bind", BINDS)
def test_s27_the_parents_instance_in_a_forked_child_is_a_clear_error(bind: str, use: str) -> None:
    before, after = BINDS[bind]
    script = FORKED.format(bind=before, use=USES[use], after=after)
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore:.*fork.*:DeprecationWarning", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_s27_an_instance_that_was_not_used_before_the_fork_works_in_the_child() -> None:
    script = FORKED.format(bind="", use='service.process_sync("x"); service.close(); os._exit(0)', after="")
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr


# Calls that never wait need no loop


def test_what_never_waits_runs_in_the_callers_own_thread() -> None:
    service = local()
    before = threading.active_count()
    assert service.process_sync(threading.current_thread).output is threading.current_thread()
    assert threading.active_count() == before


def test_what_never_waits_may_call_another_one_of_its_home() -> None:
    service = local()
    done: list[Any] = []
    thread = threading.Thread(
        target=lambda: done.append(service.process_sync(lambda: service.process_sync("inner").output).output),
        daemon=True,
    )
    thread.start()
    thread.join(10)
    assert done == ["inner"]


def test_one_thread_at_a_time_is_at_home_whether_it_waits_or_not() -> None:
    service = local()
    inside, most = 0, 0

    def busy() -> str:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        for _ in range(2000):
            pass
        inside -= 1
        return "good"

    def awaits() -> str:
        return str(asyncio.run(service.process(busy)).output)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        answers = in_threads(16, lambda: service.process_sync(busy).output)
        assert answers == ["good"] * 16
        first, *_ = in_threads(1, awaits)
    finally:
        sys.setswitchinterval(before)
    assert first == "good"
    assert most == 1


def test_a_plugin_that_waits_though_it_said_it_never_does_is_told_so() -> None:
    @attrs.define
    class Liar(SimpleProvider[Any, Any]):
        suspends = False

        async def process(self, request: Any) -> ProviderResult[Any]:
            await asyncio.sleep(0)
            return ProviderResult("good")

    from switchgear import Retry

    service: Manager = ProviderManager([Liar(name="only")], deadline=None, retry=Retry(attempts=1))
    with pytest.raises(UsageError, match="suspends = False"):
        service.process_sync("x")
    assert service.in_flight == 0
    assert service.providers["only"].figures.in_flight == 0


def test_what_never_waits_does_not_wait_out_a_throttle_either() -> None:
    from switchgear import AllProvidersFailed, Retry, Throttled

    @attrs.define
    class Busy(SimpleProvider[Any, Any]):
        suspends = False

        async def process(self, request: Any) -> ProviderResult[Any]:
            raise Throttled("later", retry_after=1.0)

    service: Manager = ProviderManager([Busy(name="only")], deadline=None, retry=Retry(attempts=1))
    with pytest.raises(AllProvidersFailed) as caught:
        service.process_sync("x")
    assert caught.value.retry_after == pytest.approx(1.0, abs=0.2)


# Looking from any thread


def test_s27_figures_circuits_and_plans_can_be_read_from_any_thread_meanwhile() -> None:
    service = where()
    stop = threading.Event()

    def load() -> int:
        calls = 0
        while not stop.is_set():
            service.process_sync("x")
            calls += 1
        return calls

    def look() -> None:
        for _ in range(300):
            service.explain("x").to_json()
            assert not service.is_open("only")
            service.providers["only"].figures.latency.percentile(0.95)

    loading = threading.Thread(target=load)
    service.process_sync("x")
    loading.start()
    try:
        assert in_threads(4, look) == [None] * 4
    finally:
        stop.set()
        loading.join()
    service.close()


def test_s27_who_waited_for_its_turn_in_place_goes_to_the_loop_that_was_bound_meanwhile() -> None:
    entered, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        entered.set()
        assert go_on.wait(30)
        return "in place"

    home = Home()
    table, waits = local(home=home), where(home=home)
    got: list[Any] = []
    threads = [threading.Thread(target=lambda: got.append(table.process_sync(slow).output))]
    threads[0].start()
    assert entered.wait(30)
    threads += [threading.Thread(target=lambda: got.append(waits.process_sync(None).output[0]))]
    threads += [threading.Thread(target=lambda: got.append(table.process_sync("later").output)) for _ in range(3)]
    for thread in threads[1:]:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join(30)
    assert sorted(got) == ["in place", "later", "later", "later", "switchgear-home"]
    waits.close()
    home.close()


def test_s27_what_runs_in_place_keeps_to_the_deadline_of_the_call_that_it_is_made_for() -> None:
    table = local()

    async def outer(_: Any) -> Any:
        return await asyncio.to_thread(lambda: table.process_sync("looked up").output)

    async def main() -> Any:
        async with ProviderManager([ScriptedProvider([outer])], deadline=30.0) as service:
            return (await service.process("x")).output

    assert asyncio.run(main()) == "looked up"
    table.close()


def test_s2_s27_a_plugin_that_wants_to_end_the_program_ends_its_caller_and_not_the_home_of_the_others() -> None:
    def leave(_: Any) -> None:
        raise SystemExit(3)

    service = ProviderManager([ScriptedProvider(["good", leave, "good"])])
    assert service.process_sync("x").output == "good"
    with pytest.raises(SystemExit) as caught:
        service.process_sync("x")
    assert caught.value.code == 3
    assert service.process_sync("x").output == "good"
    service.close()


def test_s2_s27_also_from_a_task_of_its_own() -> None:
    async def leave() -> None:
        raise SystemExit(3)

    async def waits_for_it(_: Any) -> None:
        await asyncio.ensure_future(leave())

    service = ProviderManager([ScriptedProvider([waits_for_it, "good"])])
    with pytest.raises(SystemExit):
        service.process_sync("x")
    assert service.process_sync("x").output == "good"
    service.close()


FORKED = """
import asyncio, os, threading, time
from typing import Any
import attrs
from switchgear import ProviderManager, ProviderResult, Retry, SimpleProvider, UsageError
from switchgear.testing import ScriptedProvider

@attrs.define
class Local(SimpleProvider[Any, Any]):
    suspends = False

    async def process(self, request: Any) -> ProviderResult[Any]:
        entered.set()
        request()
        return ProviderResult("good")

def in_child(work):
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        work()
        os._exit(0)
    except BaseException as error:
        print(repr(error), flush=True)
        os._exit(1)
"""

RUNNING_LOOP = """
async def main():
    service = ProviderManager([ScriptedProvider(["good"])])
    await service.process("x")
    child = os.fork()
    if child == 0:
        try:
            await service.process("x")
        except UsageError as error:
            print(error, flush=True)
        os._exit(0)
    os.waitpid(child, 0)

asyncio.run(main())
"""

IN_PLACE = """
entered, go_on = threading.Event(), threading.Event()
service = ProviderManager([Local()], deadline=None, retry=Retry(attempts=1))
thread = threading.Thread(target=lambda: service.process_sync(go_on.wait))
thread.start()
entered.wait()
print(in_child(lambda: service.process_sync(lambda: None)), flush=True)
go_on.set()
thread.join()
"""


def forked(story: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED + story], capture_output=True, text=True, timeout=60, check=True
    )
    return ran.stdout.strip()


def test_s27_a_child_that_is_forked_out_of_a_running_loop_gets_the_clear_error_too() -> None:
    assert "before the process forked" in forked(RUNNING_LOOP)


def test_s27_a_child_that_is_forked_while_another_thread_is_in_place_does_not_wait_for_that_thread() -> None:
    assert forked(IN_PLACE) == "0"
