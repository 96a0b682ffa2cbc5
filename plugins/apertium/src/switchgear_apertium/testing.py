"""A real Apertium server on a free port, for tests."""

import shutil
import socket
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MODES = Path("/usr/share/apertium/modes")
TRIES = 400  # of 50 ms each, until it has to have started


def missing(*pairs: str) -> str:
    """Why no server with these pairs (`eng-spa`) can be started here; empty if one can."""
    absent = [program for program in ("apertium-apy", "cg-proc") if shutil.which(program) is None]
    absent += [f"the pair {pair}" for pair in pairs if not (MODES / f"{pair}.mode").exists()]
    return f"not installed: {', '.join(absent)}" if absent else ""


@contextmanager
def running_server() -> Iterator[str]:
    """The address of a server with all installed pairs, which is stopped in the end."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile() as log:
        command = ["apertium-apy", "-p", str(port), str(MODES)]
        process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603  # nothing of it comes from outside
        try:
            _wait_for(url, process)
            yield url
        finally:
            process.terminate()
            process.wait(10)


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(TRIES):
        try:
            with urllib.request.urlopen(f"{url}/listPairs", timeout=1):  # noqa: S310  # our own address
                return
        except OSError:
            pass
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        break
    raise RuntimeError("apertium-apy did not start")
