"""An observer that remembers what it heard."""

import attrs

from switchgear.results import Call, StateChange


@attrs.define(eq=False)
class MemoryObserver:
    """Collects finished calls and state changes in order; `closed` says whether it was closed."""

    calls: list[Call] = attrs.field(factory=list, init=False)
    changes: list[StateChange] = attrs.field(factory=list, init=False)
    closed: bool = attrs.field(default=False, init=False)

    def call_finished(self, call: Call) -> None:
        self.calls.append(call)

    def state_changed(self, change: StateChange) -> None:
        self.changes.append(change)

    def close(self) -> None:
        self.closed = True
