"""A sign of life on standard error while a ledger is read, if somebody is watching."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Nothing is to be printed meanwhile."""
    if not sys.stderr.isatty():
        yield
        return
    from switchgear.cli.tables import console

    with console(stderr=True).status(f"reading {what}"):
        yield
