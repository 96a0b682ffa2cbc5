"""The most expensive calls, each with all its attempts."""

import heapq
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from decimal import Decimal

import attrs

from switchgear.cost_sink import NOTHING, CostRecord
from switchgear.totals import is_unknown

# A call's attempts lie no farther apart: it is over when this much time went by without another one.
_PATIENCE = 3_600_000_000  # microseconds


@attrs.define(kw_only=True)
class CallCost:
    """What a call cost, attempts in doubt included. `at` is when its first attempt was sent, as in `CostRecord`.

    `unknown`: attempts whose cost nobody knows; `providers`: whom it asked, in that order.
    """

    call_id: str
    at: int
    service: str
    tenant: str | None
    currency: str
    cost: Decimal = NOTHING
    attempts: int = 0
    unknown: int = 0
    providers: tuple[str, ...] = ()


def dearest(records: Iterable[CostRecord], count: int) -> list[CallCost]:
    """So many calls out of records that come oldest first, the most expensive one first; of equals, the earlier.

    Keeps only the calls of an hour in memory. Calls in different currencies are compared by their figures alone.
    """
    ranked = ((call.cost, -call.at, call.call_id, call) for call in _calls(records))
    return [call for *_, call in heapq.nlargest(count, ranked, key=lambda each: each[:3])]


def _calls(records: Iterable[CostRecord]) -> Iterator[CallCost]:
    underway: OrderedDict[str, tuple[int, CallCost]] = OrderedDict()
    for record in records:
        if record.kind == "saved":
            continue
        _, call = underway.pop(record.call_id, (0, None))
        if call is None:
            call = CallCost(
                call_id=record.call_id,
                at=record.at,
                service=record.service,
                tenant=record.tenant,
                currency=record.currency,
            )
        _add(call, record)
        underway[record.call_id] = (record.at, call)
        while next(iter(underway.values()))[0] < record.at - _PATIENCE:
            yield underway.popitem(last=False)[1][1]
    yield from (call for _, call in underway.values())


def _add(call: CallCost, record: CostRecord) -> None:
    call.attempts += 1
    call.cost += record.cost or NOTHING
    call.unknown += is_unknown(record)
    call.providers += (record.provider,)
