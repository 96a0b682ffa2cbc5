"""django-anymail and api-failover: a send that had timed out was sent again by the next provider, and arrived twice."""

from typing import Any

import attrs
import pytest
from switchgear import (
    Effect,
    InDoubt,
    NotSent,
    ProviderError,
    ProviderManager,
    ProviderResult,
    QuotaExceeded,
    SimpleProvider,
    Throttled,
)
from switchgear.testing import HANG, VirtualClock


@attrs.define
class Mailer(SimpleProvider[Any, Any]):
    """Delivers, and then may fail to say so."""

    outbox: list[str]
    then: list[Any] = attrs.Factory(list)
    asked: int = attrs.field(default=0, init=False)

    async def process(self, request: Any) -> ProviderResult[Any]:
        self.asked += 1
        step = self.then[min(self.asked, len(self.then)) - 1] if self.then else None
        if not isinstance(step, NotSent | QuotaExceeded | Throttled):
            self.outbox.append(request)
        if step is HANG:
            await HANG.wait()
        if isinstance(step, Exception):
            raise step
        return ProviderResult("sent")


def mail(outbox: list[str], *then: Any) -> ProviderManager[Any, Any]:
    return ProviderManager(
        [Mailer(name="first", outbox=outbox, then=list(then), timeout=5.0), Mailer(name="second", outbox=outbox)],
        effect=Effect.ONCE,
        clock=VirtualClock(),
    )


@pytest.mark.parametrize("then", [HANG, ProviderError("connection reset"), ZeroDivisionError()], ids=repr)
async def test_what_may_have_been_sent_is_never_sent_by_another(then: Any) -> None:
    outbox: list[str] = []
    with pytest.raises(InDoubt):
        await mail(outbox, then).process("hello")
    assert outbox == ["hello"]


@pytest.mark.parametrize(
    "then", [NotSent("refused"), QuotaExceeded("used up"), Throttled("wait", retry_after=99.0)], ids=repr
)
async def test_what_was_surely_not_sent_is_sent_by_the_next(then: Any) -> None:
    outbox: list[str] = []
    assert (await mail(outbox, then).process("hello")).provider == "second"
    assert outbox == ["hello"]


async def test_not_even_if_its_repetition_was_surely_not_sent() -> None:
    outbox: list[str] = []
    with pytest.raises(InDoubt):
        await mail(outbox, HANG, NotSent("refused")).process("hello", idempotency_key="mail-7")
    assert outbox == ["hello"]
