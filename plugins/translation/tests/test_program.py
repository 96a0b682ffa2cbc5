"""`switchgear-translate` against a server that counts what it is asked, interrupted as a process of its own."""

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner
from switchgear_http.testing import LocalServer, Received, Reply
from switchgear_translation import TranslationRequest
from switchgear_translation.journal import Journal
from switchgear_translation.program import main

PATIENCE = 60.0  # seconds that a process may take


@attrs.define
class Server:
    """An Apertium that shouts. Asked so many texts, it sets `reached` and waits to `go_on`; it cannot do `refuses`."""

    stop_at: int = 1_000_000
    refuses: str = "\0"
    reached: threading.Event = attrs.field(factory=threading.Event)
    go_on: threading.Event = attrs.field(factory=threading.Event)
    asked: list[str] = attrs.field(factory=list)

    def __call__(self, request: Received) -> Reply:
        if request.path == "/listPairs":
            return Reply.json({"responseData": [{"sourceLanguage": "eng", "targetLanguage": "spa"}]})
        text = request.fields["q"]
        self.asked.append(text)
        if len(self.asked) >= self.stop_at:
            self.reached.set()
            self.go_on.wait(PATIENCE)
        if self.refuses in text:
            return Reply.json({"explanation": "it broke"}, 500)
        return Reply.json({"responseData": {"translatedText": text.upper()}})


@pytest.fixture
def vendor() -> Server:
    return Server()


@pytest.fixture
def folder(vendor: Server, tmp_path: Path) -> Iterator[Path]:
    with LocalServer(vendor) as server:
        (tmp_path / "switchgear.toml").write_text(
            f"""
            [services.letters]
            capability = "translation"
            [services.letters.retry]
            attempts = 1
            [services.letters.breaker]
            enabled = false
            [services.letters.providers.shouter]
            type = "apertium"
            cost = {{ per_character = "0.001" }}
            options = {{ base_url = "{server.url}" }}
            """,
            "utf-8",
        )
        yield tmp_path


def start(folder: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", "from switchgear_translation.program import main; main()", "letters"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SWITCHGEAR")}
    command += [*arguments, "--to", "es", "--from", "en"]
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # who runs in the background ignores it
    )


def run(folder: Path, *arguments: str, stdin: bytes = b"", status: int = 0) -> tuple[str, str]:
    """The program in this process, which is quicker: what it says on standard output and standard error."""
    with pytest.MonkeyPatch.context() as patched, CliRunner().isolation(input=stdin) as (out, err, _):
        patched.chdir(folder)
        patched.setattr(sys, "argv", ["switchgear-translate", "letters", *arguments, "--to", "es", "--from", "en"])
        ended = 0
        try:
            main()
        except SystemExit as end:
            ended = int(str(end.code))
        told = err.getvalue().decode()
        assert ended == status, told
        return out.getvalue().decode(), told


def test_a_text_file_is_translated_beside_it_and_the_bill_is_told(folder: Path, vendor: Server) -> None:
    (folder / "letter.txt").write_text("Dear Ann\n\n\nbye\n", "utf-8")
    _, told = run(folder, "letter.txt")
    assert (folder / "letter.es.txt").read_text("utf-8") == "DEAR ANN\n\n\nBYE\n"
    assert "2 of 2 texts translated (2 by shouter); 11 characters, 0.011 USD" in told
    assert sorted(path.name for path in folder.iterdir()) == ["letter.es.txt", "letter.txt", "switchgear.toml"]


def test_json_and_catalogs_keep_their_structure(folder: Path) -> None:
    (folder / "a.json").write_text('{"key": ["value", 1.0]}', "utf-8")
    (folder / "b.po").write_text('msgid ""\nmsgstr ""\n\nmsgid "open"\nmsgstr ""\n', "utf-8")
    run(folder, "a.json", "b.po", "--out", "translated")
    assert (folder / "translated/a.json").read_text("utf-8") == '{"key": ["VALUE", 1.0]}'
    assert 'msgstr "OPEN"' in (folder / "translated/b.po").read_text("utf-8")


def test_standard_input_comes_out_at_standard_output(folder: Path) -> None:
    out, _ = run(folder, "-", stdin=b"good morning\n")
    assert out == "GOOD MORNING\n"


def test_standard_input_can_go_to_a_file_again_and_again(folder: Path) -> None:
    for text in (b"one", b"two"):
        run(folder, "-", "--out", "there.txt", stdin=text)
        assert (folder / "there.txt").read_bytes() == text.upper()


def test_a_file_that_has_changed_since_is_translated_anew(folder: Path) -> None:
    (folder / "a.txt").write_text("one", "utf-8")
    run(folder, "a.txt")
    (folder / "a.txt").write_text("two", "utf-8")
    os.utime(folder / "a.es.txt", (0, 0))
    run(folder, "a.txt")
    assert (folder / "a.es.txt").read_text("utf-8") == "TWO"


def test_what_is_there_already_is_not_paid_for_again(folder: Path, vendor: Server) -> None:
    (folder / "a.txt").write_text("one\n\ntwo", "utf-8")
    run(folder, "a.txt")
    _, told = run(folder, "a.txt")
    assert "there already" in told
    assert Counter(vendor.asked) == {"one": 1, "two": 1}
    run(folder, "a.txt", "--force")
    assert Counter(vendor.asked) == {"one": 2, "two": 2}


