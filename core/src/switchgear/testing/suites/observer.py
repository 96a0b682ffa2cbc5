"""The conformance suite of observers."""

import copy
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import Any

from switchgear.errors import AllProvidersFailed
from switchgear.outcome import Outcome
from switchgear.results import Attempt, Call, ProviderResult, Refused, StateChange
from switchgear.testing.suites.checks import check_plugin, duration_of, skip

_CHEAP = 0.05  # real seconds that hearing of a call may take: the caller waits for it
_CONTENT = "content that must stay inside"


class ObserverSuite:
    """Checks an observer: that it hears every kind of call, leaves it alone, and gives no content away::

    class TestMine(ObserverSuite):
        def make(self): return Mine(path=self.path)
        def written(self): return self.path.read_text()
    """

    def make(self) -> Any:
        """A new observer."""
        raise NotImplementedError

    def written(self) -> str | None:
        """Everything that observers made here have written so far, as text."""
        return None

    def test_it_keeps_to_the_contract_of_observers(self) -> None:
        check_plugin("observers", self.make())

    def test_it_hears_something(self) -> None:
        observer = self.make()
        heard = [name for name in ("call_finished", "state_changed") if callable(getattr(observer, name, None))]
        assert heard, "an observer has call_finished() or state_changed(), or nobody ever calls it"

    def test_it_takes_every_kind_of_call_and_changes_none(self) -> None:
        observer = self.make()
        for call in kinds_of_call():
            before = copy.deepcopy(call)
            before.error = call.error
            _tell(observer, call)
            assert call == before, f"call_finished() changed the call {call.id!r}"
        _close(observer)

    def test_it_takes_every_change_of_state(self) -> None:
        observer = self.make()
        for old, new in pairwise(("closed", "open", "half_open", "closed", "forced_open", "disabled")):
            if hasattr(observer, "state_changed"):
                observer.state_changed(StateChange("scans", "a", old, new))
        _close(observer)

    def test_hearing_of_a_call_is_quick(self) -> None:
        observer = self.make()
        for call in kinds_of_call():
            took = duration_of(partial(_tell, observer, call))
            assert took < _CHEAP, f"call_finished() took {took:.3f} s, which its caller waits for"
        _close(observer)

    def test_it_gives_no_content_away(self, capfd: Any) -> None:
        observer = self.make()
        for call in kinds_of_call():
            _tell(observer, call)
        _close(observer)
        assert _CONTENT not in "".join(capfd.readouterr()), "the observer printed what a provider answered"
        written = self.written()
        if written is None:
            skip("written()")
        assert _CONTENT not in written, "the observer wrote what a provider answered"

    def test_it_can_be_closed_unused_and_twice(self) -> None:
        observer = self.make()
        _close(observer)
        _close(observer)


def kinds_of_call() -> list[Call]:
    """Calls that went well, badly, through several providers, from a cache, past everybody."""
    answer = ProviderResult(
        _CONTENT, usage={"pages": Decimal(2)}, cost=Decimal("0.003"), confidence=0.9, provider="a", latency=0.2
    )
    good = Attempt("good", "a", 1, latency=0.2, usage=answer.usage, cost=answer.cost)
    down = Attempt("fallback", "a", 1, Outcome.TRANSIENT, latency=1.0, message="down")
    second = Attempt("fallback", "b", 2, latency=0.1)
    failed = Attempt("failed", "a", 1, Outcome.ATTEMPT_TIMEOUT, latency=30.0, message="no answer within 30 s")
    return [
        Call("good", "scans", attempts=[good], result=answer, tenant="acme", tags=["batch"], latency=0.2),
        Call("fallback", "scans", attempts=[down, second], result=ProviderResult(_CONTENT, provider="b"), latency=1.1),
        Call("cached", "scans", result=ProviderResult(_CONTENT, provider="a", cache="fresh")),
        Call("refused", "scans", attempts=[good], refused=[Refused(answer, 0.4, "too short")], result=answer),
        Call("failed", "scans", attempts=[failed], error=AllProvidersFailed("nobody answered", [failed])),
        Call("nobody", "scans", dropped={"a": "unavailable"}, error=AllProvidersFailed("nobody answered")),
    ]


def _tell(observer: Any, call: Call) -> None:
    if hasattr(observer, "call_finished"):
        observer.call_finished(call)


def _close(observer: Any) -> None:
    if hasattr(observer, "close"):
        observer.close()
