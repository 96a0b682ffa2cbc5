"""`switchgear run`: answers, their record, and every way in which inputs and calls go wrong."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from switchgear.cli.calls import Answer
from switchgear.cli.inputs import Input
from switchgear.cli.provenance import print_provenance
from switchgear.outcome import Outcome
from switchgear.results import Attempt, Call

Run = Callable[..., Result]
Process = Callable[..., "subprocess.CompletedProcess[str]"]
Configure = Callable[[str], Path]
Lines = Callable[[Result], list[dict[str, Any]]]

CONFIG = """
[services.count]
capability = "words"
[services.count.retry]
attempts = 1
[services.count.providers.fast]
type = "counter"
priority = 1
cost = { per_call = "0.0015" }
[services.count.providers.good]
type = "counter"
priority = 2
"""

ONE_PROVIDER = """
[services.count]
capability = "words"
[services.count.retry]
attempts = 1
[services.count.providers.only]
type = "%s"
"""


REFUSING = ONE_PROVIDER.replace("%s", "counter").replace(
    'capability = "words"', 'capability = "words"\nvalidate = ["more"]\non_refused = "best"'
)


@pytest.mark.usefixtures("service")
class TestText:
    def test_one_answer_stands_alone(self, run: Run) -> None:
        result = run("run", "count", "a b c")
        assert (result.exit_code, result.stdout, result.stderr) == (0, "3 words\n", "")

    def test_several_answers_have_headings(self, run: Run) -> None:
        assert run("run", "count", "a b", "c").stdout == "==> a b <==\n2 words\n==> c <==\n1 words\n"

    def test_a_heading_shows_no_control_characters(self, run: Run) -> None:
        assert "==> a\\x1b[31m <==" in run("run", "count", "a\x1b[31m", "b").stdout

    @pytest.mark.parametrize("name", ["a\x1b[31m.txt", "two\nlines.txt", "./here.txt", "a//b.txt"])
    def test_an_error_names_its_input_once_and_without_control_characters(self, name: str, run: Run) -> None:
        result = run("run", "count", name)
        assert result.exit_code == 1
        shown = name.replace("\x1b", "\\x1b").replace("\n", "\\n")
        assert result.stderr == f"error: {shown}: cannot be read: No such file or directory. Check the name\n"

    def test_a_path_that_a_capability_tells_without_its_dot_is_not_named_twice(self) -> None:
        assert Input("./a.txt", "").named("a.txt: no such file") == "a.txt: no such file"
        assert Input("a.txt", "").named("no such file") == "a.txt: no such file"
        assert Input("a", "").named("an engine broke") == "a: an engine broke"

    def test_a_usage_error_shows_no_control_characters(self, run: Run) -> None:
        result = run("run", "count", "a", "--annotate", "no\x1b[31m/x.png")
        assert result.exit_code == 2
        assert "there is no folder no\\x1b[31m" in result.stderr

    def test_format_is_the_capabilitys(self, run: Run) -> None:
        assert run("run", "count", "a b", "--format", "loud").stdout == "2 words!\n"

    def test_options_go_into_the_request(self, run: Run) -> None:
        assert run("run", "count", "a b", "-o", "repeat=3").stdout == "6 words\n"

    def test_standard_input_is_read(self, run: Run) -> None:
        assert run("run", "count", "-", input=b"a b c d").stdout == "4 words\n"

    def test_a_failed_input_is_an_error_and_the_others_are_answered(self, run: Run) -> None:
        result = run("run", "count", "missing.txt", "a b")
        assert result.exit_code == 1
        assert result.stdout == "==> a b <==\n2 words\n"
        assert result.stderr == "error: missing.txt: cannot be read: No such file or directory. Check the name\n"

    def test_a_folder_without_files_fails_and_the_others_are_answered(self, run: Run) -> None:
        Path("empty").mkdir()
        result = run("run", "count", "a b", "empty")
        assert (result.exit_code, result.stdout) == (1, "==> a b <==\n2 words\n")
        assert result.stderr == "error: empty has no file that words reads; it reads .txt\n"

    def test_a_fallback_is_noted(self, run: Run) -> None:
        result = run("run", "count", "a b", "--fail", "fast")
        assert result.exit_code == 0
        assert result.stderr == "note: a b: fast failed (transient: made to fail by --fail); good answered\n"

    @pytest.mark.parametrize("flag", ["-v", "--verbose", "--provenance"])
    def test_provenance_shows_who_was_asked_and_what_it_cost(self, flag: str, run: Run) -> None:
        result = run("run", "count", "a b", "--fail", "fast", flag)
        assert result.stdout == "2 words\n"
        assert "a b: answered by good, cost unknown" in result.stderr
        _, _, _, fast, good = (line.split() for line in result.stderr.splitlines())
        assert (fast[:2], fast[3:]) == (["fast", "transient"], ["made", "to", "fail", "by", "--fail"])
        assert (good[:2], good[3:]) == (["good", "success"], ["unknown"])

    def test_provenance_shows_the_price(self, run: Run) -> None:
        assert "answered by fast, cost 0.0015 USD" in run("run", "count", "a", "-v").stderr

    def test_provenance_shows_who_was_passed_over(self, run: Run) -> None:
        result = run("run", "count", "a", "-v", "--exclude", "fast")
        assert ["fast", "passed", "over", "left", "out", "by", "the", "caller"] in [
            line.split() for line in result.stderr.splitlines()
        ]

    def test_provenance_shows_those_for_whom_no_time_was_left_after_the_attempts(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        attempts = [Attempt("c1", "slow", 1, Outcome.ATTEMPT_TIMEOUT), Attempt("c1", "slow", 2, Outcome.TRANSIENT)]
        call = Call("c1", "count", attempts=attempts, dropped={"late": "no time left", "slow": "no time left"})
        print_provenance(Answer(input=Input("a", "a"), call=call), "USD")
        rows = [line.split()[:2] for line in capsys.readouterr().err.splitlines()[3:]]
        assert rows == [["slow", "attempt_timeout"], ["slow", "transient"], ["late", "passed"], ["slow", "passed"]]

    def test_provenance_of_a_failed_call_names_its_cost_and_the_call(self, run: Run) -> None:
        result = run("run", "count", "a", "-v", "--fail", "fast", "--fail", "good")
        assert re.search(r"^a: failed, cost unknown, call \w+", result.stderr, re.MULTILINE)
        assert "missing.txt: failed, before anybody was asked" in run("run", "count", "missing.txt", "-v").stderr

    def test_whom_the_caller_left_out_is_not_noted(self, run: Run) -> None:
        assert run("run", "count", "a", "--exclude", "fast").stderr == ""

    def test_only_asks_nobody_else(self, run: Run) -> None:
        assert "answered by good" in run("run", "count", "a", "-v", "--only", "good").stderr

    @pytest.mark.parametrize("flags", [(), ("-v",)])
    def test_an_answer_that_was_refused_is_marked(self, flags: tuple[str, ...], run: Run, configure: Configure) -> None:
        configure(REFUSING)
        result = run("run", "count", "a b", *flags)
        assert (result.exit_code, result.stdout) == (0, "2 words\n")
        marked = {
            (): "note: a b: only failed (invalid_result: too few words); every answer was refused, the best is only's",
            ("-v",): "a b: answered by only, though refused (too few words), cost ",
        }
        assert result.stderr.startswith(marked[flags])


@pytest.mark.usefixtures("service")
class TestJson:
    def test_a_line_tells_all_about_its_call(self, run: Run, lines: Lines) -> None:
        [line] = lines(run("run", "count", "a b", "--json"))
        assert line["attempts"][0].pop("latency") <= line.pop("latency") < 10
        assert line.pop("call_id")
        cost = {"amount": "0.0015", "currency": "USD"}
        assert line == {
            "input": "a b",
            "ok": True,
            "output": {"words": 2},
            "refused": None,
            "provider": "fast",
            "cost": cost,
            "cache": "off",
            "saved": None,
            "attempts": [{"provider": "fast", "outcome": "success", "cost": cost, "message": ""}],
            "error": None,
        }

    def test_an_answer_that_was_refused_says_why(self, run: Run, lines: Lines, configure: Configure) -> None:
        configure(REFUSING)
        [line] = lines(run("run", "count", "a b", "--json"))
        assert (line["ok"], line["output"], line["refused"]) == (True, {"words": 2}, "too few words")

    def test_every_attempt_is_in_it(self, run: Run, lines: Lines) -> None:
        [line] = lines(run("run", "count", "a", "--json", "--fail", "fast"))
        tried = [(each["provider"], each["outcome"], each["message"]) for each in line["attempts"]]
        assert tried == [("fast", "transient", "made to fail by --fail"), ("good", "success", "")]
        assert (line["provider"], line["cost"]) == ("good", None)

    @pytest.mark.parametrize("failing", [[], ["--fail", "good"]])
    def test_cost_and_latency_are_the_whole_calls_however_it_ends(
        self, failing: list[str], run: Run, lines: Lines, configure: Configure
    ) -> None:
        """The first attempt may have been billed; its price is in the log and in the ledger, too."""
        configure(CONFIG + 'cost = { per_call = "0.002" }\n[cost_sinks.ledger]\ntype = "sqlite"\n')
        result = run("run", "count", "a", "--json", "--fail", "fast", *failing, "-v")
        [line] = lines(result)
        assert line["cost"] == {"amount": "0.0035", "currency": "USD"}
        assert sum(Decimal(each["cost"]["amount"]) for each in line["attempts"]) == Decimal("0.0035")
        assert line["latency"] >= sum(each["latency"] for each in line["attempts"])
        assert ", cost 0.0035 USD, call " in result.stderr
        report = json.loads(run("cost", "report", "--json").stdout)
        assert str(report).count("0.0035") >= 1

    def test_an_input_that_cannot_be_read_has_cost_no_call(self, run: Run, lines: Lines) -> None:
        [line] = lines(run("run", "count", "missing.txt", "--json"))
        assert line["cost"] is line["latency"] is line["call_id"] is None
        assert line["attempts"] == []

    def test_a_folder_without_files_is_a_line_among_the_others(self, run: Run, lines: Lines) -> None:
        Path("empty").mkdir()
        result = run("run", "count", "a", "empty/", "a", "--json")
        assert result.exit_code == 1
        first, empty, last = lines(result)
        assert first["ok"]
        assert last["ok"]
        assert (empty["input"], empty["ok"], empty["error"]["type"]) == ("empty/", False, "InvalidInput")

    def test_a_failed_call_says_who_failed_and_why(self, run: Run, lines: Lines) -> None:
        result = run("run", "count", "a", "--json", "--fail", "fast", "--fail", "good")
        [line] = lines(result)
        assert result.exit_code == 1
        assert not line["ok"]
        assert line["error"]["type"] == "AllProvidersFailed"
        assert "made to fail by --fail" in line["error"]["message"]
        assert [each["provider"] for each in line["attempts"]] == ["fast", "good"]
        assert line["output"] is line["provider"] is line["cost"] is None

    def test_an_unreadable_input_is_a_line_among_the_others(self, run: Run, lines: Lines) -> None:
        result = run("run", "count", "a", "missing.txt", "a", "--json")
        found = lines(result)
        assert result.exit_code == 1
        assert [line["ok"] for line in found] == [True, False, True]
        assert found[1]["error"] == {
            "type": "InvalidInput",
            "message": "missing.txt: cannot be read: No such file or directory",
            "remedy": "Check the name",
        }

    def test_an_input_that_no_provider_takes_is_a_line(self, run: Run, lines: Lines) -> None:
        [line] = lines(run("run", "count", "unsupported", "--json"))
        assert (line["error"]["type"], line["attempts"]) == ("InvalidInput", [])

    def test_a_capability_that_breaks_on_an_input_does_not_end_the_rest(self, run: Run, lines: Lines) -> None:
        found = lines(run("run", "count", "crash the capability", "a", "--json"))
        assert [line["ok"] for line in found] == [False, True]
        assert found[0]["error"]["type"] == "PluginBug"
        assert "ZeroDivisionError" in found[0]["error"]["message"]

    def test_an_output_that_is_no_json_does_not_end_the_rest(self, run: Run, lines: Lines) -> None:
        found = lines(run("run", "count", "a " * 13, "a", "--json"))
        assert [line["ok"] for line in found] == [False, True]
        assert found[0]["error"]["type"] == "PluginBug"

    def test_characters_of_any_kind_fit_any_encoding(self, process: Process) -> None:
        ended = process("run", "count", "žluťoučký kůň", "--json")
        assert ended.stdout.isascii()
        assert json.loads(ended.stdout)["input"] == "žluťoučký kůň"

    def test_a_file_name_that_is_no_text_is_shown_all_the_same(self, process: Process) -> None:
        Path(os.fsdecode(b"\xff.txt")).write_text("a b")
        ended = process("run", "count", ".", "--json")
        assert (ended.returncode, json.loads(ended.stdout)["output"]) == (0, {"words": 2})
        assert process("run", "count", ".", "a").returncode == 0


@pytest.mark.usefixtures("service")
class TestRefused:
    """Exit status 2, before any work."""

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["cuont", "a"], "there is no service 'cuont'. Did you mean 'count'? Configured: count"),
            (["count"], "Missing argument 'INPUT...'"),
            (["count", "a", "--fail", "fats"], "--fail: count has no provider 'fats'. Did you mean 'fast'?"),
            (["count", "a", "--only", "x"], "--only: count has no provider 'x'. It has: fast, good"),
            (["count", "a", "--exclude", "x"], "--exclude: count has no provider 'x'. It has: fast, good"),
            (["count", "a", "--format", "pdf"], "--format: words has no 'pdf'; it has text, loud"),
            (["count", "a", "--deadline", "5"], 'no unit; write it as "250ms"'),
            (["count", "a", "--deadline", "0s"], "it has to be longer than 0s"),
            (["count", "a", "--concurrency", "0"], "0 is not in the range x>=1"),
            (["count", "a", "-o", "repeat"], "'repeat' is not KEY=VALUE"),
            (["count", "a", "--env", "prod"], "no environment is called 'prod'"),
            (["count", "a", "--config", "x.toml"], "x.toml: cannot be read: No such file or directory"),
            (["count", "a", "--annotate", "no/folder/x.png"], "--annotate: there is no folder no/folder"),
        ],
    )
    def test_with_a_message_that_helps(self, arguments: list[str], message: str, run: Run) -> None:
        result = run("run", *arguments)
        assert result.exit_code == 2
        assert message in result.stderr
        assert result.stdout == ""

    def test_an_empty_folder_is_no_input(self, run: Run) -> None:
        Path("empty").mkdir()
        result = run("run", "count", "empty")
        assert result.exit_code == 2
        assert "empty has no file that words reads; it reads .txt" in result.stderr


def test_without_a_configuration_it_says_how_to_get_one(run: Run) -> None:
    result = run("run", "count", "a")
    assert result.exit_code == 2
    assert "no switchgear.toml here or in a folder above. Write one with `switchgear init`" in result.stderr


LOCKED = """
from acme_words import Counter
from switchgear import errors


