"""The contract of an observer: metrics, traces, alerts and call logs hear of what happened."""

from typing import Protocol

from switchgear.alert import Alert
from switchgear.cost_sink import CostRecord
from switchgear.results import Call, StateChange


class Observer(Protocol):
    """Called on the home loop, after the fact: be quick and do not wait. What it raises is logged and harms nobody.

    Every method may be left out but one; type checkers do not demand them of a class that does not derive from this.
    """

    def call_finished(self, call: Call) -> None:
        """A call has ended, well or not. Take its figures: `result` and `refused` hold content, which must stay."""

    def state_changed(self, change: StateChange) -> None:
        """A provider's circuit has changed."""

    def cost_recorded(self, record: CostRecord) -> None:
        """An attempt has been priced, or a kept answer has saved its price."""

    def alert_raised(self, alert: Alert) -> None:
        """Something about money that a person should know."""

    def close(self) -> None:
        """The board closes; nothing follows."""
