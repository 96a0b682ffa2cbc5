"""No wait without an end."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Timer
from typing import Any

from psycopg import Connection, OperationalError


class NoAnswer(Exception):
    """The server was given up. The connection is lost, and nothing else."""


@contextmanager
def given_up_after(connection: Connection[Any], seconds: float) -> Iterator[None]:
    """A server that hangs, or a network that swallows everything, is never waited for longer.

    The server's own limit does not help then. libpq notices that the socket has been shut down.
    """
    given_up = Event()

    def give_up() -> None:
        given_up.set()
        with socket.socket(fileno=socket.dup(descriptor)) as line:
            line.shutdown(socket.SHUT_RDWR)

    descriptor = connection.fileno()
    timer = Timer(seconds, give_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    except OperationalError as error:
        if given_up.is_set():
            raise NoAnswer(f"no answer from PostgreSQL within {seconds:g} s") from error
        raise
    finally:
        timer.cancel()