class Locked(Counter):
    def validate_input(self, request):
        if request == "refused":
            raise errors.{kind}("is locked", remedy="Turn the key")

    async def process(self, request):
        raise errors.{kind}("is locked", remedy="Turn the key")
"""


@pytest.mark.usefixtures("words")
class TestProviders:
    def test_a_wrong_output_is_the_providers_defect(self, run: Run, configure: Configure, lines: Lines) -> None:
        configure(ONE_PROVIDER % "wrong")
        result = run("run", "count", "a", "--json")
        [line] = lines(result)
        assert result.exit_code == 1
        assert line["attempts"][0]["outcome"] == "plugin_bug"
        assert "answered with a str; this capability's output is a int" in line["attempts"][0]["message"]

    def test_a_provider_that_is_down_is_named(self, run: Run, configure: Configure) -> None:
        configure(ONE_PROVIDER % "failing")
        result = run("run", "count", "a")
        assert result.exit_code == 1
        assert result.stderr.startswith("error: a: count: no provider answered; only: engine on fire")

    @pytest.mark.waits
    @pytest.mark.parametrize("kind", ["BadCredentials", "Throttled", "InvalidInput", "PluginBug"])
    def test_a_remedy_is_shown_once_whatever_the_error(
        self, kind: str, run: Run, configure: Configure, lines: Lines, install: Callable[..., None]
    ) -> None:
        install("acme-locked", LOCKED.format(kind=kind), providers=["words.locked = acme_locked:Locked"])
        configure(ONE_PROVIDER % "locked")
        for text in ("a", "refused"):
            [line] = lines(run("run", "count", text, "--json"))
            assert line["error"]["remedy"] == "Turn the key"
            assert run("run", "count", text).stderr.count("Turn the key") == 1

    def test_who_could_not_take_the_input_is_noted(self, run: Run, configure: Configure) -> None:
        other = '[services.count.providers.other]\ntype = "strict"\noptions = { level = 7 }\n'
        configure(ONE_PROVIDER % "counter" + other)
        result = run("run", "count", "unsupported")
        assert (result.exit_code, result.stdout) == (0, "7 words\n")
        assert result.stderr == "note: unsupported: only was passed over (cannot count this); other answered\n"

    def test_interrupting_is_quiet(self, run: Run, configure: Configure) -> None:
        configure(ONE_PROVIDER % "interrupted")
        result = run("run", "count", "a")
        assert (result.exit_code, result.output.strip()) == (130, "")

    @pytest.mark.waits
    def test_an_engine_that_hangs_does_not_keep_the_process(self, process: Process, configure: Configure) -> None:
        configure(ONE_PROVIDER % "stuck")
        ended = process("run", "count", "a", "--deadline", "50ms", "--json")
        assert ended.returncode == 1
        assert json.loads(ended.stdout)["attempts"][0]["outcome"] == "attempt_timeout"


@pytest.mark.usefixtures("service")
class TestAnnotate:
    def test_one_input_is_drawn_into_the_file(self, run: Run) -> None:
        assert run("run", "count", "a b", "--annotate", "out.png").exit_code == 0
        assert Path("out.png").read_text() == "drawn: a b"

    def test_several_inputs_get_numbers(self, run: Run) -> None:
        run("run", "count", "a", "b", "--annotate", "out.png")
        assert [Path(f"out-{number}.png").read_text() for number in (1, 2)] == ["drawn: a", "drawn: b"]

    def test_a_folder_gets_a_file_for_each_input_with_its_name(self, run: Run) -> None:
        for folder in ("one", "two"):
            Path(folder).mkdir()
            Path(folder, "page.txt").write_text(folder)
        run("run", "count", "one", "two", "--annotate", "out")
        assert Path("out/page.png").read_text() == "drawn: one"
        assert Path("out/page-2.png").read_text() == "drawn: two"

    def test_names_stay_apart_where_one_has_a_number_already(self, run: Run) -> None:
        for name in ("one/page.txt", "two/page-2.txt", "two/page.txt", "two/Page.txt"):
            Path(name).parent.mkdir(exist_ok=True)
            Path(name).write_text(name)
        run("run", "count", "one/page.txt", "two/page-2.txt", "two/page.txt", "two/Page.txt", "--annotate", "out")
        drawn = sorted(path.read_text() for path in Path("out").iterdir())
        assert drawn == [
            f"drawn: {name}" for name in ("one/page.txt", "two/Page.txt", "two/page-2.txt", "two/page.txt")
        ]

    @pytest.mark.parametrize(
        ("inputs", "target"),
        [
            (["page.png"], "page.png"),
            (["page.png"], "here/../page.png"),
            (["page.png"], "."),
            (["a", "page.png"], "."),
            (["page.png"], "link.png"),
            (["here/linked.png"], "page.png"),
            (["a", "page-2.png"], "page.png"),
        ],
    )
    def test_an_input_is_never_drawn_over(self, run: Run, inputs: list[str], target: str) -> None:
        Path("here").mkdir()
        for name in ("page.png", "page-2.png"):
            Path(name).write_text("a source")
        Path("link.png").symlink_to("page.png")
        Path("here/linked.png").hardlink_to("page.png")
        result = run("run", "count", *inputs, "--annotate", target)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "is one of the inputs" in result.stderr
        assert {Path(name).read_text() for name in ("page.png", "page-2.png")} == {"a source"}

    def test_standard_input_is_never_drawn_over(self, process: Process) -> None:
        Path("page.png").write_text("a source")
        with Path("page.png").open("rb") as source:
            ended = process("run", "count", "-", "--annotate", "page.png", stdin=source)
        assert ended.returncode == 2
        assert "page.png is one of the inputs" in ended.stderr
        assert Path("page.png").read_text() == "a source"

    def test_a_suffix_that_the_capability_cannot_draw_is_a_usage_error(self, run: Run) -> None:
        result = run("run", "count", "a", "--annotate", "out.jpg")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "words draws no .jpg; name a folder, or a file that ends in .png" in result.stderr

    def test_an_answer_that_shows_nothing_is_noted(self, run: Run) -> None:
        result = run("run", "count", " ", "--annotate", "out.png")
        assert result.exit_code == 0
        assert "there is nothing to draw" in result.stderr
        assert not Path("out.png").exists()

    def test_a_file_that_cannot_be_written_fails_its_input(self, run: Run) -> None:
        Path("out-1.png").mkdir()
        result = run("run", "count", "a", "b", "--annotate", "out.png")
        assert result.exit_code == 1
        assert "--annotate: out-1.png cannot be written: Is a directory" in result.stderr
        assert Path("out-2.png").exists()


STREAMED = '''
import asyncio
from pathlib import Path

from acme_words import Counter


class Gated(Counter):
    """Answers `first` only when `second` was asked; waits for a pipe on `pipe`; never answers `never`."""

    seen = None

    async def process(self, request):
        Gated.seen = Gated.seen or asyncio.Event()
        if request == "first":
            await Gated.seen.wait()
        elif request == "second":
            Gated.seen.set()
        elif request == "pipe":
            await asyncio.get_running_loop().run_in_executor(None, Path("pipe").read_text)
        elif request == "never":
            print("ready", flush=True)
            await asyncio.Event().wait()
        return await super().process(request)
'''


@pytest.fixture
def gated(words: None, install: Callable[..., None], configure: Configure) -> None:
    install("acme-gated", STREAMED, providers=["words.gated = acme_gated:Gated"])
    configure(ONE_PROVIDER % "gated")


@pytest.fixture
def start(environ: dict[str, str]) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start a command that the test talks to; it is gone when the test ends."""
    started = []

    def popen(*arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "switchgear", *arguments]
        pipe = subprocess.PIPE
        # Whoever runs the tests in the background has the signal ignored, and that is inherited.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        started.append(subprocess.Popen(command, env=environ, stdin=pipe, stdout=pipe, stderr=pipe, text=True))
        signal.signal(signal.SIGINT, before)
        return started[-1]

    yield popen
    for each in started:
        each.kill()
        each.communicate()