def test_with_a_memory_only_what_is_new_is_paid_for(folder: Path, vendor: Server) -> None:
    (folder / "a.txt").write_text("one\n\ntwo", "utf-8")
    run(folder, "a.txt", "--memory", "memory.jsonl")
    (folder / "b.txt").write_text("two\n\nthree\n\none", "utf-8")
    run(folder, "b.txt", "--memory", "memory.jsonl")
    assert (folder / "b.es.txt").read_text("utf-8") == "TWO\n\nTHREE\n\nONE"
    assert Counter(vendor.asked) == {"one": 1, "two": 1, "three": 1}
    assert stat.S_IMODE((folder / "memory.jsonl").stat().st_mode) == 0o600


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_run_goes_on_and_pays_for_nothing_twice_that_was_done(
    folder: Path, vendor: Server, blow: signal.Signals
) -> None:
    texts = [f"paragraph {number}" for number in range(300)]
    (folder / "long.txt").write_text("\n\n".join(texts), "utf-8")
    vendor.stop_at = 200
    process = start(folder, "long.txt", "--concurrency", "1")
    assert vendor.reached.wait(PATIENCE)
    process.send_signal(blow)
    vendor.go_on.set()  # by the time that this answer comes, the blow has been dealt
    _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == (130 if blow is signal.SIGINT else -signal.SIGKILL)
    assert not (folder / "long.es.txt").exists()
    request = TranslationRequest(texts, source="en", target="es")
    done = Journal(folder / "long.es.txt.journal").known(request)
    assert 128 <= len(done) < 300
    if blow is signal.SIGINT:
        assert "the same command goes on" in told.decode()
    before = len(vendor.asked)
    _, told_then = run(folder, "long.txt", "--concurrency", "1")
    assert f"{300 - len(done)} of {300 - len(done)} texts" in told_then
    assert sorted(vendor.asked[before:]) == sorted(set(texts) - done.keys())
    assert (folder / "long.es.txt").read_text("utf-8") == "\n\n".join(texts).upper()
    assert not (folder / "long.es.txt.journal").exists()


def test_the_best_of_what_was_refused_is_written_and_not_paid_for_again(folder: Path, vendor: Server) -> None:
    path = folder / "switchgear.toml"
    validated = 'capability = "translation"\nvalidate = [{ type = "placeholders" }]\non_refused = "best"'
    path.write_text(path.read_text("utf-8").replace('capability = "translation"', validated), "utf-8")
    (folder / "a.txt").write_text("{name} is here\n\ntwo", "utf-8")
    _, told = run(folder, "a.txt", "--memory", "memory.jsonl")
    assert "1 of them are the best of what was refused: placeholders lost or changed" in told
    assert (folder / "a.es.txt").read_text("utf-8") == "{NAME} IS HERE\n\nTWO"
    run(folder, "a.txt", "--memory", "memory.jsonl", "--force")
    assert Counter(vendor.asked) == {"{name} is here": 1, "two": 1}


def test_a_text_that_fails_stays_as_it_was_and_only_it_is_tried_again(folder: Path, vendor: Server) -> None:
    (folder / "a.txt").write_text("one\n\ntwo\n\nthree", "utf-8")
    vendor.refuses = "three"
    _, told = run(folder, "a.txt", status=1)
    assert (folder / "a.es.txt").read_text("utf-8") == "ONE\n\nTWO\n\nthree"
    assert "1 texts are not translated" in told
    vendor.refuses = "\0"
    run(folder, "a.txt")
    assert (folder / "a.es.txt").read_text("utf-8") == "ONE\n\nTWO\n\nTHREE"
    assert Counter(vendor.asked) == {"one": 1, "two": 1, "three": 2}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.pdf"], "files to translate end in .txt, .json, .po"),
        (["a.txt", "--out", "a.txt"], "would be overwritten"),
        (["a.txt", "-o", "tone=rude"], "KEY=VALUE with one of target, source"),
        (["a.txt", "-o", "formality=rude"], "there are default, more"),
        (["a.txt", "sub/a.txt", "--out", "there"], "two files have the same name"),
        (["a.txt", "--config", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_sent(
    folder: Path, vendor: Server, arguments: list[str], message: str
) -> None:
    (folder / "a.txt").write_text("one", "utf-8")
    status = 1 if "formality=rude" in arguments else 2
    _, told = run(folder, *arguments, status=status)
    assert message in told
    assert vendor.asked == []


def test_a_file_that_cannot_be_read_does_not_keep_the_others_from_it(folder: Path) -> None:
    (folder / "bad.json").write_text("{", "utf-8")
    (folder / "good.txt").write_text("one", "utf-8")
    _, told = run(folder, "bad.json", "good.txt", "missing.txt", status=1)
    assert "bad.json: not JSON at line 1" in told
    assert "missing.txt: cannot be read" in told
    assert (folder / "good.es.txt").read_text("utf-8") == "ONE"


def test_a_journal_passes_over_a_line_that_was_cut_off_and_writes_after_it(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    request = TranslationRequest(["one", "two", "three"], target="de")
    first = Journal(path)
    first.add(request, {"one": "eins", "two": "zwei"}, "a")
    first.close()
    path.write_bytes(path.read_bytes()[:-9])
    second = Journal(path)
    assert second.known(request) == {"one": "eins"}
    second.add(request, {"three": "drei"}, "b")
    second.close()
    assert Journal(path).known(request) == {"one": "eins", "three": "drei"}


def test_a_journal_is_of_the_languages_and_the_manner_too(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.add(TranslationRequest("one", target="de"), {"one": "eins"}, "a")
    journal.close()
    assert journal.known(TranslationRequest(["one", "two"], target="de")) == {"one": "eins"}
    for other in ({"target": "fr"}, {"target": "de", "source": "en"}, {"target": "de", "formality": "more"}):
        assert journal.known(TranslationRequest("one", **other)) == {}
    (line,) = [json.loads(line) for line in (tmp_path / "journal").read_bytes().split(b"\n") if line]
    assert line["provider"] == "a"
