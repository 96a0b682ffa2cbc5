"""A process that is killed under load, again and again: what its vendor did is in the ledger, once (S25)."""

import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from shop import EXTRA, tables
from stores import Postgresql, Store
from switchgear import Charge, Switchgear

CONCURRENCY = 20
SHOP = Path(__file__).with_name("shop.py")


@contextmanager
def under_load(folder: Path, store: Store, *options: str) -> Iterator[None]:
    """A process that works, and is ended at once when this ends."""
    ledger = f"ledger={json.dumps(store.table)}"
    command = [sys.executable, str(SHOP), str(folder), "1000000", str(CONCURRENCY), ledger, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as shop:
        assert shop.stdout is not None
        assert shop.stdout.readline() == "ready\n"
        yield
        assert shop.poll() is None
        shop.kill()


def vendor_journal(folder: Path) -> tuple[set[str], set[str]]:
    """The attempts that the vendor was asked, and those that it had answered, by their ids."""
    asked: Counter[str] = Counter()
    done: Counter[str] = Counter()
    for line in (folder / "vendor.log").read_text().splitlines():
        word, name = line.split(" ")
        (asked if word == "asked" else done)[name] += 1
    assert set(asked.values()) == {1}
    return set(asked), set(done)


def take_over(folder: Path, store: Store) -> None:
    """What the next start does."""
    with Switchgear.compose(tables(folder, store.table), extra=EXTRA):
        pass
    assert not list((folder / "journal").glob("*.journal"))


def charges(store: Store) -> dict[str, Charge]:
    found = [(record.id, record.charge) for record in store.ledger.records()]
    assert len(dict(found)) == len(found), "an attempt is in the ledger twice"
    return dict(found)


def check(folder: Path, store: Store, kills: int) -> int:
    """How many attempts are billed, after so many kills."""
    asked, done = vendor_journal(folder)
    known = charges(store)
    billed = {name for name, charge in known.items() if charge is Charge.BILLED}
    in_doubt = {name for name, charge in known.items() if charge is Charge.IN_DOUBT}
    assert billed <= asked, "a bill for what was never asked"
    assert asked <= billed | in_doubt, "the vendor did something that no ledger knows of"
    # At each kill, one may have been between the vendor and the journal: a loop does one thing at a time.
    assert len(in_doubt) <= len(asked - done) + kills <= kills * (CONCURRENCY + 1)
    return len(billed)


def live_through(folder: Path, store: Store, kills: int, moments: random.Random) -> None:
    billed = 0
    for number in range(kills):
        with under_load(folder, store, f"seed={number}"):
            time.sleep(moments.uniform(0.05, 0.5))
        take_over(folder, store)
        billed = check(folder, store, number + 1)
    assert billed > 10 * kills


def test_s25_killed_under_load_it_leaves_every_attempt_in_the_ledger_once(tmp_path: Path, store: Store) -> None:
    live_through(tmp_path, store, 3, random.Random(1))


@pytest.mark.full
def test_s25_killed_fifty_times_under_load(tmp_path: Path, store: Store) -> None:
    live_through(tmp_path, store, 50, random.Random(2))


@pytest.mark.parametrize("seconds", [1, pytest.param(10, marks=pytest.mark.full)])
def test_s25_nothing_is_lost_while_the_database_is_down(
    tmp_path: Path, in_postgres: Store, postgresql: Postgresql, seconds: int
) -> None:
    with under_load(tmp_path, in_postgres):
        time.sleep(0.5)
        postgresql.crash()
        before, _ = vendor_journal(tmp_path)
        time.sleep(seconds)
        meanwhile, _ = vendor_journal(tmp_path)
        postgresql.start()
        time.sleep(0.5)
    assert len(meanwhile) > len(before), "calls stopped while the database was down"
    take_over(tmp_path, in_postgres)
    check(tmp_path, in_postgres, 1)
