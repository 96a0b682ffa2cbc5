"""The call log: a line per call and per circuit that changes, and one per decision for whoever wants to know why."""

import attrs

from switchgear.logs import logger
from switchgear.results import Call, StateChange


@attrs.frozen
class CallLog:
    """Writes each finished call at INFO, its decisions at DEBUG, and each circuit that changes.

    Names, figures and reasons only, never content.
    """

    def call_finished(self, call: Call) -> None:
        for name, reason in call.dropped.items():
            logger.bind(call_id=call.id, service=call.service, provider=name).debug(
                "{} {}: {} passed over: {}", call.id, call.service, name, reason
            )
        for attempt in call.attempts:
            logger.bind(
                **_fields(call), provider=attempt.provider, kind=attempt.kind, outcome=attempt.outcome.value
            ).debug(
                "{} {}: {} attempt {}: {} in {:.3f} s {}",
                call.id,
                call.service,
                attempt.provider,
                attempt.number,
                attempt.outcome.value,
                attempt.latency,
                attempt.message,
            )
        result = call.result
        spent = call.cost
        cost = None if spent is None else f"{spent:f}"
        if result is None:
            logger.bind(**_fields(call), ok=False, cost=cost).info(
                "{} {}: failed after {} attempts in {:.3f} s: {}",
                call.id,
                call.service,
                len(call.attempts),
                call.latency,
                type(call.error).__name__,
            )
            return
        logger.bind(**_fields(call), ok=True, provider=result.provider, cost=cost, cache=result.cache).info(
            "{} {}: {} answered after {} attempts in {:.3f} s, cost {}",
            call.id,
            call.service,
            result.provider,
            len(call.attempts),
            call.latency,
            "unknown" if cost is None else cost,
        )

    def state_changed(self, change: StateChange) -> None:
        """A circuit that opens is a warning; how it closes again is worth a line."""
        logger.bind(service=change.service, provider=change.provider, circuit=change.new).log(
            "WARNING" if change.new in ("open", "forced_open") else "INFO",
            "{} {}: circuit {}, was {}",
            change.service,
            change.provider,
            change.new,
            change.old,
        )


def _fields(call: Call) -> dict[str, object]:
    return {
        "call_id": call.id,
        "service": call.service,
        "tenant": call.tenant,
        "tags": list(call.tags),
        "latency": round(call.latency, 6),
        "attempts": len(call.attempts),
    }
