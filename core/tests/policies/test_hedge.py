"""How many extra requests hedging may make (S18)."""

from hypothesis import given
from hypothesis import strategies as st
from switchgear.policies.hedge import Hedge, HedgeBudget


def test_s18_twenty_calls_earn_one_hedge() -> None:
    budget = HedgeBudget(Hedge())
    hedged = []
    for _ in range(100):
        budget.earn()
        hedged.append(budget.take())
    assert [number for number, taken in enumerate(hedged, start=1) if taken] == [20, 40, 60, 80, 100]


@given(st.floats(0.01, 1), st.lists(st.booleans(), max_size=400))
def test_s18_there_are_never_more_extra_requests_than_their_share_of_the_calls(
    share: float, wanted: list[bool]
) -> None:
    budget, hedged = HedgeBudget(Hedge(share=share)), 0
    for calls, slow in enumerate(wanted, start=1):
        budget.earn()
        hedged += slow and budget.take()
        assert hedged <= share * calls + 1e-6


def test_s18_a_long_quiet_time_saves_up_ten_hedges_at_the_most() -> None:
    budget = HedgeBudget(Hedge(share=0.3))
    for _ in range(10_000):
        budget.earn()
    assert sum(budget.take() for _ in range(100)) == 10


def test_s18_a_token_that_was_earned_exactly_is_enough() -> None:
    budget = HedgeBudget(Hedge(share=1.0))
    for _ in range(3):
        budget.earn()
        assert budget.take()
        assert not budget.take()
