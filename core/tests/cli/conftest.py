"""What the tests of the command line share: plugins installed into a folder of the test, and ways to run commands."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import distribution, distributions
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from switchgear import entries
from switchgear.cli import names
from switchgear.cli.program import program

Install = Callable[..., None]
Run = Callable[..., Result]
Process = Callable[..., "subprocess.CompletedProcess[str]"]
Configure = Callable[[str], Path]

WORDS = '''
"""A capability for tests: how many words a text, or a file that ends in .txt, has."""

import threading
from decimal import Decimal
from pathlib import Path

import attrs
from switchgear import BlockingProvider, Capability, InvalidInput, InvalidResult, Price, ProviderError, ProviderResult
from switchgear import Secret, SimpleProvider, Unsupported


@attrs.frozen
class More:
    def check(self, request, result):
        raise InvalidResult("too few words", score=0.5)


class Words(Capability):
    """Counts words."""

    name = "words"
    request_type = str
    output_type = int
    suffixes = (".txt",)
    formats = ("text", "loud")
    validators = {"more": More}

    def request(self, value, **options):
        if set(options) - {"repeat"}:
            raise InvalidInput(f"words: unknown option {min(options)!r}", remedy="There is: repeat")
        if isinstance(value, bytes):
            value = value.decode()
        if value.endswith(".txt"):
            try:
                value = Path(value).read_text()
            except OSError as error:
                raise InvalidInput(f"{value}: cannot be read: {error.strerror}", remedy="Check the name") from None
        if value == "crash the capability":
            raise ZeroDivisionError
        return " ".join([value] * int(options.get("repeat", 1)))

    def to_json(self, output):
        return {"words": output if output != 13 else object()}

    def render(self, output, format="text"):
        return f"{output} words" + ("!" if format == "loud" else "")

    def annotate(self, request, output):
        return None if output == 0 else f"drawn: {request}".encode()


@attrs.define
class Counter(SimpleProvider):
    """Counts what stands between separators.

    Knows no grammar.
    """

    separator: str = attrs.field(default=" ", metadata={"help": "what stands between words"})
    key: Secret | None = None
    ratios: list[int] = attrs.field(factory=list)

    def validate_input(self, request):
        if request == "unsupported":
            raise Unsupported("cannot count this")

    def estimate_usage(self, request):
        return {"words": Decimal(len(request.split()))}

    async def process(self, request):
        return ProviderResult(len(request.split()))


@attrs.define
class Strict(SimpleProvider):
    """Takes a level that has to be given."""

    level: int

    async def process(self, request):
        return ProviderResult(self.level)


@attrs.define
class Failing(SimpleProvider):
    async def process(self, request):
        raise ProviderError("engine on fire")


@attrs.define
class Wrong(SimpleProvider):
    async def process(self, request):
        return ProviderResult("three")


@attrs.define
class Stuck(BlockingProvider):
    def process_blocking(self, request):
        threading.Event().wait()


@attrs.define
class Interrupted(SimpleProvider):
    async def process(self, request):
        raise KeyboardInterrupt


@attrs.define
class Ill(Counter):
    async def health_check(self):
        raise ProviderError("no pulse")
'''

PROVIDERS = ("Counter", "Strict", "Failing", "Wrong", "Stuck", "Interrupted", "Ill")

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


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty folder to work in, the core as the only thing installed, nothing in the environment."""
    work, site = tmp_path / "work", tmp_path / "site"
    work.mkdir()
    site.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.syspath_prepend(site)
    for name in ("SWITCHGEAR_CONFIG", "SWITCHGEAR_ENV", "SWITCHGEAR_DEBUG", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    core = distribution("switchgear")
    monkeypatch.setattr(entries, "distributions", lambda: [*distributions(path=[str(site)]), core])
    names.capabilities.cache_clear()
    yield
    names.capabilities.cache_clear()
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(site)):
            del sys.modules[name]


@pytest.fixture
def install(tmp_path: Path) -> Install:
    """Install a distribution: its module's code, and its entry points by group as `{"providers": ["a.b = m:C"]}`."""

    def install_one(name: str, code: str, version: str = "1.0", **groups: list[str]) -> None:
        module = name.replace("-", "_")
        (tmp_path / "site" / f"{module}.py").write_text(code)
        info = tmp_path / "site" / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        lines = [f"[switchgear.{group}]\n" + "\n".join(points) for group, points in groups.items()]
        (info / "entry_points.txt").write_text("\n".join(lines))
        names.capabilities.cache_clear()

    return install_one


@pytest.fixture
def words(install: Install) -> None:
    """The capability `words` and its providers."""
    providers = [f"words.{name.lower()} = acme_words:{name}" for name in PROVIDERS]
    install("acme-words", WORDS, capabilities=["words = acme_words:Words"], providers=providers)


@pytest.fixture
def broken(install: Install) -> None:
    """Distributions whose modules cannot be imported, each in its way."""
    for name, code in {
        "acme-raises": "raise RuntimeError('no engine')",
        "acme-exits": "import sys; sys.exit(3)",
    }.items():
        install(name, code, providers=[f"words.{name[5:]} = {name.replace('-', '_')}:Provider"])


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    def write(text: str = CONFIG) -> Path:
        path = tmp_path / "work" / "switchgear.toml"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def service(words: None, configure: Configure) -> None:
    """The service `count`: `fast`, which costs something, before `good`."""
    configure(CONFIG)


@pytest.fixture
def run() -> Run:
    """Run a command in this process; what nobody handled, and thus any traceback, fails the test."""

    def invoke(*arguments: str, input: str | bytes | None = None) -> Result:
        result = CliRunner().invoke(program, [*arguments], input=input)
        assert isinstance(result.exception, SystemExit | None), result.exception
        assert "Traceback" not in result.output
        return result

    return invoke


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The environment of processes: they find what the test installed."""
    return {**os.environ, "PYTHONPATH": str(tmp_path / "site")}


@pytest.fixture
def process(environ: dict[str, str]) -> Process:
    """Run a command in a process of its own."""

    def start(*arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "switchgear", *arguments]
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False, **options)

    return start


@pytest.fixture
def lines() -> Callable[[Result], list[dict[str, Any]]]:
    """Standard output as the JSON objects that it has to be, one a line."""
    return lambda result: [json.loads(line) for line in result.stdout.splitlines()]
