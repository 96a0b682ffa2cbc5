"""Shared budgets on a real server, which the tests start, kill and hang."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import RedisError
from switchgear import Switchgear
from switchgear.cost_sink import CostRecord
from switchgear.durations import Duration
from switchgear.testing import CostSinkSuite
from switchgear_redis.budgets import RedisBudgets

ACCOUNT = "month/2026-11"
NOON = 1_795_521_600_000_000


def record(number: int, **values: Any) -> CostRecord:
    given = {
        "id": f"c{number}.1",
        "at": NOON + number,
        "service": "scans",
        "capability": "ocr",
        "provider": "fast",
        "cost": Decimal("0.25"),
        "budgets": (ACCOUNT,),
        "holder": "one",
    }
    return CostRecord(**(given | values))


class TestRedisBudgets(CostSinkSuite):
    is_ledger = False

    @pytest.fixture(autouse=True)
    def take(self, server: Any) -> None:
        self.server = server

    def make(self) -> RedisBudgets:
        return RedisBudgets(url=self.server.url)

    @contextmanager
    def trouble(self) -> Iterator[None]:
        """Whoever writes is refused."""
        with closing(self.make()) as other:
            client = other._connected()
            client.config_set("maxmemory", "1")
            yield
            client.config_set("maxmemory", "0")


def test_it_is_found_by_its_name(server: Any, tmp_path: Path) -> None:
    file = tmp_path / "switchgear.toml"
    file.write_text(f"[cost_sinks.budgets]\ntype = 'redis'\noptions = {{ url = '{server.url}' }}\n[services]\n")
    assert Switchgear.open(file) is not None


def test_an_attempt_is_remembered_for_a_while(server: Any) -> None:
    with closing(RedisBudgets(url=server.url, prefix="while:", remember=Duration(60.0))) as budgets:
        budgets.cost_recorded(record(1))
        budgets.flush()
        assert 50 < budgets._connected().ttl("while:id:c1.1") <= 60
        assert budgets._connected().ttl(f"while:spent:{ACCOUNT}") > 86400 * 300


def test_a_server_that_was_killed_and_is_back_knows_what_was_spent(start: Any) -> None:
    own_server = start("--appendonly", "yes")
    with closing(RedisBudgets(url=own_server.url)) as budgets:
        budgets.cost_recorded(record(1))
        budgets.flush()
        time.sleep(1.5)  # the server syncs its file once a second
        own_server.kill()
        budgets.cost_recorded(record(2))
        for _ in range(2):
            with pytest.raises(RedisError):
                budgets.flush()
        own_server.start()
        budgets.cost_recorded(record(1))
        budgets.flush()
        assert budgets.spent(ACCOUNT) == Decimal("0.5")


def test_a_server_that_hangs_is_given_up_and_used_again_when_it_is_back(start: Any) -> None:
    own_server = start()
    with closing(RedisBudgets(url=own_server.url, timeout=Duration(0.3))) as budgets:
        budgets.cost_recorded(record(1))
        budgets.flush()
        own_server.process.send_signal(signal.SIGSTOP)
        budgets.cost_recorded(record(2))
        with pytest.raises(RedisError):
            budgets.flush()
        own_server.process.send_signal(signal.SIGCONT)
        budgets.flush()
        assert budgets.spent(ACCOUNT) == Decimal("0.5")


def test_four_processes_spend_a_shared_budget_to_the_last_cent_and_no_more(server: Any) -> None:
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_budgets import ACCOUNT, NOON, Decimal, RedisBudgets, record
budgets, own, holder = RedisBudgets(url={server.url!r}, prefix="four:"), Decimal(0), sys.argv[1]
price, spent = Decimal("0.25"), 0
while True:
    if own < price:
        lease = budgets.lease(ACCOUNT, holder, limit=Decimal(250), want=price * 7, need=price, now=NOON, until=NOON + 9)
        own += lease.granted
        if own < price:
            break
    own, spent = own - price, spent + 1
    budgets.cost_recorded(record(0, id=f"{{holder}}.{{spent}}", holder=holder))
    if spent % 5 == 0:
        budgets.flush()
budgets.flush()
budgets.give_back(ACCOUNT, holder, own)
budgets.close()
print(spent)
"""
    holders = [
        subprocess.Popen([sys.executable, "-c", code, f"holder-{number}"], stdout=subprocess.PIPE, text=True)
        for number in range(4)
    ]
    spent = [int(process.communicate()[0]) for process in holders]
    assert sum(spent) == 1000, spent
    with closing(RedisBudgets(url=server.url, prefix="four:")) as budgets:
        assert budgets.spent(ACCOUNT) == 250
