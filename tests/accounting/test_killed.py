"""A process that is killed under load, again and again: what its vendor did is in the ledger, once (S25)."""

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from shop import EXTRA, tables
from switchgear import Charge, Switchgear
from switchgear.costs.sqlite import SqliteLedger

CONCURRENCY = 20
SHOP = Path(__file__).with_name("shop.py")


def kill_under_load(folder: Path, after: float, *options: str) -> None:
    """Let it work for so long, then end it at once."""
    command = [sys.executable, str(SHOP), str(folder), "1000000", str(CONCURRENCY), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as shop:
        assert shop.stdout is not None
        assert shop.stdout.readline() == "ready\n"
        time.sleep(after)
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


def take_over(folder: Path, ledger: dict[str, Any]) -> None:
    """What the next start does."""
    with Switchgear.compose(tables(folder, ledger), extra=EXTRA):
        pass


def charges(folder: Path) -> dict[str, Charge]:
    found = [(record.id, record.charge) for record in SqliteLedger(path=folder / "ledger.db").records()]
    assert len(dict(found)) == len(found), "an attempt is in the ledger twice"
    return dict(found)


def live_through(folder: Path, kills: int, moments: random.Random) -> None:
    ledger = {"type": "sqlite", "options": {"path": str(folder / "ledger.db")}}
    doubts = 0
    for number in range(kills):
        kill_under_load(folder, moments.uniform(0.05, 0.5), f"seed={number}")
        asked, done = vendor_journal(folder)
        take_over(folder, ledger)
        known = charges(folder)
        billed = {name for name, charge in known.items() if charge is Charge.BILLED}
        in_doubt = {name for name, charge in known.items() if charge is Charge.IN_DOUBT}
        assert billed <= asked, "a bill for what was never asked"
        assert asked <= billed | in_doubt, "the vendor did something that no ledger knows of"
        # At most one was between the vendor and the journal: a loop does one thing at a time.
        new = len(in_doubt) - doubts
        assert new <= len(asked - done) - (doubts - len(in_doubt & done)) + 1 <= CONCURRENCY + 1
        doubts = len(in_doubt)
        assert not list((folder / "journal").glob("*.journal"))
    assert len(billed) > 100 * kills


def test_s25_killed_under_load_it_leaves_every_attempt_in_the_ledger_once(tmp_path: Path) -> None:
    live_through(tmp_path, 3, random.Random(1))


@pytest.mark.full
def test_s25_killed_fifty_times_under_load(tmp_path: Path) -> None:
    live_through(tmp_path, 50, random.Random(2))
