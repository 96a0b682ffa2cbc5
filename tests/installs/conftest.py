"""Virtual environments of a test's own, into which pip installs as it does for anybody."""

import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import attrs
import pytest

ROOT = Path(__file__).parents[2]
CAPTIONED = re.compile(r"^```\{code-block\} \w+\n:caption: (?P<name>\S+)\n+(?P<body>.*?)^```", re.DOTALL | re.MULTILINE)
CONFIGURATION = re.compile(r"^```toml\n(?P<body>\[services.*?)^```", re.DOTALL | re.MULTILINE)


@attrs.frozen
class Environment:
    """A virtual environment and a folder to work in."""

    python: Path
    folder: Path

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("SWITCHGEAR_", "PYTHON"))}
        command = [str(self.python), *arguments]
        return subprocess.run(command, cwd=self.folder, env=environ, capture_output=True, text=True, check=False)

    def switchgear(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return self.run("-m", "switchgear", *arguments)

    def pip(self, *arguments: str) -> None:
        """The pip of the tests, working on this environment."""
        command = [sys.executable, "-m", "pip", "--python", str(self.python), *arguments, "--quiet"]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def install(self, *projects: Path | str) -> None:
        # Without isolation and dependencies, so that no index is needed: both come from the tests' own environment.
        self.pip("install", "--no-deps", "--no-build-isolation", *map(str, projects))

    def configure(self, text: str) -> None:
        (self.folder / "switchgear.toml").write_text(text, "utf-8")


def make_environment(folder: Path) -> Environment:
    venv.create(folder / "venv", with_pip=False)
    scripts, program = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    (folder / "work").mkdir()
    return Environment(folder / "venv" / scripts / program, folder / "work")


@pytest.fixture
def bare(tmp_path: Path) -> Environment:
    """Nothing is installed but Python."""
    return make_environment(tmp_path)


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """All that the tests can import is there already; what is installed besides is this environment's own."""
    made = make_environment(tmp_path)
    own = made.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip()
    theirs = dict.fromkeys(sysconfig.get_path(kind) for kind in ("purelib", "platlib"))
    # Through `site`, so that what is installed in an editable way is found as well.
    (Path(own) / "tests.pth").write_text("".join(f"import site; site.addsitedir({each!r})\n" for each in theirs))
    return made


@attrs.frozen
class Tutorial:
    """The project that a page of the tutorial tells its reader to write, and the configuration that uses it."""

    project: Path
    configuration: str


@pytest.fixture
def provider_tutorial(tmp_path: Path) -> Tutorial:
    return write_tutorial("provider-plugin.md", tmp_path / "mine")


@pytest.fixture
def strategy_tutorial(tmp_path: Path) -> Tutorial:
    return write_tutorial("strategy-plugin.md", tmp_path / "affordable")


def write_tutorial(page: str, project: Path) -> Tutorial:
    text = (ROOT / "docs/tutorial" / page).read_text("utf-8")
    project.mkdir()
    for block in CAPTIONED.finditer(text):
        (project / block["name"]).write_text(block["body"], "utf-8")
    assert sorted(path.suffix for path in project.iterdir()) == [".py", ".toml"]
    configuration = CONFIGURATION.search(text)
    assert configuration is not None
    return Tutorial(project, configuration["body"])
