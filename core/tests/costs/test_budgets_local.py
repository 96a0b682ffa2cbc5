"""Budgets of one process: what is remembered of accounts whose names come from requests is bounded."""

from decimal import Decimal

import pytest
from switchgear.cost_sink import NOTHING
from switchgear.costs import local
from switchgear.costs.lines import extra_of
from switchgear.costs.local import LocalShares


def lease(shares: LocalShares, account: str, need: int) -> Decimal:
    amount = Decimal(need)
    return shares.lease(account, "", limit=Decimal(10), want=amount, need=amount, now=0, until=0).granted


def test_s24_accounts_that_nobody_has_leased_from_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "MOST_BOOKS", 20)
    shares = LocalShares(lambda account: NOTHING)
    assert lease(shares, "kept", 4) == 10
    for number in range(100):
        assert shares.spent(str(number)) == 0
    assert len(shares._books) <= 20
    assert lease(shares, "kept", 1) == 0, "it is all leased already"


def test_a_tag_that_is_no_text_does_not_end_an_attempt_that_has_its_permit() -> None:
    assert extra_of(None, [b"raw"], []) == """[null, ["b'raw'"], []]"""  # type: ignore[list-item]