@pytest.mark.usefixtures("gated")
class TestStreaming:
    def test_lines_keep_the_order_of_the_inputs(self, run: Run, lines: Lines) -> None:
        found = lines(run("run", "count", "first", "second", "third", "--json", "--concurrency", "2"))
        assert [line["input"] for line in found] == ["first", "second", "third"]

    def test_concurrency_bounds_what_is_under_way(self, run: Run, lines: Lines) -> None:
        result = run("run", "count", "first", "second", "--json", "--concurrency", "1", "--deadline", "50ms")
        assert [line["ok"] for line in lines(result)] == [False, True]

    def test_a_line_comes_as_soon_as_it_is_ready(self, start: Callable[..., "subprocess.Popen[str]"]) -> None:
        os.mkfifo("pipe")
        running = start("run", "count", "a b", "pipe", "--json")
        assert running.stdout is not None
        assert json.loads(running.stdout.readline())["input"] == "a b"
        Path("pipe").write_text("go on")
        assert json.loads(running.stdout.readline())["input"] == "pipe"
        assert running.wait(30) == 0

    def test_ctrl_c_ends_quietly_with_130(self, start: Callable[..., "subprocess.Popen[str]"]) -> None:
        running = start("run", "count", "never", "--json")
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        running.send_signal(signal.SIGINT)
        stdout, stderr = running.communicate(timeout=30)
        assert (running.returncode, stdout, stderr.strip()) == (130, "", "")

    @pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["plugins", "list"], ["check", "--json"]])
    def test_a_reader_that_has_left_is_no_error_for_any_command(
        self, arguments: list[str], start: Callable[..., "subprocess.Popen[str]"]
    ) -> None:
        running = start(*arguments)
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == ""
        assert running.wait(30) == 1

    def test_a_reader_that_leaves_is_no_error_to_talk_about(
        self, start: Callable[..., "subprocess.Popen[str]"]
    ) -> None:
        running = start("run", "count", *["a"] * 2000, "--json")
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == ""
        assert running.wait(30) == 1
